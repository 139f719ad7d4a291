"""Steps of the tests of teams: rounds as who stood on which side, and the teams they tell."""

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.rules.teams import (
    Lineup,
    SessionTeams,
    assign_teams,
    flag_text,
)


def lineup(axis: str, allies: str, number: int = 1, key: str = "r") -> Lineup:
    """Who stood where; players are single letters."""
    return Lineup(key, number, dict.fromkeys(axis, AXIS) | dict.fromkeys(allies, ALLIES))


def rosters(teams: SessionTeams) -> tuple[str, ...]:
    """The members of A and of B, in alphabetical order."""
    return tuple("".join(sorted(teams.members(team))) for team in "AB")


def teams_of(*lineups: Lineup) -> tuple[str, ...]:
    return rosters(assign_teams(lineups))


def played(*sides: str) -> list[Lineup]:
    """Rounds 1 and 2 by turns, from texts like ``abc xyz``: Axis and Allies."""
    texts = [text.split() for text in sides]
    return [lineup(axis, allies, 1 + i % 2, f"r{i}") for i, (axis, allies) in enumerate(texts)]


def flags_of(*sides: str) -> list[str]:
    """The flags in words, with their rounds."""
    return [f"{flag_text(flag, {})} [{' '.join(flag.rounds)}]" for flag in assign_teams(played(*sides)).flags]
