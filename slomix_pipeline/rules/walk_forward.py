"""What the model would have said of every match of history, had it known no more than was known then.

Belongs here: going through history, fitting anew on the way; whether players carry anything from night to night at all.
Does not belong here: the model (``attack_times``), scores (``forecast_scores``). Nothing said here was ever told: it is
a test of the model, and no ledger.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import NamedTuple

from slomix_pipeline.rules.attack_model import AttackModel, RatedMatch, Terms, in_order
from slomix_pipeline.rules.attack_times import History
from slomix_pipeline.rules.forecast_scores import COIN, Forecast, base_rates, scores, temperature_of
from slomix_pipeline.rules.odds import MatchOdds, decided_odds, half_time, match_odds, tempered
from slomix_pipeline.rules.scoring import Faster
from slomix_pipeline.rules.teams import Team


class Update(StrEnum):
    """When the model learns."""

    LIVE = "live"  # after every match
    NIGHT = "night"  # between nights


@dataclass(frozen=True)
class Said:
    """What would have been said of a match, and what it came to.

    ``half_time``: the chance that the second attack beats its time, by what the model knows, and ``base`` the share
    that had so far. ``odds``: before the match, by all that is known; ``temperature``: what earlier nights say to
    multiply their logit by.
    """

    match: RatedMatch
    half_time: Mapping[Terms, float]
    base: float
    odds: MatchOdds
    temperature: float

    @property
    def chance_told(self) -> float:
        """Of who attacked first, of all matches that are no draw, as it would have been told."""
        return tempered(self.odds.first_if_decided, self.temperature)

    @property
    def odds_of_outcome(self) -> float:
        """The chance that was said, as it would have been told, for what then happened; a draw is one, too."""
        match self.match.winner:
            case Faster.DRAW:
                return self.odds.draw
            case Faster.FIRST:
                return (1 - self.odds.draw) * self.chance_told
        return (1 - self.odds.draw) * (1 - self.chance_told)


def walk_forward(matches: Iterable[RatedMatch], update: Update, terms: Sequence[Terms] = tuple(Terms)) -> list[Said]:
    """What would have been said of each match, in order of play. ``terms``: the models to try, the richest last, which
    says the odds before a match."""
    played = in_order(matches)
    rates = base_rates(match.second.completed for match in played)
    temperatures: dict[str, float] = {}
    said: list[Said] = []
    for match, known, models in _learning(played, update, terms):
        if match.night not in temperatures:
            temperatures[match.night] = temperature_of(before_match(said, told=False))
        said.append(_said(match, models, rates[known], temperatures[match.night]))
    return said


def _learning(
    played: Sequence[RatedMatch], update: Update, terms: Sequence[Terms]
) -> Iterator[tuple[RatedMatch, int, Mapping[Terms, AttackModel]]]:
    """Every match in order with the number of matches that are known before it, and the models of these. What sigma is
    is asked once a night. Nights of two servers can be at the same time."""
    history = History(played)
    begun: dict[str, tuple[int, Mapping[Terms, AttackModel]]] = {}
    for at, match in enumerate(played):
        if match.night not in begun:
            begun[match.night] = at, {each: history.fit(at, each) for each in terms}
        known, models = begun[match.night]
        if update is Update.LIVE and at > known:
            known, models = at, {each: history.fit(at, each, own.sigma) for each, own in models.items()}
        yield match, known, models


def _said(match: RatedMatch, models: Mapping[Terms, AttackModel], base: float, temperature: float) -> Said:
    teams = match.first_team, match.second_team
    beaten = {
        terms: half_time(model, match.map, match.first.seconds, teams[1], teams[0]).chance
        for terms, model in models.items()
    }
    richest = list(models.values())[-1]
    return Said(match, beaten, base, match_odds(richest, match.map, match.limit_seconds, *teams), temperature)


def at_half_time(said: Iterable[Said], terms: Terms) -> list[Forecast]:
    """Of every match: that the second attack beats its time."""
    return [Forecast(each.match.night, each.half_time[terms], each.match.second.completed, each.base) for each in said]


def before_match(said: Iterable[Said], *, told: bool = True) -> list[Forecast]:
    """Of every match that was no draw: that who attacked first wins it. ``told``: with the temperature."""
    return [
        Forecast(each.match.night, each.chance_told if told else each.odds.first_if_decided, winner is Faster.FIRST)
        for each in said
        for winner in [each.match.winner]
        if winner is not Faster.DRAW
    ]


def most_one_sided_night(matches: Iterable[RatedMatch]) -> str | None:
    """The night that one team won by most matches, the first of them; None without a decided match."""
    ahead: dict[str, int] = defaultdict(int)
    for match in in_order(matches):
        if match.winner is not Faster.DRAW:
            won_by_a = (match.winner is Faster.FIRST) == (match.first_is is Team.A)
            ahead[match.night] += 1 if won_by_a else -1
    return max(ahead, key=lambda night: abs(ahead[night]), default=None)


# --- whether there is anything to be found ---

EXCHANGES = 200
SEED = 1


class Signal(NamedTuple):
    """``difference``: in log loss to a coin, before the night; ``chance``: how often as good a one comes where the
    results of whole nights go to either team at random, so that nobody carries anything from night to night."""

    difference: float
    chance: float
    exchanges: int


def signal(matches: Iterable[RatedMatch], terms: Terms = Terms.DAMAGE, exchanges: int = EXCHANGES) -> Signal:
    """Whether anything of players' strength lasts from night to night; of at least one decided match. It fits anew for
    every night of every exchange: for reports, not for every refit."""
    played = in_order(matches)
    own = _difference(played, terms)
    chance = Random(SEED)
    as_good = sum(_difference(_exchanged(played, chance), terms) <= own for _ in range(exchanges))
    return Signal(own, (as_good + 1) / (exchanges + 1), exchanges)


def _difference(matches: Sequence[RatedMatch], terms: Terms) -> float:
    return scores(
        [
            Forecast(
                match.night, decided_odds(models[terms], match.first_team, match.second_team), winner is Faster.FIRST
            )
            for match, _, models in _learning(matches, Update.NIGHT, [terms])
            for winner in [match.winner]
            if winner is not Faster.DRAW
        ]
    ).difference


def _exchanged(matches: Sequence[RatedMatch], chance: Random) -> list[RatedMatch]:
    """The matches with the teams of some nights exchanged, which keeps all within a night as it was."""
    turned = {night: chance.random() < COIN for night in dict.fromkeys(match.night for match in matches)}
    return [
        replace(match, first_team=match.second_team, second_team=match.first_team) if turned[match.night] else match
        for match in matches
    ]
