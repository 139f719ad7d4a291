"""The commands about keeping the data: ``backup``, ``restore``, ``move``.

Belongs here: arguments, what is asked before something goes, exit codes. Does not belong here: what they do
(``actions``).
"""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from slomix_pipeline.cli.terminal import (
    Commands,
    clear_errors,
    database_of,
    err,
    out,
    print_json,
    progress_bar,
    read_settings,
)

if TYPE_CHECKING:
    from slomix_pipeline.actions.restoring import Restored
    from slomix_pipeline.settings import Settings
    from slomix_pipeline.warehouse.database import Database

_WORD = "replace"  # what is typed where something goes


@click.group(cls=Commands, invoke_without_command=True)
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Into this folder, not that of the home.")
@click.option("--check", "is_checked", is_flag=True, help="Restore it into a database of its own, and compare.")
@click.pass_context
def backup(ctx: click.Context, to: Path | None, is_checked: bool) -> None:
    """Make a backup of all data. It is never taken away by itself."""
    if ctx.invoked_subcommand is not None:
        return
    with clear_errors():
        from slomix_pipeline.actions import backing_up
        from slomix_pipeline.rules.backups import BackupKind, Verdict

        settings = read_settings()
        database = database_of(settings)
        with progress_bar() as progress:
            made = backing_up.back_up(settings, database, BackupKind.BY_HAND, to, progress)
        out.print(f"{made.path}: {made.in_words}", soft_wrap=True)
        if is_checked:
            with progress_bar() as progress:
                made = backing_up.check(settings, database, made, progress)
            out.print(f"{made.described.verdict}: {made.described.said}", soft_wrap=True)
        sys.exit(0 if not is_checked or made.described.verdict is Verdict.SAME else 1)


@backup.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def backup_list(as_json: bool) -> None:
    """List the backups of this home, the oldest first."""
    with clear_errors():
        from slomix_pipeline.warehouse.backup_files import list_backups

        settings = read_settings()
        made = list_backups(settings.backups)
        if as_json:
            names = ("kind", "made_at", "schema", "rounds", "program", "server", "size", "sha256", "verdict", "said")
            rows = [{name: getattr(one.described, name) for name in names} for one in made]
            print_json([{"file": str(one.path), **row} for one, row in zip(made, rows, strict=True)])
            return
        table = Table("file", "made (UTC)", "rounds", "MB", "schema", "restored and compared", box=None)
        for one in made:
            own = one.described
            table.add_row(
                one.path.name,
                f"{own.made_at:%Y-%m-%d %H:%M}",
                f"{own.rounds:,}",
                f"{own.size / 1e6:,.1f}",
                f"{own.schema:03}",
                f"{own.verdict}: {own.said}" if own.verdict else "not tried",
            )
        out.print(table if made else f"There is no backup in {settings.backups}; slomix backup makes one.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--announce", is_flag=True, help="Tell on Discord what is due in it, and rounds that are fetched again.")
def restore(file: Path, announce: bool) -> None:
    """Bring the backup FILE back into the database of this home, and compare.

    What was played before is not announced any more: since the backup was made it may have been told.
    """
    with clear_errors():
        from slomix_pipeline.actions.restoring import held_in, looked_at
        from slomix_pipeline.actions.restoring import restore as bring_back
        from slomix_pipeline.runtime.home import IN_A_RUN, sole_owner, working_alone
        from slomix_pipeline.warehouse.database import Database, postgres_url

        settings = read_settings()
        with sole_owner(settings.home), ExitStack() as alone:
            looked_at(file)
            database = Database(postgres_url(settings))
            alone.enter_context(working_alone(database, IN_A_RUN))  # what is written meanwhile would be lost
            replace = _may_replace(database, held_in(database))
            with progress_bar() as progress:
                restored = bring_back(settings, database, file, progress, replace=replace, silent=not announce)
        wrong = _print_restored(restored)
        _print_what_next(settings, announce)
        sys.exit(1 if wrong else 0)


@click.command()
@click.option("--to", required=True, metavar="URL", help="postgresql://user@host/name; or embedded, to go back.")
def move(to: str) -> None:
    """Copy all data to another PostgreSQL database, or back to the embedded one, and compare.

    Leave the password out of URL: it is asked for, and seen by nobody.
    """
    with clear_errors():
        from slomix_pipeline.actions import moving
        from slomix_pipeline.actions.restoring import held_in
        from slomix_pipeline.runtime.home import IN_A_RUN, sole_owner, working_alone
        from slomix_pipeline.warehouse.database import without_password

        settings = read_settings()
        with sole_owner(settings.home), ExitStack() as alone:
            target = _reached(moving.target_of(settings, to))
            source = database_of(settings)
            alone.enter_context(working_alone(source, IN_A_RUN))  # what is written meanwhile would be lost
            moving.must_differ(source, target)
            alone.enter_context(working_alone(target, IN_A_RUN))
            replace = _may_replace(target, held_in(target))
            with progress_bar() as progress:
                moved = moving.move(settings, target, progress, replace=replace)
        wrong = _print_restored(moved.restored)
        out.print(f"The database it was moved from is as it was; {moved.backup.path} has it, too.", soft_wrap=True)
        if to == moving.EMBEDDED:
            out.print("Take SLOMIX_POSTGRES_URL out of your settings, and SLOMIX_SITE_POSTGRES_URL and its like.")
        else:
            shown = without_password(target.url)
            out.print(f"Set SLOMIX_POSTGRES_URL to it, with its password where it has one: {shown}", soft_wrap=True)
        for statements in moved.advice:
            out.print(f"As an administrator of that server run: {statements}", soft_wrap=True)
        sys.exit(1 if wrong else 0)


def _reached(target: "Database") -> "Database":
    """The database, with a password that was asked for where it takes one and has none."""
    from psycopg.conninfo import conninfo_to_dict

    from slomix_pipeline.warehouse.database import Database, DatabaseUnavailable, with_password

    try:
        target.connect().close()
    except DatabaseUnavailable as error:
        if "password" not in str(error) or conninfo_to_dict(target.url).get("password"):
            raise
        return Database(with_password(target.url, click.prompt("Password", hide_input=True, err=True)))
    return target


def _may_replace(database: "Database", held: str) -> bool:
    """Whether what is there may go; ends with exit code 1 where nobody says so. Nobody is asked where nothing is."""
    if not held:
        return False
    err.print(f"The database {database.name} holds {held}. All of it goes; a backup is made before.")
    try:
        said = click.prompt(f"Type {_WORD} to go on", err=True, default="", show_default=False)
    except click.Abort:
        said = ""
    if said.strip() != _WORD:
        err.print("Nothing was changed.")
        sys.exit(1)
    return True


def _print_restored(restored: "Restored") -> bool:
    """Says what came of it. Whether something differs."""
    if restored.before is not None:
        out.print(f"What was there before: {restored.before.path}", soft_wrap=True)
    for line in restored.wrong or ():
        err.print(f"differs: {line}", style="red", soft_wrap=True)
    if restored.wrong is None:
        out.print("Restored. Nothing beside the file says what it holds, so nothing could be compared.")
    elif not restored.wrong:
        assert restored.described is not None
        own = restored.described
        out.print(f"Restored: {own.rounds:,} rounds, and all {len(own.tables)} tables are the same.")
    if migrated := [name for name in restored.migrated if name != "views"]:
        out.print(f"Brought up to date: {migrated[0]} to {migrated[-1]}")
    if restored.dagster_lost:
        out.print("The backup has no records of Dagster's: slomix run tells it of everything in the background.")
    return bool(restored.wrong)


def _print_what_next(settings: "Settings", announce: bool) -> None:
    out.print("Now: slomix doctor, then slomix run. Files that still lie on the game server are fetched again.")
    if settings.discord_webhook is not None and not announce:
        out.print(
            "What was played before this moment is not announced on Discord: it may have been told since the backup "
            "was made.",
            soft_wrap=True,
        )


COMMANDS = (backup, restore, move)
