"""Runs whose process is gone: marked as failed, which lets Dagster start them again.

It would wait for their longest run time otherwise, and their rounds with it.

Belongs here: by what a run is known to be dead, to who has just begun to hold what its process held.
Does not belong here: which runs count as in flight for a sensor (``sensors.requests``).
"""

import dagster as dg

from slomix_pipeline.jobs import HAS_PROCESS
from slomix_pipeline.runtime.run_launcher import PROCESS_TAG

_LAUNCHED_TAGS = {PROCESS_TAG, ".dagster/grpc_info"}  # set by our launcher, and by Dagster's own


def give_up_runs_of_supervisors(instance: dg.DagsterInstance) -> None:
    """For the daemon, before it launches anything."""
    for run in instance.get_runs(dg.RunsFilter(statuses=HAS_PROCESS)):
        if _LAUNCHED_TAGS & run.tags.keys():
            instance.report_run_failed(run, "its process ended with the supervisor that had started it")
