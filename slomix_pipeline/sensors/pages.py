"""Prepares for pages what takes too long while somebody waits for one: in the background, a session at a time.

Belongs here: when that is done, and how much at once. What is made: ``stages.site_preparing``.
"""

import time
from datetime import UTC, datetime

import dagster as dg

from slomix_pipeline.sensors.busy import is_busy
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.site_preparing import prepare_news, prepare_next
from slomix_pipeline.warehouse import site_news, site_preparing
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.unfinished import command_works

SECONDS_PER_TICK = 15.0  # as long as no run begins: other sensors share the process


def prepare_waiting(instance: dg.DagsterInstance, database: Database, settings: Settings, seconds: float) -> int:
    """Prepares sessions that wait, newest first, then the news, for about so long. Returns how many."""
    until = time.monotonic() + seconds
    prepared = 0
    while not (is_busy(instance) or command_works(database)):
        now = datetime.now(UTC)
        if not (prepare_next(database, settings, now) or prepare_news(database, now)):
            break
        prepared += 1
        if time.monotonic() >= until:
            break
    return prepared


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes the receipts, grades and news that the public pages show, of sessions that were scored or got "
    "awards since. It waits while any run is in flight, and while a command works rounds out.",
)
def pages_sensor(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings], database: dg.ResourceParam[Database]
) -> dg.SkipReason:
    with database.connect() as conn:
        waiting = site_preparing.how_many(conn) + site_news.how_many(conn, datetime.now(UTC) - site_news.OF_LATE)
    if not waiting:
        return dg.SkipReason("pages have all of it")
    prepared = prepare_waiting(context.instance, database, settings, SECONDS_PER_TICK)
    return dg.SkipReason(f"{prepared:,} of {waiting:,} sessions are prepared")
