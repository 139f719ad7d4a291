"""``slomix team``: the teams that are known by name, and naming past sessions anew when they change.

Belongs here: reading what was typed, refusing what can't be a team, working out the sessions concerned.
Does not belong here: which session's team gets a name (``rules.team_names``), keeping them (``warehouse.teams``).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from slomix_pipeline.actions.reworking import work_out_anew
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.rules.team_names import NAME_LENGTH, KnownTeam
from slomix_pipeline.runtime.home import open_database
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import Progress
from slomix_pipeline.warehouse import teams
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.rework import stale_rounds
from slomix_pipeline.warehouse.rework_causes import Cause


class NoTeam(SlomixError):
    """What was typed is no team; the text says why."""


@dataclass(frozen=True)
class ListedTeam:
    """A known team with the names of those players who were seen, by GUID."""

    team: KnownTeam
    players: dict[str, str]


def read_team(name: str, guids: Iterable[str], colour: str | None) -> KnownTeam:
    """A known team as typed. ``colour``: ``3498DB``, with or without ``#``.

    Raises:
        NoTeam: the name is too short or too long, a GUID or the colour is none.
    """
    cleaned = clean_name(name)
    if len(cleaned) not in NAME_LENGTH:
        raise NoTeam(f"{name!r}: a team's name has {NAME_LENGTH.start} to {NAME_LENGTH.stop - 1} characters")
    players = {guid.upper() for guid in guids}
    if wrong := sorted(guid for guid in players if not re.fullmatch(r"[0-9A-F]{8}", guid)):
        raise NoTeam(f"{wrong[0]!r} is no GUID: 8 characters 0-9, A-F, as slomix export shows them")
    if colour is not None and not re.fullmatch(r"#?[0-9A-Fa-f]{6}", colour):
        raise NoTeam(f"{colour!r} is no colour: write it as 3498DB")
    return KnownTeam(cleaned, None if colour is None else int(colour.lstrip("#"), 16), frozenset(players))


def name_team(settings: Settings, team: KnownTeam, progress: Progress) -> int:
    """Remembers a team in place of what was known under its name. Returns how many sessions were named anew."""
    database = open_database(settings)
    with database.transaction() as conn:
        teams.remember_team(conn, team)
    return _name_sessions_anew(settings, database, progress)


def forget_team(settings: Settings, name: str, progress: Progress) -> int:
    """Forgets a team. Returns how many sessions were named anew.

    Raises:
        NoTeam: there is none of this name.
    """
    database = open_database(settings)
    with database.transaction() as conn:
        if not teams.forget_team(conn, clean_name(name)):
            raise NoTeam(f"no team is known as {name!r}; slomix team list shows them")
    return _name_sessions_anew(settings, database, progress)


def list_teams(settings: Settings) -> list[ListedTeam]:
    """The known teams, by name."""
    with open_database(settings).connect() as conn:
        known = teams.known_teams(conn)
        names = teams.player_names(conn, {guid for team in known for guid in team.guids})
    return [ListedTeam(team, {guid: names.get(guid, "") for guid in sorted(team.guids)}) for team in known]


def _name_sessions_anew(settings: Settings, database: Database, progress: Progress) -> int:
    """Works out the sessions whose names the change concerns; messages that are wrong now are corrected."""
    with database.connect() as conn:
        keys = [stale.round_key for stale in stale_rounds(conn, settings, causes=[Cause.TEAMS_RENAMED])]
    work_out_anew(settings, database, keys, progress)
    return len(keys)
