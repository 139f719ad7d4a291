"""Dagster's daemon, as the one process that launches runs.

Started as ``python -c``: a run's process would load again whatever module its parent was started as.

Does not belong here: launching them (``run_launcher``).
"""

import threading

from dagster._daemon.cli import main as daemon

from slomix_pipeline.runtime.run_coordinator import launch_in_this_process
from slomix_pipeline.runtime.run_launcher import prepare_fork_server


def main() -> None:
    """``dagster-daemon``, with its arguments."""
    launch_in_this_process()
    threading.Thread(target=prepare_fork_server, daemon=True).start()
    daemon()
