"""Who attacks first: an advantage is said where it is more than chance, and one curve is of both attacks until then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.attack_order import Stratum, advantage, differ, order_z
from slomix_pipeline.rules.par import Attack
from slomix_pipeline.rules.scoring import Faster
from slomix_pipeline_tests.rules.test_par import ATTACKS, done, held


@pytest.mark.parametrize(
    ("first", "second", "between", "pays"),
    [
        (15, 19, (29, 61), None),
        (58, 77, (35, 51), None),
        (25, 9, (57, 85), Faster.FIRST),
        (9, 25, (15, 43), Faster.SECOND),
        (3, 0, (44, 100), None),
        (0, 0, (0, 100), None),
    ],
)
def test_an_advantage_is_shown_where_the_interval_leaves_out_one_half(
    first: int, second: int, between: tuple[int, int], pays: Faster | None
) -> None:
    found = advantage(first, second)
    assert (found.won, found.decided, found.pays) == (first, first + second, pays)
    assert (round(100 * found.low), round(100 * found.high)) == between


PLACEBO = done(1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
TREATED = [*done(6, 6, 6, 7, 10, 13, 16, 22, 23), *held(6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)]


def test_the_log_rank_test_gives_what_textbooks_give() -> None:
    """Remission times of 21 patients with 6-MP and 21 without: a chi-square of 16.79."""
    assert order_z([Stratum(PLACEBO, TREATED)]) ** 2 == pytest.approx(16.79, abs=0.005)
    assert order_z([Stratum(PLACEBO, TREATED)]) > 0 > order_z([Stratum(TREATED, PLACEBO)])
    assert differ([Stratum(PLACEBO, TREATED)])


def test_each_limit_is_compared_with_itself_alone() -> None:
    """Second attacks had the shorter limit more often: that alone makes no difference."""
    slow, fast = done(400, 420, 440, 460) * 3, done(100, 120, 140, 160) * 3
    strata = [Stratum(slow * 3, slow), Stratum(fast, fast * 3)]
    assert order_z(strata) == pytest.approx(0) and not differ(strata)
    assert differ([Stratum(slow * 3 + fast, slow + fast * 3)])


@given(ATTACKS, ATTACKS)
def test_the_other_way_round_says_the_opposite(first: list[Attack], second: list[Attack]) -> None:
    assert order_z([Stratum(first, second)]) == pytest.approx(-order_z([Stratum(second, first)]))


@given(st.lists(st.integers(1, 900), max_size=9))
def test_where_nothing_was_completed_or_one_attack_is_missing_nothing_differs(seconds: list[int]) -> None:
    assert order_z([Stratum(held(*seconds), held(*seconds)), Stratum(done(*seconds), [])]) == 0
