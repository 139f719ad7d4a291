"""The one place where work is redone: rounds whose inputs are newer than their result.

A round is asked for again when it was parsed after its results were made (a run ended half-way, a file was replaced),
when a timing record or an endstats file of it came later, or when its message or a correction of it was not delivered.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline import jobs
from slomix_pipeline.jobs import LIVE, PUBLISH_TAG
from slomix_pipeline.rules.timing import LINK_WINDOW
from slomix_pipeline.sensors.requests import Wanted, build_requests, keys_in_flight, turn
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse.database import Database

SETTLE = timedelta(seconds=3)  # a run that is just writing is not behind


def decide(stale: Sequence[tuple[str, datetime]], in_flight: Collection[str], now: datetime) -> list[Wanted]:
    """The rounds to run again. ``stale``: key and time of its newest input. Each input is asked for once, then every
    ten minutes as long as nothing comes of it."""
    return [
        Wanted(key, f"rework:{key}:{inputs_at.timestamp():.3f}:{turn(now)}")
        for key, inputs_at in stale
        if key not in in_flight and now - inputs_at >= SETTLE
    ]


def stale_rounds(conn: Connection[DictRow], publish_max_age: timedelta) -> list[tuple[str, datetime]]:
    """Rounds whose inputs are newer than their result, with the time of the newest input, in order of play."""
    rows = conn.execute(
        """select round_key, max(inputs_at) as inputs_at from (
               select p.round_key, p.parsed_at as inputs_at
               from parsed_round p
               left join round r using (round_key)
               left join round_timing t using (round_key)
               left join session_round s using (round_key)
               where r.rules_at is null or r.rules_at < p.parsed_at or t.round_key is null or s.round_key is null
                  or not exists (select from match m where m.match_key = r.match_key)
               union all
               select p.round_key, f.finished_at
               from parsed_round p join file f using (server, name)
               where f.status = 'ingested' and f.sha256 <> p.sha256
               union all
               select p.round_key, w.stored_at
               from timing_record w
               join parsed_round p on p.server = w.server and lower(p.map) = lower(w.map) and p.label = w.label
                    and w.ended_at between p.stamp - %(window)s and p.stamp + %(window)s
               join round_timing t using (round_key)
               where w.stored_at > t.timed_at
                  -- A record stored while the timing was being made was not seen by it.
                  or (t.record_key is distinct from w.record_key and w.stored_at > t.timed_at - interval '10 seconds')
               union all
               select round_key, first_seen_at from unread_endstats
               union all
               select partition_key, claimed_at from post
               where (state = 'failed' or (state = 'sent' and payload_sha256 is null))
                 and thing not like 'session:%%' and claimed_at > now() - %(max_age)s
           ) inputs
           group by round_key order by split_part(round_key, ':', 2), round_key limit 1000""",
        {"window": LINK_WINDOW, "max_age": publish_max_age},
    )
    return [(row["round_key"], row["inputs_at"]) for row in rows]


@dg.sensor(
    job=jobs.ingest_rounds,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Finds rounds whose inputs are newer than their result (late timing or awards, a run that ended "
    "half-way, an undelivered message) and runs them again.",
)
def rework_sensor(
    context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database]
) -> dg.SensorResult | dg.SkipReason:
    with database.connect() as conn:
        stale = stale_rounds(conn, load_settings().publish_max_age)
    if not stale:
        return dg.SkipReason("every round is as new as its inputs")
    order = list(context.instance.get_dynamic_partitions("rounds"))
    in_flight = keys_in_flight(context.instance, "ingest_rounds", order)
    known = [(key, inputs_at) for key, inputs_at in stale if key in set(order)]
    wanted = decide(known, in_flight, datetime.now(UTC))
    if not wanted:
        return dg.SkipReason(f"{len(stale)} rounds are being redone")
    return dg.SensorResult(run_requests=build_requests(wanted, order, {PUBLISH_TAG: LIVE}))
