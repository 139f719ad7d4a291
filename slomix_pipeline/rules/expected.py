"""What was to be expected of a player, by the parameters of a fit: of a round, and summed over a match or a night.

Belongs here: what a rate depends on, one line of arithmetic for it, when a night is a usual one, and from when on
anything is said. Does not belong here: the fit (``expectation``), which rounds there are; deaths, which say nothing of
a player: how often one dies is the map's and the respawn's matter.

A night is judged by the parameters as they were before it, else it would be held against itself. Nothing here needs
more than ``math``, so whoever tells a number loads nothing heavy.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import reduce
from math import exp, log, sqrt
from typing import Any, NamedTuple

from slomix_pipeline.rules.form import Against
from slomix_pipeline.rules.intervals import Z_80

SUMS_WITHIN = 0.03  # that all of a month did together, of what was expected of all
LEAST_SECONDS = 120  # of a player in a round: fewer tell nothing of his rate
LEAST_ROUNDS = 20  # earlier ones of that length: before, a player is not known
FULL_NIGHT = 60.0  # minutes, from which on a night scatters no less
LEAST_MINUTES = 40.0  # of a night that tells how much a player scatters
_POOLED_NIGHTS = 10  # nights of his own that weigh as much as what all scatter


class Metric(StrEnum):
    """What is expected of players."""

    DAMAGE = "damage"
    KILLS = "kills"


# How far a night's logarithm of actual / expected scatters, over all players (sd of 142 matches of 2025).
POOLED_SD = {Metric.DAMAGE: 0.083, Metric.KILLS: 0.115}


@dataclass(frozen=True, slots=True)
class Line:
    """A player's part in a round; ``side`` is 1 or 2, ``seconds`` his own. A number is None where it is unknown."""

    guid: str
    side: int
    seconds: int
    damage: int | None
    kills: int | None

    def actual(self, metric: Metric) -> int | None:
        """What he did of a metric."""
        return self.damage if metric is Metric.DAMAGE else self.kills


@dataclass(frozen=True, slots=True)
class PlayedRound:
    """A round that counts, of one night. ``attackers_side``: None when unknown."""

    key: str
    night: str
    played_at: datetime
    map_name: str
    attackers_side: int | None
    lines: tuple[Line, ...]


class Situation(NamedTuple):
    """What a player's rate in a round depends on beside himself and the map. ``attack``: ½ of who attacks, −½ of who
    defends; ``numbers``: logarithm of opponents by mates; ``opponents``: their shares of the time, 1 in all."""

    attack: float
    numbers: float
    opponents: Mapping[str, float]


@dataclass(frozen=True)
class Parameters:
    """A fit: logarithms of factors to a rate per minute, 0 for whom and what it does not know.

    ``base``: of the rate itself; ``attack``: between attack and defence; ``numbers``: by the logarithm of opponents by
    mates; ``opponents``: what a player lets others do, by GUID; ``rounds``: how many of each player it has seen.
    """

    metric: Metric
    base: float
    attack: float
    numbers: float
    maps: Mapping[str, float]
    players: Mapping[str, float]
    opponents: Mapping[str, float]
    rounds: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was expected of a player in a round, and what he did; ``earlier_rounds``: of him, seen by the fit."""

    round_key: str
    night: str
    guid: str
    metric: Metric
    minutes: float
    expected: float
    actual: int
    earlier_rounds: int


@dataclass(frozen=True, slots=True)
class Sum:
    """The same over some rounds of one player: a match, a night."""

    guid: str
    metric: Metric
    rounds: int
    minutes: float
    expected: float
    actual: int
    earlier_rounds: int

    @property
    def enough(self) -> bool:
        """Whether he is known well enough that anything is said."""
        return self.earlier_rounds >= LEAST_ROUNDS

    @property
    def ratio(self) -> float:
        return self.actual / self.expected

    @property
    def tells_spread(self) -> bool:
        """Whether it is a night that tells how much his nights scatter."""
        return self.enough and self.minutes >= LEAST_MINUTES and self.actual > 0


def situations(played: PlayedRound) -> dict[int, Situation]:
    """What the rates of either side in a round depend on; without a side that nobody stood against, or with nobody."""
    found = {side: _situation(played, side) for side in sorted({line.side for line in played.lines})}
    return {side: own for side, own in found.items() if own is not None}


def _situation(played: PlayedRound, side: int) -> Situation | None:
    against = {other.guid: other.seconds for other in played.lines if other.side != side and other.seconds > 0}
    mates = sum(other.seconds for other in played.lines if other.side == side)
    opponents = sum(against.values())
    if not opponents or mates <= 0:
        return None
    attack = 0.0 if played.attackers_side is None else 0.5 if side == played.attackers_side else -0.5
    shares = {guid: against[guid] / opponents for guid in sorted(against)}
    return Situation(attack, log(opponents / mates), shares)


def expected(parameters: Parameters, played: PlayedRound) -> dict[str, float]:
    """How much is expected of everybody in a round, by GUID; of nobody who was not there, or against whom nobody
    stood."""
    of_side = {
        side: parameters.base
        + parameters.attack * found.attack
        + parameters.numbers * found.numbers
        + parameters.maps.get(played.map_name, 0.0)
        + sum(parameters.opponents.get(guid, 0.0) * share for guid, share in found.opponents.items())
        for side, found in situations(played).items()
    }
    return {
        line.guid: exp(of_side[line.side] + parameters.players.get(line.guid, 0.0)) * line.seconds / 60
        for line in played.lines
        if line.side in of_side and line.seconds > 0
    }


def usual_rates(parameters: Parameters) -> dict[str, float]:
    """How much everybody the fit knows does in a minute where nothing bears on it: neither attacking nor defending,
    opponents and map like any, as many against as with him."""
    return {guid: exp(parameters.base + own) for guid, own in parameters.players.items()}


def expectations(parameters: Parameters, rounds: Iterable[PlayedRound]) -> list[Expectation]:
    """What is expected of everybody in some rounds, by a fit of earlier ones; without those whose number is unknown.
    Short rounds are in it, too: they tell little, but a sum without them would be another than players know."""
    found = []
    for played in sorted(rounds, key=in_order):
        wanted_of = expected(parameters, played)
        for line in sorted(played.lines, key=lambda line: line.guid):
            actual, wanted = line.actual(parameters.metric), wanted_of.get(line.guid)
            if actual is not None and wanted is not None:
                earlier = parameters.rounds.get(line.guid, 0)
                minutes = line.seconds / 60
                own = (played.key, played.night, line.guid, parameters.metric)
                found.append(Expectation(*own, minutes, wanted, actual, earlier))
    return found


def in_order(played: PlayedRound) -> tuple[datetime, str]:
    """The order in which rounds were played."""
    return played.played_at, played.key


def summed(found: Iterable[Expectation]) -> list[Sum]:
    """The sums of every player over some rounds, in order of GUID: of the rounds of a match, or of a night."""
    own: dict[tuple[str, Metric], list[Expectation]] = {}
    for one in found:
        own.setdefault((one.guid, one.metric), []).append(one)
    return [
        Sum(
            guid,
            metric,
            len(rows),
            sum(row.minutes for row in rows),
            sum(row.expected for row in rows),
            sum(row.actual for row in rows),
            min(row.earlier_rounds for row in rows),
        )
        for (guid, metric), rows in sorted(own.items())
    ]


@dataclass(frozen=True, slots=True)
class Spread:
    """How far full nights of a player scatter: ``square``: the sum of their squared logarithms of actual / expected,
    what all scatter among them as so many ``nights``."""

    square: float
    nights: int

    @property
    def sd(self) -> float:
        return sqrt(self.square / self.nights)

    def after(self, night: Sum) -> "Spread":
        """The same with one more night; one that tells too little is passed over."""
        if not night.tells_spread:
            return self
        return Spread(self.square + (log(night.ratio) * _fullness(night.minutes)) ** 2, self.nights + 1)


POOLED = {metric: Spread(_POOLED_NIGHTS * sd**2, _POOLED_NIGHTS) for metric, sd in POOLED_SD.items()}


def own_sd(metric: Metric, earlier: Iterable[Sum]) -> float:
    """How far a full night of a player scatters (sd of the logarithm of actual / expected): his nights so far, shrunk
    to what all scatter. ``earlier``: his nights; those that tell too little are passed over."""
    return reduce(Spread.after, earlier, POOLED[metric]).sd


def with_own_sd(nights: Iterable[Sequence[Sum]]) -> list[list[tuple[Sum, float]]]:
    """Each sum of each night, in order of play, with the ``own_sd`` of its player's nights before it."""
    so_far: dict[tuple[str, Metric], Spread] = {}
    found = []
    for night in nights:
        own = [(one, so_far.get((one.guid, one.metric), POOLED[one.metric])) for one in night]
        found.append([(one, spread.sd) for one, spread in own])
        so_far.update({(one.guid, one.metric): spread.after(one) for one, spread in own})
    return found


def night_sd(sd: float, minutes: float) -> float:
    """How far a night of that length scatters, by how far a full one does."""
    return sd / _fullness(minutes)


def usual_ratio(sd: float, minutes: float) -> tuple[float, float]:
    """Between which ratios of actual to expected 80 of 100 nights of that length lie."""
    reach = Z_80 * night_sd(sd, minutes)
    return exp(-reach), exp(reach)


def judged(night: Sum, sd: float) -> Against | None:
    """How a match or a night was, EVEN being a usual one; None while the player is not known well enough."""
    if not night.enough:
        return None
    low, high = usual_ratio(sd, night.minutes)
    return Against.BELOW if night.ratio < low else Against.ABOVE if night.ratio > high else Against.EVEN


def surprise(nights: Iterable[tuple[Sum, float]]) -> Sum | None:
    """The sum that is furthest above what was usual for its player, of those that tell something; None where nobody was
    above it. What was below is nobody's business but his. ``nights``: each with its ``own_sd``."""
    above = [
        (log(night.ratio) / night_sd(sd, night.minutes), night)
        for night, sd in nights
        if night.tells_spread and judged(night, sd) is Against.ABOVE
    ]
    return min(above, key=lambda one: (-one[0], one[1].guid, one[1].metric))[1] if above else None


def _fullness(minutes: float) -> float:
    """By what the scatter of a shorter night is greater."""
    return sqrt(min(1.0, minutes / FULL_NIGHT))


# --- to keep it ---

VERSION = "usual/1"  # another one whenever a fit of the same rounds would say something else


def as_json(parameters: Parameters) -> dict[str, Any]:
    """A fit as plain values, to be kept; see ``from_json``."""
    return asdict(parameters)


def from_json(kept: Mapping[str, Any]) -> Parameters:
    """The fit that was kept."""
    return Parameters(**{**kept, "metric": Metric(kept["metric"])})
