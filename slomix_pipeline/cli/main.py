"""The command line: arguments, tables and exit codes. What a command does lives in ``actions``,
``reports`` and ``runtime``.

Modules that take time to load are imported by the command that needs them.
"""

import io
import logging
import re
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from slomix_pipeline.cli import backups, careers, insight
from slomix_pipeline.cli.discord_commands import discord
from slomix_pipeline.cli.groups import lua, override, team
from slomix_pipeline.cli.health import doctor, report
from slomix_pipeline.cli.identity import identity
from slomix_pipeline.cli.posting import post
from slomix_pipeline.cli.terminal import (
    Commands,
    clear_errors,
    database_of,
    err,
    not_here,
    out,
    print_json,
    print_lines,
    print_markdown,
    progress_bar,
    read_settings,
    server_named,
    session_key,
)
from slomix_pipeline.rules.score_policies import POLICIES
from slomix_pipeline.settings import Settings

if TYPE_CHECKING:
    from slomix_pipeline.actions.importing import Summary


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """From the files of an ET:Legacy stopwatch server to results that players believe."""
    for name in ("dagster", "psycopg"):  # the latter warns of what Ctrl-C breaks off
        logging.getLogger(name).setLevel(logging.ERROR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character still gets the line
            stream.reconfigure(errors="backslashreplace")


_GROUPS = (discord, doctor, identity, lua, override, post, report, team)
for command in (*backups.COMMANDS, *careers.COMMANDS, *insight.COMMANDS, *_GROUPS):
    main.add_command(command)


@main.command()
@click.option("--seed", default=3, show_default=True, help="Which evening is played.")
@click.option("--through-lua", is_flag=True, help="Play a rough one, written by our game-side scripts; needs lupa.")
def demo(seed: int, through_lua: bool) -> None:
    """Play one simulated evening through the whole pipeline, without waiting."""
    with clear_errors():
        from slomix_pipeline.actions.demo import play_demo

        with progress_bar() as progress:
            result = play_demo(read_settings(), progress, seed, through_lua=through_lua)
        _print_session(result.session)
        out.print()
        out.print(f"{result.messages} messages on the stand-in: {result.page}")
        verdict = "did not all pass" if result.complaints else "all passed"
        out.print(f"Checks that warned: {result.warnings}; those that must pass {verdict}")
        out.print(f"Look at it with: SLOMIX_HOME={result.home} slomix sessions   (or: export latest, files)")
        for complaint in result.complaints:
            err.print(complaint, style="red")
        sys.exit(1 if result.complaints else 0)


@main.command()
@click.option("--seed", default=3, show_default=True, help="Which evening is played when there is no game server.")
def run(seed: int) -> None:
    """Run the pipeline: Dagster, PostgreSQL, and without a game server a simulated evening."""
    import signal

    with clear_errors():
        from slomix_pipeline.runtime.supervisor import run as run_everything

        for signal_number in (signal.SIGTERM, signal.SIGINT):  # a background job starts with the latter ignored
            signal.signal(signal_number, signal.default_int_handler)
        try:
            run_everything(read_settings(), out.print, seed)
        except KeyboardInterrupt:
            out.print("Stopped.")


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), help="0: any free one.  [default: SLOMIX_SITE_PORT]")
@click.option("--export", type=click.Path(file_okay=False, path_type=Path), help="Write them as files there instead.")
def site(port: int | None, export: Path | None) -> None:
    """Serve the public pages of this home, which slomix run serves too; or write a copy of them into a folder."""
    with clear_errors():
        if export is not None:
            _export_site(export)
            return
        from slomix_pipeline.runtime.home import open_database
        from slomix_pipeline.runtime.supervisor import free_port
        from slomix_pipeline.site.serving import serve
        from slomix_pipeline.site.settings import site_settings
        from slomix_pipeline.warehouse.database import DatabaseUnavailable
        from slomix_pipeline.warehouse.link_requests import noting_url
        from slomix_pipeline.warehouse.site_store import reading_url

        settings = read_settings()
        try:
            open_database(settings)
        except DatabaseUnavailable as error:  # pages say so, too, until it is back
            err.print(f"slomix: {error}", soft_wrap=True)
        at = free_port(settings.site_port if port is None else port)
        out.print(f"Public pages     http://127.0.0.1:{at}")
        reading = reading_url(settings)
        serve(site_settings(settings, reading, noting_url(settings), at), reading, at)


def _export_site(folder: Path) -> None:
    from slomix_pipeline.actions.copy_site import copy_site

    settings = read_settings()
    database_of(settings)
    with progress_bar() as progress:
        summary = copy_site(settings, folder, progress)
    out.print(f"{summary.files} files in {folder}; open {folder / 'index.html'}", soft_wrap=True)
    if summary.removed:
        out.print(f"{summary.removed} of an earlier copy taken away")
    for name in summary.left:
        err.print(f"left as it is, somebody changed it: {name}", soft_wrap=True)
    for name in summary.missed:
        err.print(f"not in the copy, its page can't be made: {name}", soft_wrap=True)
    if not summary.is_whole:
        sys.exit(1)


@main.command(name="import")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--server", help="Id of the game server the files are from.  [default: the one there is]")
@click.option("--timezone", help="Time zone of the files' stamps.  [default: that server's]")
@click.option("--publish", is_flag=True, help="Announce the results on Discord; else only what was said is corrected.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
def import_(directory: Path, server: str | None, timezone: str | None, publish: bool, as_json: bool) -> None:
    """Ingest all game files below DIRECTORY."""
    began = time.monotonic()
    with clear_errors():
        settings = read_settings(**({"timezone": timezone} if timezone else {}))
        server = server_named(settings, server)
        try:
            from slomix_pipeline.actions.importing import import_into_home

            with progress_bar() as progress:
                summary = import_into_home(settings, server, directory, timezone, publish, progress)
        except KeyboardInterrupt as stop:
            err.print(str(stop) or "Stopped before anything was imported.", soft_wrap=True)
            sys.exit(130)
        if as_json:
            print_json(summary.as_json() | {"seconds": round(time.monotonic() - began, 1)})
        else:
            _print_summary(settings, directory, summary)
        sys.exit(0 if summary.ingested + summary.known else 1)


def _print_summary(settings: Settings, directory: Path, summary: "Summary") -> None:
    out.print(f"Found {summary.found} game files below {directory}", soft_wrap=True)
    out.print(
        f"  ingested {summary.ingested}, already known {summary.known}, quarantined {len(summary.quarantined)}, "
        f"waiting for their round {summary.waiting}, linked to timing {summary.linked}"
    )
    if summary.resumed:
        out.print(f"  of these, left unfinished by an earlier import or run: {summary.resumed}")
    if summary.renewed:
        out.print(f"  rounds known before that were worked out again: {summary.renewed}")
    if summary.unannounced:
        out.print(
            f"  not announced, as an interrupted import with --publish would have done: {summary.unannounced} rounds; "
            "give --publish again to announce them",
            soft_wrap=True,
        )
    if off := summary.zone_off_by:
        hours, where = abs(off).total_seconds() / 3600, "after" if off > timedelta() else "before"
        out.print(
            f"  the stamps lie {hours:g} h {where} their timing records, so none was linked: is the time zone of the "
            "stamps another? Import again with the right --timezone",
            style="yellow",
            soft_wrap=True,
        )
    for name, reason in summary.quarantined:
        out.print(Text("  quarantined", "red"), f"{name}: {reason}", soft_wrap=True)
    for name, reason in summary.skipped:
        out.print(Text("  skipped", "yellow"), f"{name}: {reason}", soft_wrap=True)
    if summary.left_aside:
        few = ", ".join(summary.left_aside[:3]) + (" …" if len(summary.left_aside) > 3 else "")
        out.print(f"  left aside, not files of a kind that is read: {len(summary.left_aside)} ({few})", soft_wrap=True)
    out.print(f"  sessions touched: {len(summary.sessions)}")
    if summary.sessions:
        _print_sessions(settings, only=set(summary.sessions))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def sessions(as_json: bool) -> None:
    """List gaming sessions, oldest first."""
    with clear_errors():
        _print_sessions(read_settings(), as_json=as_json)


@main.command()
@click.argument("session")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV: a line per player and round.")
def export(session: str, as_csv: bool) -> None:
    """Print SESSION (a key, or latest) as JSON; its schema is in docs/session.schema.json."""
    with clear_errors():
        from slomix_pipeline.reports.export import session_as_csv, session_as_json

        settings = read_settings()
        database = database_of(settings)
        key = session_key(database, session)
        with database.snapshot() as conn:
            exported = session_as_json(conn, settings, key)
        if as_csv:
            print_lines(session_as_csv(exported), "\r\n")
        else:
            print_json(exported)


@main.command()
@click.option("--policy", required=True, type=click.Choice(list(POLICIES)), help="The other score policy.")
@click.option("--session", help="Only this session (a key, or latest).")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def whatif(policy: str, session: str | None, as_json: bool) -> None:
    """Score all history by another policy beside the published one. Nothing is changed."""
    with clear_errors():
        from slomix_pipeline.reports import whatif as other

        database = database_of(read_settings())
        compared = other.compare(database, policy, session and session_key(database, session))
        if as_json:
            print_json(other.as_json(compared, policy))
        else:
            other.print_comparison(out, compared, policy)


@main.command()
@click.option("--status", help="Only this status: listed, requested, ingested, known or quarantined.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def files(status: str | None, as_json: bool) -> None:
    """List the files that were seen, with what became of them and why."""
    with clear_errors():
        from slomix_pipeline.rules.values import FileStatus
        from slomix_pipeline.warehouse.files import list_files

        if status is not None and status not in set(FileStatus):
            raise click.BadParameter(f"one of {', '.join(FileStatus)}", param_hint="--status")
        with database_of(read_settings()).connect() as conn:
            rows = list_files(conn, None if status is None else FileStatus(status))
        if as_json:
            print_json([asdict(row) for row in rows])
            return
        table = Table(box=None)
        for column in ("server", "name", "kind", "status", "reason"):
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(row.server, row.name, row.kind, row.status, row.reason or "")
        out.print(table)
        out.print(f"{len(rows)} files")


@main.command()
@click.argument("what", metavar="ROUND_OR_SESSION")
@click.option("--player", metavar="GUID", help="Also his numbers, field by field; the first 4 characters are enough.")
@click.option("--session", "of_session", is_flag=True, help="A session is meant: its key, or latest.")
@click.option("--json", "as_json", is_flag=True, help="As JSON (a round's receipt).")
def explain(what: str, player: str | None, of_session: bool, as_json: bool) -> None:
    """Show what stands behind a ROUND (a key, a file's name, its stamp, or latest): file, pairing, rules, checks; or
    behind a SESSION (its key, or --session latest): teams, every match with sides, times and who decided it."""
    with clear_errors():
        from slomix_pipeline.reports import receipts
        from slomix_pipeline.reports.receipt_text import print_receipt
        from slomix_pipeline.warehouse.results import is_session

        settings = read_settings()
        database = database_of(settings)
        with database.connect() as conn:
            of_session = of_session or is_session(conn, what)
        if of_session:
            if player or as_json:
                raise click.UsageError("--player and --json are for a round; slomix export has a session as JSON")
            print_markdown(receipts.explain_session(database, session_key(database, what)))
            return
        try:
            receipt = receipts.explain(database, settings, what, player, datetime.now(UTC))
        except receipts.NotFound as error:
            not_here(error)
        if as_json:
            print_json(receipt)
        else:
            print_receipt(out, receipt)


@main.command()
@click.option("--server", help="Only this game server.  [default: all]")
@click.option("--since", metavar="YYYY-MM", default="", help="Only from this month on.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead.")
def audit(server: str | None, since: str, output: Path | None) -> None:
    """Report, in Markdown, what is missing, what does not count and which checks did not pass."""
    with clear_errors():
        from slomix_pipeline.reports.audit import UnknownServer
        from slomix_pipeline.reports.audit import report as audit_of

        if since and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", since):
            raise click.BadParameter("a month such as 2026-02", param_hint="--since")
        settings = read_settings()
        try:
            text = audit_of(database_of(settings), settings, server, since, datetime.now(UTC))
        except UnknownServer as error:
            not_here(error)
        if output is None:
            print_lines(text)
        else:
            output.write_text(text, "utf-8")
            err.print(f"written to {output}", soft_wrap=True)


def _print_sessions(settings: Settings, *, as_json: bool = False, only: set[str] | None = None) -> None:
    from slomix_pipeline.reports.export import sessions_as_json, troubles_of_no_session

    with database_of(settings).snapshot() as conn:
        found = [session for session in sessions_as_json(conn, settings) if only is None or session["key"] in only]
        others = troubles_of_no_session(conn) if only is None else []
    if as_json:
        print_json(found)
        for trouble in others:  # they are in no session's object
            err.print(f"message {trouble['thing']} is {trouble['trouble']}: {trouble['detail']}", soft_wrap=True)
        return
    table = Table(box=None)
    for column in ("session", "ended (UTC)", "rounds", "matches", "A", "B", "draws", "not counted", "teams"):
        table.add_column(column, no_wrap=True)
    for session in found:
        score = session["score"]
        decided = f" ({session['decisions']} decided by people)" if session["decisions"] else ""
        teams = f"{session['teams']['A']} – {session['teams']['B']}{decided}"
        counts = (session["rounds"], session["matches"], score["A"], score["B"], score["draws"], score["not_counted"])
        table.add_row(session["key"], session["ended_at"].replace("T", " ").rstrip("Z"), *map(str, counts), teams)
    out.print(table)
    troubles = [trouble for session in found for trouble in session["message_troubles"]] + others
    for trouble in troubles:
        line = f"message {trouble['thing']} is {trouble['trouble']}: {trouble['detail']}"
        out.print(line, soft_wrap=True)
    if troubles:
        out.print("To resolve one: slomix post --retry THING (send it again) or --told THING (it is there).")


def _print_session(session: Any) -> None:
    if not session:
        return
    score = session["score"]
    a, b = (session["teams"][team]["shown"] for team in ("A", "B"))
    line = f"Session {session['session']['key']}: {a} {score['A']} - {score['B']} {b}, {score['draws']} drawn"
    out.print(line, soft_wrap=True)
    table = Table("#", "map", "winner", "status", "source", "why", box=None)
    for match in session["matches"]:
        winner = match["winner"] or "not counted"
        cells = (str(match["order"]), match["map"], winner, match["status"], match["source"] or "", match["reason"])
        table.add_row(*cells)
    out.print(table)
