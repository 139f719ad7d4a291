"""The commands ``sync``, ``rebuild`` and ``validate``: arguments, tables and exit codes.

Does not belong here: what they do (``actions.syncing``, ``actions.rebuilding``, ``reports.validating``), the jobs of
the same (``maintenance_jobs``).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from slomix_pipeline.cli.summaries import print_sessions, print_summary
from slomix_pipeline.cli.terminal import (
    Commands,
    clear_errors,
    database_of,
    err,
    not_here,
    out,
    print_json,
    progress_bar,
    read_settings,
    session_key,
)
from slomix_pipeline.rules.reach import NotATime, Reach, ReachOf, reach_of
from slomix_pipeline.settings import Settings

if TYPE_CHECKING:
    from slomix_pipeline.actions.rebuilding import Rebuilt
    from slomix_pipeline.warehouse.database import Database
    from slomix_pipeline.warehouse.rebuilds import Rebuild

SINCE = click.option("--since", metavar="DAY", help="From this day on: 2026-11-29, or with a time 2026-11-29T20:30.")
UNTIL = click.option("--until", metavar="DAY", help="Up to this day, it included, or before this time.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


def _reach(since: str | None, until: str | None, everything: bool, settings: Settings) -> ReachOf:
    """What is meant, by the clock of each game server."""
    if everything and (since or until):
        raise click.UsageError("--all goes without --since and --until")
    try:
        reach_of(since, until, everything, settings.zone)
    except NotATime as error:
        raise click.BadParameter(str(error)) from None
    return lambda server: reach_of(since, until, everything, settings.of_server(server).zone)


@contextmanager
def _stopped(what: str) -> Iterator[None]:
    """Says what it means to stop a command by Ctrl-C: exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        err.print(f"Stopped. What is through is kept; {what}", soft_wrap=True)
        sys.exit(130)


@click.command()
@SINCE
@UNTIL
@click.option("--all", "everything", is_flag=True, help="All files, however old.")
@click.option("--server", help="Only this game server.  [default: all]")
@click.option("--publish", is_flag=True, help="Announce the results on Discord; else only what was said is corrected.")
@AS_JSON
def sync(
    since: str | None, until: str | None, everything: bool, server: str | None, publish: bool, as_json: bool
) -> None:
    """Take in what lies on the game server and is not through: of the look-back, or of the days given.

    What slomix run is about to take is left to it. Exit code 1 when a game server can't be reached; what came from it
    before is kept, and the next sync goes on from there.
    """
    with clear_errors(), _stopped("the next sync goes on from there."):
        from slomix_pipeline.actions import syncing
        from slomix_pipeline.actions.importing import tell_dagster
        from slomix_pipeline.discord.channels import channels_in_use
        from slomix_pipeline.runtime.home import supervisor_of

        settings = read_settings()
        reach = _reach(since, until, everything, settings)
        try:
            servers = syncing.servers_meant(settings, server)
        except syncing.NothingToAsk as error:
            not_here(error)
        database = database_of(settings)
        beside_run = supervisor_of(settings.home) is not None
        with progress_bar() as progress:

            def sync_one(own: Settings, reach: Reach) -> syncing.Synced:
                return syncing.sync(
                    own,
                    database,
                    reach,
                    lambda: channels_in_use(settings),
                    publish=publish,
                    beside_run=beside_run,
                    progress=progress,
                )

            done, failed = syncing.sync_each(servers, reach, sync_one)
            tell_dagster(settings, database, progress)
        for name, why in failed.items():
            err.print(f"slomix: {name}: {why}", soft_wrap=True)
        if as_json:
            print_json([{"server": s.server, "left": s.left, **s.summary.as_json()} for s in done])
        else:
            for synced in done:
                _print_synced(settings, synced)
        sys.exit(1 if failed else 0)


def _print_synced(settings: Settings, synced: Any) -> None:
    print_summary(settings, f"of {synced.server} at {synced.where}", synced.summary)
    if synced.left:
        few = ", ".join(synced.left[:3]) + (" …" if len(synced.left) > 3 else "")
        out.print(f"  left to slomix run, or still being written: {len(synced.left)} ({few})", soft_wrap=True)


@click.group(cls=Commands)
def rebuild() -> None:
    """Work out anew, from stored bytes and without the game server. Nothing new is announced; messages that are wrong
    now are corrected."""


@rebuild.command(name="sessions")
@click.argument("sessions", nargs=-1, metavar="[SESSION]...")
@SINCE
@UNTIL
@click.option("--all", "everything", is_flag=True, help="All sessions.")
def rebuild_sessions(sessions: tuple[str, ...], since: str | None, until: str | None, everything: bool) -> None:
    """Work SESSIONs (keys, or latest) out anew from their rounds as they are: teams, score, reports; or those that
    began within the days given."""
    with clear_errors(), _stopped("slomix run goes on with the rest, or give the command again."):
        from slomix_pipeline.actions import rebuilding
        from slomix_pipeline.discord.channels import channels_in_use

        settings = read_settings()
        reach = _reach(since, until, everything, settings)
        if bool(sessions) == reach(settings.server).is_said:
            raise click.UsageError("name sessions, or give --since, --until or --all")
        database = database_of(settings)
        keys = _sessions_meant(database, sessions, reach)
        with progress_bar() as progress:
            with_these = settings, database, keys, lambda: channels_in_use(settings), progress
            now = rebuilding.rebuild_sessions(*with_these)
        if not now:
            out.print("There are no such sessions.")
            return
        print_sessions(settings, only=set(now))
        out.print(f"{len(now)} sessions were worked out anew.")


def _sessions_meant(database: "Database", names: tuple[str, ...], reach: ReachOf) -> list[str]:
    from slomix_pipeline.actions.rebuilding import sessions_in

    if names:
        return list(dict.fromkeys(session_key(database, name) for name in names))
    with database.connect() as conn:
        return sessions_in(conn, reach)


@rebuild.command(name="everything")
def rebuild_everything() -> None:
    """Take all rounds through all stages again. One that was stopped is gone on with."""
    from slomix_pipeline.warehouse.rebuilds import Rebuild

    with clear_errors(), _stopped("slomix rebuild everything goes on from there."):
        settings = read_settings()
        rebuilt = _rebuild(settings, database_of(settings), Rebuild.EVERYTHING)
        _print_count(settings, rebuilt)


@rebuild.command(name="from-scratch")
@click.option("--yes-wipe", "name", metavar="NAME", help="Do it; NAME is said without this.")
@AS_JSON
def rebuild_from_scratch(name: str | None, as_json: bool) -> None:
    """Take away all that is derived, make it anew, and prove that it is as it was.

    That is done batch by batch, each at once for whoever looks. Exit code 0 when everything is equal, 1 when something
    differs (what is stored then is what the files give now) or was left out. 2 when it was not confirmed. One that was
    stopped is gone on with.
    """
    from slomix_pipeline.warehouse.rebuilds import Rebuild

    with clear_errors(), _stopped("the same command goes on from there, and compares all in the end."):
        from slomix_pipeline.actions.wiping import NotConfirmed, check_confirmed

        settings = read_settings()
        database = database_of(settings)
        try:
            check_confirmed(settings, database, name)
        except NotConfirmed as error:
            err.print(f"slomix: {error}: slomix rebuild from-scratch --yes-wipe NAME", soft_wrap=True)
            sys.exit(2)
        rebuilt = _rebuild(settings, database, Rebuild.FROM_SCRATCH)
        if as_json:
            print_json(rebuilt.as_json())
        else:
            _print_count(settings, rebuilt)
            _print_proof(rebuilt)
        sys.exit(1 if rebuilt.differing or rebuilt.left_out else 0)


def _rebuild(settings: Settings, database: "Database", what: "Rebuild") -> "Rebuilt":
    from slomix_pipeline.actions import rebuilding
    from slomix_pipeline.discord.channels import channels_in_use

    with progress_bar() as progress:
        return rebuilding.rebuild(settings, database, what, lambda: channels_in_use(settings), progress)


def _print_count(settings: Settings, rebuilt: "Rebuilt") -> None:
    if rebuilt.resumed is not None:
        began = rebuilt.resumed.astimezone(settings.zone)
        out.print(f"An earlier one, begun at {began:%Y-%m-%d %H:%M}, was stopped; this one went on from there.")
    if not rebuilt.rounds and not rebuilt.records and not rebuilt.compared:
        out.print("There are no files yet; slomix import, slomix sync or slomix run brings some.")
        return
    out.print(f"{rebuilt.rounds} stats files and {rebuilt.records} timing records were worked out anew.")
    if rebuilt.left_out:
        few = ", ".join(rebuilt.left_out[:5]) + (" …" if len(rebuilt.left_out) > 5 else "")
        out.print(
            f"Left out, as a run is at them or nothing dates them: {len(rebuilt.left_out)} ({few})", soft_wrap=True
        )


def _print_proof(rebuilt: "Rebuilt") -> None:
    if not rebuilt.compared:
        return
    table = Table("table", "rows", "after", "content", "", box=None)
    for name, compared in rebuilt.compared.items():
        content = Text("equal", "green") if compared.equal else Text("differs", "red")
        digests = compared.before.digest[:12] + ("" if compared.equal else f" → {compared.after.digest[:12]}")
        table.add_row(name, str(compared.before.rows), str(compared.after.rows), content, digests)
    out.print(table)
    for name in rebuilt.differing:
        for key in rebuilt.compared[name].keys[:5]:
            out.print(f"  {name}: {key}", soft_wrap=True)
    off = len(rebuilt.differing)
    if rebuilt.proved:
        out.print("Everything is as it was.")
        return
    rows, there = rebuilt.rows
    out.print(f"{off} tables are not as they were." if off else "What was compared is as it was.")
    out.print(f"Compared were {rows:,} of {there:,} rows that are derived.")


@click.command()
@click.argument("sessions", nargs=-1, metavar="[SESSION]...")
@SINCE
@UNTIL
@AS_JSON
def validate(sessions: tuple[str, ...], since: str | None, until: str | None, as_json: bool) -> None:
    """Hold everything that is stored against what the stored files give now: all of history, SESSIONs (keys, or
    latest), or what was played within the days given. Nothing is written.

    Exit code 0 when all is as it should be, 1 when something differs, 2 when that can't be told.
    """
    with clear_errors(), _stopped("nothing was changed."):
        from slomix_pipeline.reports.validating import Held
        from slomix_pipeline.reports.validating import validate as hold
        from slomix_pipeline.warehouse.database import DatabaseUnavailable

        settings = read_settings()
        reach = _reach(since, until, False, settings)
        if sessions and reach(settings.server).is_said:
            raise click.UsageError("name sessions, or give --since and --until")
        try:
            database = database_of(settings)
            keys = _sessions_meant(database, sessions, reach) if sessions else None
            with progress_bar() as progress:
                found = hold(database, settings, reach, progress, keys)
        except DatabaseUnavailable as error:
            not_here(error)
        if as_json:
            print_json(found.as_json())
            sys.exit(0 if found.fine else 1)
        if not found.rounds and not found.records:
            out.print("There is nothing to hold against anything: no round of that time is here.")
            return
        table = Table("", "looked at", "differ", box=None)
        for held in Held:
            off = found.differing[held]
            table.add_row(held.value, str(found.looked_at[held]), Text(str(off), "red" if off else "green"))
        out.print(table)
        for difference in found.named:
            out.print(f"  {difference.held.value}: {difference.key}: {difference.what}", soft_wrap=True)
        out.print(f"{found.rounds} rounds of {found.sessions} sessions, {found.records} timing records")
        sys.exit(0 if found.fine else 1)


COMMANDS = (sync, rebuild, validate)
