"""Sessions as lists have them: which fit what was asked for, and what is told of each in a line.

Belongs here: finding them, a page at a time, and who was best in each. Does not belong here: one session (``reading``),
its score, which lists read as everybody does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.scoring import Source
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class Wanted:
    """What sessions are asked for. ``before``: older than this one; ``first_day`` and ``last_day``: begun on one of
    these; ``guids``: of one player, who was there; ``map``: as ``map_key`` has it, of which a match was played;
    ``played_until``: when those ended that may go on, of which nobody knows yet what they become."""

    before: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    guids: Sequence[str] | None = None
    map: str | None = None
    played_until: Sequence[datetime] = ()


@dataclass(frozen=True)
class BestSeen:
    """Who was best of a team in a session."""

    session_key: str
    team: Team
    guid: str
    name: str


@dataclass(frozen=True)
class Noted:
    """What else there is to say of a session: ``decided`` matches by a person, how many were ``corrected`` since they
    were told, ``reasons``: why its matches are not counted."""

    session_key: str
    decided: int = 0
    corrected: int = 0
    reasons: tuple[str, ...] = field(default=())


# One file alone is mostly no evening: somebody tried a map.
_IS_ONE_FILE = """(
    s.ended_at <> all(%(played_until)s)
    and (select count(*) from session_round r where r.session_key = s.session_key) = 1
    and not exists (select from match m where m.session_key = s.session_key and m.winner is not null))"""

_FITS = """
    (%(before)s::text is null or (s.started_at, s.session_key) < (
        select b.started_at, b.session_key from session b where b.session_key = %(before)s))
    and (%(first)s::date is null or (s.started_at at time zone %(zone)s)::date between %(first)s and %(last)s)
    and (%(guids)s::text[] is null or exists (
        select from session_player p where p.session_key = s.session_key and p.guid = any(%(guids)s)))
    and (%(map)s::text is null or exists (
        select from match m where m.session_key = s.session_key and map_key(m.map) = %(map)s))"""


def sessions_wanted(
    conn: Connection[DictRow], most: int, wanted: Wanted, zone: tzinfo, *, also_one_file: bool
) -> list[str]:
    """The keys of sessions that fit, newest first. ``also_one_file``: also those of one file without a result."""
    rows = conn.execute(
        f"""select session_key from session s
            where {_FITS} and (%(also)s or not {_IS_ONE_FILE})
            order by started_at desc, session_key desc limit %(most)s""",
        {**_asked(wanted, zone), "also": also_one_file, "most": most},
    )
    return [row["session_key"] for row in rows]


def are_there_of_one_file(conn: Connection[DictRow], wanted: Wanted, zone: tzinfo) -> bool:
    """Whether sessions of one file without a result fit."""
    query = f"select from session s where {_FITS} and {_IS_ONE_FILE} limit 1"
    return conn.execute(query, _asked(wanted, zone)).fetchone() is not None


def _asked(wanted: Wanted, zone: tzinfo) -> dict[str, object]:
    return {
        "before": wanted.before,
        "first": wanted.first_day,
        "last": wanted.last_day,
        "guids": None if wanted.guids is None else list(wanted.guids),
        "map": wanted.map,
        "played_until": list(wanted.played_until),
        "zone": str(zone),
    }


def best_of_sessions(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, dict[Team, list[BestSeen]]]:
    """Who was best of each team of sessions, where that can be said and is worked out."""
    with conn.cursor(row_factory=rows_of(BestSeen)) as cursor:
        rows = cursor.execute(
            """with named as materialized (
                   select session_key, guid, called from session_name where session_key = any(%(keys)s)
               )
               select c.session_key, best.team, n.guid, n.called as name
               from site.card c
               cross join lateral (
                   select %(a)s as team, guid, place from unnest(best_a) with ordinality as of_a (guid, place)
                   union all
                   select %(b)s, guid, place from unnest(best_b) with ordinality as of_b (guid, place)
               ) best
               join named n on n.session_key = c.session_key and n.guid = best.guid
               where c.session_key = any(%(keys)s) order by c.session_key, best.team, best.place""",
            {"keys": list(session_keys), "a": Team.A, "b": Team.B},
        ).fetchall()
    found: dict[str, dict[Team, list[BestSeen]]] = {}
    for row in rows:
        found.setdefault(row.session_key, {}).setdefault(row.team, []).append(row)
    return found


def noted(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, Noted]:
    """What else there is to say of sessions with matches, by session."""
    with conn.cursor(row_factory=rows_of(Noted)) as cursor:
        rows = cursor.execute(
            """select session_key, count(*) filter (where source = %(person)s) as decided,
                      count(*) filter (where exists (
                          select from post p join correction c using (thing) where p.partition_key = r2_key
                      )) as corrected,
                      coalesce(array_agg(distinct reason) filter (where winner is null), '{}') as reasons
               from match where session_key = any(%(keys)s) group by session_key""",
            {"keys": list(session_keys), "person": Source.OVERRIDE},
        ).fetchall()
    return {row.session_key: row for row in rows}


def players_of_sessions(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, int]:
    """How many people played in sessions, by session; one with two GUIDs is one."""
    rows = conn.execute(
        """select session_key, count(distinct coalesce(d.person_guid, p.guid)) as players
           from session_player p left join person_decided d on d.guid = p.guid
           where session_key = any(%s) group by session_key""",
        [list(session_keys)],
    )
    return {row["session_key"]: row["players"] for row in rows}
