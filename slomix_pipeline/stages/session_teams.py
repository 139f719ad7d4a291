"""Stage 6: teams A and B of each session, by GUID, over the side swaps, and what they are called."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from slomix_pipeline.checks.outcomes import teams_outcome
from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.reports.markdown import Markdown, code, escape, table
from slomix_pipeline.rules.overrides import assign_decided_teams
from slomix_pipeline.rules.scoring import Half
from slomix_pipeline.rules.team_names import TeamName, name_teams
from slomix_pipeline.rules.teams import Lineup, SessionTeams, flag_text
from slomix_pipeline.stages.common import Conn, Done, Tools, by_server, sessions_stored
from slomix_pipeline.warehouse import matches, overrides, teams
from slomix_pipeline.warehouse.check_results import Outcome

_SHOWN = 20  # sessions in the metadata of a run over many


def session_teams(keys: Sequence[str], tools: Tools) -> Done:
    """Works out who played for team A and who for B in the sessions of these rounds, and what the teams are called."""
    found: dict[str, SessionTeams] = {}
    tables: dict[str, str] = {}
    flags: dict[str, list[str]] = {}
    outcomes: dict[str, Outcome] = {}
    for server, own in by_server(keys):
        with sessions_stored(tools, server, own) as (conn, session_keys):
            for session_key in session_keys:
                halves = matches.halves(conn, session_key)
                told = _told_teams(conn, session_key, halves)
                players = teams.players_of(conn, session_key)
                rosters = {team: {guid: players.get(guid, "") for guid in told.members(team)} for team in ("A", "B")}
                names = name_teams(rosters, teams.hold_known_teams(conn))
                teams.store_teams(conn, session_key, players, told, names)
                # One file can change the teams of every round of its session.
                outcomes.update({half.key: teams_outcome(half, told, players) for half in halves})
                found[session_key] = told
                tables[session_key] = _table(told, names, players)
                flags[session_key] = [flag_text(flag, players) for flag in told.flags]
    confidence = Counter(told.confidence for told in found.values())
    newest = sorted(found)[-_SHOWN:]
    totals = {
        "players": sum(len(told.team_of) + len(told.open) for told in found.values()),
        "open": sum(len(told.open) for told in found.values()),
        "confidence": ", ".join(f"{level} {count}" for level, count in sorted(confidence.items())) or "no session",
        "why": {key: list(found[key].reasons) for key in newest},
        "flags": {key: flags[key] for key in newest if flags[key]},
        "rosters": Markdown("\n\n".join(f"`{key}`\n\n{tables[key]}" for key in newest) or "none"),
    }
    return Done({"teams": outcomes}, totals)


def _told_teams(conn: Conn, session_key: str, halves: list[Half]) -> SessionTeams:
    lineups = [Lineup(half.key, half.number, half.sides) for half in halves if half.unscored_reason is None]
    decided = overrides.in_force(conn, server_of(session_key))
    return assign_decided_teams(lineups, decided, {half.key for half in halves})


def _table(told: SessionTeams, names: Mapping[str, TeamName], players: Mapping[str, str]) -> str:
    """Both rosters side by side, and who stays open, as Markdown."""
    columns = {names[team].shown: _listed(told.members(team), players) for team in ("A", "B")}
    if told.open:
        columns["open"] = _listed(told.open, players)
    return "\n".join(table(list(map(escape, columns)), zip_longest(*columns.values(), fillvalue="")))


def _listed(guids: Any, players: Mapping[str, str]) -> list[str]:
    return [
        f"{escape(players.get(guid) or '?')} {code(guid)}"
        for guid in sorted(guids, key=lambda g: (players.get(g, ""), g))
    ]
