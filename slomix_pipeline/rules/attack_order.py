"""Whether it matters on a map who attacks first.

Belongs here: how often who attacked first won, and when that is more than chance; whether first and second attacks of a
map may be one curve (log-rank). Does not belong here: the curve (``par``), which matches there were.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from slomix_pipeline.rules.intervals import likely_share
from slomix_pipeline.rules.par import Attack
from slomix_pipeline.rules.scoring import Faster

OWN_CURVES_FROM = 2.0  # standard errors between first and second attacks: chance gives fewer in 95 of 100 cases


@dataclass(frozen=True)
class Advantage:
    """Who attacked first won ``won`` of ``decided`` matches, draws not among them; ``low``, ``high``: between which
    shares that is in 95 of 100 cases (Wilson). ``pays``: whose attack has an advantage; None while none is shown."""

    won: int
    decided: int
    low: float
    high: float
    pays: Faster | None


def advantage(first_won: int, second_won: int) -> Advantage:
    """Whether it pays to attack first, or second: said only where the interval leaves out one half."""
    decided = first_won + second_won
    low, high = likely_share(first_won, decided)
    pays = Faster.FIRST if low > 0.5 else Faster.SECOND if high < 0.5 else None
    return Advantage(first_won, decided, low, high, pays)


class Stratum(NamedTuple):
    """Attacks on one map with one limit, by their place in the match."""

    first: Sequence[Attack]
    second: Sequence[Attack]


def order_z(strata: Iterable[Stratum]) -> float:
    """How many standard errors more first attacks got through than would if both took equally long, each stratum
    compared with itself alone (stratified log-rank test); negative where second attacks are the faster ones. 0 where
    nothing can be compared."""
    surplus = variance = 0.0
    for stratum in strata:
        first, second = (Counter(attack.seconds for attack in own if attack.completed) for own in stratum)
        first_ends, second_ends = (sorted(attack.seconds for attack in own) for own in stratum)
        of_first = of_second = 0  # that ended before the time that is looked at
        for seconds in sorted(first.keys() | second.keys()):
            while of_first < len(first_ends) and first_ends[of_first] < seconds:
                of_first += 1
            while of_second < len(second_ends) and second_ends[of_second] < seconds:
                of_second += 1
            at_risk = len(first_ends) - of_first + len(second_ends) - of_second
            share = (len(first_ends) - of_first) / at_risk
            done = first[seconds] + second[seconds]
            surplus += first[seconds] - done * share
            if at_risk > 1:
                variance += done * share * (1 - share) * (at_risk - done) / (at_risk - 1)
    return surplus / sqrt(variance) if variance else 0.0


def differ(strata: Iterable[Stratum]) -> bool:
    """Whether first and second attacks differ too much for one curve of both."""
    return abs(order_z(strata)) >= OWN_CURVES_FROM
