"""Who killed whom, as a table of everybody against everybody, and in a line for each player.

Does not belong here: what is known of duels (``warehouse.duels``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from slomix_pipeline.rules.best import most_of
from slomix_pipeline.warehouse.duels import Duels, Met
from slomix_pipeline.warehouse.reading import PlayerTotals


@dataclass(frozen=True)
class Often:
    """Whom somebody killed most, or who killed him most; several where it is the same number."""

    names: tuple[str, ...]
    times: int


@dataclass(frozen=True)
class Dueller:
    """A player against all. ``kills``: of each, in the same order; None: himself, or no kill is told of these two."""

    guid: str
    name: str
    kills: tuple[int | None, ...]
    killed_most: Often | None
    killed_by_most: Often | None


@dataclass(frozen=True)
class DuelTable:
    """``rounds``: of how many of the ``of_rounds`` it is in full; ``with_endstats``, ``unowned``: as of ``Duels``."""

    players: tuple[Dueller, ...]
    rounds: int
    of_rounds: int
    with_endstats: int
    unowned: int


def duel_table(duels: Duels, players: Sequence[PlayerTotals]) -> DuelTable:
    """The duels of those of whom any is known, team by team, else in the order of ``players``."""
    by_team = sorted(players, key=lambda player: player.team or "open")
    order = {player.guid: place for place, player in enumerate(by_team)}
    names = {one.person: one.player for one in duels.met} | {one.other: one.opponent for one in duels.met}
    people = sorted(names, key=lambda person: (order.get(person, len(order)), person))
    kills = {(one.person, one.other): one.kills for one in duels.met}
    return DuelTable(
        tuple(
            Dueller(
                person,
                names[person],
                tuple(kills.get((person, other)) for other in people),
                _often([one for one in duels.met if one.person == person], by_him=True),
                _often([one for one in duels.met if one.person == person], by_him=False),
            )
            for person in people
        ),
        duels.rounds,
        duels.of_rounds,
        duels.with_endstats,
        duels.unowned,
    )


def _often(met: Sequence[Met], *, by_him: bool) -> Often | None:
    found = most_of(met, lambda one: one.kills if by_him else one.deaths)
    return None if found is None else Often(tuple(one.opponent for one in found.players), found.value)
