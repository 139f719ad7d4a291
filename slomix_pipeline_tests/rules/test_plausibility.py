"""Numbers that can't be, and numbers that should not be."""

from typing import Any

import pytest

from slomix_pipeline.formats.gamestats import WeaponCounts
from slomix_pipeline.rules.differential import orphan_players, round_one_players
from slomix_pipeline.rules.plausibility import (
    disagreeing_ratios,
    implausible_numbers,
    impossible_number,
    odd_header,
    outscored_its_first_round,
)
from slomix_pipeline_tests.building import lobby, make_header, make_line, make_stats


def _weapons(kills: int, deaths: int, hits: int = 9, headshots: int = 0) -> dict[str, WeaponCounts]:
    return {"mp40": WeaponCounts(hits=hits, shots=30, kills=kills, deaths=deaths, headshots=headshots)}


def test_an_ordinary_file_has_no_impossible_number() -> None:
    assert impossible_number(make_stats(make_line("A1", weapons=_weapons(3, 2), headshot_kills=2))) is None


def test_more_headshot_kills_than_kills_are_impossible() -> None:
    stats = make_stats(make_line("A1", weapons=_weapons(3, 2), headshot_kills=4))
    assert impossible_number(stats) == "A1: 4 headshot kills of 3 kills"


def test_more_head_hits_than_hits_are_impossible() -> None:
    stats = make_stats(make_line("A1", weapons=_weapons(3, 2, hits=5, headshots=6)))
    assert impossible_number(stats) == "A1: 6 head hits of 5 hits with the mp40"


def test_a_negative_counter_is_impossible_but_negative_experience_is_not() -> None:
    assert impossible_number(make_stats(make_line("A1", gibs=-1))) == "A1: gibs is -1"
    assert impossible_number(make_stats(make_line("A1", xp=-5))) is None


def test_a_ratio_of_the_writer_is_compared_after_its_own_rounding() -> None:
    agrees = [(12, 15, 0.8), (1, 20, 0.1), (5, 0, 6.0), (0, 0, 1.0), (7, 3, 2.3)]
    for kills, deaths, printed in agrees:
        assert disagreeing_ratios(make_stats(make_line("A1", weapons=_weapons(kills, deaths), kd=printed))) == []
    assert disagreeing_ratios(make_stats(make_line("A1", weapons=_weapons(12, 15), kd=0.9))) == ["A1"]


def test_without_a_printed_ratio_nothing_disagrees() -> None:
    assert disagreeing_ratios(make_stats(make_line("A1", weapons=_weapons(12, 15), kd=None))) == []


def test_numbers_that_no_evening_can_reach_are_impossible() -> None:
    assert impossible_number(make_stats(make_line("A1", minutes_played=999_999.0))) == "A1: minutes_played is 999999"
    assert impossible_number(make_stats(make_line("A1", damage_given=5_000_000))) == "A1: damage_given is 5000000"
    many = {"mp40": WeaponCounts(hits=1, shots=999_999_999, kills=0, deaths=0, headshots=0)}
    assert impossible_number(make_stats(make_line("A1", weapons=many))) == "A1: the mp40 has a number above 1000000"


# --- what is worth a warning ---


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"kills": 21}, "21 kills in 60 s"),
        ({"deaths": 21}, "21 deaths in 60 s"),
        ({"shots": 901}, "901 shots in 60 s"),
        ({"damage_given": 6001}, "6001 damage given in 60 s"),
        ({"damage_received": 6001}, "6001 damage received in 60 s"),
        ({"revives_given": 8}, "8 revives given in 60 s"),
        ({"gibs": 31}, "31 gibs in 60 s"),
        ({"dynamites_planted": 3}, "3 dynamites planted in 60 s"),
        ({"xp": 91}, "91 xp in 60 s"),
        ({"alive_percent": 106.0}, "alive 106 % of the time"),
        ({"times_revived": 3, "self_kills": 1, "deaths": 1}, "revived 3 times after 1 deaths and 1 self kills"),
    ],
)
def test_what_nobody_can_do_in_his_time_is_told_with_his_guid(numbers: dict[str, Any], said: str) -> None:
    players = round_one_players(make_stats(make_line("ada", minutes_played=1.0, **numbers)))
    assert implausible_numbers(players) == [f"ada: {said}"]


def test_numbers_at_the_bounds_are_plausible() -> None:
    line = make_line("ada", minutes_played=1.0, kills=20, shots=900, damage_given=6000, xp=90, gibs=30)
    assert implausible_numbers(round_one_players(make_stats(line))) == []


def test_unknown_numbers_are_not_implausible() -> None:
    assert implausible_numbers(orphan_players(make_stats(make_line("ada", kills=900)))) == []


def test_a_whole_lobby_above_its_round_1_looks_like_a_sum_of_both() -> None:
    first = round_one_players(make_stats(*lobby(kills=5, damage_given=500)))
    assert outscored_its_first_round(first, round_one_players(make_stats(*lobby(kills=9, damage_given=900))))
    assert not outscored_its_first_round(first, round_one_players(make_stats(*lobby(kills=9, damage_given=500))))
    assert not outscored_its_first_round(first, round_one_players(make_stats(*lobby(kills=9, damage_given=900)[:3])))


@pytest.mark.parametrize(("minutes", "odd"), [(2.0, False), (9.0, False), (9.9, True), (12.0, True)])
def test_after_a_round_1_that_was_given_up_early_more_of_everything_is_no_sum_of_both(
    minutes: float, odd: bool
) -> None:
    first = round_one_players(make_stats(*lobby(kills=2, damage_given=200, minutes_played=minutes)))
    second = round_one_players(make_stats(*lobby(kills=9, damage_given=900, minutes_played=10.0)))
    assert outscored_its_first_round(first, second) is odd


def test_a_header_without_a_winner_or_with_a_side_that_does_not_exist_is_odd() -> None:
    assert odd_header(make_header()) == []
    assert odd_header(make_header(winner=0, defender=5)) == [
        "winner 0, which is no side",
        "defender 5, which is no side",
    ]
