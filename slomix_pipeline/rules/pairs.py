"""Pairs of players: who wins together as often as was to be expected, and who is killed by whom more than that.

Belongs here: a pair's record with what was expected of it, when somebody has a nemesis. Does not belong here: the odds
of a match and how its teams stood (both are given), keeping what was found (``warehouse.pair_records``).

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
_FEW_NEMESES = 2  # of however few players
_MANY_NEMESES = 0.25  # of all players: chance gives one in twenty
_NEAR, _MOST_STEPS = 1e-7, 500  # of the fit of odds


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


def nemeses(duels: Mapping[str, Mapping[str, Duels]]) -> dict[str, Nemesis]:
    """Who has a nemesis, by GUID. ``duels``: of everybody with each opponent, so that every two are in it twice, once
    from each side."""
    odds = duel_odds(duels)
    found = ((guid, nemesis(guid, own, odds)) for guid, own in sorted(duels.items()))
    return {guid: one for guid, one in found if one is not None}


def too_many(found: int, players: int) -> bool:
    """Whether so many of the players who were in duels have a nemesis that what is expected of duels must be wrong."""
    return found > max(_FEW_NEMESES, _MANY_NEMESES * players)


def nemesis(guid: str, duels: Mapping[str, Duels], odds: Mapping[str, float]) -> Nemesis | None:
    """Who killed a player more often than was to be expected; None: nobody surely.

    ``duels``: of the player with each opponent; ``odds``: of everybody, see ``duel_odds``. Whoever is looked for among
    many has to be the surer: one of twenty would be found by chance.
    """
    found = [
        _against(opponent, duel, odds[opponent] / (odds[opponent] + odds[guid]))
        for opponent, duel in duels.items()
        if duel.kills + duel.deaths >= LEAST_KILLS
    ]
    surest = max(found, key=lambda own: (own.probability, own.kills, own.opponent), default=None)
    if surest is None or (1 - surest.probability) * len(found) > 1 - SURE:
        return None
    return surest


def _against(opponent: str, duel: Duels, share: float) -> Nemesis:
    """One opponent of a player, of whom a ``share`` of the kills between them is expected."""
    of = duel.kills + duel.deaths
    above = beta_above(share, _HELD_BY * share + duel.deaths, _HELD_BY * (1 - share) + duel.kills)
    return Nemesis(opponent, duel.deaths, of, share * of, above)


def duel_odds(duels: Mapping[str, Mapping[str, Duels]]) -> dict[str, float]:
    """By GUID the odds of killing an average player before he kills: those of two players are their ratio. Fitted to
    all duels together (Bradley and Terry), so that who is always up against the strong is not taken for weak. Everybody
    has a kill and a death more, of an average player."""
    kills = {guid: 1 + sum(duel.kills for duel in own.values()) for guid, own in sorted(duels.items())}
    deaths = {guid: 1 + sum(duel.deaths for duel in own.values()) for guid, own in sorted(duels.items())}
    odds = {guid: kills[guid] / deaths[guid] for guid in kills}
    for _ in range(_MOST_STEPS):
        before = odds
        odds = {
            guid: kills[guid]
            / sum(
                [(duel.kills + duel.deaths) / (own + before[opponent]) for opponent, duel in duels[guid].items()],
                2 / (own + 1),
            )
            for guid, own in before.items()
        }
        if all(abs(odds[guid] / own - 1) < _NEAR for guid, own in before.items()):
            break
    return odds


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
