"""What changed of a result that was published: the two versions side by side, in words.

Belongs here: which facts of a match are its result, and the one line that tells the difference.
Does not belong here: keeping versions (``warehouse.corrections``), telling them (``discord``).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from slomix_pipeline.rules.scoring import Winner


@dataclass(frozen=True, slots=True)
class Published:
    """The result of a match as it was told. ``winner``: None when it is not counted; ``times``: of each round's
    attack in words; GUIDs by team, in order."""

    winner: Winner | None
    policy: str
    times: tuple[str, ...]
    team_a: tuple[str, ...]
    team_b: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For storing; ``from_json`` gives it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Published":
        """What ``as_json`` made."""
        return cls(
            stored["winner"] and Winner(stored["winner"]),
            stored["policy"],
            tuple(stored["times"]),
            tuple(stored["team_a"]),
            tuple(stored["team_b"]),
        )


class Newer(StrEnum):
    """What is newer than what was told of a result."""

    DECIDED = "decided"
    TAKEN_BACK = "taken back"
    OWN_FILE = "own file"
    OTHER_FILE = "other file"
    RULES = "rules"


def cause_text(newer: Newer, who: str | None = None, why: str | None = None) -> str:
    """Why a result is another now, in words. ``who`` decided it, and ``why``: of decisions."""
    match newer:
        case Newer.DECIDED:
            return f"decided by {who}: {why}"
        case Newer.TAKEN_BACK:
            return f"decision taken back by {who}: {why}"
        case Newer.OWN_FILE:
            return "its file came late or was replaced"
        case Newer.OTHER_FILE:
            return "another file of the session came late or was replaced"
        case Newer.RULES:
            return "other rules or settings"


def difference(before: Published, after: Published, names: Mapping[str, str]) -> str | None:
    """What is other than it was told, in one line; None when nothing of it is. ``names``: what A and B are called now.

    Exchanged labels with the same people are no other result: A and B are named anew when a session grows at its front.
    Of a match that does not count, or did not, only that is news.
    """
    before = _as_labelled_now(before, after)
    changes = []
    if before.winner != after.winner:
        changes.append(f"{_verdict(after.winner, names)} instead of {_verdict(before.winner, names)}")
    if before.winner and after.winner:
        if before.times != after.times and len(before.times) == len(after.times):
            changes.append(f"times {' / '.join(after.times)} instead of {' / '.join(before.times)}")
        if (before.team_a, before.team_b) != (after.team_a, after.team_b) and after.team_a and after.team_b:
            changes.append("other teams")
        if before.policy != after.policy:
            changes.append(f"policy {after.policy} instead of {before.policy}")
    return ", ".join(changes) or None


def _as_labelled_now(before: Published, after: Published) -> Published:
    """The earlier version under the letters that its people have now."""

    def shared(one: Published) -> int:
        return len({*one.team_a} & {*after.team_a}) + len({*one.team_b} & {*after.team_b})

    crosswise = exchanged(before)
    return crosswise if shared(crosswise) > shared(before) else before


def exchanged(result: Published) -> Published:
    """The same result with A and B the other way round."""
    winner = {Winner.A: Winner.B, Winner.B: Winner.A}.get(result.winner or Winner.DRAW, result.winner)
    return Published(winner, result.policy, result.times, result.team_b, result.team_a)


def _verdict(winner: Winner | None, names: Mapping[str, str]) -> str:
    if winner in (Winner.A, Winner.B):
        return f"{names[winner]} wins"
    return winner or "not counted"
