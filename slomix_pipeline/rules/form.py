"""A player's form: his latest nights against what is usual for him.

Belongs here: what is usual, and from when on something can be said. Does not belong here: the nights' numbers.
"""

import statistics
from collections.abc import Sequence

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
