"""Runs whose process is gone: marked as failed, which lets Dagster start them again, or as cancelled, where somebody
had asked for that.

With Dagster's own launcher it would wait for their longest run time otherwise, and their rounds with it.

Belongs here: by what a run is known to be dead, to who has just begun to hold what its process held.
Does not belong here: which runs count as in flight for a sensor (``sensors.requests``).
"""

import dagster as dg

from slomix_pipeline.jobs import HAS_PROCESS
from slomix_pipeline.runtime.run_launcher import PROCESS_TAG, ForkingRunLauncher

_ENDED = "its process ended with the supervisor that had started it"
_LAUNCHED_TAGS = {PROCESS_TAG, ".dagster/grpc_info"}  # set by our launcher, and by Dagster's own


def give_up_runs_of_supervisors(instance: dg.DagsterInstance) -> None:
    """For the daemon, before it launches anything."""
    ours = isinstance(instance.run_launcher, ForkingRunLauncher)  # whose processes end with the daemon
    for run in instance.get_runs(dg.RunsFilter(statuses=HAS_PROCESS)):
        if not (_LAUNCHED_TAGS & run.tags.keys() or (ours and run.status is dg.DagsterRunStatus.STARTING)):
            continue
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, _ENDED)
        else:
            instance.report_run_failed(run, _ENDED)
