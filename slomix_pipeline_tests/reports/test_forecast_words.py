"""How good forecasts were, in words: nothing is proven by an evening, whatever its numbers are."""

import pytest

from slomix_pipeline.reports.forecast_words import heading, numbers, report_markdown, tenth_text, verdict
from slomix_pipeline.rules.forecast_report import (
    ENOUGH,
    LEAST_NIGHTS,
    Foretells,
    Report,
    ReportOf,
    Tenth,
    as_json,
    from_json,
    report,
)
from slomix_pipeline.rules.forecast_scores import Forecast


def right(nights: int, per_night: int) -> Report:
    """The report of forecasts of 70 % of which most come true."""
    found = report([Forecast(f"night {n}", 0.7, case % 4 > 0) for n in range(nights) for case in range(per_night)])
    assert found is not None
    return found


@pytest.mark.parametrize(("nights", "per_night"), [(1, 60), (1, 6), (LEAST_NIGHTS - 1, 60), (LEAST_NIGHTS, 4)])
def test_of_few_evenings_or_forecasts_nobody_can_tell(nights: int, per_night: int) -> None:
    own = right(nights, per_night)
    assert own.difference < 0 and own.low is own.high is None
    assert verdict(own) == f"too few to tell: that takes {ENOUGH} forecasts of {LEAST_NIGHTS} evenings"
    assert "(too few to tell how sure)" in dict(numbers(Foretells.HALF_TIME, own))["difference (below 0 is better)"]


def test_of_enough_evenings_it_is_told() -> None:
    own = right(LEAST_NIGHTS, 8)
    assert own.low is not None and own.high is not None and own.low <= own.difference <= own.high < 0
    assert verdict(own) == "better than knowing nothing"


def test_a_slope_is_of_enough_forecasts() -> None:
    few = report([Forecast("a", 0.3 + at / 20, at % 2 > 0) for at in range(10)])
    assert few is not None and few.slope is None and few.is_calibrated is None
    assert dict(numbers(Foretells.HALF_TIME, few))["calibration slope (1 is right)"] == "too few to tell"


def test_one_session_is_one() -> None:
    assert dict(numbers(Foretells.MATCH, right(1, 6)))["forecasts"] == "6 in 1 session"
    assert dict(numbers(Foretells.MATCH, right(2, 6)))["forecasts"] == "12 in 2 sessions"


def test_what_nobody_was_told_was_not_said() -> None:
    assert heading(Foretells.HALF_TIME, ReportOf.LEDGER) == "Half-time odds, as they were said"
    assert heading(Foretells.MATCH, ReportOf.LEDGER).endswith("as they were noted (nobody was told)")


def test_a_tenth_tells_how_many_and_no_share_more_exactly_than_it_is_known() -> None:
    assert tenth_text(Tenth(0.6, 28, 0.67, 19, 0.49, 0.82)) == ("67 %", "28", "19", "49–82 %")


def test_a_report_comes_back_as_it_was_kept() -> None:
    own = right(LEAST_NIGHTS, 8)
    assert from_json(as_json(own)) == own
    assert "| chance | times | came true | likely |" in report_markdown({(Foretells.MATCH, ReportOf.LEDGER): own})
