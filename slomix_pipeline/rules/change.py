"""A real change of form: whether a player's nights have been at another level since one of them.

Belongs here: how likely one change is, how great and since when, and from when on it is told. Does not belong here:
what was expected of a night (``expected``), a single night against what is usual (``form``), what was told.

Nights scatter, and of ten players one always has a run of good ones. So a change is taken as unlikely and as small
until nights say otherwise, and silence is what this answers nearly always: a level that is 15 % higher is found after
20 nights in two of five cases, after 40 in nearly all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log, log1p, sqrt

from slomix_pipeline.rules.expected import POOLED_SD, Sum, night_sd
from slomix_pipeline.rules.intervals import Z

LEAST_NIGHTS = 3  # on either side of a change
LATEST_NIGHTS = 40  # that a change is looked for in: in so many by chance none of 150 careers had one
SURE = 0.95
RETRACTED_BELOW = 0.8
LEAST_JUMP = 0.1  # as a part of the level before
LEAST_SHOTS = 300  # aimed ones of a night: of fewer its accuracy is chance
_PRIOR = 0.2  # that there was a change at all
_JUMP_SD = 0.15  # of the logarithm of a jump
_ACCURACY_SD = 0.07  # of the logarithm of a night's accuracy, beside the chance of its shots (43 nights of 2025)


@dataclass(frozen=True, slots=True)
class Night:
    """``level``: logarithm of a night's number by what was expected, or by anything that stays the same; ``sd``: how
    far it scatters by chance."""

    name: str
    level: float
    sd: float


@dataclass(frozen=True)
class Change:
    """``probability``: that there was one; ``since``: the first night after the most likely one; ``by``: as a part of
    the level before, shrunk, with the bounds between which it is in 95 of 100 cases."""

    probability: float
    since: str
    by: float
    low: float
    high: float

    @property
    def is_news(self) -> bool:
        """Whether it is sure and great enough to be told."""
        return self.probability >= SURE and abs(self.by) >= LEAST_JUMP

    @property
    def still_holds(self) -> bool:
        """Whether it may stand where it was told: it is sure enough, also which way it went."""
        return self.probability >= RETRACTED_BELOW and (self.low > 0 or self.high < 0)

    def went_like(self, other: "Change") -> bool:
        """Whether both were upwards, or both downwards."""
        return (self.by > 0) == (other.by > 0)


def night_of(name: str, night: Sum, own_sd: float) -> Night | None:
    """A night against what was expected of it; None where it tells too little. A player who scatters less than all do
    may have been lucky so far: he is taken as one of all."""
    if not night.tells_spread:
        return None
    return Night(name, log(night.ratio), night_sd(max(own_sd, POOLED_SD[night.metric]), night.minutes))


def night_of_accuracy(name: str, aimed_hits: int, aimed_shots: int) -> Night | None:
    """A night's aimed accuracy; None where it tells too little."""
    if aimed_shots < LEAST_SHOTS or not 0 < aimed_hits <= aimed_shots:
        return None
    share = aimed_hits / aimed_shots
    return Night(name, log(share), sqrt(_ACCURACY_SD**2 + (1 - share) / aimed_hits))


def standing_change(nights: Sequence[Night]) -> Change | None:
    """The change that is told after the last of some nights in order of play; None is the usual answer.

    It is told from the night on that makes it news, as long as it still holds and went that way. So nobody has to keep
    that it was told: while it is neither news nor gone, the nights before say which of both it was last.
    """
    latest = None
    for end in range(len(nights), 0, -1):
        found = change(nights[max(0, end - LATEST_NIGHTS) : end])
        latest = latest or found
        if found is None or latest is None or not found.still_holds or not found.went_like(latest):
            return None
        if found.is_news:
            return latest
    return None


def change(nights: Sequence[Night]) -> Change | None:
    """The change among nights in order of play; None while there are too few of them.

    Every place is tried: the level before is anything, the jump is near 0 with _JUMP_SD, so how much better nights fit
    with a change at a place than with none is a closed formula.
    """
    places = range(LEAST_NIGHTS, len(nights) - LEAST_NIGHTS + 1)
    if not places:
        return None
    weights = [night.sd**-2 for night in nights]
    sums = [night.level * weight for night, weight in zip(nights, weights, strict=True)]
    weight_before, sum_before = [0.0, *accumulate(weights)], [0.0, *accumulate(sums)]
    weight, mean = weight_before[-1], sum_before[-1] / weight_before[-1]

    favour, jumps, variances = [], [], []
    for place in places:
        after = weight - weight_before[place]
        told = after * weight_before[place] / weight  # of the jump, by the nights
        pull = sum_before[-1] - sum_before[place] - after * mean
        variance = 1 / (told + _JUMP_SD**-2)
        favour.append(pull**2 * variance / 2 - log1p(told * _JUMP_SD**2) / 2)
        jumps.append(pull * variance)
        variances.append(variance)

    top = max(favour)
    likely = [exp(one - top) for one in favour]
    whole = sum(likely)
    jump = sum(share * one for share, one in zip(likely, jumps, strict=True)) / whole
    square = sum(share * (v + one**2) for share, v, one in zip(likely, variances, jumps, strict=True)) / whole
    reach = Z * sqrt(square - jump**2)
    # Against "none" in logarithms: what nights say can be more than a float can hold.
    against = log((1 - _PRIOR) / _PRIOR) - top - log(whole / len(places))
    since = places[likely.index(max(likely))]
    return Change(
        1 / (1 + exp(min(against, 700.0))),
        nights[since].name,
        exp(jump) - 1,
        exp(jump - reach) - 1,
        exp(jump + reach) - 1,
    )
