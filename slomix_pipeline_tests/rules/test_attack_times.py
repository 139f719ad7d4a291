"""The model of attack times: what it finds of drawn histories, what it does with what it hardly knows."""

import json
from dataclasses import replace
from itertools import product
from random import Random
from statistics import fmean

import pytest

from slomix_pipeline.rules.attack_model import (
    REGULAR_FROM,
    AttackModel,
    Dealt,
    RatedMatch,
    Term,
    Terms,
    as_json,
    from_json,
    roster,
    strengths,
)
from slomix_pipeline.rules.attack_times import fit
from slomix_pipeline.rules.damage_strength import LEAST_RATIO, shown_in, strength
from slomix_pipeline.rules.par import Attack
from slomix_pipeline_tests.rated_histories import (
    NOISE,
    USUAL,
    History,
    history,
    rank_correlation,
    with_rosters_exchanged,
)


@pytest.fixture(scope="module")
def long_history() -> History:
    return history(500, seed=2)


@pytest.fixture(scope="module")
def model(long_history: History) -> AttackModel:
    return fit(long_history.matches)


def test_without_a_match_everything_is_as_the_prior_has_it() -> None:
    nothing = fit([])
    assert nothing.matches == 0 and not nothing.played and not strengths(nothing)
    guess = nothing.expected(nothing.on_map("never seen", second=False))
    assert guess.mean == pytest.approx(6.040, abs=1e-3)  # seven minutes
    assert guess.variance == pytest.approx(1 + 0.25)


def test_who_is_strong_comes_out_of_who_beat_whom_by_how_much(long_history: History, model: AttackModel) -> None:
    found = {own.guid: own.value for own in strengths(model)}
    assert len(found) == 14
    assert rank_correlation(found, long_history.strengths) >= 0.7


def test_of_fifteen_hundred_matches_nearly_the_true_order_comes_out() -> None:
    found = []
    for seed, balanced in product((1, 2, 3), (True, False)):
        drawn = history(1500, seed, balanced=balanced)
        known = {own.guid: own.value for own in strengths(fit(drawn.matches))}
        found.append(rank_correlation(known, drawn.strengths))
    assert fmean(found) >= 0.9


def test_how_unsure_it_says_to_be_is_how_unsure_it_is() -> None:
    inside = []
    for seed in range(4):
        drawn = history(142, seed)
        found = [own for own in strengths(fit(drawn.matches)) if own.matches >= REGULAR_FROM]
        middle = sum(drawn.strengths[own.guid] for own in found) / len(found)
        inside += [abs(own.value - drawn.strengths[own.guid] + middle) < 1.2816 * own.sd for own in found]
    assert 0.65 <= sum(inside) / len(inside) <= 0.97  # of 80 %


def test_maps_order_and_noise_are_found(model: AttackModel) -> None:
    assert model.sigma == NOISE
    assert abs(model.values[Term.SECOND]) < 0.1
    quick, slow = (model.expected(model.on_map(name, second=False)).mean for name in ("tile", "mill"))
    assert slow - quick == pytest.approx(0.98, abs=0.2)  # ln(640/240)
    assert set(model.attacks) == set(USUAL) and sum(model.attacks.values()) == 1000


def test_with_rosters_exchanged_nobody_is_strong(long_history: History) -> None:
    nobody = fit(with_rosters_exchanged(long_history.matches, seed=5))
    assert all(abs(own.value) < 3 * own.sd for own in strengths(nobody))


def test_the_order_in_which_matches_come_changes_no_bit(long_history: History, model: AttackModel) -> None:
    shuffled = Random(3).sample(long_history.matches, len(long_history.matches))
    assert fit(shuffled) == model


def test_a_model_that_was_kept_is_the_same(model: AttackModel) -> None:
    assert from_json(json.loads(json.dumps(as_json(model)))) == model


def test_the_other_order_of_players_in_a_roster_changes_no_bit(long_history: History) -> None:
    few = long_history.matches[:30]
    turned = [
        replace(m, first_team=replace(m.first_team, shares=dict(list(m.first_team.shares.items())[::-1]))) for m in few
    ]
    assert fit(turned) == fit(few)


def test_teams_exchanged_everywhere_are_as_strong_the_other_way_round(long_history: History) -> None:
    """Without the part of second attacks, a match and its mirror say opposite things of the same people."""
    match = long_history.matches[0]
    mirror = replace(match, first_team=match.second_team, second_team=match.first_team)
    one, other = (fit([m], Terms.STRENGTH).values for m in (match, mirror))
    for guid in match.players:
        assert one[Term.PLAYER.of(guid)] == pytest.approx(-other[Term.PLAYER.of(guid)], abs=1e-8)


def test_attacks_that_failed_far_beyond_what_was_expected_are_no_trouble() -> None:
    odd = replace(
        history(1, seed=1).matches[0], first=Attack(10**9, False), second=Attack(10**9, False), limit_seconds=10**9
    )
    found = fit([odd])
    assert found.values[Term.MEAN] > 8 and all(abs(value) < 50 for value in found.values.values())


def test_a_substitute_has_the_part_he_played_and_who_hardly_played_none() -> None:
    team = roster({"LONG": 600.0, "LATE": 300.0, "GONE": 59.0})
    assert team.seconds == 959
    assert team.shares == {"LONG": 600 / 959, "LATE": 300 / 959}


def _match(*rounds: dict[str, Dealt]) -> RatedMatch:
    return replace(history(1, seed=1).matches[0], rounds=rounds)


def test_damage_strength_is_against_the_lobby_and_of_little_is_little() -> None:
    double = {"STRONG": Dealt(600, 2000), "WEAK": Dealt(600, 1000), "BRIEF": Dealt(59, 900)}
    shown = shown_in(_match(double, double))
    assert set(shown) == {"STRONG", "WEAK"}
    assert shown["STRONG"].seconds == 1200
    assert strength(shown["STRONG"]) == pytest.approx(0.2877 * 1200 / 4800, abs=1e-4)  # ln(4/3), shrunk by an hour


def test_who_did_no_damage_is_weak_and_a_round_without_any_says_nothing() -> None:
    shown = shown_in(_match({"NONE": Dealt(100, 0), "ALL": Dealt(100, 500)}, {"NONE": Dealt(100, 0)}))
    assert shown["NONE"].seconds == 100
    assert shown["NONE"].weighted == pytest.approx(100 * -2.3026, abs=1e-2) and LEAST_RATIO == 0.1
