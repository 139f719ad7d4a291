"""How good forecasts are, on forecasts of which that is known."""

from math import log
from random import Random

import pytest

from slomix_pipeline.rules.forecast_scores import (
    LEAST_FORECASTS,
    Forecast,
    base_rates,
    best_night,
    bins,
    calibration,
    gain,
    gate,
    log_loss,
    scores,
    temperature_of,
    without,
)
from slomix_pipeline.rules.odds import TEMPERATURE_AT_FIRST, tempered


def drawn(nights: int, per_night: int = 8, *, sureness: float = 1.0, seed: int = 1) -> list[Forecast]:
    """Forecasts between one in ten and nine in ten that come true as said; ``sureness``: what is said is by so much
    surer than what is true."""
    chance = Random(seed)
    cases = [(f"night {night:03}", chance.uniform(0.1, 0.9)) for night in range(nights) for _ in range(per_night)]
    return [Forecast(night, tempered(true, sureness), chance.random() < true) for night, true in cases]


def test_a_coin_gains_nothing() -> None:
    coin = [Forecast(f"night {at % 5}", 0.5, at % 2 == 0) for at in range(20)]
    found = scores(coin)
    assert (found.cases, found.nights, found.accuracy, found.brier) == (20, 5, 0.5, 0.25)
    assert found.log_loss == pytest.approx(log(2)) and found.difference == 0
    assert gain(coin) == (0, 0, 0, 0, None, 5)


def test_scores_are_of_what_was_said_and_of_its_base() -> None:
    found = scores([Forecast("a", 0.8, True, 0.6), Forecast("a", 0.3, True, 0.6)])
    assert found.log_loss == pytest.approx(-(log(0.8) + log(0.3)) / 2)
    assert found.base_log_loss == pytest.approx(-log(0.6))
    assert found.brier == pytest.approx((0.04 + 0.49) / 2)
    assert found.accuracy == 0.5


def test_never_is_not_infinitely_wrong() -> None:
    assert log_loss([0.0]) == pytest.approx(13.8, abs=0.1)


def test_a_base_rate_knows_only_what_was_before() -> None:
    assert base_rates([True, True, False]) == [1 / 2, 2 / 3, 3 / 4]


def test_what_is_as_sure_as_it_should_be_is_calibrated() -> None:
    right, too_sure = calibration(drawn(80)), calibration(drawn(80, sureness=2))
    assert right is not None and too_sure is not None
    assert right.slope == pytest.approx(1, abs=2 * right.slope_sd) and right.slope_sd < 0.15
    assert right.intercept == pytest.approx(0, abs=2 * right.intercept_sd)
    assert too_sure.slope == pytest.approx(0.5, abs=2 * too_sure.slope_sd)


@pytest.mark.parametrize(
    "forecasts",
    [
        [],
        [Forecast("a", 0.7, True)],
        [Forecast("a", 0.5, at % 2 == 0) for at in range(10)],
        [Forecast("a", 0.5 + at / 100, at > 0) for at in range(-10, 11)],
    ],
    ids=["none", "one", "all alike", "always right"],
)
def test_a_calibration_that_nobody_can_know_is_not_known(forecasts: list[Forecast]) -> None:
    assert calibration(forecasts) is None


def test_bins_have_what_was_said_and_what_happened() -> None:
    found = bins([Forecast("a", 0.62, True), Forecast("a", 0.68, False), Forecast("a", 1.0, True)])
    assert [(each.above, each.cases, each.happened) for each in found] == [(0.6, 2, 1), (0.9, 1, 1)]
    assert found[0].said == pytest.approx(0.65)
    assert found[0].low < 0.5 < found[0].high


def test_a_gain_is_as_sure_as_nights_make_it() -> None:
    many = drawn(60)
    alike = [each._replace(night=f"night {int(each.night[6:]) % 4}") for each in many]
    sure, unsure = gain(many), gain(alike)
    assert sure.difference == pytest.approx(unsure.difference)
    assert sure.low < sure.difference < sure.highest < sure.high < 0
    assert (sure.nights, unsure.nights) == (60, 4)
    assert sure.t is not None and sure.t < -4
    assert gain(many) == sure  # the same draws every time


def test_the_interval_of_a_gain_covers_what_is_true() -> None:
    """Of forecasts that are right between 0.1 and 0.9 the difference to a coin is -0.1153 on average."""
    inside = [found.low <= -0.1153 <= found.high for found in (gain(drawn(30, seed=seed)) for seed in range(40))]
    assert sum(inside) >= 35


def test_nights_are_left_out_whole() -> None:
    forecasts = [Forecast("good", 0.9, True), Forecast("bad", 0.9, False), Forecast("fair", 0.6, True)]
    assert best_night(forecasts) == "good"
    assert {each.night for each in without(forecasts, "good")} == {"bad", "fair"}


def test_the_temperature_is_what_logits_had_best_been_multiplied_by() -> None:
    assert temperature_of([]) == TEMPERATURE_AT_FIRST
    assert temperature_of(drawn(200)) == pytest.approx(1, abs=0.15)
    assert temperature_of(drawn(200, sureness=2)) == pytest.approx(0.5, abs=0.1)
    nothing = [forecast._replace(happened=at % 2 == 0) for at, forecast in enumerate(drawn(200))]
    assert temperature_of(nothing) < 0.2
    wrong = [forecast._replace(happened=forecast.chance < 0.5) for forecast in drawn(200)]
    assert temperature_of(wrong) == 0 == tempered(0.9, temperature_of(wrong)) - 0.5


def test_few_forecasts_are_not_told() -> None:
    verdict = gate(drawn(1, LEAST_FORECASTS - 1))
    assert not verdict.passed and verdict.reasons == ("149 forecasts of the 150 it takes",)


def test_good_forecasts_pass_the_gate() -> None:
    assert gate(drawn(40)).passed


def test_what_is_too_sure_or_gains_nothing_or_by_one_night_does_not_pass() -> None:
    assert "slope" in " ".join(gate(drawn(40, sureness=3)).reasons)
    coin = [each._replace(chance=0.5) for each in drawn(40)]
    assert [reason.split(":")[0] for reason in gate(coin).reasons] == [
        "no gain that is proven",
        "slope of the calibration not known, not within 0.6 to 1.4",
        "no gain without the best night",
    ]
    lucky = [*coin, *(Forecast("lucky", 0.9, True) for _ in range(12))]
    assert "no gain without the best night" in gate(lucky).reasons
