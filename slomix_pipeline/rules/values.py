"""The values the rules work on: a round in its place in time, and the words for what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, Header, PlayerLine, StatsFile


class Status(StrEnum):
    """What became of a round, and of the match it belongs to."""

    COMPLETE = "complete"
    R1_ONLY = "r1_only"
    R2_ONLY = "r2_only"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"
    AMBIGUOUS = "ambiguous"


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


def attackers_side(header: Header) -> int | None:
    """The side that attacked. The defending side belongs to the map and is the same in both rounds."""
    return other_side(header.defender_side) if header.defender_side in (AXIS, ALLIES) else None
