"""Who was best: of a team, of a match, of an evening.

Belongs here: who may be called so, and when it is shared. Does not belong here: what impact is
(``sql/views/01_metrics.sql``), the words.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

AS_GOOD = 0.97  # of the best impact: less of a difference is none
OF_THE_TIME = 0.5  # that was played
SHARED_BY = 3  # more than so many with the same number are no news


class Best(StrEnum):
    """What somebody can have done most of, as it is called."""

    DAMAGE = "Most damage"
    REVIVES = "Medic"
    OBJECTIVES = "Objectives"
    DENIED = "Denied playtime"


class Player(Protocol):
    """What is asked of a player; None is unknown."""

    @property
    def impact(self) -> float | None: ...
    @property
    def of_the_time(self) -> float | None: ...
    @property
    def damage_given(self) -> int | None: ...
    @property
    def revives_given(self) -> int | None: ...
    @property
    def objectives(self) -> int | None: ...
    @property
    def denied_playtime(self) -> int | None: ...


P = TypeVar("P", bound=Player)
Q = TypeVar("Q")


class Most(NamedTuple, Generic[Q]):
    """Who had most of something, and how much."""

    players: tuple[Q, ...]
    value: int


def best_of(players: Sequence[P]) -> tuple[P, ...]:
    """Who of a team had most impact, the first the most; more than one where they were as good. Nobody where that is
    unknown of anybody, who may have been better, where too many share it, or in a team of one."""
    rated = _rated(players)
    best = tuple(player for impact, player in rated if impact >= AS_GOOD * rated[0][0])
    return best if len(best) <= SHARED_BY else ()


def next_best(players: Sequence[P]) -> P | None:
    """Who of a team had most impact after all of its best; None where there is nobody, or nobody is the best."""
    best = len(best_of(players))
    return next((player for _, player in _rated(players)[best:]), None) if best else None


def _rated(players: Sequence[P]) -> list[tuple[float, P]]:
    """Who of a team was there for long enough, most impact first; nobody where that is unknown of one of them."""
    long_enough = [player for player in players if (player.of_the_time or 0) >= OF_THE_TIME]
    rated = [(player.impact, player) for player in long_enough if player.impact is not None]
    if len(players) < 2 or len(rated) < len(long_enough):
        return []
    return sorted(rated, key=lambda one: -one[0])


def most(players: Sequence[P], what: Best) -> Most[P] | None:
    """Who did most of something; see ``most_of``."""
    return most_of(players, lambda player: _value(player, what))


def most_of(players: Sequence[Q], value_of: Callable[[Q], int | None]) -> Most[Q] | None:
    """Who has most of a number; None when nobody has any, it is unknown of anybody, or too many share it."""
    values = [value_of(player) for player in players]
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values) or max(known) <= 0:
        return None
    first = tuple(player for player, value in zip(players, values, strict=True) if value == max(known))
    return Most(first, max(known)) if len(first) <= SHARED_BY else None


def _value(player: Player, what: Best) -> int | None:
    match what:
        case Best.DAMAGE:
            return player.damage_given
        case Best.REVIVES:
            return player.revives_given
        case Best.OBJECTIVES:
            return player.objectives
        case Best.DENIED:
            return player.denied_playtime
