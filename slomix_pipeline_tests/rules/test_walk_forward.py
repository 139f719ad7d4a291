"""Going through history: nothing is known too early, what is there is found, what is not there is not."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from random import Random
from statistics import fmean, median

import pytest

from slomix_pipeline.rules.attack_model import UNKNOWN_TEAM, RatedMatch, Terms
from slomix_pipeline.rules.attack_times import fit
from slomix_pipeline.rules.forecast_scores import Forecast, log_loss, scores
from slomix_pipeline.rules.odds import below, decided_odds, half_time
from slomix_pipeline.rules.par import Attack
from slomix_pipeline.rules.scoring import Faster
from slomix_pipeline.rules.walk_forward import (
    Said,
    at_half_time,
    before_match,
    learning,
    walk_forward,
)
from slomix_pipeline_tests.rated_histories import NOISE, History, history, with_rosters_exchanged


@pytest.fixture(scope="module")
def drawn() -> History:
    """Teams as they come, so that there is something to foresee."""
    return history(250, seed=8, balanced=False)


@pytest.fixture(scope="module")
def by_night(drawn: History) -> list[Said]:
    return walk_forward(drawn.matches)


def test_before_the_first_night_nothing_is_known(by_night: list[Said]) -> None:
    first = by_night[0]
    assert first.chance == pytest.approx(0.5)
    assert (first.base, first.temperature) == (0.5, 0.5)


def test_what_comes_later_changes_nothing_of_what_would_have_been_said(drawn: History) -> None:
    early = drawn.matches[:40]
    later = [replace(m, first=Attack(1, True), map=f"{m.map}2") for m in drawn.matches[40:60]]
    assert walk_forward([*later, *early], [Terms.STRENGTH])[:40] == walk_forward(early, [Terms.STRENGTH])


def test_of_a_night_it_knows_the_nights_before(drawn: History) -> None:
    few = drawn.matches[:30]
    at = next(at for at in range(20, 30) if few[at].night == few[at - 1].night)
    begun = next(number for number, match in enumerate(few) if match.night == few[at].night)
    match = few[at]
    said = walk_forward(few, [Terms.MAPS])[at]
    assert said.half_time[Terms.MAPS] == half_time(fit(few[:begun], Terms.MAPS), match.map, match.first.seconds).chance
    assert said.base == (sum(m.winner is Faster.SECOND for m in few[:begun]) + 1) / (begun + 2)


def test_who_won_is_told_by_the_result_and_not_by_whose_time_counts(drawn: History) -> None:
    """Defenders who give up in round 2 hand the match over, at a time that nobody attacked to."""
    few = drawn.matches[:6]
    handed = replace(few[5], second=few[5].second._replace(completed=False), winner=Faster.SECOND)
    said = walk_forward([*few[:5], handed], [Terms.DAMAGE])
    assert at_half_time(said, Terms.DAMAGE)[-1].happened and not before_match(said)[-1].happened


def test_of_a_match_whose_players_are_not_all_known_only_the_map_is_learned(drawn: History) -> None:
    few = drawn.matches[:40]
    unknown = [replace(match, first_team=UNKNOWN_TEAM, second_team=UNKNOWN_TEAM) for match in few]
    model = fit(unknown)
    assert model.played == {} and model.attacks == fit(few, Terms.MAPS).attacks
    said = walk_forward(unknown)
    assert before_match(said) == [] and len(at_half_time(said, Terms.MAPS)) == len(few)


def test_nights_of_two_servers_at_the_same_time_do_not_know_each_other_too_early(drawn: History) -> None:
    few = [replace(match, night=f"server {at % 2}") for at, match in enumerate(drawn.matches[:12])]
    said = walk_forward(few, [Terms.MAPS])
    assert {each.base for each in said if each.match.night == "server 0"} == {0.5}


def test_at_half_time_it_is_better_than_the_share_so_far_and_before_a_match_nearly_as_good_as_the_truth(
    drawn: History, by_night: list[Said]
) -> None:
    later = by_night[80:]
    assert scores(at_half_time(later, Terms.MAPS)).difference < -0.05
    assert scores(at_half_time(later, Terms.DAMAGE)).difference < scores(at_half_time(later, Terms.MAPS)).difference
    truth = [
        chance if each.match.winner is Faster.FIRST else 1 - chance
        for each in later
        if each.match.winner is not Faster.DRAW
        for chance in [below(sqrt(2) * drawn.lead(each.match) / NOISE)]
    ]
    assert scores(before_match(later, told=False)).log_loss < log_loss(truth) + 0.05
    assert scores(before_match(later)).difference < 0


def test_where_nobody_is_strong_nothing_is_gained_and_little_lost() -> None:
    found: list[float] = []
    temperatures: list[float] = []
    for seed in range(4):
        nobody = with_rosters_exchanged(history(142, seed).matches, seed + 100)
        said = walk_forward(nobody, [Terms.DAMAGE])
        found.append(scores(before_match(said)).difference)
        temperatures.append(said[-1].temperature)
    assert min(found) >= -0.015 and -0.002 <= fmean(found) <= 0.01
    assert median(temperatures) <= 0.4


def difference(matches: Sequence[RatedMatch]) -> float:
    """In log loss to a coin, of who wins."""
    return scores(
        [
            Forecast(
                m.night, decided_odds(models[Terms.STRENGTH], m.first_team, m.second_team), m.winner is Faster.FIRST
            )
            for m, _, models in learning(matches, [Terms.STRENGTH])
            if m.winner is not Faster.DRAW
        ]
    ).difference


def exchanged(matches: Sequence[RatedMatch], chance: Random) -> list[RatedMatch]:
    """With the teams of some nights exchanged, which keeps all within a night as it was."""
    turned = {night: chance.random() < 0.5 for night in dict.fromkeys(match.night for match in matches)}
    return [replace(m, first_team=m.second_team, second_team=m.first_team) if turned[m.night] else m for m in matches]


def as_good(matches: Sequence[RatedMatch], exchanges: int = 19) -> int:
    """How often nights whose results go to either team at random are foretold as well."""
    chance, own = Random(1), difference(matches)
    return sum(difference(exchanged(matches, chance)) <= own for _ in range(exchanges))


def test_what_lasts_from_night_to_night_is_a_signal_and_what_does_not_is_none() -> None:
    few = history(150, seed=0, balanced=False).matches
    assert as_good(few) == 0
    assert as_good(exchanged(few[:70], Random(1))) > 0
