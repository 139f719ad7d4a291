"""Has models fitted again when history is another one.

Belongs here: when. Does not belong here: what is fitted and to what (``stages``).

Models learn between evenings: what one more match would teach them is little, and who is judged is judged by what was
known before.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from slomix_pipeline import jobs
from slomix_pipeline.sensors.busy import is_busy
from slomix_pipeline.sensors.requests import turn
from slomix_pipeline.warehouse import fitted
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.fitted import Learning
from slomix_pipeline.warehouse.unfinished import command_works

QUIET = timedelta(minutes=20)  # since the last round: longer than a map takes
AT_LATEST = timedelta(hours=12)  # where rounds never end


def is_due(known: Learning, now: datetime) -> bool:
    """Whether models have to be fitted again: nobody plays, or somebody always does."""
    if known.fitted_of == known.state or known.played_at is None:
        return False
    waited = known.fitted_at is None or now - known.fitted_at >= AT_LATEST
    return now - known.played_at >= QUIET or waited


@dg.sensor(
    job=jobs.refit_insight,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Has the models behind odds and expectations fitted again when an evening is over, a file came late, "
    "or a person decided something. It waits while any run is in flight, and while a command works rounds out.",
)
def insight_sensor(
    context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database]
) -> dg.RunRequest | dg.SkipReason:
    now = datetime.now(UTC)
    with database.connect() as conn:
        known = fitted.learning(conn)
    if not is_due(known, now):
        return dg.SkipReason("models know all of history" if known.fitted_of == known.state else "an evening goes on")
    if is_busy(context.instance) or command_works(database):
        return dg.SkipReason("rounds are being worked out")
    return dg.RunRequest(run_key=f"insight:{known.state}:{turn(now)}")
