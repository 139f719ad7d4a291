"""A map's par: the time at which half of all attacks are through.

Belongs here: the share of defences that still hold at a time (Kaplan and Meier), how sure that is (Greenwood, of the
logarithm's logarithm), what par is and when it is told.
Does not belong here: which attacks there were (the view ``map_attack``).

An attack that failed says only "longer than what it had to beat". So has one that was given up, as giving up tells of
the attack: it counts as held up to what it had to beat, not up to when it was given up. Where par would be another
one otherwise (``moves``) that is told, too.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import NamedTuple

from slomix_pipeline.rules.intervals import Z

LEAST_ATTACKS = 10  # fewer give no par
EARLY_BELOW = 20  # attacks: a par is told, and that it is early
EXACT_FROM = 300  # attacks: shares of fewer are known to 5 % at best
SAME_WITHIN = 15  # seconds: pars that are closer say the same


class Attack(NamedTuple):
    """One attack. ``seconds``: its time when completed, else what it had to beat."""

    seconds: int
    completed: bool


@dataclass(frozen=True)
class Par:
    """``par``: seconds after which at most half of the defences hold; None when more than half hold as long as any was
    seen to, or when there are too few attacks (``enough``); ``quarter``, ``three_quarters``: likewise after how many
    such a part of the defences has fallen. ``held_share``: of defences that hold to the end, 0 to 1; None, too, when
    none was seen to the end, as all had less to beat."""

    attacks: int
    completed: int
    par: int | None
    held_share: float | None
    quarter: int | None = None
    three_quarters: int | None = None

    @property
    def enough(self) -> bool:
        return self.attacks >= LEAST_ATTACKS


@dataclass(frozen=True, slots=True)
class Step:
    """A time at which attacks were completed: the share of defences that hold after it, and between which shares that
    is in 95 of 100 cases."""

    seconds: int
    holds: float
    low: float
    high: float


@dataclass(frozen=True)
class HoldingCurve:
    """The share of defences that hold, of so many attacks. ``seen_until``: seconds up to which anything is known."""

    attacks: int
    steps: tuple[Step, ...]
    seen_until: int

    @property
    def par(self) -> int | None:
        return fallen_by(self.steps, 0.5)

    def holds_at(self, seconds: float) -> float:
        """The share of the defences that hold after a time."""
        return next((step.holds for step in reversed(self.steps) if step.seconds <= seconds), 1.0)


def holding_curve(attacks: Iterable[Attack]) -> HoldingCurve:
    """The curve of attacks on one map with one limit."""
    known = list(attacks)
    return HoldingCurve(len(known), tuple(holding(known)), seen_until(known))


def holding(attacks: Iterable[Attack]) -> list[Step]:
    """Every time at which an attack was completed; at equal times completed attacks come before those that ended
    without."""
    done: Counter[int] = Counter()
    ended: Counter[int] = Counter()
    for attack in attacks:
        (done if attack.completed else ended)[attack.seconds] += 1
    at_risk, share, spread = done.total() + ended.total(), 1.0, 0.0
    curve: list[Step] = []
    for seconds in sorted(done.keys() | ended.keys()):
        left = at_risk - done[seconds]
        if done[seconds]:
            share *= left / at_risk
            spread += done[seconds] / (at_risk * left) if left else 0.0
            low, high = _likely(share, spread) if left else (0.0, curve[-1].high if curve else 1.0)
            curve.append(Step(seconds, share, low, high))
        at_risk = left - ended[seconds]
    return curve


def _likely(share: float, spread: float) -> tuple[float, float]:
    turn = exp(Z * sqrt(spread) / -log(share))
    return share**turn, share ** (1 / turn)


def fallen_by(curve: Iterable[Step], share: float) -> int | None:
    """The first time at which at most this share of the defences holds; None: more of them hold as long as was seen."""
    return next((step.seconds for step in curve if step.holds <= share), None)


def seen_until(attacks: Iterable[Attack]) -> int:
    """Up to when anything is known: the longest of the attacks."""
    return max((attack.seconds for attack in attacks), default=0)


def par(attacks: Iterable[Attack], limit_seconds: int | None) -> Par:
    """The par of attacks on one map with one limit."""
    known = list(attacks)
    curve = holding(known)
    enough = len(known) >= LEAST_ATTACKS
    completed = sum(attack.completed for attack in known)
    held = curve[-1].holds if curve else 1.0
    is_seen = held == 0 or (limit_seconds is not None and seen_until(known) >= limit_seconds)
    if not enough:
        return Par(len(known), completed, None, None)
    quarter, half, three_quarters = (fallen_by(curve, share) for share in (0.75, 0.5, 0.25))
    return Par(len(known), completed, half, held if is_seen else None, quarter, three_quarters)


def moves(one: int | None, other: int | None) -> bool:
    """Whether two pars say something else; None: not reached."""
    if one is None or other is None:
        return one is not other
    return abs(one - other) > SAME_WITHIN
