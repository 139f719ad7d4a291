"""Chances of attacks and matches: answers worked out elsewhere, and what must hold of all of them."""

from dataclasses import replace
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.attack_model import AttackModel, Roster, Term, Terms, roster
from slomix_pipeline.rules.attack_times import fit
from slomix_pipeline.rules.odds import (
    LEAST_ATTACKS,
    Beyond,
    Told,
    decided_odds,
    decided_range,
    half_time,
    points_of_chance,
    tempered,
    told_share,
)
from slomix_pipeline.rules.par import EXACT_FROM
from slomix_pipeline_tests.rated_histories import history

THREE, OTHERS = roster(dict.fromkeys("ABC", 900.0)), roster(dict.fromkeys("DEF", 900.0))
STRANGERS = roster(dict.fromkeys(("NEW1", "NEW2", "NEW3"), 900.0))


def model(terms: Terms = Terms.STRENGTH, **values: float) -> AttackModel:
    """One that knows everything for sure: a median of five minutes on one map, and the strengths that are given."""
    known = {Term.MEAN: log(300), Term.SECOND: 0.0, Term.MAP.of("quarry"): 0.0, Term.NUMBERS: 0.0}
    everything = {str(term): value for term, value in known.items()} | {
        Term.PLAYER.of(guid): values.get(guid, 0.0) for guid in "ABCDEF"
    }
    sure = tuple((0.0,) * (at + 1) for at in range(len(everything)))
    return AttackModel(terms, 0.45, 50, everything, sure, {}, {"quarry": 100}, dict.fromkeys("ABCDEF", 50))


def test_at_half_time_of_a_map_of_five_minutes_one_in_three_beats_four() -> None:
    assert half_time(model(Terms.MAPS), "quarry", 240).chance == pytest.approx(0.310, abs=5e-4)


def test_what_a_strength_is_worth_is_more_in_a_small_team() -> None:
    assert round(points_of_chance(0.2, 0.45, 3)) == 8
    assert round(points_of_chance(0.2, 0.45, 6)) == 4


SECONDS = st.integers(10, 3000)


@given(SECONDS, SECONDS)
def test_a_later_time_is_easier_to_beat(one: int, other: int) -> None:
    early, late = (half_time(model(Terms.MAPS), "quarry", each).chance for each in sorted((one, other)))
    assert 0 <= early <= late <= 1


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_a_stronger_attacker_beats_a_time_sooner(one: float, other: float) -> None:
    weak, strong = sorted((one, other))
    chances = [half_time(model(A=own), "quarry", 240, THREE, OTHERS).chance for own in (weak, strong)]
    against = [half_time(model(A=own), "quarry", 240, OTHERS, THREE).chance for own in (weak, strong)]
    assert chances[0] <= chances[1] and against[0] >= against[1]


def test_without_rosters_or_where_players_are_not_rated_only_the_map_counts() -> None:
    strong = model(A=0.5)
    plain = half_time(strong, "quarry", 240).chance
    assert half_time(replace(strong, terms=Terms.MAPS), "quarry", 240, THREE, OTHERS).chance == plain
    assert half_time(strong, "quarry", 240, THREE, OTHERS).chance > plain


def test_a_map_that_was_never_seen_may_be_anything_and_is_not_told() -> None:
    unseen = half_time(model(Terms.MAPS), "elsewhere", 240)
    assert unseen.chance == pytest.approx(0.370, abs=5e-4)  # ln(240/300) over the root of .45² + .5²
    assert (unseen.attacks, unseen.enough) == (0, False)
    assert half_time(model(Terms.MAPS), "quarry", 240).enough and LEAST_ATTACKS == 6


def test_who_is_not_known_makes_odds_less_sure() -> None:
    ahead = model(A=0.3, B=0.3, C=0.3)
    assert 0.5 < decided_odds(ahead, THREE, STRANGERS) < decided_odds(ahead, THREE, OTHERS)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_the_stronger_is_the_likelier_to_win(one: float, other: float) -> None:
    weak, strong = (decided_odds(model(A=own), THREE, OTHERS) for own in sorted((one, other)))
    assert weak <= strong


def test_before_a_match_its_teams_alone_count() -> None:
    ahead = model(A=0.3)
    assert decided_odds(ahead, THREE, OTHERS) == pytest.approx(0.6234, abs=1e-4)
    assert decided_odds(ahead, OTHERS, THREE) == pytest.approx(1 - 0.6234, abs=1e-4)
    assert decided_odds(model(Terms.MAPS), THREE, OTHERS) == 0.5


def test_damage_counts_where_the_model_knows_it() -> None:
    values = {**model().values, str(Term.DAMAGE): 1.0}
    sure = tuple((0.0,) * (at + 1) for at in range(len(values)))
    known = replace(model(), terms=Terms.DAMAGE, values=values, covariance=sure, damage={"A": 0.3})
    assert decided_odds(known, THREE, OTHERS) == pytest.approx(0.6234, abs=1e-4)


def test_a_man_more_counts_as_much_as_was_learned() -> None:
    values = {**model().values, str(Term.NUMBERS): 0.25}
    four = roster(dict.fromkeys("ABCX", 900.0))
    known = replace(
        model(),
        values={**values, Term.PLAYER.of("X"): 0.0},
        covariance=tuple((0.0,) * (at + 1) for at in range(len(values) + 1)),
    )
    assert decided_odds(known, four, OTHERS) > 0.5


def test_teams_exchanged_have_the_other_chance() -> None:
    drawn = history(60, seed=4)
    learned = fit(drawn.matches)
    for match in drawn.matches[:10]:
        teams = match.first_team, match.second_team
        assert decided_odds(learned, *teams) == pytest.approx(1 - decided_odds(learned, *teams[::-1]))
        assert decided_odds(learned, teams[0], teams[0]) == 0.5


@given(st.floats(0, 1), st.floats(0.1, 2))
def test_a_temperature_keeps_the_side_of_a_half(chance: float, temperature: float) -> None:
    assert (tempered(chance, temperature) - 0.5) * (chance - 0.5) >= 0
    assert tempered(chance, 1.0) == pytest.approx(chance)


@pytest.mark.parametrize(
    ("share", "counted", "told"),
    [
        (0.361, 68, Told(35)),
        (0.38, 68, Told(40)),
        (0.012, 68, Told(5, Beyond.UNDER)),
        (0.99, 68, Told(95, Beyond.OVER)),
        (0.0, 68, Told(0)),
        (1.0, 68, Told(100)),
        (0.361, EXACT_FROM, Told(36)),
        (0.001, EXACT_FROM, Told(1, Beyond.UNDER)),
        (0.999, EXACT_FROM, Told(99, Beyond.OVER)),
    ],
)
def test_a_share_is_told_as_exactly_as_it_is_known(share: float, counted: int, told: Told) -> None:
    assert told_share(share, counted) == told


def test_a_team_of_nobody_who_stayed_is_of_unknown_strength_and_no_trouble() -> None:
    nobody = Roster({}, 50.0)
    assert 0 < decided_odds(model(), THREE, nobody) < 1


def test_a_chance_lies_within_its_range_which_is_wider_the_less_is_known_and_turns_with_the_teams() -> None:
    learned = fit(history(60, 3).matches)
    one, other = (
        roster(dict.fromkeys(("PLAYER00", "PLAYER01"), 900.0)),
        roster(dict.fromkeys(("PLAYER02", "PLAYER03"), 900.0)),
    )
    low, high = decided_range(learned, one, other)
    assert low < decided_odds(learned, one, other) < high
    assert decided_range(learned, other, one) == pytest.approx((1 - high, 1 - low))
    strange_low, strange_high = decided_range(learned, one, STRANGERS)
    assert strange_high - strange_low > high - low
    sure = model(A=0.2)
    assert decided_range(sure, THREE, OTHERS) == pytest.approx([decided_odds(sure, THREE, OTHERS)] * 2)
