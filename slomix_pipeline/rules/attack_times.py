"""Fitting the model of attack times: what map, order and players make of the logarithm of a time.

A completed attack is observed, one that failed says only "longer than what it had to beat" (as in ``par``). Every part
is held near nothing by its prior, so what was hardly seen hardly moves. The most likely values are found by Newton's
method, of which there is one optimum, and how sure they are by the curvature there (Laplace); so is ``sigma``, by what
each makes of the evidence. It always starts from nothing and from all matches in order of play: a match that comes late
or goes gives what it would have given at once.
Belongs here: that. Does not belong here: what is predicted by it (``attack_model``, ``odds``). The rules need numpy
only here and where forecasts are judged.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import erfc, log, log1p, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from slomix_pipeline.rules.attack_model import PRIOR_MEAN, PRIOR_SD, AttackModel, RatedMatch, Term, Terms, in_order
from slomix_pipeline.rules.damage_strength import Shown, shown_in, strength

SIGMAS = tuple(round(0.4 + 0.05 * step, 2) for step in range(11))  # 0.4 to 0.9
SIGMA_AT_FIRST = 0.45
DECIMALS = 9  # that are kept: what rounding in other orders could change is beyond
MOST_STEPS = 50
EXACT_ENOUGH = 1e-10  # of the slope at the optimum

Floats = NDArray[np.float64]


def fit(matches: Iterable[RatedMatch], terms: Terms = Terms.DAMAGE, sigma: float | None = None) -> AttackModel:
    """The model of these matches, in whatever order they come. ``sigma``: None to have it found."""
    played = in_order(matches)
    return History(played).fit(len(played), terms, sigma)


@dataclass(frozen=True)
class _Optimum:
    values: Floats
    curvature: Floats
    evidence: float


class History:
    """Matches as numbers, in order of play; ``fit`` takes as many of them as one wants to know. Maps and players are
    in the order in which they first appear: the first matches know the first of them."""

    def __init__(self, matches: Sequence[RatedMatch]) -> None:
        self._matches = matches
        self._maps: dict[str, int] = {}
        self._players: dict[str, int] = {}
        self._seen: list[tuple[int, int]] = [(0, 0)]  # maps and players, after so many matches
        for match in matches:
            self._maps.setdefault(match.map, len(self._maps))
            for guid in match.players:
                self._players.setdefault(guid, len(self._players))
            self._seen.append((len(self._maps), len(self._players)))
        self._on_map = np.zeros((len(matches), len(self._maps)))
        self._lead = np.zeros((len(matches), len(self._players)))  # shares in the first team, less in the second
        for row, match in enumerate(matches):
            self._on_map[row, self._maps[match.map]] = 1
            for guid, share in match.first_team.shares.items():
                self._lead[row, self._players[guid]] += share
            for guid, share in match.second_team.shares.items():
                self._lead[row, self._players[guid]] -= share
        self._more = np.array([log(m.first_team.seconds / m.second_team.seconds) for m in matches])
        self._times = np.log([(match.first.seconds, match.second.seconds) for match in matches]).reshape(-1, 2)
        self._done = np.array([(m.first.completed, m.second.completed) for m in matches], dtype=bool).reshape(-1, 2)
        self._shown = np.zeros((len(matches), len(self._players), 2))
        for row, match in enumerate(matches):
            for guid, shown in shown_in(match).items():
                if guid in self._players:
                    self._shown[row, self._players[guid]] = shown

    def fit(self, count: int, terms: Terms = Terms.DAMAGE, sigma: float | None = None) -> AttackModel:
        """The model of the first so many matches."""
        maps, players = self._seen[count]
        damage = self._damage_strengths(count, players) if terms is Terms.DAMAGE else np.zeros(0)
        names = self._names(maps, players, terms)
        rows = self._rows(count, terms, damage)
        times, done = self._times[:count].T.reshape(-1), self._done[:count].T.reshape(-1)
        prior = _prior(names)
        if sigma is None:
            sigma, optimum = _best_sigma(rows, times, done, prior)
        else:
            optimum = _optimum(rows, times, done, prior, sigma)
        covariance = np.round(np.linalg.inv(optimum.curvature), DECIMALS)
        used = self._matches[:count]
        return AttackModel(
            terms,
            sigma,
            count,
            dict(zip(names, np.round(optimum.values, DECIMALS).tolist(), strict=True)),
            tuple(tuple(row[: at + 1]) for at, row in enumerate(covariance.tolist())),
            dict(zip(self._players, np.round(damage, DECIMALS).tolist(), strict=False)),
            {name: 2 * played for name, played in Counter(match.map for match in used).items()},
            dict(Counter(guid for match in used for guid in match.players)),
        )

    def _damage_strengths(self, count: int, players: int) -> Floats:
        shown = self._shown[:count, :players].sum(axis=0)
        return np.array([strength(Shown(weighted, seconds)) for weighted, seconds in shown.tolist()])

    def _names(self, maps: int, players: int, terms: Terms) -> list[str]:
        names = [Term.MEAN, Term.SECOND, *(Term.MAP.of(name) for name in list(self._maps)[:maps])]
        if terms is not Terms.MAPS:
            names += [Term.NUMBERS, *(Term.PLAYER.of(guid) for guid in list(self._players)[:players])]
        if terms is Terms.DAMAGE:
            names.append(Term.DAMAGE)
        return [str(name) for name in names]

    def _rows(self, count: int, terms: Terms, damage: Floats) -> Floats:
        """One row per attack, the first ones of all matches before the second ones. Who is stronger is faster when he
        attacks, and held off longer when he defends."""
        maps, players = self._seen[count]
        ones, second = np.ones((count, 1)), np.repeat((0.0, 1.0), count)[:, None]
        both = np.vstack([np.hstack([ones, self._on_map[:count, :maps]])] * 2)
        rows = np.hstack([both[:, :1], second, both[:, 1:]])
        if terms is Terms.MAPS:
            return rows
        lead = np.hstack([self._more[:count, None], self._lead[:count, :players]])
        if terms is Terms.DAMAGE:
            lead = np.hstack([lead, lead[:, 1:] @ damage[:, None]])
        return np.hstack([rows, np.vstack([-lead, lead])])


@dataclass(frozen=True)
class _Prior:
    mean: Floats
    precision: Floats


def _prior(names: Sequence[str]) -> _Prior:
    kinds = [Term(name.partition(":")[0]) for name in names]
    mean = np.array([PRIOR_MEAN if kind is Term.MEAN else 0.0 for kind in kinds])
    return _Prior(mean, np.array([PRIOR_SD[kind] ** -2 for kind in kinds]))


def _best_sigma(rows: Floats, times: Floats, done: NDArray[np.bool_], prior: _Prior) -> tuple[float, _Optimum]:
    """The sigma of most evidence, looked for uphill from the usual one, as it has one top."""
    tried: dict[float, _Optimum] = {}

    def evidence(sigma: float) -> float:
        if sigma not in tried:
            tried[sigma] = _optimum(rows, times, done, prior, sigma)
        return tried[sigma].evidence

    best = SIGMA_AT_FIRST
    while True:
        at = SIGMAS.index(best)
        better = max(SIGMAS[max(at - 1, 0) : at + 2], key=evidence)
        if evidence(better) <= evidence(best):
            return best, tried[best]
        best = better


def _optimum(rows: Floats, times: Floats, done: NDArray[np.bool_], prior: _Prior, sigma: float) -> _Optimum:
    values = prior.mean.copy()
    likely, slope, curvature = _at(values, rows, times, done, prior, sigma)
    for _ in range(MOST_STEPS):
        step = np.linalg.solve(curvature, slope)
        if float(np.abs(slope).max()) < EXACT_ENOUGH * max(1.0, float(curvature.max())):
            break
        for _halved in range(MOST_STEPS):
            there = _at(values + step, rows, times, done, prior, sigma)
            if there[0] >= likely - 1e-9:
                break
            step = step / 2
        values = values + step
        likely, slope, curvature = there
    determinant = np.linalg.slogdet(curvature)[1] - np.log(prior.precision).sum()
    return _Optimum(values, curvature, likely - float(determinant) / 2)


def _at(
    values: Floats, rows: Floats, times: Floats, done: NDArray[np.bool_], prior: _Prior, sigma: float
) -> tuple[float, Floats, Floats]:
    """How likely the times are with these values (logarithm, with the prior), its slope and its curvature."""
    off = (times - rows @ values) / sigma
    likely, pull, weight = -off * off / 2 - log(sigma * sqrt(2 * pi)), off.copy(), np.ones(len(off))
    held = ~done
    likely[held], pull[held], weight[held] = _censored(off[held])
    from_prior = values - prior.mean
    total = float(likely.sum() - (prior.precision * from_prior * from_prior).sum() / 2)
    slope = rows.T @ pull / sigma - prior.precision * from_prior
    curvature = (rows * (weight / sigma**2)[:, None]).T @ rows
    curvature[np.diag_indices_from(curvature)] += prior.precision
    return total, slope, curvature


FAR_OUT = 25.0  # standard deviations: beyond, the share that is left is too small for a number, its logarithm is not


def _censored(off: Floats) -> tuple[Floats, Floats, Floats]:
    """Of attacks that lasted longer than so many standard deviations above what was expected: the logarithm of how
    likely that is, its slope and its curvature."""
    likely = np.array([_log_beyond(each) for each in off.tolist()])
    pull = np.exp(-off * off / 2 - log(sqrt(2 * pi)) - likely)
    return likely, pull, pull * (pull - off)


def _log_beyond(off: float) -> float:
    if off > FAR_OUT:
        return -off * off / 2 - log(off * sqrt(2 * pi)) + log1p(-1 / off**2 + 3 / off**4)
    return log(erfc(off / sqrt(2)) / 2)
