"""The commands that have commands of their own: ``lua``, ``team``, ``override``. Arguments, tables and exit codes.

Does not belong here: the other commands (``main``; who is who: ``identity``), and what a command does (``actions``).
"""

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from rich.table import Table

from slomix_pipeline.cli.terminal import (
    Commands,
    clear_errors,
    database_of,
    not_here,
    out,
    print_findings,
    print_json,
    progress_bar,
    read_settings,
    server_named,
)
from slomix_pipeline.rules.overrides import COUNTS, CUT, DOES_NOT_COUNT, JOIN, NOT_COUNTED, decided_text
from slomix_pipeline.rules.teams import OPEN, Team

if TYPE_CHECKING:
    from slomix_pipeline.actions.overriding import Finder
    from slomix_pipeline.gameserver.source import GameServer
    from slomix_pipeline.settings import Settings


@click.group(cls=Commands)
def lua() -> None:
    """The scripts on the game server: compare them with ours, copy ours there."""


_of_server = click.option("--server", help="Id of the game server.  [default: the one there is]")


@lua.command(name="status")
@_of_server
def lua_status(server: str | None) -> None:
    """Compare the scripts on the game server with ours.

    Exit code 0 when everything that should be there is there and the same, else 1.
    """
    with clear_errors():
        from slomix_pipeline.actions import lua_scripts
        from slomix_pipeline.gameserver.choose import open_game_server

        settings = _settings_of(server)
        with open_game_server(settings) as there:
            findings = list(lua_scripts.status(there, settings.scripts_folder))
            out.print(_scripts_of(there, settings.scripts_folder), soft_wrap=True)
            print_findings(findings)


@lua.command(name="deploy")
@click.argument("names", nargs=-1, metavar="[SCRIPT]...")
@click.option("--yes", is_flag=True, help="Do it; without this it is only said what would be done.")
@_of_server
def lua_deploy(names: tuple[str, ...], yes: bool, server: str | None) -> None:
    """Copy our scripts to the game server.

    Without names: the timing script, and others of ours that lie there, as far as they differ. What is replaced
    is kept beside; slomix_config.lua is never touched.
    """
    with clear_errors():
        from slomix_pipeline.actions import lua_scripts
        from slomix_pipeline.gameserver.choose import open_game_server

        settings = _settings_of(server)
        folder = settings.scripts_folder
        with open_game_server(settings) as there:
            try:
                steps = lua_scripts.plan(there, folder, names, datetime.now(UTC))
            except lua_scripts.UnknownScript as error:
                not_here(error)
            out.print(_scripts_of(there, folder), soft_wrap=True)
            for step in steps:
                if yes:
                    lua_scripts.carry_out(there, folder, step)
                out.print("done: " if yes else "would ", step.describe(), sep="", soft_wrap=True)
        if not steps:
            out.print("Nothing to do: what should be there is the same.")
        elif yes:
            for line in lua_scripts.AFTERWARDS.split("\n"):
                out.print(line, soft_wrap=True)
        else:
            out.print("Nothing was changed. To do it, run this again with --yes.")


def _settings_of(server: str | None) -> "Settings":
    settings = read_settings()
    return settings.of_server(server_named(settings, server))


def _scripts_of(server: "GameServer", folder: str) -> str:
    return f"Scripts in {folder!r} of {server.describe()}"


@click.group(cls=Commands)
def team() -> None:
    """Teams that are known by name: a session's team gets the name when most of its players are of it."""


@team.command(name="name")
@click.argument("name")
@click.argument("guids", nargs=-1, required=True, metavar="GUID...")
@click.option("--colour", metavar="HEX", help="Of its messages, such as 3498DB.  [default: that of Team A or B]")
def team_name(name: str, guids: tuple[str, ...], colour: str | None) -> None:
    """Remember the team NAME with the players of these GUIDs, in place of what was known under this name."""
    with clear_errors():
        from slomix_pipeline.actions import teams

        try:
            known = teams.read_team(name, guids, colour)
        except teams.NoTeam as error:
            not_here(error)
        with progress_bar() as progress:
            renamed = teams.name_team(read_settings(), known, progress)
        out.print(f"{known.name}: {len(known.guids)} players; sessions named anew: {renamed}")


@team.command(name="list")
def team_list() -> None:
    """List the known teams with their players."""
    with clear_errors():
        from slomix_pipeline.actions import teams

        listed = teams.list_teams(read_settings())
        table = Table("team", "colour", "players", box=None)
        for row in listed:
            colour = "" if row.team.colour is None else f"#{row.team.colour:06X}"
            players = ", ".join(f"{guid} {name}".rstrip() for guid, name in row.players.items())
            table.add_row(row.team.name, colour, players)
        out.print(table if listed else "No team is known by name; slomix team name NAME GUID... makes one known.")


@team.command(name="forget")
@click.argument("name")
def team_forget(name: str) -> None:
    """Forget the team NAME; its sessions are named without it again."""
    with clear_errors():
        from slomix_pipeline.actions import teams

        with progress_bar() as progress:
            try:
                renamed = teams.forget_team(read_settings(), name, progress)
            except teams.NoTeam as error:
                not_here(error)
        out.print(f"{name} is forgotten; sessions named anew: {renamed}")


WHY = click.option("--why", required=True, metavar="TEXT", help="The reason, for everybody who asks later.")
BY = click.option("--by", "made_by", metavar="NAME", help="Who decides.  [default: your login name]")


@click.group(cls=Commands)
def override() -> None:
    """Decide otherwise than the rules: kept with who, when and why, and said wherever it shows."""


@override.command(name="team")
@click.argument("session")
@click.argument("player")
@click.argument("value", metavar="TEAM", type=click.Choice([*Team, OPEN]))
@WHY
@BY
def override_team(session: str, player: str, value: str, why: str, made_by: str | None) -> None:
    """Say for which TEAM (A, B, open) PLAYER, a GUID or a name, played in SESSION."""
    from slomix_pipeline.actions.overriding import team_of_player

    _decide(team_of_player(session, player, value), why, made_by)


@override.command(name="winner")
@click.argument("round_", metavar="ROUND")
@click.argument("value", metavar="WINNER", type=click.Choice(["A", "B", "draw", "none"]))
@WHY
@BY
def override_winner(round_: str, value: str, why: str, made_by: str | None) -> None:
    """Say who won the match of ROUND: A, B, draw, or none (not counted)."""
    from slomix_pipeline.actions.overriding import winner_of_match

    _decide(winner_of_match(round_, NOT_COUNTED if value == "none" else value), why, made_by)


@override.command(name="round")
@click.argument("round_", metavar="ROUND")
@click.argument("value", metavar="IN_OR_OUT", type=click.Choice(["in", "out"]))
@WHY
@BY
def override_round(round_: str, value: str, why: str, made_by: str | None) -> None:
    """Say whether ROUND counts, in scores and in totals: in or out."""
    from slomix_pipeline.actions.overriding import round_counts

    _decide(round_counts(round_, COUNTS if value == "in" else DOES_NOT_COUNT), why, made_by)


@override.command(name="pair")
@click.argument("first", metavar="ROUND_1")
@click.argument("second", metavar="ROUND_2")
@WHY
@BY
def override_pair(first: str, second: str, why: str, made_by: str | None) -> None:
    """Say that ROUND_2, which was played as a round 1, was the round 2 of ROUND_1.

    Seen where a server died in a round 2 and the half was played again with its limit set by hand.
    """
    from slomix_pipeline.actions.overriding import halves_of_a_match

    _decide(halves_of_a_match(first, second), why, made_by)


@override.command(name="session")
@click.argument("round_", metavar="ROUND")
@click.argument("value", metavar="CUT_OR_JOIN", type=click.Choice([CUT, JOIN]))
@WHY
@BY
def override_session(round_: str, value: str, why: str, made_by: str | None) -> None:
    """Say that a new session begins with ROUND (cut), or that it goes on with the session before (join)."""
    from slomix_pipeline.actions.overriding import session_boundary

    _decide(session_boundary(round_, value), why, made_by)


@override.command(name="list")
@click.option("--all", "also_revoked", is_flag=True, help="Also those that were taken back.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def override_list(also_revoked: bool, as_json: bool) -> None:
    """List the decisions, oldest first."""
    with clear_errors():
        from slomix_pipeline.warehouse import overrides

        with database_of(read_settings()).connect() as conn:
            rows = overrides.listed(conn, also_revoked=also_revoked)
        if as_json:
            print_json([asdict(row) for row in rows])
            return
        table = Table("#", "about", "decided", "by", "when (UTC)", "why", "taken back", box=None)
        for row in rows:
            back = "" if row.revoked_at is None else f"by {row.revoked_by}: {row.revoked_reason}"
            cells = (
                str(row.id),
                f"{row.kind} {row.guid or ''} {row.round_key}",
                decided_text(row.kind, row.value),
                row.made_by,
                row.made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M"),
                row.reason,
                back,
            )
            table.add_row(*cells)
        out.print(table if rows else "Nobody decided anything otherwise than the rules.")


@override.command(name="revoke")
@click.argument("number", type=int)
@WHY
@BY
def override_revoke(number: int, why: str, made_by: str | None) -> None:
    """Take decision NUMBER back; the rules decide again."""
    with clear_errors():
        from slomix_pipeline.actions import overriding

        with progress_bar() as progress:
            try:
                row = overriding.take_back(read_settings(), number, why, made_by or getpass.getuser(), progress)
            except overriding.CantDecide as error:
                not_here(error)
        out.print(f"Decision {number} ({row.kind}: {row.value}) is taken back.")


def _decide(finder: "Finder", why: str, made_by: str | None) -> None:
    with clear_errors():
        from slomix_pipeline.actions import overriding
        from slomix_pipeline.reports import receipts

        with progress_bar() as progress:
            try:
                number = overriding.decide(read_settings(), finder, why, made_by or getpass.getuser(), progress)
            except (overriding.CantDecide, receipts.NotFound) as error:
                not_here(error)
        out.print(f"Decision {number} is in force; slomix override revoke {number} takes it back.")
