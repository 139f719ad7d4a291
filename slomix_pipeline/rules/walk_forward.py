"""What the model would have said of every match of history, had it known no more than was known then.

Belongs here: going through history, fitting anew on the way. Does not belong here: the model (``attack_times``), scores
(``forecast_scores``). Nothing said here was ever told: it is a test of the model, and no ledger.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from slomix_pipeline.rules.attack_model import AttackModel, RatedMatch, Terms, in_order
from slomix_pipeline.rules.attack_times import History
from slomix_pipeline.rules.forecast_scores import Forecast, base_rates, temperature_of
from slomix_pipeline.rules.odds import decided_odds, half_time, tempered
from slomix_pipeline.rules.scoring import Faster


@dataclass(frozen=True)
class Said:
    """What would have been said of a match, by the nights before its own, and what it came to.

    ``half_time``: the chance that the second attack beats its time, by what the model knows, and ``base`` the share
    that had so far. ``chance``: before the match, that who attacked first wins it if anybody does, by all that is known
    of the teams; ``temperature``: what earlier nights say to multiply its logit by.
    """

    match: RatedMatch
    half_time: Mapping[Terms, float]
    base: float
    chance: float
    temperature: float

    @property
    def chance_told(self) -> float:
        """``chance`` as it would have been told."""
        return tempered(self.chance, self.temperature)


def walk_forward(matches: Iterable[RatedMatch], terms: Sequence[Terms] = tuple(Terms)) -> list[Said]:
    """What would have been said of each match, in order of play. ``terms``: the models to try, the richest last, which
    says the odds before a match."""
    played = in_order(matches)
    rates = base_rates(match.winner is Faster.SECOND for match in played)
    temperatures: dict[str, float] = {}
    said: list[Said] = []
    for match, known, models in learning(played, terms):
        if match.night not in temperatures:
            temperatures[match.night] = temperature_of(before_match(said, told=False))
        said.append(_said(match, models, rates[known], temperatures[match.night]))
    return said


def learning(
    played: Sequence[RatedMatch], terms: Sequence[Terms]
) -> Iterator[tuple[RatedMatch, int, Mapping[Terms, AttackModel]]]:
    """Every match, given in order, with the number of matches that were known before its night, and the models of
    these. Nights of two servers can be at the same time."""
    history = History(played)
    last = {match.night: at for at, match in enumerate(played)}
    begun: dict[str, tuple[int, Mapping[Terms, AttackModel]]] = {}
    for at, match in enumerate(played):
        if match.night not in begun:
            begun[match.night] = at, {each: history.fit(at, each) for each in terms}
        yield match, *begun[match.night]
        if last[match.night] == at:  # models are large: none is kept that nobody asks again
            del begun[match.night]


def _said(match: RatedMatch, models: Mapping[Terms, AttackModel], base: float, temperature: float) -> Said:
    teams = match.first_team, match.second_team
    beaten = {
        terms: half_time(model, match.map, match.first.seconds, teams[1], teams[0]).chance
        for terms, model in models.items()
    }
    richest = list(models.values())[-1]
    return Said(match, beaten, base, decided_odds(richest, *teams), temperature)


def at_half_time(said: Iterable[Said], terms: Terms) -> list[Forecast]:
    """Of every match: that the second attack wins it."""
    return [
        Forecast(each.match.night, each.half_time[terms], each.match.winner is Faster.SECOND, each.base)
        for each in said
    ]


def before_match(said: Iterable[Said], *, told: bool = True) -> list[Forecast]:
    """Of every match that was no draw, and of which it is known who played: that who attacked first wins it. ``told``:
    with the temperature."""
    return [
        Forecast(each.match.night, each.chance_told if told else each.chance, winner is Faster.FIRST)
        for each in said
        for winner in [each.match.winner]
        if winner is not Faster.DRAW and each.match.knows_teams
    ]
