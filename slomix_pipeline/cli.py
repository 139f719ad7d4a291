"""The command line: arguments, tables and exit codes. What a command does lives in ``commands``.

Modules that take time to load are imported by the command that needs them.
"""

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from slomix_pipeline.commands.findings import Finding
    from slomix_pipeline.gameserver.source import GameServer
    from slomix_pipeline.warehouse.database import Database

# Piped output has no width: lines stay whole there.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """From the files of an ET:Legacy stopwatch server to results that players believe."""
    logging.getLogger("dagster").setLevel(logging.ERROR)


@main.command()
@click.option("--seed", default=3, show_default=True, help="Which evening is played.")
@click.option("--through-lua", is_flag=True, help="Have its files written by our game-side scripts; needs lupa.")
def demo(seed: int, through_lua: bool) -> None:
    """Play one simulated evening through the whole pipeline, without waiting."""
    with _clear_errors():
        from slomix_pipeline.commands.demo import play_demo

        with _progress() as progress:
            result = play_demo(_settings(), progress, seed, through_lua=through_lua)
        _print_session(result.session)
        out.print(f"\n{result.messages} messages on the stand-in: {result.page}")
        verdict = "did not all pass" if result.complaints else "all passed"
        out.print(f"Checks that warned: {result.warnings}; those that must pass {verdict}")
        out.print(f"Look at it with: SLOMIX_HOME={result.home} slomix sessions   (or: export latest, files)")
        for complaint in result.complaints:
            err.print(f"[red]{complaint}[/red]")
        sys.exit(1 if result.complaints else 0)


@main.command()
@click.option("--seed", default=3, show_default=True, help="Which evening is played when there is no game server.")
def run(seed: int) -> None:
    """Run the pipeline: Dagster, PostgreSQL, and without a game server a simulated evening."""
    import signal

    with _clear_errors():
        from slomix_pipeline.commands.running import run as run_everything

        for signal_number in (signal.SIGTERM, signal.SIGINT):  # a background job starts with the latter ignored
            signal.signal(signal_number, signal.default_int_handler)
        try:
            run_everything(_settings(), out.print, seed)
        except KeyboardInterrupt:
            out.print("Stopped.")


@main.command(name="import")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--server", help="Id of the game server the files are from.  [default: SLOMIX_SERVER]")
@click.option("--timezone", help="Time zone of the files' stamps.  [default: SLOMIX_TIMEZONE]")
@click.option("--publish", is_flag=True, help="Announce the results on Discord; else only what was said is corrected.")
def import_(directory: Path, server: str | None, timezone: str | None, publish: bool) -> None:
    """Ingest all game files below DIRECTORY."""
    with _clear_errors():
        from slomix_pipeline.commands.importing import import_into_home

        given = {"server": server, "timezone": timezone}
        settings = _settings(**{name: value for name, value in given.items() if value})
        with _progress() as progress:
            summary = import_into_home(settings, directory, timezone, publish, progress)
        out.print(f"Found {summary.found} game files below {directory}")
        out.print(
            f"  ingested {summary.ingested}, already known {summary.known}, quarantined {len(summary.quarantined)}, "
            f"waiting for their round {summary.waiting}, linked to timing {summary.linked}"
        )
        for name, reason in summary.quarantined:
            out.print(f"  [red]quarantined[/red] {name}: {reason}", soft_wrap=True)
        for name, reason in summary.skipped:
            out.print(f"  [yellow]skipped[/yellow] {name}: {reason}", soft_wrap=True)
        if summary.left_aside:
            few = ", ".join(summary.left_aside[:3]) + (" …" if len(summary.left_aside) > 3 else "")
            out.print(
                f"  left aside, not files of a kind that is read: {len(summary.left_aside)} ({few})", soft_wrap=True
            )
        out.print(f"  sessions touched: {len(summary.sessions)}")
        if summary.sessions:
            _print_sessions(settings, only=set(summary.sessions))
        sys.exit(0 if summary.ingested + summary.known + summary.waiting else 1)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def sessions(as_json: bool) -> None:
    """List gaming sessions, oldest first."""
    with _clear_errors():
        _print_sessions(_settings(), as_json=as_json)


@main.command()
@click.argument("session")
def export(session: str) -> None:
    """Print SESSION (a key, or latest) as JSON."""
    with _clear_errors():
        from slomix_pipeline.commands.exporting import session_as_json
        from slomix_pipeline.warehouse.reading import resolve_session

        with _database(_settings()).connect() as conn:
            key = resolve_session(conn, session)
            if key is None:
                err.print(f"There is no session {session!r}; slomix sessions lists them.")
                sys.exit(2)
            if session not in ("latest", key):
                err.print(f"{session} was merged into {key}")
            click.echo(json.dumps(session_as_json(conn, key), indent=2, ensure_ascii=False))


@main.command()
@click.option("--status", help="Only this status: listed, requested, ingested, known or quarantined.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def files(status: str | None, as_json: bool) -> None:
    """List the files that were seen, with what became of them and why."""
    with _clear_errors():
        from slomix_pipeline.warehouse.files import STATUSES, list_files

        if status is not None and status not in STATUSES:
            raise click.BadParameter(f"one of {', '.join(STATUSES)}", param_hint="--status")
        with _database(_settings()).connect() as conn:
            rows = list_files(conn, status)
        if as_json:
            click.echo(json.dumps(rows, indent=2, default=str))
            return
        table = Table(box=None)
        for column in ("server", "name", "kind", "status", "reason"):
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(row["server"], row["name"], row["kind"], row["status"], row["reason"] or "")
        out.print(table)
        out.print(f"{len(rows)} files")


@main.command()
@click.argument("round_", metavar="ROUND")
@click.option("--player", metavar="GUID", help="Also his numbers, field by field; the first 4 characters are enough.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def explain(round_: str, player: str | None, as_json: bool) -> None:
    """Show what stands behind ROUND (a key, a file's name, its stamp, or latest): file, pairing, rules, checks."""
    with _clear_errors():
        from slomix_pipeline.commands import explaining
        from slomix_pipeline.commands.receipt_text import print_receipt

        settings = _settings()
        try:
            receipt = explaining.explain(_database(settings), settings, round_, player, datetime.now(UTC))
        except explaining.NotFound as error:
            _not_here(error)
        if as_json:
            click.echo(json.dumps(receipt, indent=2, ensure_ascii=False))
        else:
            print_receipt(out, receipt)


@main.command()
@click.option("--server", help="Only this game server.  [default: all]")
@click.option("--since", metavar="YYYY-MM", default="", help="Only from this month on.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead.")
def audit(server: str | None, since: str, output: Path | None) -> None:
    """Report, in Markdown, what is missing, what does not count and which checks did not pass."""
    with _clear_errors():
        from slomix_pipeline.commands import auditing

        if since and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", since):
            raise click.BadParameter("a month such as 2026-02", param_hint="--since")
        settings = _settings()
        try:
            text = auditing.report(_database(settings), settings, server, since, datetime.now(UTC))
        except auditing.UnknownServer as error:
            _not_here(error)
        if output is None:
            click.echo(text, nl=False)
        else:
            output.write_text(text, "utf-8")
            err.print(f"written to {output}", markup=False, soft_wrap=True)


@main.command()
def doctor() -> None:
    """Check settings, database, game server, Discord; say what to do about what is wrong."""
    with _clear_errors():
        from slomix_pipeline.commands.doctor import examine

        _print_findings(examine(_settings()))


@main.group()
def lua() -> None:
    """The scripts on the game server: compare them with ours, copy ours there."""


@lua.command(name="status")
def lua_status() -> None:
    """Compare the scripts on the game server with ours.

    Exit code 0 when everything that should be there is there and the same, else 1.
    """
    with _clear_errors():
        from slomix_pipeline.commands import lua_scripts
        from slomix_pipeline.gameserver.choose import open_game_server

        settings = _settings()
        with open_game_server(settings) as server:
            findings = list(lua_scripts.status(server, settings.scripts_folder))
            out.print(_scripts_of(server, settings.scripts_folder), markup=False, soft_wrap=True)
            _print_findings(findings)


@lua.command(name="deploy")
@click.argument("names", nargs=-1, metavar="[SCRIPT]...")
@click.option("--yes", is_flag=True, help="Do it; without this it is only said what would be done.")
def lua_deploy(names: tuple[str, ...], yes: bool) -> None:
    """Copy our scripts to the game server.

    Without names: the timing script, and others of ours that lie there, as far as they differ. What is replaced
    is kept beside; slomix_config.lua is never touched.
    """
    with _clear_errors():
        from slomix_pipeline.commands import lua_scripts
        from slomix_pipeline.gameserver.choose import open_game_server

        settings = _settings()
        folder = settings.scripts_folder
        with open_game_server(settings) as server:
            try:
                steps = lua_scripts.plan(server, folder, names, datetime.now(UTC))
            except lua_scripts.UnknownScript as error:
                _not_here(error)
            out.print(_scripts_of(server, folder), markup=False, soft_wrap=True)
            for step in steps:
                if yes:
                    lua_scripts.carry_out(server, folder, step)
                out.print("done: " if yes else "would ", step.describe(), sep="", markup=False, soft_wrap=True)
        if not steps:
            out.print("Nothing to do: what should be there is the same.")
        elif yes:
            out.print(lua_scripts.AFTERWARDS, markup=False, soft_wrap=True)
        else:
            out.print("Nothing was changed. To do it, run this again with --yes.")


def _settings(**overrides: Any) -> Settings:
    try:
        return load_settings(**overrides)
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            err.print(f"SLOMIX_{name}: {problem['msg']}" if name else problem["msg"])
        sys.exit(2)


def _scripts_of(server: "GameServer", folder: str) -> str:
    return f"Scripts in {folder!r} of {server.describe()}"


def _print_findings(findings: "Iterable[Finding]") -> NoReturn:
    """Ends with exit code 0 when all is fine, else 1."""
    wrong = 0
    for finding in findings:
        mark = "[green]ok[/green]   " if finding.fine else "[red]wrong[/red]"
        out.print(f"{mark} {escape(finding.what)}: {escape(finding.text)}", soft_wrap=True)
        wrong += not finding.fine
    sys.exit(1 if wrong else 0)


def _database(settings: Settings) -> "Database":
    from slomix_pipeline.commands.home import open_database

    return open_database(settings)


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Turns the errors people can do something about into one line; anything else is a bug and shows its trace."""
    try:
        yield
    except (SlomixError, FileExistsError, PermissionError) as error:
        err.print(f"slomix: {error}", soft_wrap=True)
        sys.exit(1)


def _not_here(error: SlomixError) -> NoReturn:
    """Ends with exit code 2: what was named is not here."""
    err.print(f"slomix: {error}", markup=False, soft_wrap=True)
    sys.exit(2)


@contextmanager
def _progress() -> Iterator[Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("starting", total=1)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)


def _print_sessions(settings: Settings, *, as_json: bool = False, only: set[str] | None = None) -> None:
    from slomix_pipeline.commands.exporting import sessions_as_json

    with _database(settings).connect() as conn:
        found = [session for session in sessions_as_json(conn) if only is None or session["key"] in only]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    table = Table(box=None)
    for column in ("session", "ended (UTC)", "rounds", "matches", "A", "B", "draws", "not counted"):
        table.add_column(column, no_wrap=True)
    for session in found:
        score = session["score"]
        counts = (session["rounds"], session["matches"], score["A"], score["B"], score["draws"], score["not_counted"])
        table.add_row(session["key"], session["ended_at"].replace("T", " ").rstrip("Z"), *map(str, counts))
    out.print(table)


def _print_session(session: Any) -> None:
    if not session:
        return
    score = session["score"]
    out.print(f"Session {session['session']['key']}: Team A {score['A']} - {score['B']} Team B, {score['draws']} drawn")
    table = Table("#", "map", "winner", "status", "source", "why", box=None)
    for match in session["matches"]:
        winner = match["winner"] or "not counted"
        table.add_row(
            str(match["order"]), match["map"], winner, match["status"], match["source"] or "", match["reason"]
        )
    out.print(table)
