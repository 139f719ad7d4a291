"""A map's par: the time at which half of all attacks are through.

Belongs here: the share of defences that still hold at a time (Kaplan and Meier), what par is and when it is told.
Does not belong here: which attacks there were (the view ``map_attack``).

An attack that failed says only "longer than what it had to beat". So has one that was given up, as giving up tells of
the attack: it counts as held up to what it had to beat, not up to when it was given up.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

LEAST_ATTACKS = 10  # fewer give no par


@dataclass(frozen=True)
class Attack:
    """One attack. ``seconds``: its time when completed, else what it had to beat."""

    seconds: int
    completed: bool


@dataclass(frozen=True)
class Par:
    """``par``: seconds after which at most half of the defences hold; None when more than half hold as long as any was
    seen to, or when there are too few attacks (``enough``). ``held_share``: of defences that hold to the end, 0 to 1;
    None, too, when none was seen to the end, as all had less to beat."""

    attacks: int
    completed: int
    par: int | None
    held_share: float | None

    @property
    def enough(self) -> bool:
        return self.attacks >= LEAST_ATTACKS


def holding(attacks: Iterable[Attack]) -> list[tuple[int, float]]:
    """At every time at which an attack was completed, the share of defences that still hold after it; at equal times
    completed attacks come before those that ended without."""
    done: Counter[int] = Counter()
    ended: Counter[int] = Counter()
    for attack in attacks:
        (done if attack.completed else ended)[attack.seconds] += 1
    at_risk, share, curve = done.total() + ended.total(), 1.0, []
    for seconds in sorted(done.keys() | ended.keys()):
        if done[seconds]:
            share *= 1 - done[seconds] / at_risk
            curve.append((seconds, share))
        at_risk -= done[seconds] + ended[seconds]
    return curve


def fallen_by(curve: Iterable[tuple[int, float]], share: float) -> int | None:
    """The first time at which at most this share of the defences holds; None: more of them hold as long as was seen."""
    return next((seconds for seconds, holds in curve if holds <= share), None)


def seen_until(attacks: Iterable[Attack]) -> int:
    """Up to when anything is known: the longest of the attacks."""
    return max((attack.seconds for attack in attacks), default=0)


def par(attacks: Iterable[Attack], limit_seconds: int | None) -> Par:
    """The par of attacks on one map with one limit."""
    known = list(attacks)
    curve = holding(known)
    enough = len(known) >= LEAST_ATTACKS
    completed = sum(attack.completed for attack in known)
    held = curve[-1][1] if curve else 1.0
    is_seen = held == 0 or (limit_seconds is not None and seen_until(known) >= limit_seconds)
    return Par(len(known), completed, fallen_by(curve, 0.5) if enough else None, held if enough and is_seen else None)
