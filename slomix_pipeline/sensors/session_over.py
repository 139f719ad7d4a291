"""Tells when a session is over: no round of it has arrived for a while, and its report is not up to date.

Does not belong here: what is reported (``stages.session_report`` and what follows it).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from slomix_pipeline import jobs, partitions
from slomix_pipeline.jobs import tags_of_wish
from slomix_pipeline.sensors.requests import Wanted, keys_in_flight, requests_for, turn
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Wish
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.session_reports import sessions_to_report

AT_ONCE = 50  # sessions per tick


def decide(behind: Sequence[tuple[str, str]], now: datetime) -> list[Wanted]:
    """The sessions to report on. ``behind``: key and fingerprint; the same content is asked for once, then every ten
    minutes as long as nothing comes of it."""
    return [Wanted(key, f"session:{key}:{fingerprint}:{turn(now)}") for key, fingerprint in sorted(behind)]


@dg.sensor(
    job=jobs.report_sessions,
    minimum_interval_seconds=30,  # it was quiet for an hour
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Finds sessions that are over and not reported as they now are, and has them reported.",
)
def session_over_sensor(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings], database: dg.ResourceParam[Database]
) -> dg.SensorResult | dg.SkipReason:
    now = datetime.now(UTC)
    with database.transaction() as conn:
        found = sessions_to_report(
            conn,
            now - settings.session_over_after,
            AT_ONCE,
            with_messages=settings.tells_results(),
        )
    if not found:
        return dg.SkipReason("no session is over without being reported")
    in_flight = keys_in_flight(context.instance, "report_sessions")
    wanted = [w for w in decide(found, now) if w.key not in in_flight]
    if not wanted:
        return dg.SkipReason(f"{len(found)} sessions are being reported")
    partitions.add_keys(context.instance, partitions.sessions, (w.key for w in wanted))
    return dg.SensorResult(requests_for(context.instance, partitions.sessions, wanted, tags_of_wish(Wish.LIVE)))
