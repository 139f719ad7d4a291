"""How good forecasts were, and whether they may be told.

The matches of one evening are not independent of each other, so what is sure is asked of evenings: whole nights are
drawn again and again (bootstrap), and one night more or less must not decide.
Belongs here: scores, calibration, how sure a gain is, the temperature that would have been right, the gate.
Does not belong here: the forecasts (``walk_forward``; what was told: the ledger), chances (``odds``).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import fmean
from typing import NamedTuple

import numpy as np

from slomix_pipeline.rules.forecast_report import SLOPES
from slomix_pipeline.rules.intervals import likely_share
from slomix_pipeline.rules.odds import TEMPERATURE_AT_FIRST

COIN = 0.5
DRAWS = 4000  # of the bootstrap
SEED = 1
_LEAST_CHANCE = 1e-6  # one that said never, and was wrong, is not infinitely wrong


class Forecast(NamedTuple):
    """A chance that was said in a night, and whether it happened. ``base``: what would have been said without knowing
    anything of the case: a coin's half, or the share that happened so far."""

    night: str
    chance: float
    happened: bool
    base: float = COIN


def base_rates(happened: Iterable[bool]) -> list[float]:
    """For each case the share that happened before it, from a half at first."""
    rates, count = [], 0
    for seen, each in enumerate(happened):
        rates.append((count + 1) / (seen + 2))
        count += each
    return rates


# --- scores ---


def log_loss(said: Iterable[float]) -> float:
    """The mean of minus the logarithms of the chances that were said for what then happened; of three as of two."""
    return fmean(-log(min(max(chance, _LEAST_CHANCE), 1.0)) for chance in said)


def _loss(chance: float, happened: bool) -> float:
    return log_loss([chance if happened else 1 - chance])


@dataclass(frozen=True)
class Scores:
    """``base_log_loss``: of the base of each, on the same cases. ``accuracy``: the share in which what was said to be
    likelier happened, even chances counted half."""

    cases: int
    nights: int
    log_loss: float
    base_log_loss: float
    brier: float
    accuracy: float

    @property
    def difference(self) -> float:
        """Below 0 the forecasts are better than their base."""
        return self.log_loss - self.base_log_loss


def scores(forecasts: Sequence[Forecast]) -> Scores:
    """The scores of at least one forecast."""
    return Scores(
        len(forecasts),
        len({each.night for each in forecasts}),
        fmean(_loss(each.chance, each.happened) for each in forecasts),
        fmean(_loss(each.base, each.happened) for each in forecasts),
        fmean((each.chance - each.happened) ** 2 for each in forecasts),
        fmean(0.5 if each.chance == COIN else (each.chance > COIN) == each.happened for each in forecasts),
    )


# --- how sure the difference to the base is ---


class Gain(NamedTuple):
    """The difference in log loss to the base, below 0 a gain. ``low`` to ``high``: in 95 of 100 cases, ``highest``: the
    upper end of 90 of 100; ``t``: with ``nights`` - 1 degrees of freedom, None of one night or where all are alike."""

    difference: float
    low: float
    high: float
    highest: float
    t: float | None
    nights: int


def _by_night(forecasts: Iterable[Forecast]) -> dict[str, tuple[float, int]]:
    """Every night's sum of differences, and its cases."""
    sums: dict[str, list[float]] = defaultdict(list)
    for each in forecasts:
        sums[each.night].append(_loss(each.chance, each.happened) - _loss(each.base, each.happened))
    return {night: (sum(own), len(own)) for night, own in sorted(sums.items())}


def gain(forecasts: Sequence[Forecast]) -> Gain:
    """How sure it is that forecasts are better than their base, by nights; of at least one forecast."""
    sums, cases = np.array(list(_by_night(forecasts).values())).T
    nights = len(sums)
    drawn = np.random.default_rng(SEED).integers(0, nights, size=(DRAWS, nights))
    means = sums[drawn].sum(axis=1) / cases[drawn].sum(axis=1)
    low, high, highest = (float(at) for at in np.quantile(means, (0.025, 0.975, 0.95)))
    mean = float(sums.sum() / cases.sum())
    off = sums - mean * cases
    spread = float((off * off).sum())
    t = mean * float(cases.sum()) / sqrt(nights / (nights - 1) * spread) if nights > 1 and spread > 0 else None
    return Gain(mean, low, high, highest, t, nights)


def best_night(forecasts: Sequence[Forecast]) -> str:
    """The night that speaks most for the forecasts."""
    return min(_by_night(forecasts).items(), key=lambda night: night[1][0])[0]


def without(forecasts: Iterable[Forecast], night: str) -> list[Forecast]:
    """The forecasts of all other nights."""
    return [each for each in forecasts if each.night != night]


# --- calibration ---


class Bin(NamedTuple):
    """The forecasts whose chances are from ``above`` to a tenth more: how many, what they said on average, how many
    happened, and between which shares that lies in 95 of 100 cases."""

    above: float
    cases: int
    said: float
    happened: int
    low: float
    high: float


BINS = 10


def bins(forecasts: Iterable[Forecast]) -> list[Bin]:
    """What was said beside what happened, by tenths of the chance; without those that nothing was said of."""
    inside: dict[int, list[Forecast]] = defaultdict(list)
    for each in forecasts:
        inside[min(int(BINS * each.chance), BINS - 1)].append(each)
    found = []
    for at, own in sorted(inside.items()):
        happened = sum(each.happened for each in own)
        said = fmean(each.chance for each in own)
        found.append(Bin(at / BINS, len(own), said, happened, *likely_share(happened, len(own))))
    return found


class Calibration(NamedTuple):
    """What the logits that were said would have to be multiplied by (1 is right, below 1 they were too sure) and what
    added to them, with standard deviations."""

    slope: float
    slope_sd: float
    intercept: float
    intercept_sd: float


MOST_STEPS = 50
LEAST_CURVATURE = 1e-4


def _logit(chance: float) -> float:
    kept = min(max(chance, _LEAST_CHANCE), 1 - _LEAST_CHANCE)
    return log(kept / (1 - kept))


def calibration(forecasts: Sequence[Forecast]) -> Calibration | None:
    """Slope and intercept by logistic regression; None where the forecasts don't tell them: too few, all alike, or
    always right."""
    logits = np.array([[1.0, _logit(each.chance)] for each in forecasts]).reshape(-1, 2)
    happened = np.array([each.happened for each in forecasts], dtype=float)
    values = np.array([0.0, 1.0])
    for _ in range(MOST_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(logits @ values, -30, 30)))
        curvature = (logits * (chance * (1 - chance))[:, None]).T @ logits
        if np.linalg.eigvalsh(curvature)[0] < LEAST_CURVATURE:
            return None
        step = np.linalg.solve(curvature, logits.T @ (happened - chance))
        values = values + np.clip(step, -1, 1)
        if float(np.abs(step).max()) < 1e-9:
            sds = np.sqrt(np.diag(np.linalg.inv(curvature)))
            return Calibration(float(values[1]), float(sds[1]), float(values[0]), float(sds[0]))
    return None


TEMPERATURE_SD = 0.35


def temperature_of(forecasts: Sequence[Forecast]) -> float:
    """By which the logits of these forecasts had best been multiplied, held near a half by its prior; never below 0,
    which would turn odds round."""
    value = TEMPERATURE_AT_FIRST
    towards = [_logit(each.chance) * (1 if each.happened else -1) for each in forecasts]
    for _ in range(MOST_STEPS):
        wrong = [1 / (1 + exp(min(value * logit, 30))) for logit in towards]
        slope = sum(w * logit for w, logit in zip(wrong, towards, strict=True))
        curvature = sum(w * (1 - w) * logit**2 for w, logit in zip(wrong, towards, strict=True))
        slope -= (value - TEMPERATURE_AT_FIRST) / TEMPERATURE_SD**2
        step = slope / (curvature + TEMPERATURE_SD**-2)
        value += step
        if abs(step) < 1e-10:
            break
    return max(value, 0.0)


# --- whether they may be told ---

LEAST_FORECASTS = 150


class Verdict(NamedTuple):
    """Whether forecasts may be told; ``reasons``: why not, all of them."""

    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.reasons


def gate(forecasts: Sequence[Forecast]) -> Verdict:
    """Whether forecasts that were kept before their outcome are good enough to be told: enough of them, better than
    their base beyond doubt and not by one night alone, as sure as they should be."""
    if len(forecasts) < LEAST_FORECASTS:
        return Verdict((f"{len(forecasts)} forecasts of the {LEAST_FORECASTS} it takes",))
    reasons = []
    found, slopes = gain(forecasts), calibration(forecasts)
    if found.highest >= 0:
        reasons.append(f"no gain that is proven: {found.difference:+.3f} log loss, maybe {found.highest:+.3f}")
    if slopes is None or not SLOPES[0] <= slopes.slope <= SLOPES[1]:
        slope = "not known" if slopes is None else f"{slopes.slope:.2f}"
        reasons.append(f"slope of the calibration {slope}, not within {SLOPES[0]} to {SLOPES[1]}")
    others = without(forecasts, best_night(forecasts))
    if not others or scores(others).difference >= 0:
        reasons.append("no gain without the best night")
    return Verdict(tuple(reasons))
