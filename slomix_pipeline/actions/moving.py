"""Moving all of a home's data to another database: from the embedded server to one of somebody's own, and back.

Belongs here: which database is which, that they are two. Does not belong here: making a backup (``backing_up``) and
bringing it back (``restoring``), which is all that a move is; the source stays as it is.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slomix_pipeline.actions.backing_up import back_up
from slomix_pipeline.actions.restoring import Restored, RestoreRefused, held_in, restore
from slomix_pipeline.rules.backups import BackupKind
from slomix_pipeline.runtime.home import open_database
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import link_requests, site_schema
from slomix_pipeline.warehouse.backup_files import Backup
from slomix_pipeline.warehouse.database import Database

if TYPE_CHECKING:
    from slomix_pipeline.stages.chain import Progress  # loads all stages

EMBEDDED = "embedded"


@dataclass(frozen=True)
class Moved:
    """A move that was made. ``advice``: what an administrator of the new server has to run still."""

    backup: Backup
    restored: Restored
    advice: tuple[str, ...]


def target_of(settings: Settings, to: str) -> Database:
    """The database that somebody wants to move to: an address, or ``embedded``.

    Raises:
        DatabaseUnavailable, EmbeddedPostgresError: it can't be used.
    """
    if to == EMBEDDED:
        from slomix_pipeline.warehouse.embedded import start_embedded  # needs Unix; a given server doesn't

        return Database(start_embedded(settings.postgres_dir))
    return Database(to)


def must_differ(source: Database, target: Database) -> None:
    """Refuses a move from a database to itself.

    Raises:
        RestoreRefused: both are one database.
        DatabaseUnavailable: a server can't be reached.
    """
    with source.hold("move"), target.try_hold("move") as other:
        if other is None:  # the lock is one of the database, whatever its address
            raise RestoreRefused("that is the database that this home uses already")


def move(settings: Settings, target: Database, progress: "Progress", *, replace: bool = False) -> Moved:
    """Has the target hold what this home's database holds. ``replace``: what is there may go.

    Raises:
        RestoreRefused: something is there that may not go, or both are one database.
        BackupError: it can't be dumped or loaded; both are as they were.
        DatabaseUnavailable, MigrationError, EmbeddedPostgresError: with what to do about it.
    """
    source = open_database(settings)
    must_differ(source, target)
    if (held := held_in(target)) and not replace:
        raise RestoreRefused(f"the database {target.name} holds {held}")
    backup = back_up(settings, source, BackupKind.BEFORE_MOVE, progress=progress)
    restored = restore(settings, target, backup.path, progress, replace=replace, silent=False)
    return Moved(backup, restored, _missing_roles(target))


def _missing_roles(target: Database) -> tuple[str, ...]:
    """What has to be run there for the roles of the pages."""
    with target.connect() as conn:
        found = (
            (site_schema.trouble_with_role(conn), site_schema.statements_for_role(conn)),
            (link_requests.trouble_with_role(conn), link_requests.statements_for_role(conn)),
        )
    return tuple(statements for trouble, statements in found if trouble is not None)
