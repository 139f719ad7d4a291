"""What was to be expected of a player: one line of arithmetic, sums of it, and silence where too little is known."""

from dataclasses import replace
from datetime import UTC, datetime
from math import exp, isclose, log

import pytest

from slomix_pipeline.rules.expected import (
    LEAST_ROUNDS,
    POOLED_SD,
    Line,
    Metric,
    Parameters,
    PlayedRound,
    Sum,
    expectations,
    expected,
    judged,
    own_sd,
    summed,
    surprise,
    usual_ratio,
    with_own_sd,
)
from slomix_pipeline.rules.form import Against

ADA = Line("ADA", 1, 600, 4000, 15)
BEA = Line("BEA", 1, 300, 2000, 5)
CID = Line("CID", 2, 600, 3000, 12)
DON = Line("DON", 2, 600, None, None)
PLAYED = PlayedRound("main:r1", "main:night", datetime(2026, 1, 1, tzinfo=UTC), "supply", 2, (ADA, BEA, CID, DON))
PARAMETERS = Parameters(
    Metric.DAMAGE,
    base=log(300),
    attack=-0.1,
    numbers=0.5,
    maps={"supply": 0.2},
    players={"ADA": 0.3},
    opponents={"CID": 0.04, "DON": -0.02, "ADA": 9.0},
    rounds={"ADA": LEAST_ROUNDS, "CID": 3},
)
NIGHT = Sum("ADA", Metric.DAMAGE, rounds=12, minutes=60, expected=20_000, actual=20_000, earlier_rounds=LEAST_ROUNDS)


def test_a_round_is_expected_by_map_side_numbers_player_and_opponents() -> None:
    wanted = expected(PARAMETERS, PLAYED)["ADA"]
    # Ten minutes in defence, 1200 seconds of opponents against 900 of his own side, half of each opponent's effect.
    assert isclose(wanted, 300 * 10 * exp(0.05 + 0.5 * log(1200 / 900) + 0.2 + 0.3 + 0.02 - 0.01))


def test_who_attacks_is_left_open_where_nobody_knows_and_strangers_and_new_maps_count_as_all() -> None:
    anywhere = replace(PLAYED, attackers_side=None, map_name="new", lines=(BEA, replace(BEA, guid="EVA", side=2)))
    assert isclose(expected(PARAMETERS, anywhere)["BEA"], 300 * 5)


def test_what_a_player_does_himself_changes_nothing_of_what_is_expected_of_him() -> None:
    lines = (replace(ADA, damage=9, kills=0), BEA, CID, DON)
    assert expected(PARAMETERS, replace(PLAYED, lines=lines)) == expected(PARAMETERS, PLAYED)


def test_nothing_is_expected_where_nobody_stood_against_him() -> None:
    assert expected(PARAMETERS, replace(PLAYED, lines=(ADA, BEA))) == {}
    gone = (replace(ADA, seconds=0), CID)
    assert expected(PARAMETERS, replace(PLAYED, lines=(*gone, BEA))).keys() == {"BEA", "CID"}


def test_expectations_are_of_whose_number_is_known_and_a_night_is_their_sum() -> None:
    later = replace(PLAYED, key="main:r2", lines=(replace(ADA, damage=1000), CID))
    found = expectations(PARAMETERS, [later, PLAYED])
    assert [(one.round_key, one.guid) for one in found] == [
        ("main:r1", "ADA"),
        ("main:r1", "BEA"),
        ("main:r1", "CID"),
        ("main:r2", "ADA"),
        ("main:r2", "CID"),
    ]
    ada, bea, cid = summed(found)
    assert (ada.guid, ada.rounds, ada.minutes, ada.actual, ada.earlier_rounds) == ("ADA", 2, 20, 5000, LEAST_ROUNDS)
    assert isclose(ada.expected, found[0].expected + found[3].expected)
    assert (bea.earlier_rounds, cid.earlier_rounds) == (0, 3)


@pytest.mark.parametrize(
    ("actual", "verdict"),
    [(20_000, Against.EVEN), (22_000, Against.EVEN), (22_300, Against.ABOVE), (17_900, Against.BELOW)],
)
def test_a_night_is_usual_unless_fewer_than_one_in_five_are_so_far_off(actual: int, verdict: Against) -> None:
    assert judged(replace(NIGHT, actual=actual), POOLED_SD[Metric.DAMAGE]) is verdict


def test_nothing_is_said_of_who_is_not_known_yet() -> None:
    assert judged(replace(NIGHT, actual=90_000, earlier_rounds=LEAST_ROUNDS - 1), 0.08) is None


def test_a_match_of_fifteen_minutes_scatters_twice_as_much_as_a_night() -> None:
    low, high = usual_ratio(0.1, 60)
    assert isclose(log(high), 0.128) and isclose(low, 1 / high)
    assert isclose(log(usual_ratio(0.1, 15)[1]), 0.256)
    assert usual_ratio(0.1, 200) == (low, high)


def test_a_players_own_scatter_begins_at_that_of_all_and_moves_with_his_nights() -> None:
    assert own_sd(Metric.KILLS, []) == POOLED_SD[Metric.KILLS]
    wild = [replace(NIGHT, actual=30_000), replace(NIGHT, actual=13_333)] * 20
    assert 0.3 < own_sd(Metric.DAMAGE, wild) < log(1.5)
    unknown = replace(NIGHT, actual=90_000, earlier_rounds=0)
    short = replace(NIGHT, actual=90_000, minutes=39.9)
    assert own_sd(Metric.DAMAGE, [unknown, short, replace(NIGHT, actual=0)]) == POOLED_SD[Metric.DAMAGE]
    assert own_sd(Metric.DAMAGE, [NIGHT] * 10) < POOLED_SD[Metric.DAMAGE]


def test_a_night_is_held_against_how_far_the_nights_before_it_scattered() -> None:
    nights = [[replace(NIGHT, actual=actual), replace(NIGHT, guid="BEA")] for actual in (30_000, 12_000, 30_000)]
    found = with_own_sd(nights)
    assert [[own for own, _ in night] for night in found] == nights
    for at, night in enumerate(found):
        for own, sd in night:
            assert sd == own_sd(own.metric, [one for before in nights[:at] for one in before if one.guid == own.guid])


def test_the_surprise_is_who_was_furthest_above_his_usual_and_never_who_was_below() -> None:
    good, better = replace(NIGHT, actual=24_000), replace(NIGHT, guid="BEA", actual=23_500)
    assert surprise([(good, 0.08), (better, 0.08)]) == good
    assert surprise([(good, 0.08), (better, 0.05)]) == better  # his nights are more alike
    assert surprise([(replace(NIGHT, actual=9_000), 0.08), (NIGHT, 0.08)]) is None
    assert surprise([(replace(good, minutes=20), 0.08), (replace(good, earlier_rounds=3), 0.08)]) is None
    assert surprise([]) is None
