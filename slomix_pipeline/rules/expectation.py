"""The fit behind what is expected of players: how map, side, numbers, the player and his opponents bear on his damage
and his kills per minute.

Belongs here: the fit (least squares of the logarithm of the rate, weighted by minutes, with effects held near 0), and
the walk through all nights, each judged by what the nights before it tell. Does not belong here: what a fit says of a
round, and what of that is told (``expected``); which rounds there are.

Effects are held as if everybody and every map had been seen for some more minutes at no effect at all: so a guest of
three rounds stays near everybody else. The fit is made from scratch from all rounds, in order of play, so the order in
which they are given, and in which they came, never matters.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from slomix_pipeline.rules.expected import (
    LEAST_SECONDS,
    Expectation,
    Line,
    Metric,
    Parameters,
    PlayedRound,
    Situation,
    expectations,
    in_order,
    situations,
)

_BASE, _ATTACK, _NUMBERS, _MAP, _PLAYER, _OPPONENT = "base", "attack", "numbers", "map", "player", "opponent"
# Minutes at no effect that are taken as seen beside those that were.
_HELD_BY = {_BASE: 0.0, _ATTACK: 1.0, _NUMBERS: 1.0, _MAP: 30.0, _PLAYER: 30.0, _OPPONENT: 60.0}
# Added to what somebody did, as nothing has no logarithm.
_ADDED = {Metric.DAMAGE: 50.0, Metric.KILLS: 0.5}
_DECIMALS = 9  # of parameters: more depend on the machine that adds them up


class Judgement(NamedTuple):
    """A night, the fit of all nights that were over before it, and what that expected of everybody in it; without a
    fit, nothing."""

    night: str
    parameters: Parameters | None
    expectations: list[Expectation]


def fit(rounds: Iterable[PlayedRound], metric: Metric) -> Parameters | None:
    """The parameters of all rounds given; None when they tell nothing."""
    so_far = _Equations(metric)
    for _, own in _nights(rounds):
        so_far.add(own)
    return so_far.parameters()


def walk(rounds: Iterable[PlayedRound], metric: Metric) -> Iterator[Judgement]:
    """Every night in order of play, judged by the fit of all nights that were over before it: those of two servers can
    be at the same time."""
    so_far, going_on = _Equations(metric), list[list[PlayedRound]]()
    for night, own in _nights(rounds):
        over = [other for other in going_on if other[-1].played_at < own[0].played_at]
        for other in over:
            so_far.add(other)
        going_on = [other for other in going_on if other not in over] + [own]
        known = so_far.parameters()
        yield Judgement(night, known, [] if known is None else expectations(known, own))


def _nights(rounds: Iterable[PlayedRound]) -> Iterator[tuple[str, list[PlayedRound]]]:
    """The nights in order of their first rounds, each with its rounds in order of play."""
    played = sorted(rounds, key=in_order)
    began: dict[str, int] = {}
    for one in played:
        began.setdefault(one.night, len(began))
    played.sort(key=lambda one: began[one.night])
    for night, own in groupby(played, key=lambda one: one.night):
        yield night, list(own)


class _Grown:
    """Numbers that are added to at their end, without a copy of all of them each time."""

    def __init__(self, kind: type) -> None:
        self._room: np.ndarray = np.zeros(1024, kind)
        self._used = 0

    def add(self, more: Sequence[float] | np.ndarray) -> None:
        until = self._used + len(more)
        if until > len(self._room):
            self._room = np.concatenate((self._room, np.zeros(max(len(self._room), len(more)), self._room.dtype)))
        self._room[self._used : until] = more
        self._used = until

    @property
    def all(self) -> np.ndarray:
        return self._room[: self._used]


class _Equations:
    """The sums that the fit needs, added to night by night."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        # The column of each effect, in the order in which they were met.
        self._columns = {(kind, ""): column for column, kind in enumerate((_BASE, _ATTACK, _NUMBERS))}
        self._left, self._right = np.zeros((0, 0)), np.zeros(0)
        self._rounds: dict[str, int] = {}
        # What was fitted, to find its level again. All lines of a side of a round have one row, of what bears on them
        # beside the player; its entries: row, column and value.
        self._rows = 0
        self._row, self._column, self._value = _Grown(np.intp), _Grown(np.intp), _Grown(np.float64)
        # Each line: the row of its side, its player's column, his minutes; and what all did together.
        self._of_row, self._player, self._minutes = _Grown(np.intp), _Grown(np.intp), _Grown(np.float64)
        self._actual = 0.0

    def add(self, rounds: Iterable[PlayedRound]) -> None:
        """Takes a night in."""
        entries: list[tuple[int, int, float]] = []
        lines: list[tuple[int, int, float, float]] = []
        rows = 0
        for played in rounds:
            for side, found in situations(played).items():
                own = [(line, did) for line in played.lines if (did := self._told_by(line, side)) is not None]
                if not own:
                    continue
                entries += [(rows, self._column_of(*effect), part) for effect, part in _effects(played, found).items()]
                for line, did in sorted(own, key=lambda one: one[0].guid):
                    lines.append((rows, self._column_of(_PLAYER, line.guid), line.seconds / 60, float(did)))
                    self._rounds[line.guid] = self._rounds.get(line.guid, 0) + 1
                rows += 1
        if lines:
            self._sum(rows, [np.array(column) for column in zip(*entries, strict=True)], np.array(lines).T)

    def _told_by(self, line: Line, side: int) -> int | None:
        """What a line of that side has to tell."""
        return line.actual(self._metric) if line.side == side and line.seconds >= LEAST_SECONDS else None

    def _column_of(self, kind: str, name: str) -> int:
        return self._columns.setdefault((kind, name), len(self._columns))

    def _sum(self, rows: int, entries: Sequence[np.ndarray], lines: np.ndarray) -> None:
        row, column, value = entries
        of_row, player = lines[:2].astype(np.intp)
        minutes, actual = lines[2:]
        of_side = np.zeros((rows, len(self._columns)))
        of_side[row, column] = value
        design = of_side[of_row]
        design[np.arange(len(design)), player] = 1.0
        weighted = design.T * minutes
        grown = (0, len(self._columns) - len(self._right))
        self._left = np.pad(self._left, (grown, grown)) + weighted @ design
        self._right = np.pad(self._right, grown) + weighted @ np.log((actual + _ADDED[self._metric]) / minutes)
        for kept, more in (
            (self._row, row + self._rows),
            (self._column, column),
            (self._value, value),
            (self._of_row, of_row + self._rows),
            (self._player, player),
            (self._minutes, minutes),
        ):
            kept.add(more)
        self._rows += rows
        self._actual += float(actual.sum())

    def parameters(self) -> Parameters | None:
        """The fit of what was taken in; None when that is nothing."""
        if not self._actual:
            return None
        held = np.array([_HELD_BY[kind] for kind, _ in self._columns])
        found = np.linalg.solve(self._left + np.diag(held), self._right)
        # Of a logarithm's mean the mean does not follow: what all did together is what was expected of all.
        of_side = np.bincount(self._row.all, self._value.all * found[self._column.all])
        logarithm = of_side[self._of_row.all] + found[self._player.all]
        found[0] += np.log(self._actual / (np.exp(logarithm) @ self._minutes.all))
        effects = {effect: round(float(found[column]), _DECIMALS) for effect, column in self._columns.items()}
        return Parameters(
            self._metric,
            base=effects[_BASE, ""],
            attack=effects[_ATTACK, ""],
            numbers=effects[_NUMBERS, ""],
            maps=_of_kind(effects, _MAP),
            players=_of_kind(effects, _PLAYER),
            opponents=_of_kind(effects, _OPPONENT),
            rounds=dict(sorted(self._rounds.items())),
        )


def _effects(played: PlayedRound, found: Situation) -> dict[tuple[str, str], float]:
    """What bears on all lines of a side beside the player, each effect with its part."""
    return {
        (_BASE, ""): 1.0,
        (_ATTACK, ""): found.attack,
        (_NUMBERS, ""): found.numbers,
        (_MAP, played.map_name): 1.0,
        **{(_OPPONENT, guid): share for guid, share in found.opponents.items()},
    }


def _of_kind(effects: Mapping[tuple[str, str], float], kind: str) -> dict[str, float]:
    """The effects of one kind by name, in order."""
    return {name: effects[own, name] for own, name in sorted(effects) if own == kind}
