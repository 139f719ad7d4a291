"""Records with what stands behind them, and the personal bests of a session.

Belongs here: asking the views of records. Does not belong here: which kinds there are and what sample they need
(``rules.records``), which rounds may hold one (``sql/views/11_records.sql``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.records import KINDS, NightBest, PersonalBest, RecordKind, RecordLevel, personal_bests
from slomix_pipeline.rules.timing import TimingStatus
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class RecordSeen:
    """A record: who holds it first, and the round and file it is from. ``guids`` and ``holders``: one player, or the
    team of an attack; ``equalled``: how often it was reached again; ``map``: None of a session."""

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


_COLUMNS = """
    r.kind, r.level, r.value, array[r.person] as guids, array[r.name] as holders, r.map, r.stamp as ended_at,
    r.session_key, r.match_key, r.round_key, file.name as file, file.sha256, t.timing_status"""

_OF_PLAYERS = f"""
    with candidate as (
        select r.*, p.person, p.name
        from record_round r
        join unnest(%(kinds)s::text[], %(least)s::bigint[]) as k (kind, least) using (kind)
        join board_person p using (guid)
        where coalesce(r.sample, 0) >= k.least and (%(map)s::text is null or r.map = %(map)s)
        union all
        select r.kind, r.level, r.round_key, r.match_key, r.session_key, r.map, r.stamp, r.guid, r.value, r.sample,
               p.person, p.name
        from record_sum r
        join board_person p using (guid)
        where %(map)s::text is null or r.map = %(map)s
    ),
    best as (select kind, level, max(value) as value from candidate where value > 0 group by kind, level)
    select distinct on (r.level, r.kind) {_COLUMNS}, count(*) over (partition by r.level, r.kind) - 1 as equalled
    from candidate r
    join best using (kind, level, value)
    join parsed_round file using (round_key)
    left join round_timing t using (round_key)
    order by r.level, r.kind, r.stamp, r.guid"""

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
        select array_agg(p.person order by p.name, p.person) as guids,
               array_agg(p.name order by p.name, p.person) as holders
        from player_round_fact f join board_person p using (guid)
        where f.round_key = a.round_key and f.team = a.team
    ) team
    where a.completed and a.in_book and a.team is not null and team.guids is not null
    order by a.map, a.stamp, a.round_key"""

_OF_PERSONS = f"""
    select distinct on (r.kind) {_COLUMNS}, 0 as equalled
    from (select r.*, p.person, p.name from record_round r join board_person p using (guid)) r
    join unnest(%(kinds)s::text[], %(least)s::bigint[]) as k (kind, least) using (kind)
    join parsed_round file using (round_key)
    left join round_timing t using (round_key)
    where r.guid = any(%(guids)s) and coalesce(r.sample, 0) >= k.least and r.value > 0
    order by r.kind, r.value desc, r.stamp, r.guid"""

_NIGHTS = """
    select p.person as guid, p.name, r.kind, r.session_key, s.started_at, max(r.value) as value
    from record_round r
    join unnest(%(kinds)s::text[], %(least)s::bigint[]) as k (kind, least) using (kind)
    join board_person p using (guid)
    join session s using (session_key)
    where r.guid = any(%(guids)s) and coalesce(r.sample, 0) >= k.least
    group by p.person, p.name, r.kind, r.session_key, s.started_at"""

_IN_ORDER = {level: place for place, level in enumerate(RecordLevel)}


def records(conn: Connection[DictRow], map_name: str | None = None) -> list[RecordSeen]:
    """All records, of one map or of all: rounds, then matches, then sessions, and the fastest attack of every map. Who
    reached a record first holds it."""
    with conn.cursor(row_factory=rows_of(RecordSeen)) as cursor:
        found = cursor.execute(_OF_PLAYERS, {"map": map_name} | _samples()).fetchall()
        found.sort(key=lambda record: (_IN_ORDER[record.level], list(RecordKind).index(record.kind)))
        return found + cursor.execute(_OF_ATTACKS, {"map": map_name, "kind": RecordKind.ATTACK}).fetchall()


def bests(conn: Connection[DictRow], guids: Sequence[str]) -> list[RecordSeen]:
    """The best that a player, known by these GUIDs, reached in one round, of every kind."""
    with conn.cursor(row_factory=rows_of(RecordSeen)) as cursor:
        found = cursor.execute(_OF_PERSONS, {"guids": list(guids)} | _samples()).fetchall()
    return sorted(found, key=lambda record: list(RecordKind).index(record.kind))


def personal_bests_of(conn: Connection[DictRow], session_key: str) -> list[PersonalBest]:
    """The personal bests of a session, rarest first, as many as are told."""
    guids = [
        row["guid"]
        for row in conn.execute(
            """select guid from board_person
               where person in (select person from player_session_fact join board_person using (guid)
                                where scope = %s)""",
            [session_key],
        )
    ]
    with conn.cursor(row_factory=rows_of(NightBest)) as cursor:
        nights = cursor.execute(_NIGHTS, {"guids": guids} | _samples()).fetchall()
    return personal_bests(nights, session_key)


def _samples() -> dict[str, list[str] | list[int]]:
    return {"kinds": [kind.value for kind in KINDS], "least": [own.least for own in KINDS.values()]}
