"""The one place where work is redone: rounds whose inputs or rules are newer than their result.

What makes a round stale has a name each (``warehouse.rework_causes``), and the run that works it out again says the
names as its tag ``slomix/cause``. Does not belong here: what makes a round stale, doing the work (``stages``), messages
that did not arrive (``outbox``).
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from slomix_pipeline import jobs
from slomix_pipeline.jobs import tags_of_wish
from slomix_pipeline.partitions import add_keys, rounds
from slomix_pipeline.sensors.requests import Wanted, keys_in_flight, requests_for, turn
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Wish
from slomix_pipeline.warehouse import rebuilds, unfinished
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.rework import Stale, stale_rounds
from slomix_pipeline.warehouse.rework_causes import COMPARING, Cause

SETTLE = timedelta(seconds=3)  # a run that is just writing is not behind
ROUNDS_AT_ONCE = 1000  # the last played; a change of the rules makes all of history stale
COMPARE_EVERY = timedelta(minutes=1)  # it takes many times longer than all the other questions together
LATELY = timedelta(minutes=10)  # records that were stored earlier are looked at when whole tables are


def causes_to_ask(compared_at: datetime | None, now: datetime) -> frozenset[Cause]:
    """What a tick looks for. ``compared_at``: when whole tables were held against each other last."""
    everything = compared_at is None or now - compared_at >= COMPARE_EVERY
    return frozenset(Cause) if everything else frozenset(Cause) - COMPARING


def decide(stale: Sequence[Stale], in_flight: Collection[str], now: datetime) -> list[Wanted]:
    """The rounds to run again. Each input is asked for once, then every ten minutes as long as nothing comes of it."""
    return [
        Wanted(key, f"rework:{key}:{inputs_at.timestamp():.3f}:{turn(now)}", causes)
        for key, causes, inputs_at in stale
        if key not in in_flight and now - inputs_at >= SETTLE
    ]


@dg.sensor(
    job=jobs.ingest_rounds,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Finds rounds whose inputs are newer than their result (late timing or awards, a run that ended "
    "half-way) and runs them again.",
)
def rework_sensor(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings], database: dg.ResourceParam[Database]
) -> dg.SensorResult | dg.SkipReason:
    now = datetime.now(UTC)
    causes = causes_to_ask(datetime.fromisoformat(context.cursor) if context.cursor else None, now)
    # Asked first: what ends while the other question is asked is through, or asked for by the next tick.
    in_flight = keys_in_flight(context.instance, "ingest_rounds")
    in_flight |= unfinished.in_command(database) | rebuilds.in_rebuild(database)
    with database.connect() as conn:
        stale = stale_rounds(
            conn,
            settings,
            causes=causes,
            newest=ROUNDS_AT_ONCE,
            stored_since=None if causes & COMPARING else now - LATELY,
        )
    if causes & COMPARING:
        context.update_cursor(now.isoformat())
    if not stale:
        return dg.SkipReason("every round is as new as its inputs")
    wanted = decide(stale, in_flight, now)
    if not wanted:
        return dg.SkipReason(f"{len(stale)} rounds are being redone")
    # A command that was killed may have left rounds that Dagster never heard of.
    add_keys(context.instance, rounds, [w.key for w in wanted])
    return dg.SensorResult(requests_for(context.instance, rounds, wanted, tags_of_wish(Wish.LIVE)))
