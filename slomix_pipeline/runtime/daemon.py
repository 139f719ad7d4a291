"""Dagster's daemon, as the one process that launches runs; those that its predecessor launched ended with that.

Started as ``python -c``: a run's process would load again whatever module its parent was started as.
"""

import dagster as dg
from dagster._daemon.cli import main as daemon

from slomix_pipeline.runtime.dead_runs import give_up_runs_of_supervisors
from slomix_pipeline.runtime.run_coordinator import launch_in_this_process
from slomix_pipeline.runtime.run_launcher import ForkingRunLauncher, start_fork_server


def main() -> None:
    """``dagster-daemon``, with its arguments."""
    launch_in_this_process()
    with dg.DagsterInstance.get() as instance:
        give_up_runs_of_supervisors(instance)
        if isinstance(instance.run_launcher, ForkingRunLauncher):
            start_fork_server()
    daemon()
