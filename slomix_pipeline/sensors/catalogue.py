"""Tells Dagster of what was made without a run of its own, so that the UI shows it: in the background, some at a time.

Belongs here: when that is done, and how much at once. What is told: ``checks.catalogue``.
"""

import time

import dagster as dg

from slomix_pipeline.checks.catalogue import add_partitions, events
from slomix_pipeline.sensors.busy import is_busy
from slomix_pipeline.warehouse import catalogue
from slomix_pipeline.warehouse.database import Database

SECONDS_PER_TICK = 20.0  # as long as no run begins: other sensors share the process
_AT_ONCE = 10  # partitions that may be told of again when the process is killed: Dagster would show them twice


def report_waiting(instance: dg.DagsterInstance, database: Database, seconds: float) -> int:
    """Tells Dagster of partitions that wait, for about so long. Returns how many those were."""
    add_partitions(instance, database)
    until = time.monotonic() + seconds
    reported = 0
    with database.connect() as conn:
        conn.autocommit = True
        while some := catalogue.next_ones(conn, _AT_ONCE):
            for made in some:
                for event in events(conn, made):
                    instance.report_runless_asset_event(event)
            catalogue.note_reported(conn, some)
            reported += len(some)
            if time.monotonic() >= until or is_busy(instance):
                break
    return reported


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells Dagster of rounds, records and sessions that were worked out without a run of their own (by "
    "import, override, team, post; records by the run of their round), so that the UI shows them as made. It waits "
    "while any run is in flight.",
)
def catalogue_sensor(
    context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database]
) -> dg.SensorResult | dg.SkipReason:
    with database.connect() as conn:
        waiting = catalogue.how_many(conn)
    if not waiting:
        context.update_cursor("0")
        return dg.SkipReason("Dagster knows of everything that was made")
    if is_busy(context.instance):
        return dg.SkipReason(f"{waiting:,} partitions wait until no run is in flight")
    before = int(context.cursor or 0)
    told = before + report_waiting(context.instance, database, SECONDS_PER_TICK)
    context.update_cursor(str(told))
    return dg.SkipReason(f"{told:,} of {before + waiting:,} partitions are told of")
