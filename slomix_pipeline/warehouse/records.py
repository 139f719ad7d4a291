"""Records with what stands behind them, and the personal bests of a session.

Belongs here: asking the views of records. Does not belong here: which kinds there are and what sample they need
(``rules.records``), which rounds may hold one (``sql/views/11_records.sql``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.records import NightBest, PersonalBest, RecordKind, RecordLevel, personal_bests
from slomix_pipeline.rules.timing import TimingStatus
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class RecordSeen:
    """A record: who holds it first, and the round and file it is from. ``guids`` and ``holders``: one player, or the
    team of an attack, as far as they may be named; ``equalled``: how often it was reached again; ``map``:
    None of a session."""

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


# The highest of each first, then who reached it: far fewer rows than all numbers of all rounds, one by one.
_OF_ROUNDS = """
    with best as (
        select max(kills) as kills, max(damage_given) as damage_given, max(gibs) as gibs,
               max(killing_spree) as killing_spree, max(useful_kills) as useful_kills,
               max(denied_playtime) as denied_playtime, max(dpm) as dpm, max(kills_per_minute) as kills_per_minute,
               max(aimed_accuracy) as aimed_accuracy
        from record_line where %(map)s::text is null or map = %(map)s
    ),
    top as materialized (
        select l.* from record_line l, best b
        where (%(map)s::text is null or l.map = %(map)s)
          and (l.kills = b.kills or l.damage_given = b.damage_given or l.gibs = b.gibs
               or l.killing_spree = b.killing_spree or l.useful_kills = b.useful_kills
               or l.denied_playtime = b.denied_playtime or l.dpm = b.dpm or l.kills_per_minute = b.kills_per_minute
               or l.aimed_accuracy = b.aimed_accuracy)
    )
    select distinct on (n.kind) n.kind, 'round' as level, n.value, array[l.person] as guids, array[l.name] as holders,
           l.map, l.stamp as ended_at, l.session_key, l.match_key, l.round_key, file.name as file, file.sha256,
           t.timing_status, count(*) over (partition by n.kind) - 1 as equalled
    from top l
    cross join best b
    cross join lateral (
        values ('kills', l.kills::double precision, b.kills::double precision),
               ('damage_given', l.damage_given, b.damage_given), ('gibs', l.gibs, b.gibs),
               ('killing_spree', l.killing_spree, b.killing_spree), ('useful_kills', l.useful_kills, b.useful_kills),
               ('denied_playtime', l.denied_playtime, b.denied_playtime), ('dpm', l.dpm, b.dpm),
               ('kills_per_minute', l.kills_per_minute, b.kills_per_minute),
               ('aimed_accuracy', l.aimed_accuracy, b.aimed_accuracy)
    ) n (kind, value, best)
    join parsed_round file using (round_key)
    left join round_timing t using (round_key)
    where n.value = n.best and n.value > 0
    order by n.kind, l.stamp, l.guid"""

_OF_SUMS = """
    with whole as materialized (select * from record_sum where %(map)s::text is null or map = %(map)s),
    best as (
        select level, max(kills) as kills, max(damage_given) as damage_given, max(gibs) as gibs
        from whole group by level
    )
    select distinct on (w.level, n.kind) n.kind, w.level, n.value, array[w.person] as guids, array[w.name] as holders,
           w.map, w.stamp as ended_at, w.session_key, w.match_key, w.round_key, file.name as file, file.sha256,
           t.timing_status, count(*) over (partition by w.level, n.kind) - 1 as equalled
    from whole w
    join best b on b.level = w.level
                and (w.kills = b.kills or w.damage_given = b.damage_given or w.gibs = b.gibs)
    cross join lateral (
        values ('kills', w.kills::double precision, b.kills::double precision),
               ('damage_given', w.damage_given, b.damage_given), ('gibs', w.gibs, b.gibs)
    ) n (kind, value, best)
    join parsed_round file using (round_key)
    left join round_timing t using (round_key)
    where n.value = n.best and n.value > 0
    order by w.level, n.kind, w.stamp, w.guid"""

_OF_ATTACKS = """
    with best as (
        select map, min(seconds) as seconds from map_attack
        where completed and in_book and team is not null and (%(map)s::text is null or map = %(map)s) group by map
    )
    select distinct on (a.map) %(kind)s::text as kind, 'round' as level, a.seconds::double precision as value,
           team.guids, team.holders, a.map, a.stamp as ended_at, a.session_key, a.match_key, a.round_key,
           a.file_name as file, a.sha256, a.timing_status, count(*) over (partition by a.map) - 1 as equalled
    from map_attack a
    join best using (map, seconds)
    cross join lateral (
        select coalesce(array_agg(p.person order by p.name, p.person), '{}') as guids,
               coalesce(array_agg(p.name order by p.name, p.person), '{}') as holders
        from player_round_fact f join board_person p using (guid)
        where f.round_key = a.round_key and f.team = a.team
    ) team
    where a.completed and a.in_book and a.team is not null
    order by a.map, a.stamp, a.round_key"""

_OF_PERSONS = """
    select distinct on (r.kind) r.kind, 'round' as level, r.value, array[r.person] as guids, array[r.name] as holders,
           r.map, r.stamp as ended_at, r.session_key, r.match_key, r.round_key, file.name as file, file.sha256,
           t.timing_status, 0 as equalled
    from record_round r
    join parsed_round file using (round_key)
    left join round_timing t using (round_key)
    where r.guid = any(%(guids)s)
    order by r.kind, r.value desc, r.stamp, r.guid"""

_NIGHTS = """
    select r.person as guid, who.name, r.kind, r.session_key, s.started_at, max(r.value) as value
    from record_round r
    join session s using (session_key)
    join unnest(%(persons)s::text[], %(names)s::text[]) who (person, name) using (person)
    where r.guid = any(%(guids)s)
    group by r.person, who.name, r.kind, r.session_key, s.started_at"""

_IN_ORDER = {level: place for place, level in enumerate(RecordLevel)}


def records(conn: Connection[DictRow], map_name: str | None = None) -> list[RecordSeen]:
    """All records, of one map or of all: rounds, then matches, then sessions, and the fastest attack of every map. Who
    reached a record first holds it."""
    with conn.cursor(row_factory=rows_of(RecordSeen)) as cursor:
        found = [row for query in (_OF_ROUNDS, _OF_SUMS) for row in cursor.execute(query, {"map": map_name})]
    found.sort(key=lambda record: (_IN_ORDER[record.level], list(RecordKind).index(record.kind)))
    return found + fastest_attacks(conn, map_name)


def fastest_attacks(conn: Connection[DictRow], map_name: str | None = None) -> list[RecordSeen]:
    """The fastest attack of every map, or of one."""
    with conn.cursor(row_factory=rows_of(RecordSeen)) as cursor:
        return cursor.execute(_OF_ATTACKS, {"map": map_name, "kind": RecordKind.ATTACK}).fetchall()


def bests(conn: Connection[DictRow], guids: Sequence[str]) -> list[RecordSeen]:
    """The best that a player, known by these GUIDs, reached in one round, of every kind."""
    with conn.cursor(row_factory=rows_of(RecordSeen)) as cursor:
        found = cursor.execute(_OF_PERSONS, {"guids": list(guids)}).fetchall()
    return sorted(found, key=lambda record: list(RecordKind).index(record.kind))


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
