"""The jobs that sensors and commands start: everything from raw file to post, per kind of partition.

Belongs here: the tags of their runs too. Does not belong here: when they run (``sensors``), what they do (``assets``).
"""

import dagster as dg

from slomix_pipeline import partitions
from slomix_pipeline.launching import StepExecutor
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Wish

PUBLISH_TAG = "slomix/publish"


def tags_of_wish(wish: Wish | None) -> dict[str, str]:
    """A run's wish to publish, as its tags."""
    return {} if wish is None else {PUBLISH_TAG: wish.value}


def wish_of(run: dg.DagsterRun) -> Wish | None:
    """What a run wishes to publish; a tag that says something else, typed by a person, is no wish."""
    said = run.tags.get(PUBLISH_TAG)
    return Wish(said) if said in set(Wish) else None


# Why a run works rounds out again, as a tag: the causes of all its rounds (``warehouse.rework_causes``).
CAUSE_TAG = "slomix/cause"


# Of a job for admins: it may take hours, and one at a time runs (deploy/launchers), so that rounds find room.
ADMIN_TAG = {"slomix/admin": "true"}
ADMINS_RUN = ADMIN_TAG | partitions.LONG_RUN

INSIGHT = "insight"  # the group of assets that are about all of history

HAS_PROCESS = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
IN_FLIGHT = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, *HAS_PROCESS]


def executor(settings: Settings) -> dg.ExecutorDefinition:
    """Steps run inside the run's process (a step is far shorter than a process start), unless the setting says else."""
    match settings.executor:
        case StepExecutor.IN_PROCESS:
            return dg.in_process_executor
        case StepExecutor.MULTIPROCESS:
            return dg.multiprocess_executor
        case StepExecutor.KUBERNETES:
            from dagster_k8s import k8s_job_executor  # of an extra: there only where it is named

            by_job: dg.ExecutorDefinition = k8s_job_executor
            return by_job


PARTITIONS_OF = {
    "ingest_rounds": partitions.rounds,
    "ingest_timings": partitions.timings,
    "report_sessions": partitions.sessions,
}

ingest_rounds = dg.define_asset_job(
    "ingest_rounds",
    selection=dg.AssetSelection.groups(partitions.rounds.name),
    description="A round from its stats file to its Discord message.",
)
ingest_timings = dg.define_asset_job(
    "ingest_timings",
    selection=dg.AssetSelection.groups(partitions.timings.name),
    description="A timing record into the database.",
)
report_sessions = dg.define_asset_job(
    "report_sessions",
    selection=dg.AssetSelection.groups(partitions.sessions.name),
    description="What is said about a whole session.",
)
refit_insight = dg.define_asset_job(
    "refit_insight",
    selection=dg.AssetSelection.groups(INSIGHT),
    description="What is learned from all of history: the models behind odds and expectations, and how good they are. "
    "What has not changed is not made again.",
)
