"""A home made ready: the database with its schema, Dagster's folder and instance on it.

Belongs here: what every command and the supervisor need before they start anything.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.launching import check_installed
from slomix_pipeline.runtime.children import end_leftovers
from slomix_pipeline.runtime.dagster_yaml import dagster_yaml
from slomix_pipeline.settings import Settings, as_environment
from slomix_pipeline.warehouse.database import COMMAND_WORKS, Database, dagster_url, postgres_url
from slomix_pipeline.warehouse.migrations import migrate

if TYPE_CHECKING:
    from dagster import DagsterInstance

_DAGSTER_URL = "SLOMIX_DAGSTER_PG_URL"  # named in deploy/dagster.yaml


def open_database(settings: Settings) -> Database:
    """The database of this home, started and migrated.

    Raises:
        EmbeddedPostgresError, DatabaseUnavailable, MigrationError: with what to do about it.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(postgres_url(settings))
    migrate(database)
    return database


def dagster_environment(settings: Settings, database: Database) -> dict[str, str]:
    """The variables a process needs to work on this home: settings, database, Dagster's folder.

    Raises:
        ExtraMissing: the settings need a package that is not installed.
    """
    check_installed(settings.launcher, settings.executor)
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    needed = settings.model_copy(update={"discord_bot_token": None})  # which no run and no sensor uses
    variables = as_environment(needed) | {
        "SLOMIX_POSTGRES_URL": database.url,
        _DAGSTER_URL: dagster_url(database.url),
        "DAGSTER_HOME": str(settings.dagster_home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    (settings.dagster_home / "dagster.yaml").write_text(dagster_yaml(settings, variables), "utf-8")
    return variables


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
def working_alone(database: Database) -> Iterator[None]:
    """Waits until no other command that works rounds out does so on this database, and keeps others waiting."""
    with database.hold(COMMAND_WORKS):
        yield


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
