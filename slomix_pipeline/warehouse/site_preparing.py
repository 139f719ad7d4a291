"""What is kept for pages: cards and receipts of sessions, and their pictures.

Belongs here: ``site_receipt``, ``site_card``, ``site_picture``, and which sessions have to be prepared.
Does not belong here: news of sessions (``site_news``), making any of it (``stages.site_preparing``,
``stages.session_pictures``), who may read it (``site_schema``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.rules.teams import Team

_IS = "greatest(scored_at, awarded_at)"


@dataclass(frozen=True)
class Unprepared:
    """A session whose card and receipts are not of what it is: ``state`` tells of which state they will be."""

    key: str
    state: datetime
    rounds: tuple[str, ...]


def how_many(conn: Connection[DictRow]) -> int:
    """How many sessions have to be prepared."""
    row = conn.execute(
        f"select count(*) as n from session where prepared_of is distinct from {_IS} and scored_at is not null"
    ).fetchone()
    assert row is not None
    return int(row["n"])


def next_one(conn: Connection[DictRow]) -> Unprepared | None:
    """The newest session that has to be prepared."""
    row = conn.execute(
        f"""select s.session_key, {_IS} as state,
                   array(select round_key from session_round r where r.session_key = s.session_key order by position)
                       as rounds
            from session s where prepared_of is distinct from {_IS} and scored_at is not null
            order by started_at desc, session_key limit 1"""
    ).fetchone()
    return None if row is None else Unprepared(row["session_key"], row["state"], tuple(row["rounds"]))


def store_prepared(
    conn: Connection[DictRow],
    session: Unprepared,
    grade: str,
    best: Mapping[Team, Sequence[str]],
    receipts: Mapping[str, Mapping[str, Any]],
) -> None:
    """Keeps what was made of a session; nothing, if it is another one meanwhile. ``best``: GUIDs of who was best of
    each team."""
    if not _note_tried(conn, session):
        return
    conn.execute(
        """insert into site_card (session_key, grade, best_a, best_b) values (%s, %s, %s, %s)
           on conflict (session_key) do update
           set (grade, best_a, best_b, made_at) = (excluded.grade, excluded.best_a, excluded.best_b, now())""",
        [session.key, grade, *(list(best.get(team, ())) for team in Team)],
    )
    for key, document in receipts.items():
        conn.execute(
            """insert into site_receipt (round_key, document) select round_key, %s from round where round_key = %s
               on conflict (round_key) do update set document = excluded.document, made_at = now()""",
            [Jsonb(document), key],
        )


def note_unprepared(conn: Connection[DictRow], session: Unprepared) -> None:
    """Notes that nothing can be made of a session as it is, so that others get their turn: it has nothing then."""
    if _note_tried(conn, session):
        conn.execute("delete from site_card where session_key = %s", [session.key])
        conn.execute("delete from site_receipt where round_key = any(%s)", [list(session.rounds)])


def _note_tried(conn: Connection[DictRow], session: Unprepared) -> bool:
    """Whether a session still is as it was when that was begun."""
    same = conn.execute(
        f"update session set prepared_of = {_IS} where session_key = %s and {_IS} = %s returning 1",
        [session.key, session.state],
    ).fetchone()
    return same is not None


@dataclass(frozen=True)
class Picture:
    """A picture of a session as pages show it. ``alt``: the same in words."""

    name: str
    alt: str
    svg: str
    png: bytes


@dataclass(frozen=True)
class DrawnOf:
    """What pictures are drawn of: the session as scored then, and who was hidden then (``privacy`` of a version)."""

    scored_at: datetime | None
    privacy: int


def drawn_of(conn: Connection[DictRow], session_key: str) -> DrawnOf:
    """Of what pictures are that are drawn of this moment."""
    row = conn.execute(
        "select privacy, (select scored_at from session where session_key = %s) as scored_at from site.version",
        [session_key],
    ).fetchone()
    assert row is not None
    return DrawnOf(row["scored_at"], row["privacy"])


def store_pictures(conn: Connection[DictRow], session_key: str, pictures: Sequence[Picture], of: DrawnOf) -> None:
    """Keeps the pictures of a session in place of those it had; nothing, if the session is gone meanwhile."""
    conn.execute("delete from site_picture where session_key = %s", [session_key])
    for position, picture in enumerate(pictures, start=1):
        card = picture.png if position == 1 else None
        conn.execute(
            """insert into site_picture (session_key, position, name, alt, svg, png, privacy, scored_at)
               select session_key, %s, %s, %s, %s, %s, %s, %s from session where session_key = %s""",
            [position, picture.name, picture.alt, picture.svg, card, of.privacy, of.scored_at, session_key],
        )
