"""Pairs of players: who wins together as often as was to be expected, and who is killed by whom more than that.

Belongs here: a pair's record with what was expected of it, when somebody has a nemesis. Does not belong here: the odds
of a match and how its teams stood (both are given), how many matches pages list (``warehouse.players``).

There is no number for how well two go together: of no pair such an effect was found.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp, lgamma, log, log1p
from typing import NamedTuple

from slomix_pipeline.rules.intervals import likely_share

LEAST_MATCHES = 10  # decided ones together: a record of fewer is not listed
LEAST_KILLS = 20  # between two, either way
SURE = 0.95
_HELD_BY = 20  # kills that are taken as seen at the expected share, beside those that were


@dataclass(frozen=True)
class DecidedMatch:
    """A match that somebody won. ``chance``: that the first team does, as odds without pairs have it; None: unknown."""

    first: frozenset[str]
    second: frozenset[str]
    first_won: bool
    chance: float | None


@dataclass(frozen=True)
class Duo:
    """Two players, in order of GUID, and their decided matches in one team. ``expected``: of ``won``, None where odds
    of a match are unknown; ``low``, ``high``: between which shares of wins they speak for in 95 of 100 cases;
    ``apart``, ``apart_won``: matches with one of them alone, and those which he won."""

    one: str
    other: str
    matches: int
    won: int
    expected: float | None
    low: float
    high: float
    apart: int
    apart_won: int


class Duels(NamedTuple):
    """How often a player killed, and was killed."""

    kills: int
    deaths: int


@dataclass(frozen=True)
class Nemesis:
    """Who killed a player more often than was to be expected: ``kills`` of the ``of`` times that one of them killed the
    other; ``probability``: that his share is above the expected one."""

    opponent: str
    kills: int
    of: int
    expected: float
    probability: float


def duos(matches: Iterable[DecidedMatch]) -> list[Duo]:
    """The pairs that played together often enough, in order of GUIDs."""
    played: Counter[str] = Counter()
    won: Counter[str] = Counter()
    together: dict[tuple[str, str], list[tuple[bool, float | None]]] = {}
    against: Counter[tuple[str, str]] = Counter()
    for match in matches:
        for team, has_won, chance in _sides(match):
            played.update(team)
            won.update(team if has_won else ())
            for pair in combinations(sorted(team), 2):
                together.setdefault(pair, []).append((has_won, chance))
        against.update((min(pair), max(pair)) for pair in _across(match))
    return [
        _duo(pair, own, against[pair], played, won)
        for pair, own in sorted(together.items())
        if len(own) >= LEAST_MATCHES
    ]


def _sides(match: DecidedMatch) -> Iterable[tuple[frozenset[str], bool, float | None]]:
    yield match.first, match.first_won, match.chance
    yield match.second, not match.first_won, None if match.chance is None else 1 - match.chance


def _across(match: DecidedMatch) -> Iterable[tuple[str, str]]:
    return ((one, other) for one in match.first for other in match.second)


def _duo(
    pair: tuple[str, str],
    own: Sequence[tuple[bool, float | None]],
    against: int,
    played: Mapping[str, int],
    won: Mapping[str, int],
) -> Duo:
    wins = sum(has_won for has_won, _ in own)
    chances = [chance for _, chance in own if chance is not None]
    # Of a match with both of them in one team or on either side, both have counted it; on either side one has won it.
    apart = sum(played[one] for one in pair) - 2 * (len(own) + against)
    apart_won = sum(won[one] for one in pair) - 2 * wins - against
    expected = sum(chances) if len(chances) == len(own) else None
    return Duo(*pair, len(own), wins, expected, *likely_share(wins, len(own)), apart, apart_won)


def nemesis(guid: str, duels: Mapping[str, Duels], totals: Mapping[str, Duels]) -> Nemesis | None:
    """Who killed a player more often than was to be expected; None: nobody surely.

    ``duels``: of the player with each opponent; ``totals``: of everybody with everybody, in the same rounds. Whoever is
    looked for among many has to be the surer: one of twenty would be found by chance.
    """
    found = [
        own
        for opponent, duel in duels.items()
        if duel.kills + duel.deaths >= LEAST_KILLS
        and (own := _against(opponent, duel, totals[guid], totals[opponent])) is not None
    ]
    surest = max(found, key=lambda own: (own.probability, own.kills, own.opponent), default=None)
    if surest is None or (1 - surest.probability) * len(found) > 1 - SURE:
        return None
    return surest


def _against(opponent: str, duel: Duels, own: Duels, his: Duels) -> Nemesis | None:
    """One opponent of a player. The odds that he is who kills are expected to be as his against all, by the player's
    against all."""
    for_him, for_own = his.kills * own.deaths, own.kills * his.deaths
    if not for_him or not for_own:
        return None
    share, of = for_him / (for_him + for_own), duel.kills + duel.deaths
    above = beta_above(share, _HELD_BY * share + duel.deaths, _HELD_BY * (1 - share) + duel.kills)
    return Nemesis(opponent, duel.deaths, of, share * of, above)


def beta_above(x: float, a: float, b: float) -> float:
    """The probability that what is distributed as Beta(a, b) is above ``x``, 0 < x < 1."""
    if x > (a + 1) / (a + b + 2):  # there the fraction converges fast
        return _beta_below(1 - x, b, a)
    return 1 - _beta_below(x, a, b)


def _beta_below(x: float, a: float, b: float) -> float:
    """The incomplete beta function as a continued fraction (Lentz)."""
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 500):
        for part in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + part * d)
            c = 1 + part / c
            value *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return front * value
