"""The first time that a player was part of each deed.

Belongs here: finding it in years of rounds. Does not belong here: what is a deed (the view ``attack_deed``,
``rules.comebacks``), its words (``rules.milestones``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.milestones import Deed
from slomix_pipeline.warehouse import reading

_AT_ONCE = 25  # sessions; mostly there are a comeback and a full hold among the first of them

# One after the other, until he is found to have stood with the right team in all of the match, and in the very round.
_FIRST = """
    select deed, map, match_key, session_key, round_key, stamp
    from (select * from attack_deed where deed = %(deed)s{within} order by stamp, round_key offset 0) d
    cross join lateral (
        select from player_match_fact own
        join player_round_fact f on f.round_key = d.round_key and f.guid = own.guid
        where own.match_key = d.match_key and own.team = d.team and own.guid = any(%(guids)s)
        limit 1
    ) was_there
    limit 1"""
_FIRST_OF_ALL = _FIRST.format(within="")
_FIRST_IN_SESSIONS = _FIRST.format(within=" and session_key = any(%(sessions)s)")

_FIRST_COMEBACK = """
    select %(deed)s::text as deed, map, match_key, session_key, round_key, stamp
    from (select * from player_round_fact where match_key = any(%(matches)s) offset 0) f   -- few; else all of his
    where guid = any(%(guids)s)
      and exists (select from player_match_fact own
                  where own.match_key = f.match_key and own.guid = f.guid and own.won)
    order by stamp, round_key limit 1"""


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
    found = _first_in_sessions(conn, list(guids))
    found += _seen(conn, _FIRST_OF_ALL, Deed.MAP_RECORD, {"guids": list(guids)})
    return tuple(sorted(found, key=lambda own: (own.stamp, own.deed)))


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


def _seen(conn: Connection[DictRow], first: str, deed: Deed, of: Mapping[str, Any]) -> list[DeedSeen]:
    """The first of a deed, if there is one."""
    return [DeedSeen(**row | {"deed": deed}) for row in conn.execute(first, {**of, "deed": deed})]


def _first_in_sessions(conn: Connection[DictRow], guids: list[str]) -> list[DeedSeen]:
    """The first full hold and the first comeback: found among a few of his sessions at a time, in the order of play."""
    few_by_few = conn.execute(
        """select array_agg(session_key) as session_keys, min(began_at) as began_at
           from (
               select session_key, min(first_seen) as began_at,
                      (row_number() over (order by min(first_seen), session_key) - 1) / %s as few
               from alias_fact where guid = any(%s) group by session_key
           ) night
           group by few order by few""",
        [_AT_ONCE, guids],
    ).fetchall()
    first: dict[Deed, DeedSeen] = {}
    for some in few_by_few:
        waiting = [
            deed
            for deed in (Deed.FULL_HOLD, Deed.COMEBACK)
            if deed not in first or some["began_at"] <= first[deed].stamp  # sessions of two servers overlap
        ]
        if not waiting:
            break
        for own in _among(conn, waiting, guids, some["session_keys"]):
            first[own.deed] = min(first.get(own.deed, own), own, key=lambda seen: (seen.stamp, seen.round_key))
    return list(first.values())


def _among(
    conn: Connection[DictRow], wanted: Sequence[Deed], guids: list[str], session_keys: list[str]
) -> list[DeedSeen]:
    found = []
    if Deed.FULL_HOLD in wanted:
        of = {"guids": guids, "sessions": session_keys}
        found += _seen(conn, _FIRST_IN_SESSIONS, Deed.FULL_HOLD, of)
    if Deed.COMEBACK in wanted:
        rows = conn.execute(
            """select session_key, match_key, winner from match where session_key = any(%s)
               order by session_key, position""",
            [session_keys],
        ).fetchall()
        matches = list(reading.comebacks_among(rows))
        found += _seen(conn, _FIRST_COMEBACK, Deed.COMEBACK, {"guids": guids, "matches": matches})
    return found
