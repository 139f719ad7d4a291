"""Dagster's daemon, as the one process that launches runs, with a log of what is new. Runs that its predecessor
launched ended with that.

Started as ``python -c``: a run's process would load again whatever module its parent was started as.

Does not belong here: launching them (``run_launcher``).
"""

import logging
import threading

import dagster as dg
from dagster._daemon.cli import main as daemon
from dagster._daemon.daemon import SensorDaemon, get_default_daemon_logger

from slomix_pipeline.runtime.dead_runs import give_up_runs_of_supervisors
from slomix_pipeline.runtime.run_coordinator import launch_in_this_process
from slomix_pipeline.runtime.run_launcher import ForkingRunLauncher, prepare_fork_server


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


def main() -> None:
    """``dagster-daemon``, with its arguments."""
    launch_in_this_process()
    with dg.DagsterInstance.get() as instance:
        give_up_runs_of_supervisors(instance)
        if isinstance(instance.run_launcher, ForkingRunLauncher):  # not where another configuration is used
            threading.Thread(target=prepare_fork_server, daemon=True).start()
    get_default_daemon_logger(SensorDaemon.__name__).addFilter(OnlyNews())
    daemon()
