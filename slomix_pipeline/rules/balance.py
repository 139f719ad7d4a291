"""Even teams: all ways to split a lobby in two, the most even first.

Belongs here: which splits there are, what makes one more even than another, what people can ask for. Does not belong
here: who wins with which chance, what damage is expected of whom (both are given), who is meant by a name.

A split is as even as anybody can tell. Of newcomers nobody can: what they have in common falls out where they stand
against each other, so they are shared out before anything is compared.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import NamedTuple

SHOWN = 3
MOST_PLAYERS = 16  # 6,435 splits: more take longer than anybody waits
LONGEST_NAMES = 40 * MOST_PLAYERS  # characters in which all of them are named; the engine has no name of more than 36
REPEATS_WITHIN = timedelta(days=30)
_TRIO = 3
_DECIMALS = 9  # beyond them two numbers differ by how they were added up

Side = tuple[str, ...]
Chance = Callable[[Side, Side], float]  # that the first of two teams wins


class LineUp(NamedTuple):
    """Who once played together, and when."""

    players: frozenset[str]
    played_at: datetime


@dataclass(frozen=True)
class Lobby:
    """Who is to be split. ``damage``: expected of everybody there, per minute; ``newcomers``: whom too few rounds know;
    ``earlier``: teams that played, of any time."""

    damage: Mapping[str, float]
    newcomers: Collection[str] = ()
    earlier: Sequence[LineUp] = ()


@dataclass(frozen=True)
class Wishes:
    """What a split must keep: who stays together, which two don't."""

    together: Collection[Collection[str]] = ()
    apart: Collection[tuple[str, str]] = ()


@dataclass(frozen=True)
class Split:
    """Two teams, each in order of GUID. ``chance``: that the first one wins, None where only damage is compared;
    ``damage``: expected of each; ``last_together``: when all of each played together last, None: never."""

    first: Side
    second: Side
    chance: float | None
    damage: tuple[float, float]
    last_together: tuple[datetime | None, datetime | None]


def most_even(lobby: Lobby, wishes: Wishes = Wishes(), chance: Chance | None = None) -> list[Split]:
    """The most even splits that keep what was wished, best first; none where nothing can keep all of it.

    ``chance`` is asked for every split, so it must be quick. Without it teams are compared by expected damage.

    Raises:
        ValueError: too few or too many players, or a wish about somebody who is not there.
    """
    _check(lobby, wishes)
    trios = _trios_of_late(lobby.earlier)
    ranked = []
    for first, second in _splits(sorted(lobby.damage), wishes):
        said = None if chance is None else chance(first, second)
        damage = _damage(lobby, first), _damage(lobby, second)
        difference = round(abs(damage[0] - damage[1]), _DECIMALS)
        uneven = difference if said is None else round(abs(said - 0.5), _DECIMALS)
        repeats = _repeats(first, trios) + _repeats(second, trios)
        ranked.append(((_unshared(lobby, first), uneven, difference, repeats, first), second, said, damage))
    ranked.sort(key=lambda one: one[0])
    return [
        Split(first, second, said, damage, (_last(first, lobby.earlier), _last(second, lobby.earlier)))
        for (*_, first), second, said, damage in ranked[:SHOWN]
    ]


def _check(lobby: Lobby, wishes: Wishes) -> None:
    if not 2 <= len(lobby.damage) <= MOST_PLAYERS:
        raise ValueError(f"{len(lobby.damage)} players can't be split: 2 to {MOST_PLAYERS} can")
    wished = {one for group in (*wishes.together, *wishes.apart) for one in group}
    if strangers := wished - lobby.damage.keys():
        raise ValueError(f"not there: {', '.join(sorted(strangers))}")


def _splits(players: Sequence[str], wishes: Wishes) -> Iterator[tuple[Side, Side]]:
    """Every split that keeps the wishes, once: teams have no order of their own, so somebody is always in the first."""
    for size in sorted({len(players) // 2, (len(players) + 1) // 2}):
        for chosen in combinations(players[1:], size - 1):
            inside = {players[0], *chosen}
            if _keeps(inside, wishes):
                first = tuple(player for player in players if player in inside)
                yield first, tuple(player for player in players if player not in inside)


def _keeps(first: Collection[str], wishes: Wishes) -> bool:
    return all(len({one in first for one in group}) < 2 for group in wishes.together) and all(
        (one in first) != (other in first) for one, other in wishes.apart
    )


def _damage(lobby: Lobby, team: Side) -> float:
    return sum(lobby.damage[player] for player in team)


def _unshared(lobby: Lobby, first: Side) -> int:
    """By how many newcomers one team has more."""
    there = sum(player in lobby.newcomers for player in lobby.damage)
    return abs(2 * sum(player in lobby.newcomers for player in first) - there)


def _trios_of_late(earlier: Sequence[LineUp]) -> Counter[Side]:
    """How often three played together of late, "now" being the last time that anybody did."""
    now = max((one.played_at for one in earlier), default=None)
    late = [one for one in earlier if now is not None and one.played_at >= now - REPEATS_WITHIN]
    return Counter(trio for one in late for trio in combinations(sorted(one.players), _TRIO))


def _repeats(team: Side, trios: Counter[Side]) -> int:
    return sum(trios[trio] for trio in combinations(team, _TRIO)) if trios else 0


def _last(team: Side, earlier: Iterable[LineUp]) -> datetime | None:
    """When all of a team played together last, whoever else was with them."""
    return max((one.played_at for one in earlier if one.players.issuperset(team)), default=None)
