"""Dagster's daemon, as the one process that launches runs, with a log of what is new. Runs that its predecessor
launched ended with that.

Does not belong here: launching them (``run_launcher``).
"""

import logging
import sys

import dagster as dg
from dagster._daemon.cli import run_command
from dagster._daemon.daemon import SensorDaemon, get_default_daemon_logger

from slomix_pipeline.resources import settings_of_this_process
from slomix_pipeline.runtime.dead_runs import give_up_runs_of_supervisors
from slomix_pipeline.runtime.fork_server import fork_server_from_here
from slomix_pipeline.runtime.lifeline import ending_with
from slomix_pipeline.runtime.run_coordinator import launch_in_this_process
from slomix_pipeline.warehouse.database import Database, StillHeld, postgres_url

_ONE_DAEMON = "the daemon"  # the name of its lock
_PATIENCE = 30.0  # seconds, for one that is just ending


class OnlyNews(logging.Filter):
    """Lets through what a sensor did, and once why it did nothing: two lines for every look that found nothing are
    15 MB a day, in which nobody finds what happened."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, str] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if said.startswith("Checking for new runs for sensor: "):
            return False
        sensor, skipped, why = said.partition(" skipped: ")
        if not skipped:
            return True
        is_news = self._said.get(sensor) != why
        self._said[sensor] = why
        return is_news


def run_daemon(workspace: str) -> None:
    """``dagster-daemon run`` with a workspace file; to be called before this process has a second thread. It ends when
    its lock is gone: another may have it by then."""
    launch_in_this_process()
    fork_server_from_here()
    database = Database(postgres_url(settings_of_this_process()))
    try:
        with (
            database.hold(_ONE_DAEMON, patience=_PATIENCE) as lock,
            ending_with(lock),
            dg.DagsterInstance.get() as instance,
        ):
            give_up_runs_of_supervisors(instance)
            get_default_daemon_logger(SensorDaemon.__name__).addFilter(OnlyNews())
            run_command.main(["-w", workspace])
    except StillHeld:
        sys.exit(f"another daemon works with the {database}: there may be one only, on all machines together")
