"""Bringing a backup back into a database, and comparing what is there then with what was noted when it was made.

Belongs here: what is refused and why, the order of steps. Does not belong here: making backups (``backing_up``), what
is typed and printed (``cli``).

What was in the database goes and what the dump holds comes in one transaction. Whatever of it was worth keeping is
backed up before. Views, the schema ``site`` and all rights are made by the code that makes them in every database, so
they fit the roles that this server has. That this is still to be done is written in the same transaction: where it is
interrupted, the next start does it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from slomix_pipeline.actions.backing_up import back_up, compare, restore_into
from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.rules.backups import BackupKind
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import backup_files, restores
from slomix_pipeline.warehouse.backup_files import Backup, BackupError, Described
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.dumping import migrations_in
from slomix_pipeline.warehouse.migrations import SchemaDrift, migrate, missing_of, read_migrations
from slomix_pipeline.warehouse.occupants import occupants

if TYPE_CHECKING:
    from slomix_pipeline.stages.chain import Progress  # loads all stages

# All that is ours goes, in whatever order; of extensions nothing.
_EMPTIED = """
set local lock_timeout = '60s';
drop schema if exists site cascade;
drop schema if exists dagster cascade;
do $$
declare
    statement text;
begin
    foreach statement in array array(
        select format('drop %s if exists public.%I cascade',
                      case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                                   when 'f' then 'foreign table' else 'table' end, relname)
        from pg_class c
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
          and not exists (select from pg_depend d
                          where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i', 'e'))
        union all
        select format('drop routine if exists %s cascade', p.oid::regprocedure)
        from pg_proc p
        where pronamespace = 'public'::regnamespace
          and not exists (select from pg_depend d
                          where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'))
    loop
        execute statement;
    end loop;
end $$;
create schema dagster;
"""
_NAMED = 5  # of what is in the way, so many are said


class RestoreRefused(SlomixError):
    """Nothing was changed; the text says why and what to do."""


@dataclass(frozen=True)
class Restored:
    """What a database is now.

    ``before``: the backup of what was in it; ``migrated``: what was applied since; ``wrong``: what differs from what
    was noted, None where nothing was; ``dagster_lost``: the dump has no records of Dagster's.
    """

    described: Described | None
    before: Backup | None
    migrated: Sequence[str]
    wrong: Sequence[str] | None
    dagster_lost: bool


def held_in(database: Database) -> str:
    """What a database that somebody wants to restore into holds that is worth keeping, in words; empty: nothing.

    Raises:
        RestoreRefused: it holds something of somebody else, which would go without being in the backup.
        DatabaseUnavailable: the server can't be reached.
    """
    with database.connect() as conn:
        found = occupants(conn, bundled_folder("sql"))
    if found.foreign and not found.is_ours:
        raise RestoreRefused(
            f"the database {database.name} holds tables that are not of slomix: make one of its own for it"
        )
    if found.foreign:
        raise RestoreRefused(
            f"the database {database.name} holds what is not of slomix ({_some(found.foreign)}), and it would go: move "
            "it to a schema of its own (alter table NAME set schema OTHER), or drop it, and start again"
        )
    if found.built_on_ours:
        raise RestoreRefused(
            f"something else is built on what is ours ({_some(found.built_on_ours)}), and it would go: drop it, start "
            "again, and create it anew"
        )
    return found.in_words


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def looked_at(path: Path) -> Described | None:
    """What stands beside a dump; None: nothing does. It is whole then, and fits this program.

    Raises:
        RestoreRefused: it is damaged, of a newer program, or no dump of ours.
    """
    try:
        described = backup_files.read(path)
        if described is not None:
            backup_files.check_bytes(path, described)
        missing_of(migrations_in(path), read_migrations(bundled_folder("sql")))
    except SchemaDrift as error:
        raise RestoreRefused(f"{path.name} does not fit this program: {error}") from error
    except BackupError as error:
        raise RestoreRefused(str(error)) from error
    return described


def restore(
    settings: Settings,
    database: Database,
    path: Path,
    progress: "Progress",
    *,
    replace: bool = False,
    silent: bool = True,
) -> Restored:
    """Brings a dump back, in place of what is there, and up to the schema of this program. ``replace``: somebody has
    said that what is there may go; it is backed up before. ``silent``: things may have been told since the
    dump was made, so nothing is announced that is older than now.

    Raises:
        RestoreRefused: it doesn't fit, or something is there that may not go.
        BackupError: what is there can't be backed up, or the dump can't be loaded; the database is as it was.
        DatabaseUnavailable, MigrationError: with what to do about it.
    """
    described = looked_at(path)
    before = None
    if held := held_in(database):
        if not replace:
            raise RestoreRefused(f"the database {database.name} holds {held}")
        before = back_up(settings, database, BackupKind.BEFORE_RESTORE, progress=progress)
    restore_into(database, path, _EMPTIED, restores.noted(silent=silent), progress)
    wrong = None if described is None else compare(database, described, progress, leave_out=restores.WRITTEN)
    migrated = migrate(database)
    database.learn_sizes()
    with database.connect() as conn:
        row = conn.execute("select to_regclass('dagster.event_logs') is null as lost").fetchone()
    return Restored(described, before, migrated, wrong, dagster_lost=row is not None and bool(row["lost"]))
