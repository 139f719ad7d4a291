"""How many points a match gives: the score policies, by versioned name.

Belongs here: points of a decided match. A policy never changes who won it.
Does not belong here: who won (``rules.scoring``).
A policy that changes gets a new version: every stored score names the one it was made by.
"""

from typing import NamedTuple

from slomix_pipeline.rules.scoring import Winner


class Points(NamedTuple):
    """Points of team A and of team B."""

    a: int
    b: int


class ScorePolicy(NamedTuple):
    """Points as (winner, loser). ``beat``: round 2's attackers won by beating the time that round 1's had set;
    ``won``: one attack succeeded; ``draw``: none did, both teams get the same."""

    won: tuple[int, int]
    beat: tuple[int, int]
    draw: int
    in_words: str


DEFAULT_POLICY = "map-wins/1"

POLICIES: dict[str, ScorePolicy] = {
    DEFAULT_POLICY: ScorePolicy(won=(1, 0), beat=(1, 0), draw=0, in_words="1 per map won, a draw gives nothing"),
    "per-round/1": ScorePolicy(
        won=(2, 0),
        beat=(1, 1),
        draw=1,
        in_words="1 per round: to the attackers who completed it, else to the defenders",
    ),
    "two-point/1": ScorePolicy(won=(2, 0), beat=(2, 0), draw=1, in_words="2 per map won, a draw gives 1 to each"),
}


def session_winner(given: Points, counted: int, without_points: int) -> Winner | None:
    """A, B or draw by the points of a session; None when no match counts, or the points of some are not known."""
    if without_points or not counted:
        return None
    return Winner.DRAW if given.a == given.b else Winner.A if given.a > given.b else Winner.B


def points(policy: str, winner: Winner | None, both_completed: bool | None) -> Points | None:
    """The points of a match; None when it is not counted, or when the policy needs to know what nobody knows.

    ``both_completed``: whether both attacks succeeded, None when that can't be told.

    Raises:
        KeyError: there is no such policy.
    """
    scale = POLICIES[policy]
    if winner is None:
        return None
    if winner == Winner.DRAW:
        return Points(scale.draw, scale.draw)
    if both_completed is None and scale.won != scale.beat:
        return None
    winners, losers = scale.beat if both_completed else scale.won
    return Points(winners, losers) if winner == Winner.A else Points(losers, winners)
