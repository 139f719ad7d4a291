"""Going through history: nothing is known too early, what is there is found, what is not there is not."""

from dataclasses import replace
from random import Random
from statistics import fmean, median

import pytest

from slomix_pipeline.rules.attack_model import RatedMatch, Terms
from slomix_pipeline.rules.attack_times import fit
from slomix_pipeline.rules.forecast_scores import log_loss, scores
from slomix_pipeline.rules.odds import half_time, stopwatch
from slomix_pipeline.rules.par import Attack
from slomix_pipeline.rules.scoring import Faster
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.walk_forward import (
    Said,
    Update,
    at_half_time,
    before_match,
    most_one_sided_night,
    signal,
    walk_forward,
)
from slomix_pipeline_tests.rated_histories import NOISE, History, history, with_rosters_exchanged


@pytest.fixture(scope="module")
def drawn() -> History:
    """Teams as they come, so that there is something to foresee."""
    return history(250, seed=8, balanced=False)


@pytest.fixture(scope="module")
def by_night(drawn: History) -> list[Said]:
    return walk_forward(drawn.matches, Update.NIGHT)


def test_before_the_first_night_nothing_is_known(by_night: list[Said]) -> None:
    first = by_night[0]
    assert first.odds.first_if_decided == pytest.approx(0.5)
    assert (first.base, first.temperature) == (0.5, 0.5)


@pytest.mark.parametrize("update", Update)
def test_what_comes_later_changes_nothing_of_what_would_have_been_said(drawn: History, update: Update) -> None:
    early = drawn.matches[:40]
    later = [replace(m, first=Attack(1, True), map=f"{m.map}2") for m in drawn.matches[40:60]]
    assert walk_forward([*later, *early], update, [Terms.STRENGTH])[:40] == walk_forward(
        early, update, [Terms.STRENGTH]
    )


def test_between_nights_it_knows_the_nights_before_and_live_also_the_matches_before(drawn: History) -> None:
    few = drawn.matches[:30]
    at = next(at for at in range(20, 30) if few[at].night == few[at - 1].night)
    begun = next(number for number, match in enumerate(few) if match.night == few[at].night)
    match = few[at]
    for update, known in ((Update.NIGHT, begun), (Update.LIVE, at)):
        sigma = fit(few[:begun], Terms.MAPS).sigma
        model = fit(few[:known], Terms.MAPS, sigma)
        said = walk_forward(few, update, [Terms.MAPS])[at]
        assert said.half_time[Terms.MAPS] == half_time(model, match.map, match.first.seconds).chance
        assert said.base == (sum(m.second.completed for m in few[:known]) + 1) / (known + 2)


def test_nights_of_two_servers_at_the_same_time_do_not_know_each_other_too_early(drawn: History) -> None:
    few = [replace(match, night=f"server {at % 2}") for at, match in enumerate(drawn.matches[:12])]
    said = walk_forward(few, Update.NIGHT, [Terms.MAPS])
    assert {each.base for each in said if each.match.night == "server 0"} == {0.5}


def test_at_half_time_it_is_better_than_the_share_so_far_and_before_a_match_nearly_as_good_as_the_truth(
    drawn: History, by_night: list[Said]
) -> None:
    later = by_night[80:]
    assert scores(at_half_time(later, Terms.MAPS)).difference < -0.05
    assert scores(at_half_time(later, Terms.DAMAGE)).difference < scores(at_half_time(later, Terms.MAPS)).difference
    truth = [
        odds.first_if_decided if each.match.winner is Faster.FIRST else 1 - odds.first_if_decided
        for each in later
        if each.match.winner is not Faster.DRAW
        for lead in [drawn.lead(each.match)]
        for odds in [stopwatch(6 - lead, 6 + lead, NOISE, 10**6)]
    ]
    assert scores(before_match(later, told=False)).log_loss < log_loss(truth) + 0.05
    assert scores(before_match(later)).difference < 0


def test_the_chance_of_what_happened_is_of_three(by_night: list[Said]) -> None:
    for said in by_night[:50]:
        told = (said.chance_told, 1 - said.chance_told)
        rest = 1 - said.odds.draw
        expected = {
            Faster.DRAW: said.odds.draw,
            Faster.FIRST: rest * told[0],
            Faster.SECOND: rest * told[1],
        }
        assert said.odds_of_outcome == expected[said.match.winner]


def test_where_nobody_is_strong_nothing_is_gained_and_little_lost() -> None:
    found: list[float] = []
    temperatures: list[float] = []
    for seed in range(4):
        nobody = with_rosters_exchanged(history(142, seed).matches, seed + 100)
        said = walk_forward(nobody, Update.NIGHT, [Terms.DAMAGE])
        found.append(scores(before_match(said)).difference)
        temperatures.append(said[-1].temperature)
    assert min(found) >= -0.015 and -0.002 <= fmean(found) <= 0.01
    assert median(temperatures) <= 0.4


def test_what_lasts_from_night_to_night_is_a_signal_and_what_does_not_is_none() -> None:
    few = history(150, seed=0, balanced=False).matches
    assert signal(few, Terms.STRENGTH, exchanges=19).chance == 0.05  # none of 19 was as good
    chance = Random(1)
    few = few[:70]
    coins = {match.night: chance.random() < 0.5 for match in few}
    nothing = [replace(m, first_team=m.second_team, second_team=m.first_team) if coins[m.night] else m for m in few]
    assert signal(nothing, Terms.STRENGTH, exchanges=19).chance > 0.05


def test_the_most_one_sided_night_is_the_one_that_one_team_won_by_most(drawn: History) -> None:
    def match(at: int, night: str, first_is: Team, first_won: bool) -> RatedMatch:
        attack = Attack(300, True)
        return replace(
            drawn.matches[at], night=night, first_is=first_is, first=attack, second=Attack(300, not first_won)
        )

    even = [match(at, "even", Team.A, at % 2 == 0) for at in range(4)]
    swept = [match(4, "swept", Team.A, True), match(5, "swept", Team.B, False), match(6, "swept", Team.A, True)]
    assert most_one_sided_night([*even, *swept]) == "swept"
    assert most_one_sided_night([]) is None
