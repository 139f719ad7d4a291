"""When a run starts: at once while there is room, else when its turn comes. Named in ``deploy/dagster.yaml``.

Dagster's queue is looked at once a second, and each look takes its time: half of what a round's whole run takes.

Does not belong here: how a run gets its process (``run_launcher``).
"""

import threading
from typing import Any

import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

from slomix_pipeline.jobs import ADMIN_TAG, HAS_PROCESS

_launches_here = False
_one_at_a_time = threading.Lock()  # sensors submit from several threads, and what is launched counts from then on


def launch_in_this_process() -> None:
    """Says that this process is the one that launches runs: Dagster's daemon."""
    global _launches_here
    _launches_here = True


class PromptRunCoordinator(QueuedRunCoordinator[dg.DagsterInstance]):
    """``QueuedRunCoordinator`` that has the daemon start a run without the queue when nothing waits there and fewer
    runs than may be are in progress. What other processes submit, such as the web server, is queued, and so is what has
    a tag that is limited: Dagster's queue knows how many of these there are."""

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        run = context.dagster_run
        with _one_at_a_time:
            if not (_launches_here and run.status is dg.DagsterRunStatus.NOT_STARTED and self._may_start(run)):
                return super().submit_run(context)
            self._instance.launch_run(run.run_id, context.workspace)
        launched = self._instance.get_run_by_id(run.run_id)
        assert launched is not None
        return launched

    def _may_start(self, run: dg.DagsterRun) -> bool:
        def how_many(*statuses: dg.DagsterRunStatus, **of: Any) -> int:
            return self._instance.get_runs_count(dg.RunsFilter(statuses=statuses, **of))

        limits = self.get_run_queue_config()
        if any(limit["key"] in run.tags for limit in limits.tag_concurrency_limits):
            return False
        waiting = how_many(dg.DagsterRunStatus.QUEUED)
        if waiting:  # those that wait for each other hold up nobody else
            waiting -= how_many(dg.DagsterRunStatus.QUEUED, tags=ADMIN_TAG)
        return waiting == 0 and how_many(*HAS_PROCESS) < limits.max_concurrent_runs
