"""All rounds that count, as what is usual is fitted to them, and keeping what was to be expected in each.

Belongs here: reading ``player_round_fact`` for that, writing the tables ``expectation`` and ``expected_night``. Does
not belong here: the fit (``rules.expectation``), reading what was expected (``expectations``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from itertools import groupby
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import DictRow, tuple_row

from slomix_pipeline.rules.differential import NO_IDENTITY
from slomix_pipeline.rules.expected import Line, Metric, PlayedRound, Sum


class RoundExpected(NamedTuple):
    """What was to be expected of a player, by person, in a round; ``earlier_rounds``: of him, that it rests on."""

    round_key: str
    guid: str
    damage: float
    kills: float
    earlier_rounds: int


class NightExpected(NamedTuple):
    """What was to be expected of a player, by person, in a session; ``own_sd``: how far his full nights scattered
    before it."""

    session_key: str
    sums: Sum
    own_sd: float


def played_rounds(conn: Connection[DictRow], session_keys: Sequence[str] | None = None) -> list[PlayedRound]:
    """Every round that counts, or those of some sessions, in order of play; players by person. Not one in which it is
    not known of somebody how long he played or who he is: the others would look fewer than they were. A number that
    holds more than its round is unknown, as in careers."""
    some = in_them = ""
    if session_keys is not None:  # pages plan for any value, so without an "or", and by keys that an index knows
        some = "and f.session_key = any(%(sessions)s)"
        in_them = """and p.round_key = any(array(select round_key from session_round
                                                 where session_key = any(%(sessions)s)))"""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(
            f"""with untold as materialized (
                   select p.round_key from round_player p
                   where p.side in (1, 2) {in_them}
                     and (p.seconds_played is null or %(no_identity)s = any(p.flags))
               )
               select f.round_key, f.session_key, f.stamp, f.map, m.attackers_side,
                      coalesce(who.person_guid, f.guid) as person, min(f.side),
                      sum(f.seconds_played)::integer,
                      case when bool_and(f.damage_given is not null and counts_in_careers(f.flags))
                           then sum(f.damage_given)::integer end,
                      case when bool_and(f.kills is not null and counts_in_careers(f.flags))
                           then sum(f.kills)::integer end
               from player_round_fact f
               left join person_decided who using (guid)
               left join match m using (match_key)
               where f.side in (1, 2) {some} and f.round_key not in (select round_key from untold)
               group by f.round_key, f.session_key, f.stamp, f.map, m.attackers_side, person
               having min(f.side) = max(f.side)
               order by f.stamp, f.round_key, person""",
            {"sessions": list(session_keys or ()), "no_identity": NO_IDENTITY},
        ).fetchall()
    return [
        PlayedRound(key, night, played_at, map_name, attackers, tuple(Line(*row[5:]) for row in own))
        for (key, night, played_at, map_name, attackers), own in groupby(rows, key=lambda row: row[:5])
    ]


def store_expected(conn: Connection[DictRow], found: Iterable[RoundExpected]) -> int:
    """Keeps what was to be expected in place of what was before. Returns how many rows are others now."""
    row = conn.execute(
        """with found as materialized (
               select f.* from unnest(%s::text[], %s::text[], %s::double precision[], %s::double precision[],
                                      %s::integer[]) f (round_key, guid, damage, kills, earlier_rounds)
               join round using (round_key)
           ),
           gone as (
               delete from expectation e
               where not exists (select from found f where f.round_key = e.round_key and f.guid = e.guid) returning 1
           ),
           others as (
               insert into expectation select * from found
               on conflict (round_key, guid) do update
               set (damage, kills, earlier_rounds) = (excluded.damage, excluded.kills, excluded.earlier_rounds)
               where (expectation.damage, expectation.kills, expectation.earlier_rounds)
                     is distinct from (excluded.damage, excluded.kills, excluded.earlier_rounds)
               returning 1
           )
           select (select count(*) from gone) + (select count(*) from others) as changed""",
        _columns(found, len(RoundExpected._fields)),
    ).fetchone()
    assert row is not None
    return int(row["changed"])


def store_expected_nights(conn: Connection[DictRow], found: Iterable[NightExpected]) -> None:
    """Keeps the sums of sessions in place of those before."""
    rows = [(one.session_key, *astuple(one.sums), one.own_sd) for one in found]
    conn.execute(
        """with found as materialized (
               select f.* from unnest(%s::text[], %s::text[], %s::text[], %s::integer[], %s::double precision[],
                                      %s::double precision[], %s::integer[], %s::integer[], %s::double precision[])
                   f (session_key, guid, metric, rounds, minutes, expected, actual, earlier_rounds, own_sd)
               join session using (session_key)
           ),
           gone as (
               delete from expected_night e
               where not exists (select from found f where f.session_key = e.session_key and f.guid = e.guid
                                                       and f.metric = e.metric)
           )
           insert into expected_night
           select * from found
           on conflict (session_key, guid, metric) do update
           set (rounds, minutes, expected, actual, earlier_rounds, own_sd)
               = (excluded.rounds, excluded.minutes, excluded.expected, excluded.actual, excluded.earlier_rounds,
                  excluded.own_sd)
           where (expected_night.rounds, expected_night.minutes, expected_night.expected, expected_night.actual,
                  expected_night.earlier_rounds, expected_night.own_sd)
                 is distinct from (excluded.rounds, excluded.minutes, excluded.expected, excluded.actual,
                                   excluded.earlier_rounds, excluded.own_sd)""",
        _columns(rows, 9),
    )


def _columns(rows: Iterable[Sequence[object]], number: int) -> list[list[object]]:
    """Rows as one list for each of their columns."""
    columns: list[list[object]] = [[] for _ in range(number)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns


def sums_off(conn: Connection[DictRow]) -> dict[Metric, float]:
    """By what part all of the last month that was played did more together than was expected of all; of nothing that
    was expected, nothing."""
    row = conn.execute(
        """select sum(did.damage) / nullif(sum(e.damage), 0) - 1 as damage,
                  sum(did.kills) / nullif(sum(e.kills), 0) - 1 as kills
           from (select f.round_key, who.person as guid, sum(f.damage_given) as damage, sum(f.kills) as kills
                 from player_round_fact f join career_name who using (guid)
                 where f.stamp > (select max(ended_at) from session) - interval '30 days'
                 group by f.round_key, who.person
                 having bool_and(f.damage_given is not null and f.kills is not null and counts_in_careers(f.flags))
                ) did
           join expectation e using (round_key, guid)"""
    ).fetchone()
    assert row is not None
    return {metric: float(row[metric]) for metric in Metric if row[metric] is not None}
