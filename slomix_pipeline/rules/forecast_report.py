"""What is said of how good forecasts were: everything beside each other, for pages, commands and Dagster.

Belongs here: which numbers those are, as plain values. Does not belong here: how each is found (``forecast_scores``,
which needs numpy and is loaded only where a report is made), the words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slomix_pipeline.rules.forecast_scores import Forecast


PLAYED_THROUGH = 2_000  # matches, the latest: of more, each night takes a second to fit
ENOUGH = 50  # forecasts, of which a difference or a slope says something
LEAST_NIGHTS = 8  # whose scatter says how sure a difference is: drawn from fewer, any looks sure
SLOPES = (0.6, 1.4)  # of a calibration that is right, as far as can be told


class Foretells(StrEnum):
    """What can be foretold of a match once its first round is over."""

    HALF_TIME = "half_time"  # whether the second attack beats its time
    MATCH = "match"  # who wins, by what was known before its first round; told nowhere until that has earned it


class ReportOf(StrEnum):
    """Where forecasts are from."""

    LEDGER = "ledger"  # as they were said
    BACKTEST = "backtest"  # as they would have been said: history played through


@dataclass(frozen=True)
class Tenth:
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
    ``high``: in 95 of 100 cases, by nights; None: of too few to tell. ``slope``: 1 is as sure as it should be, below 1
    too sure; None: too few to tell. ``log_loss``: the mean of minus the natural logarithm of the chance that was said
    of what then happened; ``brier``: the mean square of what chances were off, 0 to 1; ``accuracy``: the share, 0 to 1,
    of which the likelier happened. ``why_not``: why such forecasts may not be told before they prove better; empty:
    they may."""

    cases: int
    nights: int
    log_loss: float
    base_log_loss: float
    brier: float
    accuracy: float
    difference: float
    low: float | None
    high: float | None
    slope: float | None
    slope_sd: float | None
    tenths: tuple[Tenth, ...]
    why_not: tuple[str, ...]

    @property
    def is_calibrated(self) -> bool | None:
        """Whether chances came true about as often as they said; None while too few were said to tell."""
        return None if self.slope is None else SLOPES[0] <= self.slope <= SLOPES[1]


def report(forecasts: Sequence["Forecast"]) -> Report | None:
    """The report of forecasts whose outcome is known; None of none."""
    from slomix_pipeline.rules.forecast_scores import bins, calibration, gain, gate, scores

    if not forecasts:
        return None
    own, sure, slopes = scores(forecasts), gain(forecasts), None
    if own.cases >= ENOUGH:
        slopes = calibration(forecasts)
    tells = own.cases >= ENOUGH and own.nights >= LEAST_NIGHTS
    return Report(
        own.cases,
        own.nights,
        own.log_loss,
        own.base_log_loss,
        own.brier,
        own.accuracy,
        own.difference,
        sure.low if tells else None,
        sure.high if tells else None,
        slopes and slopes.slope,
        slopes and slopes.slope_sd,
        tuple(Tenth(*each) for each in bins(forecasts)),
        gate(forecasts).reasons,
    )


def as_json(own: Report) -> dict[str, Any]:
    """A report as plain lists and numbers; see ``from_json``."""
    return asdict(own) | {"tenths": [asdict(each) for each in own.tenths], "why_not": list(own.why_not)}


def from_json(kept: Mapping[str, Any]) -> Report:
    """The report that was kept."""
    tenths = tuple(Tenth(**each) for each in kept["tenths"])
    return Report(**{**kept, "tenths": tenths, "why_not": tuple(kept["why_not"])})
