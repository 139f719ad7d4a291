"""The trust grade of a session: A to D, by what is already known of it, with the reasons.

Belongs here: what costs which grade. The grade is the worst of the findings; A when there is none.
Does not belong here: the checks themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What is known of a session. ``laws_unexplained``: rounds whose numbers don't add up and nobody left or
    reconnected who could explain it; ``disputed``: matches whose header and times name different winners."""

    matches: int
    counted: int
    rounds: int
    timed: int
    unreadable_files: int
    rounds_with_bots: int
    laws_explained: int
    laws_unexplained: int
    disputed: int
    team_confidence: str
    open_players: int
    substitutions: int
    overrides: int


class Grade(NamedTuple):
    """``letter``: A (nothing to say) to D (the result itself is in doubt); ``reasons``: in words, worst first."""

    letter: str
    reasons: tuple[str, ...]


def grade(facts: SessionFacts) -> Grade:
    """How far a session's result and numbers can be trusted."""
    found = sorted(_findings(facts), key=lambda finding: finding[0], reverse=True)
    return Grade(found[0][0] if found else "A", tuple(reason for _, reason in found))


def _findings(facts: SessionFacts) -> Iterator[tuple[str, str]]:
    if not facts.counted:
        yield "D", "no match could be decided"
    if facts.disputed:
        yield "D", f"{_count(facts.disputed, 'match', 'matches')} where header and times name different winners"
    if facts.unreadable_files:
        yield "D", f"{_count(facts.unreadable_files, 'file')} could not be read"
    if facts.counted and facts.counted < facts.matches:
        yield "C", f"{_count(facts.matches - facts.counted, 'match', 'matches')} not counted"
    if facts.team_confidence == "low":
        yield "C", "who played with whom is unsure"
    if facts.laws_unexplained:
        yield "C", f"numbers of {_count(facts.laws_unexplained, 'round')} don't add up, and nobody left or reconnected"
    if facts.rounds_with_bots:
        yield "C", f"bots in {_count(facts.rounds_with_bots, 'round')}, which don't count"
    if facts.open_players:
        yield "B", f"the team of {_count(facts.open_players, 'player')} is open"
    elif facts.team_confidence == "medium":
        yield "B", "teams are not quite sure"
    if facts.timed < facts.rounds:
        yield "B", f"Lua timing of {facts.timed} of {facts.rounds} rounds only"
    if facts.laws_explained:
        yield "B", f"somebody left or reconnected in {_count(facts.laws_explained, 'round')}"
    if facts.substitutions:
        yield "B", _count(facts.substitutions, "substitution")
    if facts.overrides:
        yield "B", f"{_count(facts.overrides, 'decision')} by people"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
