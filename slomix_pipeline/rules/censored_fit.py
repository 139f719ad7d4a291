"""The arithmetic of a fit to numbers of which some are only known to be larger than so much (Tobit, with priors).

Every number is a sum of parts, each with a weight, and noise. The most likely parts are found by Newton's method, of
which there is one optimum, and how sure they are by the curvature there (Laplace); so is ``sigma``, by what each makes
of the evidence. A row has few of all parts, so sums go over those it has, one after the other: faster than matrices,
and the same to the last bit on every machine, however many processors it has.
Belongs here: that. Does not belong here: what the numbers and parts are (``attack_times``).
"""

from dataclasses import dataclass
from math import erfc, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

SIGMAS = tuple(round(0.4 + 0.05 * step, 2) for step in range(11))  # 0.4 to 0.9
SIGMA_AT_FIRST = 0.45
MOST_STEPS = 50
EXACT_ENOUGH = 1e-9  # Newton's last step, after which it is right to about the square of that
ROUNDING = 1e-8  # of a likelihood's logarithm: a step that loses less has lost nothing
FAR_OUT = 25.0  # standard deviations: beyond, the share that is left is too small for a number, its logarithm is not

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Seen:
    """What was seen. Row by row: ``values``, and whether they were observed (else only passed) in ``observed``;
    ``columns``: which parts it has, and with which ``weights``, filled up with weights of 0. ``usual`` and
    ``precision``: the prior of all parts."""

    values: Floats
    observed: Truths
    columns: Integers
    weights: Floats
    usual: Floats
    precision: Floats


@dataclass(frozen=True)
class Optimum:
    """The most likely ``parts`` with one ``sigma``; ``covariance``: how sure they are."""

    sigma: float
    parts: Floats
    covariance: Floats
    evidence: float


def best_sigma(seen: Seen) -> Optimum:
    """The optimum with the sigma of most evidence, looked for uphill from the usual one, as it has one top."""
    tried: dict[float, Optimum] = {}

    def evidence(sigma: float) -> float:
        if sigma not in tried:
            tried[sigma] = fit.optimum(sigma)
        return tried[sigma].evidence

    fit, best = Fit(seen), SIGMA_AT_FIRST
    while True:
        at = SIGMAS.index(best)
        better = max(SIGMAS[max(at - 1, 0) : at + 2], key=evidence)
        if evidence(better) <= evidence(best):
            return tried[best]
        best = better


class Fit:
    """A fit to what was seen, with any sigma."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._size = len(seen.usual)
        self._pairs = (seen.columns[:, :, None] * self._size + seen.columns[:, None, :]).reshape(-1)
        self._products = seen.weights[:, :, None] * seen.weights[:, None, :]

    def optimum(self, sigma: float) -> Optimum:
        parts = self._seen.usual
        likely, slope, curvature = self._at(parts, sigma)
        for _ in range(MOST_STEPS):
            step = np.linalg.solve(curvature, slope)
            last = float(np.abs(step).max()) < EXACT_ENOUGH
            for _halved in range(MOST_STEPS):
                there = self._at(parts + step, sigma)
                if last or there[0] > likely - ROUNDING:
                    break
                step = step / 2
            parts = parts + step
            likely, slope, curvature = there
            if last:
                break
        surer = float(np.linalg.slogdet(curvature)[1] - np.log(self._seen.precision).sum())
        return Optimum(sigma, parts, np.linalg.inv(curvature).astype(np.float64), likely - surer / 2)

    def _at(self, parts: Floats, sigma: float) -> tuple[float, Floats, Floats]:
        """How likely all that was seen is with these parts (logarithm, with the prior), its slope and curvature."""
        seen = self._seen
        off = (seen.values - (seen.weights * parts[seen.columns]).sum(axis=1)) / sigma
        likely, pull, stiff = -off * off / 2 - log(sigma * sqrt(2 * pi)), off.copy(), np.ones(len(off))
        passed = ~seen.observed
        likely[passed], pull[passed], stiff[passed] = _passed(off[passed])
        from_prior = parts - seen.usual
        total = float(likely.sum() - (seen.precision * from_prior * from_prior).sum() / 2)
        pulls = seen.weights * (pull / sigma)[:, None]
        slope = np.bincount(seen.columns.reshape(-1), weights=pulls.reshape(-1), minlength=self._size)
        products = (self._products * (stiff / sigma**2)[:, None, None]).reshape(-1)
        curvature = np.diag(seen.precision)
        curvature += np.bincount(self._pairs, weights=products, minlength=self._size**2).reshape(curvature.shape)
        return total, slope - seen.precision * from_prior, curvature


def _passed(off: Floats) -> tuple[Floats, Floats, Floats]:
    """Of what lies above so many standard deviations from what was expected: the logarithm of how likely that is, its
    slope and its curvature."""
    near = np.minimum(off, FAR_OUT)
    beyond = np.fromiter(map(erfc, (near / sqrt(2)).tolist()), dtype=np.float64, count=len(off))
    far = np.maximum(off, FAR_OUT)
    likely = np.where(
        off < FAR_OUT,
        np.log(beyond / 2),
        -far * far / 2 - np.log(far * sqrt(2 * pi)) + np.log1p(-1 / far**2 + 3 / far**4),
    )
    pull = np.exp(-off * off / 2 - log(sqrt(2 * pi)) - likely)
    return likely, pull, pull * (pull - off)
