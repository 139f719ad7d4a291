"""A player's form: his latest nights against what is usual for him.

Belongs here: what is usual, and from when on something can be said. Does not belong here: the nights' numbers.
"""

import statistics
from collections.abc import Sequence
from enum import StrEnum

NIGHTS_SHOWN = 5
USUAL_OF = 10  # nights before those that are shown
USUAL_FROM = 5  # of fewer, one night would decide


def usual(values: Sequence[float | None]) -> float | None:
    """The median of a player's own nights before; None while too few are known. ``values``: the latest first."""
    found = median_of_known(values)
    return None if found is None else found[0]


def median_of_known(values: Sequence[float | None]) -> tuple[float, int] | None:
    """The same with the number of nights that it is the median of: those of which the number is known."""
    known = [value for value in values[:USUAL_OF] if value is not None]
    return (statistics.median(known), len(known)) if len(known) >= USUAL_FROM else None


class Against(StrEnum):
    """How a night was against what was usual before it."""

    ABOVE = "above"
    BELOW = "below"
    EVEN = "even"


def against_usual(values: Sequence[float | None], most: int) -> list[Against | None]:
    """How each of the latest ``most`` nights was against the median of his own nights before it; None where the night
    or too many of these are unknown. ``values``: the latest first, with those before."""
    found: list[Against | None] = []
    for at, value in enumerate(values[:most]):
        own = usual(values[at + 1 :])
        if value is None or own is None:
            found.append(None)
        else:
            found.append(Against.EVEN if value == own else Against.ABOVE if value > own else Against.BELOW)
    return found
