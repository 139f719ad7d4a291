"""The news of sessions, for the front page: records that fell in them, and what players reached for the first time.

Belongs here: ``site_news``: which sessions have to have theirs made, keeping them, reading them as pages may.
Does not belong here: making them (``stages.site_preparing``), what falls and is reached (``fallen_records``,
``careers``).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.warehouse.rows import rows_of

OF_LATE = timedelta(days=30)  # older ones are no news


@dataclass(frozen=True)
class Waiting:
    """A session whose news are to be made, and of what they will be."""

    key: str
    made_of: str


@dataclass(frozen=True)
class News:
    """What happened, in words without a name; ``guids``: to whom."""

    what: str
    map: str | None
    guids: tuple[str, ...]


@dataclass(frozen=True)
class NewsSeen(News):
    """The same as pages have it; ``names``: of those of ``guids`` who may be named, who are all that are left."""

    session_key: str
    ended_at: datetime
    names: tuple[str, ...]


_WAITING = """from session_news_state s left join site_news n using (session_key)
              where s.ended_at >= %s and n.made_of is distinct from s.made_of"""


def how_many(conn: Connection[DictRow], since: datetime) -> int:
    """Of how many sessions the news have to be made."""
    row = conn.execute(f"select count(*) as n {_WAITING}", [since]).fetchone()
    assert row is not None
    return int(row["n"])


def next_one(conn: Connection[DictRow], since: datetime) -> Waiting | None:
    """The newest session, of those that ended ``since`` then, whose news have to be made."""
    with conn.cursor(row_factory=rows_of(Waiting)) as cursor:
        return cursor.execute(
            f"""select session_key as key, s.made_of {_WAITING}
                order by s.ended_at desc, session_key limit 1""",
            [since],
        ).fetchone()


def store(conn: Connection[DictRow], session: Waiting, news: Sequence[News]) -> None:
    """Keeps the news of a session, if it still is there; of another state they wait to be made again."""
    conn.execute(
        """insert into site_news (session_key, made_of, news)
           select session_key, %s, %s from session where session_key = %s
           on conflict (session_key) do update
           set (made_of, news, made_at) = (excluded.made_of, excluded.news, now())""",
        [session.made_of, Jsonb([asdict(one) for one in news]), session.key],
    )


def latest_news(conn: Connection[DictRow], since: datetime, most: int) -> list[NewsSeen]:
    """The news of sessions that ended ``since`` then, the latest first; what only who is hidden did is left out."""
    with conn.cursor(row_factory=rows_of(NewsSeen)) as cursor:
        return cursor.execute(
            """with known as materialized (select guid, person, name from board_person),
                    told as (select n.session_key, n.ended_at, one.place, one.told ->> 'what' as what,
                                    one.told ->> 'map' as map, one.told -> 'guids' as guids
                             from site.news n
                             cross join lateral jsonb_array_elements(n.news) with ordinality as one (told, place)
                             where n.ended_at >= %s)
               select session_key, ended_at, what, map, array_agg(person order by name, person) as guids,
                      array_agg(name order by name, person) as names
               from told
               cross join lateral (select distinct person, name from known
                                   where guid in (select jsonb_array_elements_text(told.guids))) who
               group by session_key, ended_at, place, what, map
               order by ended_at desc, session_key, place limit %s""",
            [since, most],
        ).fetchall()
