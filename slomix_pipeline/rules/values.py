"""The values the rules work on: a round in its place in time, and the words for what became of it.

Does not belong here: words of one rule alone, which live with it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, Header, PlayerLine, StatsFile
from slomix_pipeline.formats.times import format_time


class Status(StrEnum):
    """What became of a round, and of the match it belongs to."""

    COMPLETE = "complete"
    R1_ONLY = "r1_only"
    R2_ONLY = "r2_only"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"
    AMBIGUOUS = "ambiguous"


class FileStatus(StrEnum):
    """What became of a file that was seen."""

    LISTED = "listed"  # nobody asked for its bytes
    REQUESTED = "requested"  # a run is to read it
    INGESTED = "ingested"
    KNOWN = "known"  # another file has the same bytes
    QUARANTINED = "quarantined"  # it can't be read; the reason stands beside it

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to the file as it is."""
        return self in (FileStatus.INGESTED, FileStatus.KNOWN, FileStatus.QUARANTINED)


def map_key(name: str) -> str:
    """By what two names are of the same map: headers, file names and records differ in case and outer spaces."""
    return name.strip().lower()


@dataclass(frozen=True, slots=True)
class FiledRound:
    """A stats file in its place: ``key`` is ``<server>:<file stem>``, ``stamp`` the file stamp in UTC.

    ``number`` is the round as labelled by the file name, which wins over the header.
    """

    key: str
    stamp: datetime
    number: int
    stats: StatsFile

    @property
    def map_name(self) -> str:
        return map_key(self.stats.header.map_name)


def shared_lines(first: StatsFile, second: StatsFile) -> list[tuple[PlayerLine, PlayerLine]]:
    """Both lines of everybody who is in both files."""
    before = {line.guid: line for line in first.players}
    return [(before[line.guid], line) for line in second.players if line.guid in before]


class Swaps(NamedTuple):
    """How many players of both rounds stood on a side in both, and how many of them changed it."""

    swapped: int
    stood: int

    @property
    def most_swapped(self) -> bool:
        """As between the rounds of a match, where everybody does."""
        return 2 * self.swapped > self.stood

    @property
    def most_stayed(self) -> bool:
        """Whether hardly anybody changed sides."""
        return 2 * self.swapped < self.stood


def swaps(first: StatsFile, second: StatsFile) -> Swaps:
    """Who changed sides between two rounds."""
    sides = [(earlier.side, later.side) for earlier, later in shared_lines(first, second)]
    stood = [pair for pair in sides if all(side in (AXIS, ALLIES) for side in pair)]
    return Swaps(sum(before != after for before, after in stood), len(stood))


# Seconds by which a clock beside the game's own may be off (a script's, the players' minutes): full holds differ from
# the limit by up to 6, early ends by 15 and more.
CLOCK_MARGIN = 12

# Nobody is known to have given up sooner: what ended earlier was broken off.
SOONEST_SURRENDER = 60  # seconds

SIDE_NAMES = {AXIS: "Axis", ALLIES: "Allies"}


def other_side(side: int) -> int:
    """Axis for Allies and back."""
    return ALLIES if side == AXIS else AXIS


def attack_succeeded(header: Header) -> bool | None:
    """Whether the attackers won the round; None when the header does not say.

    Winner 0 means "not known who won", never "attackers": it differs from every defender.
    """
    if header.winner_side not in (AXIS, ALLIES) or header.defender_side not in (AXIS, ALLIES):
        return None
    return header.winner_side != header.defender_side


def stopwatch_seconds(header: Header) -> int | None:
    """What the stopwatch shows, in whole seconds: the attackers' time, or a copy of the limit where they failed.

    None where no time stands: when the engine has cleared it scripts write ``0:00``, or make one up above the limit; of
    a round that was broken off, the preset limit stands there.
    """
    shown, limit = header.attack_seconds, header.limit_seconds
    if not shown or (limit and shown > limit):
        return None
    return None if shows_a_preset(header, measured_seconds(header)) else shown


def shows_a_preset(header: Header, lasted: float | None) -> bool:
    """Whether the stopwatch stands at the limit of a round that nobody is said to have held and that ended before it.
    ``lasted``: seconds of the round, by anything else than the stopwatch."""
    at_limit = header.attack_seconds is not None and header.attack_seconds == header.limit_seconds
    early = ended_early(lasted, header.limit_seconds) is True
    return at_limit and early and attack_succeeded(header) is not False


def measured_seconds(header: Header) -> float | None:
    """The writer's own measure of the round, without pauses; None without one, or when it is above the limit."""
    measured, limit = header.playtime_seconds, header.limit_seconds
    return None if measured is None or (limit and measured > limit + CLOCK_MARGIN) else measured


def ended_early(seconds: float | None, limit: float | None) -> bool | None:
    """Whether a round of that length ended before its limit; None when either is unknown."""
    return None if seconds is None or limit is None else seconds < limit - CLOCK_MARGIN


def time_to_beat(first: Header) -> int | None:
    """What a round 2 is played for, by the header of its round 1: the time set, or the whole limit after a hold."""
    shown = stopwatch_seconds(first)
    return first.limit_seconds or shown if attack_succeeded(first) is False else shown


def with_true_limit(second: Header, first: Header) -> Header:
    """The header of a round 2 with what it was played for. Its own limit counts up to round 1's time, because scripts
    shorten round 2 on some maps; nothing makes it longer, so one that is above, cleared or unreadable is none."""
    limit, most = second.limit_seconds, time_to_beat(first)
    if attack_succeeded(first) is None:
        most = first.limit_seconds  # it may have been held, whatever the stopwatch shows
    if most is None or (limit is not None and limit <= most):
        return second
    return replace(second, limit=format_time(most))


def attackers_side(header: Header) -> int | None:
    """The side that attacked. The defending side belongs to the map and is the same in both rounds."""
    return other_side(header.defender_side) if header.defender_side in (AXIS, ALLIES) else None
