"""Comebacks: who was three maps behind has caught up."""

import pytest

from slomix_pipeline.rules.comebacks import MapsWon, caught_up_from
from slomix_pipeline.rules.scoring import Winner


@pytest.mark.parametrize(
    ("scores", "winner", "came_from"),
    [
        ([(0, 1), (0, 2), (0, 3), (1, 3), (2, 3), (3, 3)], Winner.A, (0, 3)),
        ([(0, 1), (0, 2), (0, 3), (1, 3), (2, 3), (3, 3), (4, 3)], Winner.A, None),  # it caught up a match ago
        ([(0, 1), (0, 2), (1, 2), (2, 2)], Winner.A, None),  # two behind is not far
        ([(1, 0), (2, 0), (3, 0), (4, 0), (4, 4)], Winner.B, (4, 0)),
        ([(0, 3), (3, 3)], Winner.DRAW, None),
        ([(0, 3), (3, 3)], None, None),
        ([], Winner.A, None),
        ([(1, 0)], Winner.A, None),
    ],
)
def test_a_comeback_is_told_once_with_the_score_it_came_from(
    scores: list[tuple[int, int]], winner: Winner | None, came_from: tuple[int, int] | None
) -> None:
    assert caught_up_from([MapsWon(*score) for score in scores], winner) == came_from
