"""Laws a single file must obey."""

from slomix_pipeline.formats.gamestats import WeaponCounts
from slomix_pipeline.rules.plausibility import disagreeing_ratios, impossible_number
from slomix_pipeline_tests.building import make_line, make_stats


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
