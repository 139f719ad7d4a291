"""A change of form: silence in noise, found where there is one, and no greater than nights say."""

import random
from math import isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.change import (
    LATEST_NIGHTS,
    LEAST_NIGHTS,
    Change,
    Night,
    change,
    night_of,
    night_of_accuracy,
    standing_change,
)
from slomix_pipeline.rules.expected import LEAST_ROUNDS, POOLED_SD, Metric, Sum

SD = POOLED_SD[Metric.DAMAGE]
NIGHT = Sum("ADA", Metric.DAMAGE, rounds=12, minutes=60, expected=20_000, actual=22_000, earlier_rounds=LEAST_ROUNDS)


def career(lot: random.Random, nights: int, jump: float = 0.0, since: int = 0) -> list[Night]:
    return [Night(f"night {at}", lot.gauss(log(1 + jump) if at >= since else 0.0, SD), SD) for at in range(nights)]


def found(nights: list[Night]) -> Change:
    one = change(nights)
    assert one is not None
    return one


def test_of_careers_without_a_change_hardly_any_is_ever_told_of_one_though_they_are_looked_at_nightly() -> None:
    lot, told = random.Random(2), 0
    for _ in range(300):
        nights = career(lot, 40)
        told += any(found(nights[:so_far]).is_news for so_far in range(2 * LEAST_NIGHTS, len(nights) + 1))
    assert told / 300 < 0.02


@pytest.mark.parametrize(
    ("nights", "jump", "least", "most"),
    [(20, 0.1, 0.02, 0.25), (40, 0.15, 0.8, 0.98), (40, -0.2, 0.95, 1.0), (20, 0.2, 0.7, 0.95), (10, 0.3, 0.75, 1.0)],
)
def test_a_change_is_found_the_surer_the_greater_it_is_and_the_more_nights_there_are(
    nights: int, jump: float, least: float, most: float
) -> None:
    lot = random.Random(4)
    told = [found(career(lot, nights, jump, nights // 2)).is_news for _ in range(200)]
    assert least <= sum(told) / len(told) <= most


def test_it_is_said_since_when_by_how_much_and_how_sure_that_is() -> None:
    lot, within = random.Random(9), 0
    for _ in range(200):
        one = found(career(lot, 40, 0.2, 25))
        assert one.low < one.by < one.high and abs(int(one.since.removeprefix("night ")) - 25) < 10
        within += one.low <= 0.2 <= one.high
    assert 0.9 < within / 200 < 0.995


def test_the_jump_is_what_a_closed_formula_gives_where_there_is_one_place_alone() -> None:
    nights = [Night(str(at), 0.3 if at >= 3 else 0.0, 0.1) for at in range(6)]
    one = found(nights)
    told, prior = 3 * 3 / 6 / 0.1**2, 1 / 0.15**2
    favour = (1 + told / prior) ** -0.5 * 2.718281828459045 ** ((told * 0.3) ** 2 / (told + prior) / 2)
    assert isclose(one.by, 2.718281828459045 ** (told * 0.3 / (told + prior)) - 1)
    assert isclose(one.probability, 0.2 * favour / (0.2 * favour + 0.8))
    assert one.since == "3"


def test_before_three_nights_on_either_side_nothing_is_known() -> None:
    assert change(career(random.Random(1), 5, 1.0, 2)) is None and change([]) is None


def test_it_is_told_where_sure_and_great_and_stands_until_it_is_doubtful() -> None:
    assert Change(0.95, "n", 0.1, 0.05, 0.15).is_news and Change(0.95, "n", -0.1, -0.15, -0.05).is_news
    assert not Change(0.94, "n", 0.3, 0.1, 0.5).is_news and not Change(0.99, "n", 0.09, 0.05, 0.13).is_news
    assert Change(0.8, "n", 0.05, 0.01, 0.1).still_holds and not Change(0.79, "n", 0.3, 0.1, 0.5).still_holds
    assert not Change(0.9, "n", 0.05, -0.01, 0.1).still_holds and Change(0.9, "n", -0.05, -0.1, -0.01).still_holds


def test_a_short_night_weighs_less_and_one_that_is_too_short_nothing() -> None:
    whole, short = night_of("n", NIGHT, 0.01), night_of("n", Sum("ADA", Metric.DAMAGE, 8, 40, 100, 110, 99), 0.01)
    assert whole == Night("n", log(1.1), SD)  # not his own .01: that may have been luck
    assert short is not None and isclose(short.sd, SD * (60 / 40) ** 0.5)
    assert night_of("n", NIGHT, 0.2) == Night("n", log(1.1), 0.2)
    assert night_of("n", Sum("ADA", Metric.DAMAGE, 8, 39, 100, 110, 99), 0.1) is None


def test_a_nights_accuracy_needs_shots_and_is_the_surer_the_more_there_are() -> None:
    few, many = night_of_accuracy("n", 90, 300), night_of_accuracy("n", 900, 3000)
    assert few and many and few.level == many.level == log(0.3) and few.sd > many.sd > 0.07
    assert night_of_accuracy("n", 90, 299) is None and night_of_accuracy("n", 0, 400) is None


LEVELS = st.lists(st.floats(-3, 3), min_size=6, max_size=30)


@given(LEVELS, st.floats(-5, 5))
def test_only_differences_between_nights_matter_and_downwards_is_as_likely_as_upwards(
    levels: list[float], shift: float
) -> None:
    one = found([Night(str(at), level, 0.1) for at, level in enumerate(levels)])
    moved = found([Night(str(at), level + shift, 0.1) for at, level in enumerate(levels)])
    turned = found([Night(str(at), -level, 0.1) for at, level in enumerate(levels)])
    assert 0 <= one.probability <= 1
    assert one.probability == pytest.approx(moved.probability, abs=1e-6)
    assert one.by == pytest.approx(moved.by, abs=1e-6)
    assert log(1 + turned.by) == pytest.approx(-log(1 + one.by), abs=1e-9)


def test_a_change_is_told_once_it_is_news_and_stands_until_it_no_longer_holds() -> None:
    lot = random.Random(6)
    nights = [*career(lot, 30, 0.25, 12), *career(lot, 30, 0.0)]  # up, and back again
    told: Change | None = None
    for so_far in range(1, len(nights) + 1):
        now = change(nights[max(0, so_far - LATEST_NIGHTS) : so_far])
        goes_on = told is not None and now is not None and now.went_like(told)
        told = now if now is not None and now.still_holds and (now.is_news or goes_on) else None
        stands = standing_change(nights[:so_far])
        assert stands == told
    assert {standing_change(nights[:so_far]) is not None for so_far in (12, 30, 60)} == {False, True}


def test_what_was_told_as_up_never_stands_there_as_down_nor_as_either() -> None:
    up_and_far_down = [*[0.0] * 12, *[0.3] * 8, *[-0.15] * 20]
    nights = [Night(str(at), level, SD) for at, level in enumerate(up_and_far_down)]
    ways = []
    for so_far in range(1, len(nights) + 1):
        news = [now for end in range(1, so_far + 1) if (now := change(nights[:end])) is not None and now.is_news]
        if (stands := standing_change(nights[:so_far])) is not None:
            assert stands.low * stands.high > 0 and stands.went_like(news[-1])
            ways.append(stands.by > 0)
    assert ways == sorted(ways, reverse=True) and set(ways) == {True, False}


def test_a_change_of_long_ago_is_no_longer_told() -> None:
    nights = career(random.Random(6), 30, 0.25, 12)
    assert standing_change(nights) is not None
    assert standing_change([*nights, *(Night(f"later {at}", log(1.25), SD) for at in range(60))]) is None
