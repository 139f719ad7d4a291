"""Records with what stands behind them, and the personal bests of a session.

Belongs here: asking the views of records. Does not belong here: which kinds there are and what sample they need
(``rules.records``), which rounds may hold one (``sql/views/11_records.sql``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from psycopg import Connection, sql
from psycopg.rows import DictRow

from slomix_pipeline.rules.records import PLACES, NightBest, PersonalBest, RecordKind, RecordLevel, personal_bests
from slomix_pipeline.rules.timing import TimingStatus
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class RecordSeen:
    """A record: who holds it first, and the round and file it is from. ``guids`` and ``holders``: one player, or the
    team of an attack, as far as they may be named; ``equalled``: how often it was reached again, and by which other
    players (``later_guids``, ``later_holders``); ``map``: None of a session."""

    kind: RecordKind
    level: RecordLevel
    value: float
    guids: tuple[str, ...]
    holders: tuple[str, ...]
    map: str | None
    ended_at: datetime
    session_key: str
    match_key: str | None
    round_key: str
    file: str
    sha256: str
    timing_status: TimingStatus | None
    equalled: int
    later_guids: tuple[str, ...] = ()
    later_holders: tuple[str, ...] = ()


# Of one kind at one level, from the index of its column; asked of all of them at once: see of_each.
_BEST = """
    select {name} as kind, {level} as level, n.session_key, n.guid, n.{kind}::double precision as value
    from (
        select {kind} as value from book_night
        where level = {level} and map = %(map)s and guid = any(%(guids)s) and {kind} > 0
        order by {kind} desc limit 1
    ) best
    join book_night n on n.{kind} = best.value
    where n.level = {level} and n.map = %(map)s and n.guid = any(%(guids)s) and n.{kind} > 0"""

# Of one player all kinds at once, from the index of his nights.
_OWN_BEST = sql.SQL("""
    with night as materialized (
        select session_key, guid, {kinds} from book_night
        where level = 'round' and map = '' and guid = any(%(guids)s)
    )
    select 'round' as level, number.kind, night.session_key, night.guid, number.value
    from night
    join (select {bests} from night) best on {reached}
    cross join lateral (values {numbers}) number (kind, value, best)
    where number.value = number.best and number.value > 0""")

# All who reached these, first in time first; one after the other, so that each is found by its session.
_REACHED = """
    select n.*, file.name as file, file.sha256, t.timing_status
    from unnest(%(kinds)s::text[], %(levels)s::text[], %(session_keys)s::text[], %(guids)s::text[],
                %(values)s::double precision[]) wanted (kind, level, session_key, guid, value)
    cross join lateral (
        select kind, level, value, guid, map, stamp as ended_at, session_key, match_key, round_key
        from book_number own
        where own.session_key = wanted.session_key and own.guid = wanted.guid and own.level = wanted.level
          and own.kind = wanted.kind and own.value = wanted.value
          and (%(map)s::text is null or own.map = %(map)s)
        offset 0
    ) n
    join parsed_round file using (round_key)
    left join round_timing t using (round_key)
    order by n.ended_at, n.guid, n.round_key"""

_OF_ATTACKS = """
    with best as materialized (
        select asked.map, fastest.seconds
        from unnest(%(maps)s::text[]) asked (map)
        cross join lateral (
            select seconds from map_attack own
            where own.map = asked.map and own.completed and own.in_book and own.team is not null
            order by seconds limit 1
        ) fastest
    ),
    first as materialized (
        select distinct on (a.map) a.*, count(*) over (partition by a.map) - 1 as equalled
        from best
        cross join lateral (
            select * from map_attack own
            where own.map = best.map and own.seconds = best.seconds
              and own.completed and own.in_book and own.team is not null
            offset 0
        ) a
        order by a.map, a.stamp, a.round_key
    )
    select %(kind)s::text as kind, 'round' as level, a.seconds::double precision as value,
           team.guids, team.holders, a.map, a.stamp as ended_at, a.session_key, a.match_key, a.round_key,
           a.file_name as file, a.sha256, a.timing_status, a.equalled,
           array[]::text[] as later_guids, array[]::text[] as later_holders
    from first a
    cross join lateral (
        select coalesce(array_agg(p.person order by p.name, p.person), '{}') as guids,
               coalesce(array_agg(p.name order by p.name, p.person), '{}') as holders
        from player_round_fact f join board_person p using (guid)
        where f.round_key = a.round_key and f.team = a.team
    ) team
    order by a.map"""

_NIGHTS = """
    select p.person as guid, who.name, r.kind, r.session_key, s.started_at, max(r.value) as value
    from book_number r
    join session s using (session_key)
    join board_person p using (guid)
    join unnest(%(persons)s::text[], %(names)s::text[]) who (person, name) using (person)
    where r.guid = any(%(guids)s) and r.level = 'round'
    group by p.person, who.name, r.kind, r.session_key, s.started_at"""


def records(
    conn: Connection[DictRow], map_name: str | None = None, who: Mapping[str, tuple[str, str]] | None = None
) -> list[RecordSeen]:
    """All records, of one map or of all: rounds, then matches, then sessions, and the fastest attack of every map. Who
    reached a record first holds it. ``who``: what ``named`` gives, where that was asked before."""
    who = named(conn) if who is None else who
    return _best_of(conn, who, PLACES, map_name) + fastest_attacks(conn, map_name)


def _best_of(
    conn: Connection[DictRow],
    who: Mapping[str, tuple[str, str]],
    places: tuple[tuple[RecordLevel, RecordKind], ...],
    map_name: str | None = None,
) -> list[RecordSeen]:
    """The best that any of these reached, in the order of ``places``."""
    best = conn.execute(of_each(_BEST, places), {"map": map_name or "", "guids": list(who)}).fetchall()
    return _held(conn, who, places, best, map_name)


def _held(
    conn: Connection[DictRow],
    who: Mapping[str, tuple[str, str]],
    places: Iterable[tuple[RecordLevel, RecordKind]],
    best: Sequence[DictRow],
    map_name: str | None = None,
) -> list[RecordSeen]:
    """The records of these bests, in the order of ``places``."""
    reached: dict[tuple[str, str], list[DictRow]] = {}
    for row in _reached(conn, best, map_name):
        reached.setdefault((row["level"], row["kind"]), []).append(row)
    return [_record(reached[place], who) for place in places if place in reached]


@cache
def of_each(query: str, places: tuple[tuple[RecordLevel, RecordKind], ...]) -> str:
    """A query of one kind at one level as a single query of several of them. In ``query``: ``{kind}`` is the column,
    ``{name}`` and ``{level}`` what it is called, ``{at}`` its place among them, from 1 as arrays have it."""
    parts = (
        sql.SQL(query).format(kind=sql.Identifier(kind), name=str(kind), level=str(level), at=at)
        for at, (level, kind) in enumerate(places, start=1)
    )
    return sql.SQL(" union all ").join(parts).as_string()


def _reached(conn: Connection[DictRow], best: Sequence[DictRow], map_name: str | None) -> list[DictRow]:
    asked = {f"{name}s": [row[name] for row in best] for name in ("kind", "level", "session_key", "guid", "value")}
    return conn.execute(_REACHED, asked | {"map": map_name}).fetchall()


def named(conn: Connection[DictRow]) -> dict[str, tuple[str, str]]:
    """Everybody who may be named, by each GUID that he played under: the one that his careers go by, and his name."""
    return {row["guid"]: (row["person"], row["name"]) for row in conn.execute("select * from board_person")}


def _record(rows: Sequence[DictRow], who: Mapping[str, tuple[str, str]]) -> RecordSeen:
    """A record of all who reached it. Somebody who reached it again holds it once."""
    first, *again = rows
    person, name = who[first["guid"]]
    later = dict(who[row["guid"]] for row in again)
    later.pop(person, None)
    return RecordSeen(
        kind=RecordKind(first["kind"]),
        level=RecordLevel(first["level"]),
        value=first["value"],
        guids=(person,),
        holders=(name,),
        map=first["map"],
        ended_at=first["ended_at"],
        session_key=first["session_key"],
        match_key=first["match_key"],
        round_key=first["round_key"],
        file=first["file"],
        sha256=first["sha256"],
        timing_status=first["timing_status"] and TimingStatus(first["timing_status"]),
        equalled=len(again),
        later_guids=tuple(later),
        later_holders=tuple(later.values()),
    )


def fastest_attacks(conn: Connection[DictRow], map_name: str | None = None) -> list[RecordSeen]:
    """The fastest attack of every map, or of one."""
    maps = [row["map"] for row in conn.execute("select map from attacked_map")] if map_name is None else [map_name]
    with conn.cursor(row_factory=rows_of(RecordSeen)) as cursor:
        return cursor.execute(_OF_ATTACKS, {"maps": maps, "kind": RecordKind.ATTACK}).fetchall()


def bests(conn: Connection[DictRow], guids: Sequence[str]) -> list[RecordSeen]:
    """The best that a player, known by these GUIDs, reached in one round, of every kind; the first time that he did."""
    who = {guid: own for guid, own in named(conn).items() if guid in guids}
    places = [place for place in PLACES if place[0] is RecordLevel.ROUND]
    best = conn.execute(_own_best(tuple(kind for _, kind in places)), {"guids": list(who)}).fetchall()
    found = _held(conn, who, places, best)
    return [replace(best, equalled=0, later_guids=(), later_holders=()) for best in found]


@cache
def _own_best(kinds: tuple[RecordKind, ...]) -> str:
    columns = [sql.Identifier(kind) for kind in kinds]
    number = sql.SQL("({}, night.{}::double precision, best.{}::double precision)")
    return _OWN_BEST.format(
        kinds=sql.SQL(", ").join(columns),
        bests=sql.SQL(", ").join(sql.SQL("max({0}) as {0}").format(column) for column in columns),
        reached=sql.SQL(" or ").join(sql.SQL("night.{0} = best.{0}").format(column) for column in columns),
        numbers=sql.SQL(", ").join(
            number.format(kind, column, column) for kind, column in zip(kinds, columns, strict=True)
        ),
    ).as_string()


def personal_bests_of(conn: Connection[DictRow], session_key: str) -> list[PersonalBest]:
    """The personal bests of a session, rarest first, as many as are told."""
    played = conn.execute(
        """select person, called, array_agg(own.guid) as guids
           from (select distinct person, called from session_name where session_key = %s) here
           join board_person own using (person) group by person, called""",
        [session_key],
    ).fetchall()
    who = {
        "guids": [guid for row in played for guid in row["guids"]],
        "persons": [row["person"] for row in played],
        "names": [row["called"] for row in played],
    }
    with conn.cursor(row_factory=rows_of(NightBest)) as cursor:
        nights = cursor.execute(_NIGHTS, who).fetchall()
    return personal_bests(nights, session_key)
