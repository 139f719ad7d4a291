"""When Dagster's records of long ago are taken away: once a day when nobody plays, ticks that found nothing every hour.

Does not belong here: what is old, and what stays (``warehouse.dagster_records``).
"""

import time
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster_postgres import PostgresRunStorage

from slomix_pipeline.warehouse.dagster_records import Pruned, forget_ticks, prune, sizes
from slomix_pipeline.warehouse.database import Database

EVERY, LATEST = timedelta(days=1), timedelta(days=2)
REST = timedelta(hours=1)
SECONDS_PER_TICK = 20.0  # what is left is taken away by the next one


def is_due(done_at: datetime, worked_at: datetime | None, now: datetime) -> bool:
    """Whether it is time again, and nobody plays: who does not pause for days is not waited for.

    ``done_at``: when everything old was taken away last, or when that was asked first; ``worked_at``: when a session
    was worked out last.
    """
    rests = worked_at is None or now - worked_at >= REST
    return now - done_at >= (EVERY if rests else LATEST)


def records_of(instance: dg.DagsterInstance) -> Database | None:
    """Dagster's records by Dagster's own login; None where they are in no PostgreSQL. Who owns its tables decides what
    happens when rows go (triggers), so that is never done with rights beyond those of their owner; a mere ``set role``
    is undone by whatever then runs."""
    storage = instance.run_storage
    if not isinstance(storage, PostgresRunStorage):
        return None
    return Database(storage.postgres_url.replace("+psycopg2", "", 1))


def prune_for(database: Database, now: datetime, seconds: float) -> tuple[Pruned, bool]:
    """Takes away what is old, for about so long. Returns what that was, and whether it was all."""
    until = time.monotonic() + seconds
    taken = Pruned()
    for portion in prune(database, now):
        taken += portion
        if time.monotonic() >= until:
            return taken, False
    return taken, True


@dg.sensor(
    minimum_interval_seconds=3600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Keeps Dagster's records small. Once a day, while nobody plays, it takes away runs that succeeded a "
    "week ago or failed 90 days ago, with their events, and evaluations of checks that passed; every partition keeps "
    "its last materialisation and what failed. Every hour it takes away ticks that found nothing. Runs nothing.",
)
def pruning_sensor(context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database]) -> dg.SkipReason:
    now = datetime.now(UTC)
    records = records_of(context.instance)
    if records is None:
        return dg.SkipReason("Dagster keeps its records elsewhere")
    said = [f"took away {forget_ticks(records, now):,} ticks"]
    with database.connect() as conn:
        row = conn.execute("select max(worked_at) as worked_at from session").fetchone()
    assert row is not None
    if not context.cursor:
        context.update_cursor(now.isoformat())
    elif is_due(datetime.fromisoformat(context.cursor), row["worked_at"], now):
        taken, all_of_it = prune_for(records, now, SECONDS_PER_TICK)
        said.append(f"{taken.runs:,} runs, {taken.events:,} events, {taken.evaluations:,} evaluations of checks")
        if all_of_it:
            context.update_cursor(now.isoformat())
        else:
            said.append("more in an hour")
    with database.connect() as conn:
        return dg.SkipReason(f"{', '.join(said)}; {sizes(conn).in_words}")
