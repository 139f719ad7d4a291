"""Runs whose process is gone: marked as failed, which lets Dagster start them again.

It would wait for their longest run time otherwise, and their rounds with it.

Belongs here: by what a run is known to be dead, to who has just begun to hold what its process held.
Does not belong here: which runs count as in flight for a sensor (``sensors.requests``).
"""

from collections.abc import Callable

import dagster as dg

from slomix_pipeline.jobs import IN_FLIGHT, is_of_a_command

_LAUNCHED_TAG = ".dagster/grpc_info"  # set on runs that a code server launched
_HAS_PROCESS = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)


def give_up_runs_of_supervisors(instance: dg.DagsterInstance) -> None:
    """For the supervisor, before it starts anything. Runs of commands are left alone: they may be alive."""
    _give_up(instance, _was_supervised, "its process ended with the supervisor that had started it")


def give_up_runs_of_commands(instance: dg.DagsterInstance) -> None:
    """For a command that holds the lock of their runs (``jobs.COMMAND_RUNS``): no other command lives."""
    _give_up(instance, is_of_a_command, "the command that ran it was ended; the next one goes on from there")


def _was_supervised(run: dg.DagsterRun) -> bool:
    return run.status in _HAS_PROCESS and _LAUNCHED_TAG in run.tags


def _give_up(instance: dg.DagsterInstance, is_dead: Callable[[dg.DagsterRun], bool], reason: str) -> None:
    for run in instance.get_runs(dg.RunsFilter(statuses=IN_FLIGHT)):
        if is_dead(run):
            instance.report_run_failed(run, reason)
