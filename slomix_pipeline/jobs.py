"""The jobs that sensors and commands start: everything from raw file to post, per kind of partition."""

import dagster as dg

from slomix_pipeline import partitions
from slomix_pipeline.settings import load_settings

ROUND_STAGES = (
    "raw_stats_file",
    "parsed_round",
    "round_stats",
    "round_timing",
    "gaming_session",
    "session_teams",
    "match_score",
    "match_post",
)


# A run's wish to publish, as a tag: LIVE (a sensor asked) announces fresh rounds, ASKED (a person did) all.
PUBLISH_TAG = "slomix/publish"
LIVE, ASKED = "live", "asked"


# The lock that a command holds while it runs jobs in its own process: who gets it knows that such runs are dead.
COMMAND_RUNS = "runs of a command"


IN_FLIGHT = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def is_of_a_command(run: dg.DagsterRun) -> bool:
    """Whether a command runs it in its own process: nobody else can tell when that process is gone."""
    return run.remote_job_origin is None


def executor() -> dg.ExecutorDefinition:
    """Steps run inside the run's process (a step is far shorter than a process start), unless the setting says else."""
    return dg.in_process_executor if load_settings().executor == "in_process" else dg.multiprocess_executor


PARTITIONS_OF = {
    "ingest_rounds": partitions.rounds,
    "ingest_timings": partitions.timings,
    "report_sessions": partitions.sessions,
}

ingest_rounds = dg.define_asset_job(
    "ingest_rounds",
    selection=dg.AssetSelection.assets(*ROUND_STAGES, "round_awards", "timing_comparison"),
    description="A round from its stats file to its Discord message.",
)
ingest_timings = dg.define_asset_job(
    "ingest_timings",
    selection=dg.AssetSelection.assets("timing_record"),
    description="A timing record into the database.",
)
report_sessions = dg.define_asset_job(
    "report_sessions",
    selection=dg.AssetSelection.assets("session_report", "session_post"),
    description="What is said about a whole session.",
)
