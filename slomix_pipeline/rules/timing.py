"""How long a round really was, who gave up, and whether header and timing record agree.

Belongs here: the order of duration sources, surrender, the comparison of header and record.
Does not belong here: which record belongs to a round (``rules.timing_records``).
Source of the order: the engine's clock runs the stopwatch and every player's minutes; the header prints it when
the attackers won, and otherwise only repeats the limit.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from slomix_pipeline.formats.gamestats import Header
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.rules.counters import stayed_longer
from slomix_pipeline.rules.linking import Link
from slomix_pipeline.rules.values import (
    CLOCK_MARGIN,
    SOONEST_SURRENDER,
    Status,
    attack_succeeded,
    attackers_side,
    ended_early,
    measured_seconds,
    shows_a_preset,
    stopwatch_seconds,
)

ALIGNED_WITHIN = 30  # seconds
MINOR_WITHIN = 60  # seconds


class LengthFrom(StrEnum):
    """What told a round's length."""

    ATTACK_TIME = "attack_time"
    MEASURED = "measured"
    TIMING = "timing"
    PLAYERS = "players"
    LIMIT = "limit"


# What each source of a length is, for people.
SOURCE_WORDS = {
    LengthFrom.ATTACK_TIME: "the stopwatch",
    LengthFrom.MEASURED: "the stats file's own clock",
    LengthFrom.TIMING: "the timing record",
    LengthFrom.PLAYERS: "the players' minutes",
    LengthFrom.LIMIT: "the limit, which is an assumption",
}


class TimingStatus(StrEnum):
    """Whether the stopwatch showed the round's length."""

    ALIGNED = "ALIGNED"
    MINOR_DIFF = "MINOR DIFF"
    DISCREPANCY = "DISCREPANCY"
    NO_LUA_DATA = "NO LUA DATA"


def pauses_text(count: int | None, seconds: int | None) -> str | None:
    """The pauses of a round for people: ``2 pauses, 30 s in all``; None without any."""
    if not count:
        return None
    whole = "" if seconds is None else f", {seconds} s in all"
    return f"{count} pause{'s' if count > 1 else ''}{whole}"


class Duration(NamedTuple):
    """Seconds of play without pauses, and where they are from; both None when nothing tells."""

    seconds: float | None
    source: LengthFrom | None


class DurationSource(NamedTuple):
    """One thing that may tell a round's length; ``why_not``: why it does not, None when it does."""

    name: LengthFrom
    seconds: float | None
    why_not: str | None


def duration_sources(
    header: Header,
    status: Status,
    player_seconds: Iterable[int | None],
    record_seconds: float | None = None,
    paused: float | None = None,
) -> list[DurationSource]:
    """Everything that may tell a round's length, best first; ``players`` is exact to 6 s, ``limit`` an assumption.

    ``player_seconds``: what each player was there for in this round alone; ``record_seconds`` and ``paused`` (seconds
    of pauses): of the linked record.
    """
    limit = header.limit_seconds
    played = [s for s in player_seconds if s]
    longest = max(played, default=None)
    presets = "the header of an aborted round holds presets" if status is Status.ABORTED else None
    not_timing = _why_not_record(record_seconds, paused or 0, limit, played)
    others = max(longest or 0, record_seconds or 0 if not_timing is None else 0) or None
    not_measured = None if measured_seconds(header) else "above the limit"
    sources = (
        DurationSource(LengthFrom.ATTACK_TIME, header.attack_seconds, presets or _why_not_attack_time(header, others)),
        DurationSource(LengthFrom.MEASURED, header.playtime_seconds, not_measured),
        DurationSource(LengthFrom.TIMING, record_seconds, not_timing),
        DurationSource(LengthFrom.PLAYERS, longest and min(longest, limit or longest), None),
        DurationSource(LengthFrom.LIMIT, limit, presets),
    )
    return [source if source.seconds else source._replace(why_not="not there") for source in sources]


def _why_not_attack_time(header: Header, others: float | None) -> str | None:
    """``others``: seconds by the record or the players, whichever is longer."""
    succeeded = attack_succeeded(header)
    if succeeded is None:
        return "the header does not say who won"
    if not succeeded:
        return "the attackers did not win: it only repeats the limit"
    if shows_a_preset(header, measured_seconds(header) or others):
        return "it shows the limit, but the round ended sooner"
    return None if stopwatch_seconds(header) and header.limit_seconds else "above the limit, or without one"


def _why_not_record(seconds: float | None, paused: float, limit: int | None, played: Sequence[int]) -> str | None:
    """A script that was loaded anew within a round has seen only the end of it; one that knows no pauses, too much."""
    if seconds is None:
        return None
    if limit is not None and seconds > limit + CLOCK_MARGIN:
        return "above the limit"
    if played and statistics.median(played) > seconds + paused + CLOCK_MARGIN:
        return "most players were there for longer"
    return None


def round_duration(
    header: Header,
    status: Status,
    player_seconds: Iterable[int | None],
    record_seconds: float | None = None,
    paused: float | None = None,
) -> Duration:
    """The round's length, from the best source there is."""
    for source in duration_sources(header, status, player_seconds, record_seconds, paused):
        if source.seconds and source.why_not is None:
            return Duration(float(source.seconds), source.name)
    return Duration(None, None)


# Their sides prove nothing, or they may have ended otherwise, so that their headers hold presets.
_SIDES_UNKNOWN = frozenset({Status.ABORTED, Status.AMBIGUOUS, Status.R2_ONLY, Status.SUPERSEDED})


def surrender_side(
    header: Header, status: Status, duration: Duration, engine_says: int | None = None, sides_seen: bool = True
) -> int | None:
    """The side that gave up: 1 Axis, 2 Allies, 0 nobody; None when that can't be told.

    ``engine_says``: the same in the engine's own words, from the record. Without them attackers who lost early gave up;
    whether defenders who lost did, no file says. ``sides_seen``: whether anybody is known to have stood on a side in
    both rounds of the pair. A round 1 that nothing followed was rather broken off when it ended at once.
    """
    if engine_says is not None:
        return engine_says
    if attack_succeeded(header) is not False or duration.source == LengthFrom.LIMIT or status in _SIDES_UNKNOWN:
        return None
    if not sides_seen or (status is Status.R1_ONLY and (duration.seconds or 0) < SOONEST_SURRENDER):
        return None
    early = ended_early(duration.seconds, header.limit_seconds)
    return None if early is None else attackers_side(header) if early else 0


def attackers_gave_up(header: Header, gave_up: int | None) -> bool | None:
    """Whether the attackers ended the round early; None when that can't be told. ``gave_up``: the side that did."""
    succeeded = attack_succeeded(header)
    if succeeded is None:
        return None
    if succeeded:
        return False
    return None if gave_up is None else gave_up == attackers_side(header)


class AttackEnd(StrEnum):
    """How an attack ended."""

    COMPLETED = "completed"
    HELD = "held"
    GAVE_UP = "gave up"
    ENDED = "ended"  # before the limit, and nobody knows that somebody gave up
    UNKNOWN = "?"


def attack_end(header: Header, gave_up: bool | None, lasted: float | None) -> AttackEnd:
    """How a round's attack ended.

    ``gave_up``: whether the attackers did (``attackers_gave_up``); ``lasted``: seconds of the round, if known.
    """
    succeeded = attack_succeeded(header)
    if succeeded is None:
        return AttackEnd.UNKNOWN
    if succeeded:
        return AttackEnd.COMPLETED
    if gave_up:
        return AttackEnd.GAVE_UP
    return AttackEnd.ENDED if gave_up is None and ended_early(lasted, header.limit_seconds) else AttackEnd.HELD


def timing_status(attack_seconds: int | None, record_seconds: float | None) -> TimingStatus:
    """Compares the header's attack time, as printed, with the record's duration (both in seconds)."""
    if record_seconds is None or attack_seconds is None:
        return TimingStatus.NO_LUA_DATA
    difference = abs(attack_seconds - record_seconds)
    if difference <= ALIGNED_WITHIN:
        return TimingStatus.ALIGNED
    return TimingStatus.MINOR_DIFF if difference <= MINOR_WITHIN else TimingStatus.DISCREPANCY


def overstayed(duration: Duration, players: Mapping[str, int | None], paused: float | None = None) -> list[str]:
    """GUIDs of who is said to have played for longer than the round lasted, pauses included. ``players``: seconds by
    GUID; ``paused``: seconds."""
    if duration.seconds is None or duration.source == LengthFrom.PLAYERS:
        return []
    longest = duration.seconds + (paused or 0)
    return sorted(guid for guid, played in players.items() if stayed_longer(played, longest))


@dataclass(frozen=True, slots=True)
class RoundTiming:
    """What is known of a round's time: how long, whether the header told it, who gave up, and by which record."""

    duration: Duration
    status: TimingStatus
    surrender_side: int | None
    link: Link
    record: TimingRecord | None


def time_round(
    header: Header,
    status: Status,
    player_seconds: Iterable[int | None],
    link: Link,
    record: TimingRecord | None,
    sides_seen: bool = True,
) -> RoundTiming:
    """A round's time from all that tells of it. ``header``: of a round 2 ``with_true_limit``; ``record``: the linked
    one, a mere candidate is never used; ``sides_seen``: see ``surrender_side``."""
    told = record.duration_seconds if record else None
    duration = round_duration(header, status, player_seconds, told, record.pause_seconds if record else None)
    side = surrender_side(header, status, duration, record.engine_surrender if record else None, sides_seen)
    return RoundTiming(duration, timing_status(header.attack_seconds, told), side, link, record)
