"""What is said of how good forecasts were: everything beside each other, for pages, commands and Dagster.

Belongs here: which numbers those are, as plain values. Does not belong here: how each is found (``forecast_scores``,
which needs numpy and is loaded only where a report is made), the words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from slomix_pipeline.rules.forecast_scores import Forecast


ENOUGH = 50  # forecasts, of which a slope says something
SLOPES = (0.6, 1.4)  # of a calibration that is right, as far as can be told


class Foretells(StrEnum):
    """What can be foretold of a match once its first round is over."""

    HALF_TIME = "half_time"  # whether the second attack beats its time
    MATCH = "match"  # who wins, by what was known before its first round; told nowhere until that has earned it


class ReportOf(StrEnum):
    """Where forecasts are from."""

    LEDGER = "ledger"  # as they were said
    BACKTEST = "backtest"  # as they would have been said: history played through


class Tenth(NamedTuple):
    """Forecasts of a tenth of all chances, from ``above`` on: how many, what they said on average, how many came true,
    and between which shares that is in 95 of 100 cases."""

    above: float
    cases: int
    said: float
    came_true: int
    low: float
    high: float


@dataclass(frozen=True)
class Report:
    """``difference``: of the log loss to that of the base (a coin, or the share so far), below 0 is better; ``low`` to
    ``high``: in 95 of 100 cases, by nights. ``slope``: 1 is as sure as it should be, below 1 too sure; None: too few to
    tell. ``why_not``: why such forecasts may not be told before they prove better; empty: they may."""

    cases: int
    nights: int
    log_loss: float
    base_log_loss: float
    brier: float
    accuracy: float
    difference: float
    low: float
    high: float
    slope: float | None
    slope_sd: float | None
    tenths: tuple[Tenth, ...]
    why_not: tuple[str, ...]

    @property
    def is_calibrated(self) -> bool | None:
        """Whether chances came true about as often as they said; None while too few were said to tell."""
        if self.slope is None or self.cases < ENOUGH:
            return None
        return SLOPES[0] <= self.slope <= SLOPES[1]


def report(forecasts: Sequence["Forecast"]) -> Report | None:
    """The report of forecasts whose outcome is known; None of none."""
    from slomix_pipeline.rules.forecast_scores import bins, calibration, gain, gate, scores

    if not forecasts:
        return None
    own, sure, slopes = scores(forecasts), gain(forecasts), calibration(forecasts)
    return Report(
        own.cases,
        own.nights,
        own.log_loss,
        own.base_log_loss,
        own.brier,
        own.accuracy,
        own.difference,
        sure.low,
        sure.high,
        slopes and slopes.slope,
        slopes and slopes.slope_sd,
        tuple(Tenth(*each) for each in bins(forecasts)),
        gate(forecasts).reasons,
    )


def as_json(own: Report) -> dict[str, Any]:
    """A report as plain lists and numbers; see ``from_json``."""
    return asdict(own) | {"tenths": [list(each) for each in own.tenths], "why_not": list(own.why_not)}


def from_json(kept: Mapping[str, Any]) -> Report:
    """The report that was kept."""
    tenths = tuple(Tenth(*each) for each in kept["tenths"])
    return Report(**{**kept, "tenths": tenths, "why_not": tuple(kept["why_not"])})
