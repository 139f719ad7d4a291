"""Stage 6: teams A and B of each session, by GUID, over the side swaps, and what they are called.

Does not belong here: who is in which team (``rules.teams``).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from slomix_pipeline.checks.outcomes import teams_outcome
from slomix_pipeline.reports.markdown import Markdown, code, escape, table
from slomix_pipeline.rules.scoring import Half
from slomix_pipeline.rules.session_result import teams_of
from slomix_pipeline.rules.team_names import name_teams
from slomix_pipeline.rules.teams import Team, flag_text
from slomix_pipeline.stages.common import Conn, Done, Tools, by_server, sessions_stored
from slomix_pipeline.warehouse import matches, overrides, teams
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.teams import Rosters

_SHOWN = 20  # sessions in the metadata of a run over many


def session_teams(keys: Sequence[str], tools: Tools) -> Done:
    """Works out who played for team A and who for B in the sessions of these rounds, and what the teams are called."""
    found: dict[str, Rosters] = {}
    outcomes: dict[str, Outcome] = {}
    for server, own in by_server(keys):
        with sessions_stored(tools, server, own) as (conn, session_keys):
            if not session_keys:
                continue
            halves = matches.halves_of(conn, session_keys)
            rosters = _rosters(conn, server, halves)
            teams.store_teams(conn, rosters)
            found |= rosters
            # One file can change the teams of every round of its session.
            outcomes |= {
                half.key: teams_outcome(half, rosters[key].teams, rosters[key].players)
                for key, rounds in halves.items()
                for half in rounds
            }
    told = [own.teams for own in found.values()]
    confidence = Counter(teams.confidence for teams in told)
    newest = {key: found[key] for key in sorted(found)[-_SHOWN:]}
    totals = {
        "players": sum(len(teams.team_of) + len(teams.open) for teams in told),
        "open": sum(len(teams.open) for teams in told),
        "confidence": ", ".join(f"{level} {count}" for level, count in sorted(confidence.items())) or "no session",
        "why": {key: list(own.teams.reasons) for key, own in newest.items()},
        "flags": {
            key: [flag_text(flag, own.players) for flag in own.teams.flags]
            for key, own in newest.items()
            if own.teams.flags
        },
        "rosters": Markdown("\n\n".join(f"`{key}`\n\n{_table(own)}" for key, own in newest.items()) or "none"),
    }
    return Done({CheckName.TEAMS: outcomes}, totals)


def _rosters(conn: Conn, server: str, halves: Mapping[str, Sequence[Half]]) -> dict[str, Rosters]:
    """Who plays for which team in sessions, by session, and what the teams are called. ``halves``: their rounds."""
    decisions = overrides.in_force(conn, server)
    players = teams.players_of(conn, list(halves))
    known = teams.hold_known_teams(conn)
    found = {}
    for key, rounds in halves.items():
        told = teams_of(rounds, decisions)
        members: dict[str, dict[str, str]] = {
            team: {guid: players[key].get(guid, "") for guid in told.members(team)} for team in Team
        }
        found[key] = Rosters(players[key], told, name_teams(members, known))
    return found


def _table(own: Rosters) -> str:
    """Both rosters side by side, and who stays open, as Markdown."""
    columns = {own.names[team].shown: _listed(own.teams.members(team), own.players) for team in Team}
    if own.teams.open:
        columns["open"] = _listed(own.teams.open, own.players)
    return "\n".join(table(list(map(escape, columns)), zip_longest(*columns.values(), fillvalue="")))


def _listed(guids: Any, players: Mapping[str, str]) -> list[str]:
    return [
        f"{escape(players.get(guid) or '?')} {code(guid)}"
        for guid in sorted(guids, key=lambda g: (players.get(g, ""), g))
    ]
