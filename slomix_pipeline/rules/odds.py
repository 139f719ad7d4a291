"""Chances that follow from the model of attack times: at half-time, before a match, and how they are told.

Belongs here: the chance that an attack beats a time, that a team wins, how exactly either may be told, what a strength
is worth. ``math`` alone: messages wait for it.
Does not belong here: the model (``attack_model``), whether odds may be told at all (``forecast_scores``), the words.
"""

from enum import StrEnum
from math import erfc, log, sqrt
from typing import NamedTuple

from slomix_pipeline.rules.attack_model import AttackModel, Roster
from slomix_pipeline.rules.intervals import Z_80
from slomix_pipeline.rules.par import EXACT_FROM

TEMPERATURE_AT_FIRST = 0.5  # where ratings of people whom others divide into even teams end up; see ``tempered``
LEAST_ATTACKS = 6  # on a map: of fewer no odds are told, only how many there were


def below(off: float) -> float:
    """The share of a normal distribution below so many standard deviations."""
    return erfc(-off / sqrt(2)) / 2


# --- at half-time ---


class HalfTime(NamedTuple):
    """The chance that the second attack beats its time; ``attacks``: how many the model knows of that map."""

    chance: float
    attacks: int

    @property
    def enough(self) -> bool:
        """Whether it may be told; else: too few attacks."""
        return self.attacks >= LEAST_ATTACKS


def half_time(
    model: AttackModel,
    map_name: str,
    target_seconds: int,
    attackers: Roster | None = None,
    defenders: Roster | None = None,
) -> HalfTime:
    """The chance that a second attack is faster than round 1's time, or its limit where that was held. ``attackers``,
    ``defenders``: of the second attack, both or none; who they are makes a difference only where the model rates
    players."""
    parts = model.on_map(map_name, second=True)
    if attackers and defenders:
        parts |= {term: -weight for term, weight in model.lead(attackers, defenders).items()}
    expected = model.expected(parts)
    off = (log(target_seconds) - expected.mean) / sqrt(model.sigma**2 + expected.variance)
    return HalfTime(below(off), model.attacks.get(map_name, 0))


# --- before a match ---


def decided_odds(model: AttackModel, team: Roster, other: Roster, temperature: float = 1.0) -> float:
    """The chance that a team beats another one, of matches that somebody wins: by who they are alone, no matter on
    which map and who attacks first. So what is kept before a match proves what is told of teams on their own."""
    lead = model.expected(model.lead(team, other))
    return tempered(below(2 * lead.mean / sqrt(2 * model.sigma**2 + 4 * lead.variance)), temperature)


def decided_range(model: AttackModel, team: Roster, other: Roster, temperature: float = 1.0) -> tuple[float, float]:
    """Between which chances that of ``decided_odds`` lies in 80 of 100 cases, as far as strengths are known."""
    lead = model.expected(model.lead(team, other))
    low, high = (below(2 * (lead.mean + off * lead.sd) / (sqrt(2) * model.sigma)) for off in (-Z_80, Z_80))
    return tempered(low, temperature), tempered(high, temperature)


def tempered(chance: float, temperature: float) -> float:
    """A chance with its odds to the power of ``temperature``: below 1 nearer to a half. Teams are made by people who
    know more than any rating, so what it says is too sure; how much so earlier nights tell (``walk_forward``)."""
    own: float = chance**temperature
    other: float = (1 - chance) ** temperature
    return own / (own + other)


# --- how they are told ---


class Beyond(StrEnum):
    """A chance nearer to the end than can be told."""

    UNDER = "under"
    OVER = "over"


class Told(NamedTuple):
    """A share as it is told: about so many percent, or under or over that."""

    percent: int
    beyond: Beyond | None = None


def told_share(share: float, counted: int) -> Told:
    """A share, 0 to 1, as exactly as it is known: to 5 % while it is from less than 300. Only what is exactly
    nothing or everything is told as that."""
    step = 1 if counted >= EXACT_FROM else 5
    near = step * round(100 * share / step)
    if near == 0 < share:
        return Told(step, Beyond.UNDER)
    return Told(100 - step, Beyond.OVER) if near == 100 and share < 1 else Told(near)


def points_of_chance(strength: float, sigma: float, team_size: int) -> float:
    """What a strength is worth: how many points of 100 a team of so many is likelier to win with that player in place
    of an average one."""
    return 100 * (below(2 * strength / team_size / (sigma * sqrt(2))) - 0.5)


class Worth(NamedTuple):
    """What a strength is worth in points of chance, and between which points that lies in 80 of 100 cases."""

    points: float
    low: float
    high: float


def worth(strength: float, deviation: float, sigma: float, team_size: int) -> Worth:
    """The same as ``points_of_chance``, as sure as the strength is."""
    reach = Z_80 * deviation
    return Worth(*(points_of_chance(strength + off, sigma, team_size) for off in (0, -reach, reach)))
