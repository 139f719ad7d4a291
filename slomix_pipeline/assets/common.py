"""How a stage becomes an asset: declared, called, reported; the same for all of them.

Does not belong here: what a stage does (``stages``), which assets there are (the modules beside).
"""

import warnings
from collections.abc import Sequence

import dagster as dg

from slomix_pipeline import partitions
from slomix_pipeline.checks.layers import check_specs, report
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.discord.patience import OF_A_RUN, Patience
from slomix_pipeline.gameserver.source import GameServer
from slomix_pipeline.jobs import wish_of
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Stage, Tools, perform
from slomix_pipeline.warehouse.database import Database

# Backfill policies are beta, partitions of checks a preview; the pinned version is known to have both.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

OWNER = "team:stats"
FETCH_AGAIN = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL)  # what fetches files
NOBODY_WAITS = {"dagster/priority": "-1"}  # after the stages that a message waits for


def stage_asset(
    stage: Stage,
    *,
    tag: str,
    kinds: set[str],
    description: str,
    deps: Sequence[str | dg.AssetDep] = (),
    partitions_def: dg.DynamicPartitionsDefinition = partitions.rounds,
    retry_policy: dg.RetryPolicy | None = None,
    op_tags: dict[str, str] | None = None,
) -> dg.AssetsDefinition:
    """The asset of a stage, with its name and the group of its partitions. ``tag``: the stage's name in the sentence
    of the chain."""

    @dg.asset(
        name=stage.__name__,
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=partitions.MOST_PARTITIONS),
        group_name=partitions_def.name,
        owners=[OWNER],
        kinds=kinds,
        tags={"stage": tag},
        deps=list(deps),
        check_specs=check_specs(stage.__name__),
        description=description,
        retry_policy=retry_policy,
        op_tags=op_tags,
    )
    def asset(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        database: dg.ResourceParam[Database],
        gameserver: dg.ResourceParam[GameServer],
        discord: dg.ResourceParam[Channels],
    ) -> dg.MaterializeResult:
        tools = Tools(database, settings, gameserver, discord, wish_of(context.run), context.log, Patience(OF_A_RUN))
        return report(context, stage.__name__, perform(stage, context.partition_keys, tools))

    return asset
