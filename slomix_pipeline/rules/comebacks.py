"""What a comeback is: who was far behind in an evening has caught up.

Does not belong here: what a match gives (``score_policies``).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from slomix_pipeline.rules.scoring import Winner

FAR_BEHIND = 3  # maps


class MapsWon(NamedTuple):
    """Maps that team A and team B have won."""

    a: int
    b: int


def comebacks(winners: Iterable[Winner | str | None]) -> list[MapsWon | None]:
    """From what the winner of each match of an evening came back with it; None where that was no comeback. ``winners``:
    of its matches in order."""
    scores, found = [MapsWon(0, 0)], []
    for winner in winners:
        a, b = scores[-1]
        scores.append(MapsWon(a + (winner == Winner.A), b + (winner == Winner.B)))
        found.append(caught_up_from(scores, winner))
    return found


def caught_up_from(scores: Sequence[MapsWon], winner: Winner | str | None) -> MapsWon | None:
    """From what the winner of the latest match came back with it; None when that was no comeback.

    ``scores``: after each match of the evening so far, in order. The answer is what A and B had won when the winner was
    furthest behind since the teams were level last.
    """
    if winner not in (Winner.A, Winner.B) or not scores:
        return None
    lead = [a - b if winner == Winner.A else b - a for a, b in scores]
    before = lead[:-1]
    if lead[-1] < 0 or not before or before[-1] >= 0:
        return None
    level = max((n for n, ahead in enumerate(before) if ahead >= 0), default=-1)
    worst = min(range(level + 1, len(before)), key=lambda n: before[n])
    return scores[worst] if before[worst] <= -FAR_BEHIND else None
