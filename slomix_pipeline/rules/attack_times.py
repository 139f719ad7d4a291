"""Fitting the model of attack times: what map, order and players make of the logarithm of a time.

A completed attack is observed, one that failed says only "longer than what it had to beat" (as in ``par``). Every part
is held near nothing by its prior, so what was hardly seen hardly moves. It always starts from nothing and from all
matches in order of play: a match that comes late or goes gives what it would have given at once.
Belongs here: matches as numbers, and the fit to them. Does not belong here: its arithmetic (``censored_fit``), what is
predicted by it (``attack_model``, ``odds``). Rules need numpy only here, there, and where forecasts are judged.
"""

from collections.abc import Iterable, Sequence
from math import log

import numpy as np

from slomix_pipeline.rules.attack_model import PRIOR_MEAN, PRIOR_SD, AttackModel, RatedMatch, Term, Terms, in_order
from slomix_pipeline.rules.censored_fit import Fit, Floats, Integers, Seen, best_sigma
from slomix_pipeline.rules.damage_strength import Shown, shown_in, strength

DECIMALS = 9  # that are kept


def fit(matches: Iterable[RatedMatch], terms: Terms = Terms.DAMAGE, sigma: float | None = None) -> AttackModel:
    """The model of these matches, in whatever order they come. ``sigma``: None to have it found."""
    played = in_order(matches)
    return History(played).fit(len(played), terms, sigma)


class History:
    """Matches as numbers, in order of play; ``fit`` takes as many of them as one wants to know. Maps and players are
    numbered as they first appear: the first matches know the first of them."""

    def __init__(self, matches: Sequence[RatedMatch]) -> None:
        self._maps: dict[str, int] = {}
        self._players: dict[str, int] = {}
        people = [match.players for match in matches]
        for match, there in zip(matches, people, strict=True):
            self._maps.setdefault(match.map, len(self._maps))
            for guid in there:
                self._players.setdefault(guid, len(self._players))
        self._map = np.array([self._maps[match.map] for match in matches], dtype=np.int64)
        shape = len(matches), max(map(len, people), default=0)  # shorter rows are filled up: nobody is there
        self._who, self._is_there = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
        self._lead, self._shown = np.zeros(shape), np.zeros((*shape, 2))
        for row, (match, there) in enumerate(zip(matches, people, strict=True)):
            shown, first, second = shown_in(match), match.first_team.shares, match.second_team.shares
            for column, guid in enumerate(there):
                self._who[row, column], self._is_there[row, column] = self._players[guid], True
                self._lead[row, column] = first.get(guid, 0) - second.get(guid, 0)
                self._shown[row, column] = shown.get(guid, (0, 0))
        self._more = np.array([log(match.first_team.seconds / match.second_team.seconds) for match in matches])
        self._times = np.log([match.first.seconds for match in matches] + [match.second.seconds for match in matches])
        done = [match.first.completed for match in matches] + [match.second.completed for match in matches]
        self._done = np.array(done, dtype=bool)

    def fit(self, count: int, terms: Terms = Terms.DAMAGE, sigma: float | None = None) -> AttackModel:
        """The model of the first so many matches."""
        matches_on = np.bincount(self._map[:count]).tolist()
        played = np.bincount(self._who[:count][self._is_there[:count]]).tolist()
        maps, players = list(self._maps)[: len(matches_on)], list(self._players)[: len(played)]
        damage = self._damage_strengths(count, len(played)) if terms is Terms.DAMAGE else np.zeros(len(played))
        names = _names(terms, maps, players)
        seen = self._seen(count, names, terms, len(maps), damage)
        found = best_sigma(seen) if sigma is None else Fit(seen).optimum(sigma)
        return AttackModel(
            terms,
            found.sigma,
            count,
            dict(zip(names, np.round(found.parts, DECIMALS).tolist(), strict=True)),
            tuple(tuple(row[: at + 1]) for at, row in enumerate(np.round(found.covariance, DECIMALS).tolist())),
            dict(zip(players, np.round(damage, DECIMALS).tolist(), strict=True)) if terms is Terms.DAMAGE else {},
            {name: 2 * matches for name, matches in zip(maps, matches_on, strict=True)},
            dict(zip(players, played, strict=True)),
        )

    def _damage_strengths(self, count: int, players: int) -> Floats:
        who, shown = self._who[:count].reshape(-1), self._shown[:count].reshape(-1, 2)
        sums = (np.bincount(who, weights=shown[:, at], minlength=players).tolist() for at in (0, 1))
        return np.array([strength(Shown(weighted, seconds)) for weighted, seconds in zip(*sums, strict=True)])

    def _seen(self, count: int, names: Sequence[str], terms: Terms, maps: int, damage: Floats) -> Seen:
        """The first attacks of all matches, then the second ones. Who is stronger is faster as he attacks, and is held
        off longer when he defends."""
        ones, who, lead = np.ones((count, 1)), self._who[:count], self._lead[:count]
        columns: list[Integers] = [np.tile([0, 1], (count, 1)), 2 + self._map[:count, None]]
        ahead = np.zeros((count, 0))
        if terms is not Terms.MAPS:
            columns += [np.full((count, 1), 2 + maps), 3 + maps + who]
            ahead = np.hstack([self._more[:count, None], lead])
        if terms is Terms.DAMAGE:
            columns += [np.full((count, 1), len(names) - 1)]
            ahead = np.hstack([ahead, (lead * damage[who]).sum(axis=1, keepdims=True)])
        kinds = [Term(name.partition(" ")[0]) for name in names]
        return Seen(
            np.concatenate([self._times[:count], self._times[len(self._map) :][:count]]),
            np.concatenate([self._done[:count], self._done[len(self._map) :][:count]]),
            np.vstack([np.hstack(columns)] * 2),
            np.vstack([np.hstack([ones, 0 * ones, ones, -ahead]), np.hstack([ones, ones, ones, ahead])]),
            np.array([PRIOR_MEAN if kind is Term.MEAN else 0.0 for kind in kinds]),
            np.array([PRIOR_SD[kind] ** -2 for kind in kinds]),
        )


def _names(terms: Terms, maps: Iterable[str], players: Iterable[str]) -> list[str]:
    """All parts of a model, in order."""
    names = [str(Term.MEAN), str(Term.SECOND), *map(Term.MAP.of, maps)]
    if terms is not Terms.MAPS:
        names += [str(Term.NUMBERS), *map(Term.PLAYER.of, players)]
    return [*names, str(Term.DAMAGE)] if terms is Terms.DAMAGE else names
