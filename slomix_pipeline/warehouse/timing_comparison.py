"""The stopwatch of a round against its timing record, as people see it.

Belongs here: reading the comparison of rounds and of their players. What it rests on is in ``sql/views``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.timing import LengthFrom, TimingStatus
from slomix_pipeline.rules.timing_chain import BROKEN_LINK, WHAT_IS_KNOWN
from slomix_pipeline.warehouse.check_results import CheckName, failures_of
from slomix_pipeline.warehouse.reading import RoundSeen, rounds_seen
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class RoundComparison:
    """A round's clocks side by side: a row of round_timing_comparison. All times in seconds but ``stopwatch``, which is
    as its file has it."""

    round_key: str
    map: str
    number: int
    timing_status: TimingStatus
    stopwatch: str
    record_key: str | None
    record_seconds: float | None
    difference_seconds: float | None
    correction: float | None
    duration_seconds: float | None
    duration_source: LengthFrom | None
    surrender_side: int | None
    pause_seconds: int | None
    pause_count: int | None
    end_reason: str | None
    script_version: str | None


@dataclass(frozen=True)
class PlayerComparison:
    """A player's damage per minute by the stopwatch and by the time he was there: of player_timing_comparison."""

    round_key: str
    name: str
    damage_given: int | None
    seconds_played: int | None
    stopwatch_dpm: float | None
    dpm: float | None


@dataclass(frozen=True)
class TimingSeen:
    """``players``: most damage first;
    ``broken_link``, ``what_is_known``: of the way its record did not come; None when it did."""

    seen: RoundSeen
    facts: RoundComparison
    players: Sequence[PlayerComparison]
    broken_link: str | None
    what_is_known: str | None


def timings_seen(conn: Connection[DictRow], keys: Sequence[str]) -> list[TimingSeen]:
    """The comparisons of timed rounds, in the order of their stamps."""
    seen = rounds_seen(conn, keys)
    with conn.cursor(row_factory=rows_of(RoundComparison)) as cursor:
        facts = cursor.execute(
            """select round_key, map, number, timing_status, stopwatch, record_key, record_seconds, difference_seconds,
                      correction, duration_seconds, duration_source, surrender_side, pause_seconds, pause_count,
                      end_reason, script_version
               from round_timing_comparison where round_key = any(%s) order by stamp, round_key""",
            [list(keys)],
        ).fetchall()
    players: dict[str, list[PlayerComparison]] = {}
    with conn.cursor(row_factory=rows_of(PlayerComparison)) as cursor:
        for player in cursor.execute(
            """select round_key, coalesce(d.shown, p.name) as name, damage_given, seconds_played, stopwatch_dpm, dpm
               from player_timing_comparison p left join person_decided d using (guid) where round_key = any(%s)
               order by damage_given desc nulls last, guid""",
            [list(keys)],
        ):
            players.setdefault(player.round_key, []).append(player)
    chains = failures_of(conn, CheckName.TIMING_CHAIN, keys)
    return [
        TimingSeen(seen[key], row, players.get(key, []), chain.get(BROKEN_LINK), chain.get(WHAT_IS_KNOWN))
        for row in facts
        for key in [row.round_key]
        for chain in [chains.get(key, {})]
    ]
