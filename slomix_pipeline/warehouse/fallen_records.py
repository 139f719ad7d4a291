"""The records that fell in a session, as things stood when it was played, with what stood before.

Belongs here: asking the book of records about one session and all before it. Does not belong here: when a record falls
(``rules.records``), which rounds may hold one (``sql/views/11_records.sql``), records as they stand now (``records``).

Whoever wishes not to be named has a part in this: nothing is told as a record that he did better. His stand unnamed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from psycopg import Connection, sql
from psycopg.rows import DictRow

from slomix_pipeline.rules.records import PLACES, Challenge, RecordKind, RecordLevel, falls
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class Held:
    """The best of a session, and who reached it first: one player, or the team of an attack. ``names``: as they were
    called in that session, without those who wished not to be named; ``map``: None of a session."""

    kind: RecordKind
    level: RecordLevel
    map: str | None
    session_key: str
    value: float
    ended_at: datetime
    guids: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class FallenRecord:
    """A record of a session, and the one that stood before."""

    new: Held
    old: Held


# As in the view session_past: whatever is before a session in this order, and nothing else, changes what it tells.
_HISTORY = """
    history as materialized (
        select s.session_key, s.started_at, s.session_key = own.session_key as is_own
        from session s join session own on own.session_key = %(key)s
        where (s.started_at, s.session_key) <= (own.started_at, own.session_key)
    )"""

# Of one kind at one level, from the index of its column; "map" is empty of what is best on all of them.
_NUMBER = f"""
    with {_HISTORY},
    before as (
        select n.session_key, n.{{kind}}::double precision as value, h.started_at
        from book_night n join history h using (session_key)
        where n.level = %(level)s and n.map = '' and n.{{kind}} > 0 and not h.is_own
    )
    select %(kind)s::text as kind, %(level)s::text as level, null as map, own.value,
           (select max(value) from before) as before,
           (select session_key from before order by value desc, started_at, session_key limit 1) as before_in,
           (select count(distinct session_key) from before) as chances
    from (select max({{kind}})::double precision as value from book_night
          where session_key = %(key)s and level = %(level)s and map = '') own
    where own.value > 0"""

_ATTACKS = f"""
    with {_HISTORY},
    best as (
        select a.map, session_key, started_at, is_own, min(a.seconds)::double precision as seconds,
               count(*) as attacks
        from map_attack a join history using (session_key)
        where a.completed and a.in_book
          and a.map in (select map_key(map) from match where session_key = %(key)s)
        group by a.map, session_key, started_at, is_own
    )
    select %(attack)s::text as kind, 'round' as level, map,
           min(seconds) filter (where is_own) as value,
           min(seconds) filter (where not is_own) as before,
           (array_agg(session_key order by seconds, started_at, session_key) filter (where not is_own))[1] as before_in,
           coalesce(sum(attacks) filter (where not is_own), 0)::bigint as chances
    from best
    group by map
    having bool_or(is_own)"""

# Who reached these first.
_HOLDERS = """
    with first as (
        select distinct on (n.level, n.kind, n.session_key)
               n.kind, n.level, n.map, n.session_key, n.value, n.stamp as ended_at, n.guid
        from book_number n
        join unnest(%(kinds)s::text[], %(levels)s::text[], %(sessions)s::text[], %(values)s::double precision[])
             reached (kind, level, session_key, value) using (kind, level, session_key, value)
        where n.session_key = any(%(sessions)s)
        order by n.level, n.kind, n.session_key, n.stamp, n.guid
    )
    select f.kind, f.level, f.map, f.session_key, f.value, f.ended_at, array[f.guid] as guids,
           case when d.hidden_as is null and n.called is not null then array[n.called] else '{}' end as names
    from first f
    left join session_name n using (session_key, guid)
    left join person_decided d using (guid)"""

_TEAMS = """
    with first as (
        select distinct on (a.map, a.session_key)
               a.map, a.session_key, a.seconds::double precision as value, a.stamp as ended_at, a.round_key, a.team
        from map_attack a
        join unnest(%(maps)s::text[], %(sessions)s::text[], %(values)s::double precision[])
             reached (map, session_key, value)
             on reached.map = a.map and reached.session_key = a.session_key and reached.value = a.seconds
        where a.completed and a.in_book and a.session_key = any(%(sessions)s)
        order by a.map, a.session_key, a.stamp, a.round_key
    )
    select %(attack)s::text as kind, 'round' as level, f.map, f.session_key, f.value, f.ended_at, team.guids, team.names
    from first f
    cross join lateral (
        select coalesce(array_agg(own.guid order by own.guid), '{}') as guids,
               coalesce(array_agg(distinct n.called) filter (where d.hidden_as is null and n.called is not null), '{}')
                   as names
        from player_round_fact own
        left join session_name n on n.session_key = f.session_key and n.guid = own.guid
        left join person_decided d on d.guid = own.guid
        where own.round_key = f.round_key and own.team = f.team
    ) team"""


def fallen_records(conn: Connection[DictRow], session_key: str) -> list[FallenRecord]:
    """The records that fell in a session: of rounds, matches and the whole of it, then the fastest attacks by map."""
    with conn.cursor(row_factory=rows_of(Challenge)) as cursor:
        asked = {"key": session_key, "attack": RecordKind.ATTACK}
        found = list(cursor.execute(_ATTACKS, asked))
        for level, kind in PLACES:
            query = sql.SQL(_NUMBER).format(kind=sql.Identifier(kind))
            found += cursor.execute(query, {"key": session_key, "level": level, "kind": kind})
    found = [own for own in found if falls(own)]
    attacks = [own for own in found if own.kind is RecordKind.ATTACK]
    numbers = [own for own in found if own.kind is not RecordKind.ATTACK]
    attacks.sort(key=attrgetter("map"))
    return [*_with_holders(conn, session_key, numbers, _HOLDERS), *_with_holders(conn, session_key, attacks, _TEAMS)]


def _with_holders(
    conn: Connection[DictRow], session_key: str, found: Sequence[Challenge], query: str
) -> list[FallenRecord]:
    """These records with who reached them and what stood before, in the same order. One whose session was worked out
    anew meanwhile is left out: it will be asked again for that."""
    if not found:
        return []  # as on most evenings
    both = [(own, session_key, own.value) for own in found] + [(own, own.before_in, own.before) for own in found]
    asked = {
        "attack": RecordKind.ATTACK,
        "kinds": [own.kind for own, _, _ in both],
        "levels": [own.level for own, _, _ in both],
        "maps": [own.map for own, _, _ in both],
        "sessions": [key for _, key, _ in both],
        "values": [value for _, _, value in both],
    }
    with conn.cursor(row_factory=rows_of(Held)) as cursor:
        held = {_place(own, own.session_key): own for own in cursor.execute(query, asked)}
    pairs = [(held.get(_place(own, session_key)), held.get(_place(own, own.before_in))) for own in found]
    return [FallenRecord(new, old) for new, old in pairs if new and old]


def _place(own: Challenge | Held, session_key: str | None) -> tuple[RecordKind, RecordLevel, str | None, str | None]:
    """A kind and level of a session; of attacks also the map, each of which has its own."""
    return own.kind, own.level, own.map if own.kind is RecordKind.ATTACK else None, session_key
