"""A home made ready: the database with its schema, Dagster's folder and instance on it.

Belongs here: what every command and the supervisor need before they start anything.
"""

import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.launching import check_installed
from slomix_pipeline.rules.backups import BackupKind
from slomix_pipeline.runtime.children import end_leftovers
from slomix_pipeline.runtime.dagster_yaml import dagster_yaml
from slomix_pipeline.settings import Settings, as_environment
from slomix_pipeline.warehouse import roles
from slomix_pipeline.warehouse.database import COMMAND_WORKS, Database, StillHeld, dagster_url, postgres_url, site_url
from slomix_pipeline.warehouse.migrations import Migration, migrate, pending
from slomix_pipeline.warehouse.ownership import make_dagster_schema

if TYPE_CHECKING:
    from dagster import DagsterInstance

_log = logging.getLogger("slomix_pipeline")  # shown on stderr where nobody has set it up
_DAGSTER_URL = "SLOMIX_DAGSTER_PG_URL"  # named in deploy/dagster.yaml
_OF_NO_RUN = ("discord_bot_token", "dagster_postgres_url")  # settings that no run and no sensor uses as they are


def open_database(settings: Settings) -> Database:
    """The database of this home, started and migrated; of rounds that are in it a backup is made before.

    Raises:
        EmbeddedPostgresError, DatabaseUnavailable, MigrationError: with what to do about it.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(postgres_url(settings))
    bring_up_to_date(settings, database)
    return database


def bring_up_to_date(settings: Settings, database: Database) -> list[str]:
    """Migrates a database, after a backup of one that holds rounds. One that can't be made is no reason to stop: a
    migration is all or nothing, and a full disk must not keep the pipeline down. Returns what was applied.

    Raises:
        DatabaseUnavailable, MigrationError: with what to do about it.
    """
    if not pending(database):
        return migrate(database)
    with database.hold("upgrade"):  # of several processes one makes it, and the others find nothing left to do
        if waiting := pending(database):
            _back_up_before(settings, database, waiting)
        return migrate(database)


def _back_up_before(settings: Settings, database: Database, waiting: Sequence[Migration]) -> None:
    from slomix_pipeline.actions import backing_up
    from slomix_pipeline.warehouse.backup_files import BackupError

    with database.connect() as conn:
        row = conn.execute("select to_regclass('parsed_round') is not null as there").fetchone()
        if row is None or not row["there"] or conn.execute("select from parsed_round limit 1").fetchone() is None:
            return
    _log.warning("The database is brought from schema %03d to %03d.", waiting[0].number - 1, waiting[-1].number)
    try:
        made = backing_up.back_up(settings, database, BackupKind.BEFORE_UPGRADE)
        _log.warning("As it was before: %s (%s)", made.path, made.in_words)
        backing_up.rotate(settings, database)
    except (BackupError, OSError) as error:
        _log.warning("No backup is made before, and it goes on all the same: %s", error)


def dagster_environment(settings: Settings, database: Database) -> dict[str, str]:
    """The variables a process needs to work on this home: settings, database, Dagster's folder.

    Raises:
        OwnershipError, DatabaseUnavailable: Dagster's records can't be where they belong.
        ExtraMissing: the settings need a package that is not installed.
    """
    check_installed(settings.launcher, settings.executor)
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    needed = settings.model_copy(update=dict.fromkeys(_OF_NO_RUN))
    variables = as_environment(needed) | {
        "SLOMIX_POSTGRES_URL": database.url,
        _DAGSTER_URL: _dagster_url(settings, database),
        "DAGSTER_HOME": str(settings.dagster_home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    path = settings.dagster_home / "dagster.yaml"
    new = path.with_name(f"dagster.yaml.{os.getpid()}.new")  # others may just read it
    new.write_text(dagster_yaml(settings, variables), "utf-8")
    new.replace(path)
    return variables


def _dagster_url(settings: Settings, database: Database) -> str:
    """The address of Dagster's records, whose schema is made: as a role of their own on the embedded server, elsewhere
    as whoever the settings say."""
    if settings.dagster_postgres_url is not None:
        own = settings.dagster_postgres_url.get_secret_value()
    elif settings.postgres_url is None:
        own = site_url(database.url, roles.DAGSTER)
    else:
        own = database.url
    make_dagster_schema(database, Database(own).user)
    return dagster_url(own)


_LONGEST_SCRATCH = 70  # bytes of its path: sockets lie in folders there, and 103 is all that macOS takes for theirs


def own_scratch(home: Path) -> dict[str, str]:
    """The variable that gives Dagster's processes an empty folder of this home for their temporary files: who is killed
    takes nothing away. For whoever starts them, when none of them runs. Nothing where the home's path is too long."""
    scratch = home / "scratch"
    if len(os.fsencode(scratch)) > _LONGEST_SCRATCH:
        return {}
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700, exist_ok=True)
    return {"TMPDIR": str(scratch)}


@contextmanager
def dagster_instance(settings: Settings, database: Database) -> Iterator["DagsterInstance"]:
    """This home's Dagster instance."""
    from dagster import DagsterInstance  # takes a second or two

    from slomix_pipeline.runtime.dagster_storage import let_go

    environment = dagster_environment(settings, database)
    try:
        with (
            _environment(environment),  # Dagster reads the address there when it needs it
            DagsterInstance.from_config(str(settings.dagster_home)) as instance,
        ):
            yield instance
    finally:
        let_go(environment[_DAGSTER_URL])


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Has variables in the environment, and what was there before afterwards."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def working_alone(database: Database, patience: float | None = None) -> Iterator[None]:
    """Waits until no other command that works rounds out does so on this database, and keeps others waiting.

    Args:
        patience: seconds to wait; None: as long as it takes.

    Raises:
        AnotherWorks: one did so for longer.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(database.hold(COMMAND_WORKS, patience=patience))
        except StillHeld:
            raise AnotherWorks(
                "another command or job works rounds out here; nothing was done. Start this again when that is through"
            ) from None
        yield


class AnotherWorks(SlomixError):
    """Another command works rounds out, and nobody waits for its end."""


IN_A_RUN = 5.0  # seconds: sensors look at the lock now and then, and a run that waits keeps a place that rounds need


class HomeInUse(SlomixError):
    """Another ``slomix run`` or ``demo`` works in this home."""


LOCK = "run.lock"  # in the home; locked by its supervisor, whose number it holds
_TRIES, _PAUSE = 10, 0.1  # seconds; who looks whether somebody holds it holds it for a moment


@contextmanager
def sole_owner(home: Path) -> Iterator[None]:
    """Holds the home for one supervisor, and ends what a killed one left running in it.

    Raises:
        HomeInUse: somebody else holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK).open("a+") as lock:
        if not any(_is_taken(lock, pause) for pause in (*[_PAUSE] * _TRIES, 0.0)):
            raise HomeInUse(
                f"slomix already runs in {home} (process {supervisor_of(home) or 'unknown'}); "
                "stop it, or set SLOMIX_HOME to another folder"
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        end_leftovers(home)
        yield


def _is_taken(lock: IO[str], pause: float) -> bool:
    """Takes the lock, if nobody else holds it; else waits."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(pause)
        return False
    return True


def supervisor_of(home: Path) -> int | None:
    """The number of the process that holds the home; None when nobody does, or it can't be
    known. Changes nothing."""
    try:
        with (home / LOCK).open() as lock:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
            return int(lock.read())
    except (OSError, ValueError):  # never held, not ours to read, or just being taken
        return None
