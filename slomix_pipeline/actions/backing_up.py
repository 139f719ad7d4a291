"""Backups: a dump with what it holds, restored and compared, and the old ones taken away.

Belongs here: making and checking one, taking old ones away. Does not belong here: which may go (``rules.backups``),
files (``warehouse.backup_files``), PostgreSQL's programs (``warehouse.dumping``), bringing one back (``restoring``).

What a dump holds is worked out in the snapshot that it is made of: whatever is written meanwhile, both agree.
"""

import shutil
import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules import backups as rules
from slomix_pipeline.rules.backups import BackupKind, Verdict
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import backup_files
from slomix_pipeline.warehouse.backup_files import Backup, BackupError, Described
from slomix_pipeline.warehouse.dagster_records import sizes
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.digests import content, differences
from slomix_pipeline.warehouse.dumping import SCHEMAS, check_version, dump, load
from slomix_pipeline.warehouse.migrations import program_version
from slomix_pipeline.warehouse.scratch import NoScratch, scratch_database

if TYPE_CHECKING:
    from slomix_pipeline.stages.chain import Progress  # loads all stages

LOCK = "backups"  # held by whoever makes or checks one of a database
_SPARE = 1.2  # how much room there must be for each byte of the last one
# A dump of a database that has none yet: without its indexes and packed, it is never larger than a half.
_SHARE_OF_DATABASE = 0.5
# What is dumped may take longer than a server lets anybody else wait.
_WITHOUT_LIMITS = "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0"
_FACTS = """
    select coalesce((select max(number) from schema_migration), 0) as schema,
           (select count(*) from parsed_round) as rounds, current_setting('server_version') as server"""


def quiet(what: str, done: int, total: int) -> None:
    """For who does not want to hear how far it came."""


def back_up(
    settings: Settings, database: Database, kind: BackupKind, folder: Path | None = None, progress: "Progress" = quiet
) -> Backup:
    """Makes a backup of a database into a folder, by default that of this home.

    Raises:
        BackupError: it can't be made; nothing of it stays.
        DatabaseUnavailable: the server can't be reached.
    """
    folder = (folder or settings.backups).resolve()
    with database.hold(LOCK):
        backup_files.prepare(folder)
        path = backup_files.path_for(folder, kind, datetime.now(UTC))
        began = time.monotonic()
        try:
            with database.snapshot() as conn, backup_files.written(path) as file:
                snapshot = _exported(conn)
                expected = _expected_size(conn, folder)
                written = dump(database, snapshot, file, lambda size: progress("dumping", size, max(size, expected)))
                held = content(conn, SCHEMAS, lambda done, total: progress("noting what it holds", done, total))
                described = Described(
                    kind=kind,
                    made_at=datetime.now(UTC),
                    **_facts(conn),
                    program=program_version(),
                    size=written.size,
                    sha256=written.sha256,
                    seconds=round(time.monotonic() - began, 1),
                    tables=held,
                    database=backup_files.identity(conn),
                )
                backup_files.describe(path, described)
        except psycopg.Error as error:
            raise BackupError(f"no backup: {str(error).strip()}") from error
    return Backup(path, described)


def _exported(conn: Connection[DictRow]) -> str:
    """The snapshot of a transaction, for pg_dump."""
    conn.execute(_WITHOUT_LIMITS)
    check_version(conn.info.server_version)
    row = conn.execute("select pg_export_snapshot() as id").fetchone()
    assert row is not None
    return str(row["id"])


def _facts(conn: Connection[DictRow]) -> DictRow:
    row = conn.execute(_FACTS).fetchone()
    assert row is not None
    return row


def _expected_size(conn: Connection[DictRow], folder: Path) -> int:
    """How large the dump will be, about.

    Raises:
        BackupError: there is no room for it.
    """
    last = backup_files.backups_of(conn, folder)[-1:]
    now = sizes(conn)
    expected = last[0].described.size if last else int((now.ours + now.dagsters) * _SHARE_OF_DATABASE)
    free = shutil.disk_usage(folder).free
    if free < expected * _SPARE:
        raise BackupError(
            f"there is no room for a backup in {folder}: it will take about {expected / 1e6:,.0f} MB, and "
            f"{free / 1e6:,.0f} MB are free; make room, or set SLOMIX_BACKUP_FOLDER to another disk"
        )
    return expected


def check(settings: Settings, database: Database, backup: Backup, progress: "Progress" = quiet) -> Backup:
    """Restores a backup into a database of its own beside ours, compares what is in it with what was noted, and notes
    what came of it beside the dump. The database goes, whatever came of it.

    Raises:
        DatabaseUnavailable: the server can't be reached.
    """
    with database.hold(LOCK):
        try:
            with scratch_database(database, settings.postgres_dir) as scratch:
                restore_into(scratch, backup.path, "create schema dagster;", "", progress)
                wrong = compare(scratch, backup.described, progress)
        except (NoScratch, psycopg.Error) as error:
            return backup_files.note_verdict(backup, Verdict.NOT_CHECKED, str(error).strip())
        except BackupError as error:
            return backup_files.note_verdict(backup, Verdict.NOT_RESTORED, str(error))
    if wrong:
        return backup_files.note_verdict(backup, Verdict.DIFFERS, "; ".join(wrong))
    tables = len(backup.described.tables)
    return backup_files.note_verdict(backup, Verdict.SAME, f"restored, and all {tables} tables are the same")


def restore_into(database: Database, path: Path, before: str, after: str, progress: "Progress") -> None:
    """Loads a dump between some statements, all or nothing.

    Raises:
        BackupError: it can't be loaded; nothing has changed.
    """
    size = path.stat().st_size
    load(path, database, before, after, lambda done: progress("restoring", done, size))


def compare(
    database: Database, described: Described, progress: "Progress", leave_out: Collection[str] = ()
) -> list[str]:
    """What a database holds otherwise than it was noted beside the dump that it was restored from. ``leave_out``:
    tables in which that is right."""
    with database.snapshot() as conn:
        conn.execute(_WITHOUT_LIMITS)
        found = content(conn, SCHEMAS, lambda done, total: progress("comparing", done, total))
    noted, there = (
        {name: held for name, held in tables.items() if name not in leave_out} for tables in (described.tables, found)
    )
    return differences(noted, there)


def rotate(settings: Settings, database: Database) -> list[str]:
    """Takes away old backups of this database, in the home's folder, that were made by themselves. Returns their names.

    Raises:
        DatabaseUnavailable: the server can't be reached.
    """
    folder = settings.backups
    with database.connect() as conn:
        made = [backup.made for backup in backup_files.backups_of(conn, folder)]
    old = rules.superseded(made, settings.backup_keep)
    for one in old:
        backup_files.remove(folder, one.name)
    return [one.name for one in old]
