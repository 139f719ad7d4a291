"""The first time that a player was part of each deed.

Belongs here: finding it in years of rounds. Does not belong here: what is a deed (the view ``attack_deed``,
``rules.comebacks``), its words (``rules.milestones``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.milestones import Deed
from slomix_pipeline.warehouse import reading

_AT_ONCE = 50  # sessions; mostly the first comeback is among the first of them

# The matches that he played for the right team, few rows each; then the first of them in whose very round he was.
_FIRST = """
    select deed, map, match_key, session_key, round_key, stamp
    from (
        select d.deed, d.map, d.match_key, d.session_key, d.round_key, d.stamp, own.guid, d.team
        from attack_deed d
        join player_match_fact own on own.match_key = d.match_key and own.team = d.team
        where d.deed = %(deed)s and own.guid = any(%(guids)s)
        order by d.stamp, d.round_key
        offset 0
    ) may
    cross join lateral (
        select from player_round_fact f
        where f.round_key = may.round_key and f.guid = may.guid and f.team = may.team
        limit 1
    ) was_there
    limit 1"""


@dataclass(frozen=True)
class DeedSeen:
    """The first time that a player was part of a deed."""

    deed: Deed
    map: str
    match_key: str
    session_key: str
    round_key: str
    stamp: datetime


def deeds(conn: Connection[DictRow], guids: Sequence[str]) -> tuple[DeedSeen, ...]:
    """The first time of every deed by who is known by these GUIDs, in the order in which they came."""
    found = [_first_comeback(conn, list(guids))]
    for deed in (Deed.FULL_HOLD, Deed.MAP_RECORD):
        found.append(_seen(conn.execute(_FIRST, {"deed": deed, "guids": list(guids)}).fetchone()))
    return tuple(sorted(filter(None, found), key=lambda own: (own.stamp, own.deed)))


def deeds_in(conn: Connection[DictRow], session_key: str) -> set[str]:
    """The GUIDs of those for whose team there was a deed in a session, whether it was their first or not."""
    rows = conn.execute(
        "select session_key, match_key, winner from match where session_key = %s order by position", [session_key]
    ).fetchall()
    found = conn.execute(
        """select distinct own.guid
           from player_match_fact own
           join match m using (match_key)
           left join attack_deed d on d.match_key = own.match_key and d.team = own.team
           where own.session_key = %(session)s
             and (d.match_key is not null or own.match_key = any(%(comebacks)s) and own.team = m.winner)""",
        {"session": session_key, "comebacks": list(reading.comebacks_among(rows))},
    ).fetchall()
    return {row["guid"] for row in found}


def _seen(row: DictRow | None) -> DeedSeen | None:
    return None if row is None else DeedSeen(**row | {"deed": Deed(row["deed"])})


def _first_comeback(conn: Connection[DictRow], guids: list[str]) -> DeedSeen | None:
    nights = conn.execute(
        """select session_key, min(began_at) as began_at from player_night_fact
           where guid = any(%s) group by session_key order by began_at, session_key""",
        [guids],
    ).fetchall()
    first: DeedSeen | None = None
    for at in range(0, len(nights), _AT_ONCE):
        some = nights[at : at + _AT_ONCE]
        if first is not None and some[0]["began_at"] > first.stamp:
            break
        found = _comeback_among(conn, guids, [night["session_key"] for night in some])
        first = min(filter(None, (first, found)), key=lambda own: (own.stamp, own.round_key), default=None)
    return first


def _comeback_among(conn: Connection[DictRow], guids: list[str], session_keys: list[str]) -> DeedSeen | None:
    rows = conn.execute(
        "select session_key, match_key, winner from match where session_key = any(%s) order by session_key, position",
        [session_keys],
    ).fetchall()
    return _seen(
        conn.execute(
            """select %(deed)s::text as deed, f.map, f.match_key, f.session_key, f.round_key, f.stamp
               from match m
               join player_round_fact f on f.match_key = m.match_key and f.team = m.winner
               where m.match_key = any(%(matches)s) and f.match_key = any(%(matches)s) and f.guid = any(%(guids)s)
               order by f.stamp, f.round_key limit 1""",
            {"deed": Deed.COMEBACK, "matches": list(reading.comebacks_among(rows)), "guids": guids},
        ).fetchone()
    )
