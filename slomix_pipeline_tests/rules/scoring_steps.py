"""Steps of the tests of scores: two teams, headers of a match, and its result."""

from dataclasses import replace

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, Header
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.score_policies import Points, points
from slomix_pipeline.rules.scoring import (
    NO_CLOCK,
    Clock,
    Half,
    MatchResult,
    score_match,
)
from slomix_pipeline.rules.values import Status, other_side
from slomix_pipeline_tests.building import make_header, swapped

TEAMS = {"a": "A", "b": "A", "x": "B", "y": "B"}
A_ON_AXIS = {"a": AXIS, "b": AXIS, "x": ALLIES, "y": ALLIES}
A_ON_ALLIES = swapped(A_ON_AXIS)
MIXED = {"a": AXIS, "x": AXIS, "b": ALLIES, "y": ALLIES}


def headers(limit: int, first: int | None, second: int | None, defender: int = AXIS) -> tuple[Header, Header]:
    """Both headers as the game prints them; None is an attack that was held."""
    first_winner, second_winner = (defender if time is None else other_side(defender) for time in (first, second))
    target = format_time(limit if first is None else first)
    time = target if second is None else format_time(second)
    return (
        make_header(1, winner=first_winner, defender=defender, limit=format_time(limit), attack_time=target),
        make_header(2, winner=second_winner, defender=defender, limit=target, attack_time=time),
    )


def score(
    first: Header,
    second: Header,
    sides: dict[str, int] = A_ON_ALLIES,
    first_clock: Clock = NO_CLOCK,
    second_clock: Clock = NO_CLOCK,
) -> MatchResult:
    """``sides`` in round 1; by default team A attacks first."""
    return score_match(first, second, sides, swapped(sides), TEAMS, first_clock, second_clock)


def told(result: MatchResult) -> tuple[str | None, str | None, str]:
    return result.winner, result.source, result.reason


def given_points(result: MatchResult, policy: str) -> Points | None:
    return points(policy, result.winner, result.both_completed)


def a_match(status: Status = Status.COMPLETE, unscored: str | None = None, number: int = 1) -> list[Half]:
    """Both halves of a match that team A, who attacked first, won; of another status only the first."""
    one, two = headers(600, 300, None)
    first = Half(f"m{number}r1", f"m{number}r2", f"m{number}r1", 1, status, None, None, "supply", one, A_ON_ALLIES)
    if status is not Status.COMPLETE:
        return [replace(first, partner=None, reason="as it was played")]
    second = replace(
        first, key=f"m{number}r2", partner=first.key, number=2, header=two, sides=A_ON_AXIS, unscored_reason=unscored
    )
    return [first, second]
