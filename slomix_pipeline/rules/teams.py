"""Teams A and B of a session: who plays with whom, over every side swap.

Team A is who stood on side 1 (Axis) in the session's earliest valid round 1. Identity is the GUID.
Where a round gives no majority its newcomers stay open: a tie is never guessed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.rules.values import other_side

TEAM_A, TEAM_B = "A", "B"


@dataclass(frozen=True, slots=True)
class Lineup:
    """Who stood where in one valid round: GUID to side (1 Axis, 2 Allies)."""

    key: str
    number: int
    sides: Mapping[str, int]


def other_team(team: str) -> str:
    """A for B and back."""
    return TEAM_B if team == TEAM_A else TEAM_A


def assign_teams(lineups: Sequence[Lineup]) -> dict[str, str]:
    """The team of every player that can be told, by GUID. ``lineups``: the session's valid rounds in order.

    Newcomers join the team that holds the majority of their side; where nobody on it is known, the opponents of the
    team that holds the other side. On a tie they stay open until another round decides.
    """
    teams = _first_teams(lineups)
    while True:
        known = len(teams)
        for lineup in lineups:
            joins = {side: _team_of_newcomers(side, lineup.sides, teams) for side in (AXIS, ALLIES)}
            for guid, side in lineup.sides.items():
                if team := joins[side]:
                    teams.setdefault(guid, team)
        if len(teams) == known:
            return teams


def _first_teams(lineups: Sequence[Lineup]) -> dict[str, str]:
    first = next((lineup for lineup in lineups if lineup.number == 1), None)
    side_of_a = AXIS
    if first is None and lineups:
        first, side_of_a = lineups[0], ALLIES  # of a round 2: its Allies stood on side 1 in the missing round 1
    if first is None:
        return {}
    return {guid: TEAM_A if side == side_of_a else TEAM_B for guid, side in first.sides.items()}


def _team_of_newcomers(side: int, sides: Mapping[str, int], teams: Mapping[str, str]) -> str | None:
    known_beside_them = {guid: s for guid, s in sides.items() if s == side and guid in teams}
    return team_on_side(side, known_beside_them or sides, teams)


def team_on_axis(sides: Mapping[str, int], teams: Mapping[str, str]) -> str | None:
    """The team that stood on the Axis side, by the majority of known players; None on a tie or without any."""
    votes = 0
    for guid, side in sides.items():
        if guid in teams:
            votes += 1 if (teams[guid] == TEAM_A) == (side == AXIS) else -1
    return None if votes == 0 else TEAM_A if votes > 0 else TEAM_B


def team_on_side(side: int, sides: Mapping[str, int], teams: Mapping[str, str]) -> str | None:
    """The team that stood on ``side``; None when that can't be told."""
    axis_team = team_on_axis(sides, teams)
    return axis_team if axis_team is None or side == AXIS else other_team(axis_team)


def swapped(sides: Mapping[str, int]) -> dict[str, int]:
    """The sides of a match's other round: everybody changes."""
    return {guid: other_side(side) for guid, side in sides.items()}
