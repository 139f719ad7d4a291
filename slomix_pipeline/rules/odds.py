"""Chances that follow from the model of attack times: at half-time, before a match, and how they are told.

Belongs here: the chance that an attack beats a time, that a team wins, how exactly either may be told, what a strength
is worth. ``math`` alone: messages wait for it.
Does not belong here: the model (``attack_model``), whether odds may be told at all (``forecast_scores``), the words.
"""

from enum import StrEnum
from math import erfc, exp, log, pi, sqrt
from typing import NamedTuple

from slomix_pipeline.rules.attack_model import AttackModel, Roster
from slomix_pipeline.rules.intervals import Z_80
from slomix_pipeline.rules.par import EXACT_FROM

_USUALLY = 1.2816  # standard deviations: 80 of 100 cases
LEAST_ATTACKS = 6  # on a map: of fewer no odds are told, only how many there were

# Gauss-Hermite of nine points, for a value that is normal: how many standard deviations off, and with which weight.
_NODES = (
    (0.0, 0.4063492063492064),
    (1.0232556637891326, 0.2440975028949395),
    (2.076847978677830, 0.04991640676521782),
    (3.205429002856470, 0.002789141321231769),
    (4.512745863399783, 2.23458440077466e-05),
)
_UNSURE = (*_NODES, *((-off, weight) for off, weight in _NODES[1:]))

# An integral over a time's density, by Simpson: an even number of steps, up to so many standard deviations. Right to
# the sixth digit.
_STEPS = 60
_REACH = 6.0


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


class MatchOdds(NamedTuple):
    """The chances of who attacks first, of who attacks second, and that nobody completes the map: 1 together."""

    first: float
    second: float
    draw: float

    @property
    def first_if_decided(self) -> float:
        """The chance of who attacks first, of all matches that are no draw; a half where none is."""
        decided = self.first + self.second
        return self.first / decided if decided else 0.5


def match_odds(
    model: AttackModel,
    map_name: str,
    limit_seconds: int,
    first_team: Roster,
    second_team: Roster,
    temperature: float = 1.0,
) -> MatchOdds:
    """The odds of a match before its first round. What is unsure of how strong the teams are is averaged over; a draw
    is as likely as the map's usual time says. ``temperature``: see ``tempered``."""
    first, second = (model.expected(model.on_map(map_name, second)).mean for second in (False, True))
    lead = model.expected(model.lead(first_team, second_team))
    odds = [
        (weight, stopwatch(first - ahead, second + ahead, model.sigma, limit_seconds))
        for off, weight in _UNSURE
        for ahead in [lead.mean + off * lead.sd]
    ]
    wins, loses, draw = (sum(weight * each[at] for weight, each in odds) for at in range(3))
    share = tempered(MatchOdds(wins, loses, draw).first_if_decided, temperature)
    return MatchOdds((1 - draw) * share, (1 - draw) * (1 - share), draw)


def stopwatch(first: float, second: float, sigma: float, limit_seconds: int) -> MatchOdds:
    """Who is faster of two attacks whose times' logarithms are expected at ``first`` and ``second``."""
    ends = [(log(limit_seconds) - expected) / sigma for expected in (first, second)]
    behind = (second - first) / sigma
    wins, loses = _faster(ends[0], behind), _faster(ends[1], -behind)
    draw = below(-ends[0]) * below(-ends[1])
    share = wins / (wins + loses) if wins + loses else 0.5
    return MatchOdds((1 - draw) * share, (1 - draw) * (1 - share), draw)


def _faster(end: float, behind: float) -> float:
    """The chance of an attack that is through before its ``end`` and sooner than one that is expected to be so much
    ``behind``, in standard deviations: its density times the share of others that take longer."""
    low, high = -_REACH, min(_REACH, end)
    if high <= low:
        return 0.0
    width = (high - low) / _STEPS
    return sum(
        (1 if at in (0, _STEPS) else 4 if at % 2 else 2) * _density(off) * below(behind - off) * width / 3
        for at in range(_STEPS + 1)
        for off in [low + at * width]
    )


def _density(off: float) -> float:
    return exp(-off * off / 2) / sqrt(2 * pi)


def decided_odds(model: AttackModel, team: Roster, other: Roster, temperature: float = 1.0) -> float:
    """The chance that a team beats another one where nobody knows on which map, who attacks first, and what is not
    decided does not count."""
    lead = model.expected(model.lead(team, other))
    return tempered(below(2 * lead.mean / sqrt(2 * model.sigma**2 + 4 * lead.variance)), temperature)


def decided_range(model: AttackModel, team: Roster, other: Roster, temperature: float = 1.0) -> tuple[float, float]:
    """Between which chances that of ``decided_odds`` lies in 80 of 100 cases, as far as strengths are known."""
    lead = model.expected(model.lead(team, other))
    low, high = (below(2 * (lead.mean + off * lead.sd) / (sqrt(2) * model.sigma)) for off in (-_USUALLY, _USUALLY))
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
