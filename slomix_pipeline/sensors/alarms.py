"""Tells whoever runs the server what has to be looked at: once a minute, in the admin channel.

Belongs here: when that is looked for, and which runs failed, as only Dagster knows them.
Does not belong here: what else is wrong and how it is told (``stages.alarms``).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import dagster as dg

from slomix_pipeline.discord.channels import open_channels
from slomix_pipeline.discord.patience import Patience
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.rules.alarms import RUNS_LATELY, AlarmCause, Symptom
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.alarms import tell_alarms
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse.database import Database

SECONDS_PER_TICK = 20.0  # of waiting for Discord
MOST_RUNS = 20  # looked at per tick: each is a question of its own whether another run made it good
_PARTITIONS = ("dagster/partition", "dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def failed_runs(instance: dg.DagsterInstance, now: datetime) -> Iterator[Symptom]:
    """The runs that failed lately, and that no later run of the same partitions made good, the newest first."""
    since = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=now - RUNS_LATELY)
    for record in instance.get_run_records(since, limit=MOST_RUNS):
        run = record.dagster_run
        ended_at = datetime.fromtimestamp(record.end_time or record.create_timestamp.timestamp(), UTC)
        of = partitions_of(run.tags)
        good = dg.RunsFilter(
            job_name=run.job_name, statuses=[dg.DagsterRunStatus.SUCCESS], tags=of, updated_after=ended_at
        )
        if not instance.get_run_records(good, limit=1):
            what = " to ".join(dict.fromkeys(of.values()))
            yield Symptom(AlarmCause.FAILED_RUNS, f"{run.job_name} {what}".rstrip(), f"run {run.run_id}", ended_at)


def partitions_of(tags: Mapping[str, str]) -> dict[str, str]:
    """What of a run's tags says which partitions it is of."""
    return {name: tags[name] for name in _PARTITIONS if name in tags}


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the admin channel, in one message per cause, what somebody has to look at: files that can't be "
    "read, checks and runs that failed, messages and webhooks in trouble, sessions without a word. Starts no run.",
)
def alarms_sensor(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings], database: dg.ResourceParam[Database]
) -> dg.SkipReason:
    channels = open_channels(settings, Patience(SECONDS_PER_TICK))
    if channels.admin is None:
        return dg.SkipReason("SLOMIX_DISCORD_ADMIN_WEBHOOK is not set")
    now = datetime.now(UTC)
    tools = Tools(database, settings, NoGameServer(), channels, log=context.log)
    told = tell_alarms(tools, now, list(failed_runs(context.instance, now)))
    return dg.SkipReason(", ".join(f"{thing} {outcome}" for thing, outcome in told.items()) or "nothing new is wrong")
