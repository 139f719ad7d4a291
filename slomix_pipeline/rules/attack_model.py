"""The model of attack times, as far as predicting from it goes: what it needs of a match, what it found, what it
expects of an attack.

An attack's time is log-normal: its logarithm is the mean of all maps, the map's own part, a part of all second attacks,
less what the attackers are stronger and more by. ``attack_times`` fits it.
Belongs here: those values, and what follows from them with ``math`` alone, as messages need it.
Does not belong here: the fit (``attack_times``), chances (``odds``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import isfinite, log, sqrt
from statistics import fmean
from typing import Any, NamedTuple

from slomix_pipeline.rules.par import Attack
from slomix_pipeline.rules.scoring import Faster

VERSION = "attack-times/1"  # another one whenever a fit of the same matches would say something else
LEAST_SECONDS = 60  # who played less of a match has no share in it
REGULAR_FROM = 20  # matches


class Terms(StrEnum):
    """What a model explains times by. A strength needs a proof that maps need not, so both are fitted."""

    MAPS = "maps"
    STRENGTH = "strength"  # maps, and who plays
    DAMAGE = "damage"  # maps, who plays, and the damage they usually do


class Term(StrEnum):
    """What can have a part in a time's logarithm. Of ``MAP`` and ``PLAYER`` there are many; see ``of``."""

    MEAN = "mean"
    SECOND = "second"
    NUMBERS = "numbers"  # per logarithm of how many more there are
    DAMAGE = "damage"  # per difference in damage strength
    MAP = "map"
    PLAYER = "player"

    def of(self, name: str) -> str:
        """The term of one map or player."""
        return f"{self} {name}"


# How far each part is expected from nothing, in logarithms of a time; the mean from seven minutes.
PRIOR_SD = {
    Term.MEAN: 1.0,
    Term.SECOND: 0.2,
    Term.NUMBERS: 0.7,
    Term.DAMAGE: 1.0,
    Term.MAP: 0.5,
    Term.PLAYER: 0.2,
}
PRIOR_MEAN = log(420)


# --- what it needs of a match ---


@dataclass(frozen=True)
class Roster:
    """Who played for a team. ``shares``: by GUID, of ``seconds``, which all of its players were there for."""

    shares: Mapping[str, float]
    seconds: float


UNKNOWN_TEAM = Roster({}, 1.0)


def roster(seconds_played: Mapping[str, float]) -> Roster:
    """The roster of a team by how many seconds of a match everybody was there for it; whoever hardly was has no share,
    and a substitute that of what he played."""
    seconds = sum(seconds_played[guid] for guid in sorted(seconds_played))
    stayed = {guid: own for guid, own in sorted(seconds_played.items()) if own >= LEAST_SECONDS}
    return Roster({guid: own / seconds for guid, own in stayed.items()}, seconds)


class Dealt(NamedTuple):
    """What a player did in one round: the damage he gave in the seconds he was there."""

    seconds: float
    damage: float


@dataclass(frozen=True)
class RatedMatch:
    """A match from whose attacks something can be learned: complete, valid, decided by what was played, and it is known
    who attacked first.

    ``stamp``: of its last round; ``night``: its session. ``first``, ``second``: the attacks, each with what it had to
    beat where it failed (so ``first.seconds`` is what the second one had to beat). ``winner``: whose attack won, as the
    match was decided: where defenders gave up it is not the attack that was completed. ``first_team``,
    ``second_team``: who attacked first and second; where it is not known of everybody how long he stood for which team,
    both are ``UNKNOWN_TEAM``, and the match tells of its map alone. ``rounds``: what was dealt in each, by GUID, where
    it is known.
    """

    key: str
    stamp: datetime
    night: str
    map: str
    limit_seconds: int
    first: Attack
    second: Attack
    winner: Faster
    first_team: Roster
    second_team: Roster
    rounds: tuple[Mapping[str, Dealt], ...] = ()

    @property
    def knows_teams(self) -> bool:
        """Whether it is known who played in both teams."""
        return bool(self.first_team.shares and self.second_team.shares)

    @property
    def players(self) -> list[str]:
        """The GUIDs of who has a share in it."""
        return sorted(self.first_team.shares.keys() | self.second_team.shares.keys())


def in_order(matches: Iterable[RatedMatch]) -> list[RatedMatch]:
    """Matches as they were played."""
    return sorted(matches, key=lambda match: (match.stamp, match.key))


# --- what it found, and what it expects ---


class Expected(NamedTuple):
    """A sum of parts: its mean, and the variance of what is not known of it."""

    mean: float
    variance: float

    @property
    def sd(self) -> float:
        return sqrt(self.variance)


@dataclass(frozen=True)
class AttackModel:
    """What was learned of all attacks so far.

    ``sigma``: how much times of the same map and teams differ (standard deviation of the logarithm); ``values``: every
    part, by ``Term``, and ``covariance`` of the same, row by row up to the diagonal. ``damage``: damage strengths by
    GUID. ``attacks``: how many there were, by map; ``played``: matches with a share, by GUID.
    """

    terms: Terms
    sigma: float
    matches: int
    values: Mapping[str, float]
    covariance: Sequence[Sequence[float]]
    damage: Mapping[str, float]
    attacks: Mapping[str, int]
    played: Mapping[str, int]
    _place: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_place", {term: at for at, term in enumerate(self.values)})

    @property
    def rates_players(self) -> bool:
        return self.terms is not Terms.MAPS

    def expected(self, weights: Mapping[str, float]) -> Expected:
        """The sum of some parts, each with its weight. A map or player that was never seen may be anything that the
        prior allows."""
        mean, variance = 0.0, 0.0
        seen: list[tuple[int, float]] = []
        for term, weight in weights.items():
            if term in self._place:
                mean += weight * self.values[term]
                seen.append((self._place[term], weight))
            else:
                variance += (weight * PRIOR_SD[Term(term.partition(" ")[0])]) ** 2
        for row, weight in seen:
            variance += weight * sum(
                other * (self.covariance[row][column] if column <= row else self.covariance[column][row])
                for column, other in seen
            )
        return Expected(mean, variance)

    def on_map(self, map_name: str, second: bool) -> dict[str, float]:
        """The parts of an attack's time that are no matter of who plays."""
        return {Term.MEAN: 1.0, Term.MAP.of(map_name): 1.0} | ({Term.SECOND: 1.0} if second else {})

    def lead(self, own: Roster, other: Roster) -> dict[str, float]:
        """The parts by which a team is stronger and more than another: of the logarithm by which it is faster."""
        if not self.rates_players:
            return {}
        both = sorted(own.shares.keys() | other.shares.keys())
        shares = {guid: own.shares.get(guid, 0.0) - other.shares.get(guid, 0.0) for guid in both}
        parts = {Term.PLAYER.of(guid): share for guid, share in shares.items()}
        parts[Term.NUMBERS] = log(own.seconds / other.seconds)
        if self.terms is Terms.DAMAGE:
            parts[Term.DAMAGE] = sum(share * self.damage.get(guid, 0.0) for guid, share in shares.items())
        return parts


class Strength(NamedTuple):
    """What a player makes an attack faster by when he stands in a team alone, as a logarithm, against the mean of all
    regular players; ``sd``: how sure that is. Of who is no regular: new, with his matches."""

    guid: str
    value: float
    sd: float
    matches: int


def strengths(model: AttackModel) -> list[Strength]:
    """Everybody's strength, by GUID: their order would say more than is known. None while nobody is a regular, as only
    differences between players can be known."""
    regulars = [guid for guid, matches in model.played.items() if matches >= REGULAR_FROM]
    if not model.rates_players or not regulars:
        return []
    usual = {Term.PLAYER.of(guid): -1 / len(regulars) for guid in regulars}
    usual_damage = fmean(model.damage.get(guid, 0.0) for guid in regulars)
    found = []
    for guid, matches in sorted(model.played.items()):
        own = Term.PLAYER.of(guid)
        parts = usual | {own: usual.get(own, 0.0) + 1}
        if model.terms is Terms.DAMAGE:
            parts[Term.DAMAGE] = model.damage.get(guid, 0.0) - usual_damage
        value, variance = model.expected(parts)
        found.append(Strength(guid, value, sqrt(variance), matches))
    return found


SCATTERS = (0.3, 0.7)  # sigma of 142 matches: 0.45
STRONGEST = 1.0  # who made his team faster by more than this would win alone


def unlikely(model: AttackModel) -> list[str]:
    """What of a model can't be right, in words; empty: nothing. Sigma is judged once it hangs on enough matches."""
    wrong = [f"{term} is {value}" for term, value in model.values.items() if not isfinite(value)]
    wrong += [
        f"{term} is {value:+.2f}"
        for term, value in model.values.items()
        if term.startswith(Term.PLAYER.of("")) and abs(value) >= STRONGEST
    ]
    if model.matches >= REGULAR_FROM and not SCATTERS[0] <= model.sigma <= SCATTERS[1]:
        wrong.append(f"times scatter by {model.sigma}, not by {SCATTERS[0]} to {SCATTERS[1]}")
    return wrong


# --- to keep it ---


def guid_of(term: str) -> str | None:
    """Whose term it is; None of one that is nobody's."""
    of_player = Term.PLAYER.of("")
    return term.removeprefix(of_player) if term.startswith(of_player) else None


def as_json(model: AttackModel) -> dict[str, Any]:
    """A model as plain lists and numbers, to be kept; see ``from_json``."""
    return {
        "terms": str(model.terms),
        "sigma": model.sigma,
        "matches": model.matches,
        "values": [[term, value, guid_of(term)] for term, value in model.values.items()],  # objects may lose the order
        "covariance": [list(row) for row in model.covariance],
        "damage": {Term.PLAYER.of(guid): strength for guid, strength in model.damage.items()},
        "attacks": dict(model.attacks),
        "played": dict(model.played),
    }


def from_json(kept: Mapping[str, Any]) -> AttackModel:
    """The model that was kept."""
    return AttackModel(
        Terms(kept["terms"]),
        kept["sigma"],
        kept["matches"],
        {term: value for term, value, _ in kept["values"]},
        tuple(tuple(row) for row in kept["covariance"]),
        {term.removeprefix(Term.PLAYER.of("")): strength for term, strength in kept["damage"].items()},
        kept["attacks"],
        kept["played"],
    )
