"""Stage 4: how long each round really was, linked to its timing record where there is one."""

import dagster as dg

from slomix_pipeline.assets.common import Conn, for_touched_sessions, round_asset
from slomix_pipeline.checks.layers import report
from slomix_pipeline.checks.outcomes import timing_outcome
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.timing import (
    CANDIDATE_WINDOW,
    Clocked,
    attackers_gave_up,
    link_records,
    round_duration,
    timing_status,
)
from slomix_pipeline.warehouse import parsed, results
from slomix_pipeline.warehouse.check_results import Outcome
from slomix_pipeline.warehouse.database import Database


@round_asset(
    "round_timing",
    stage="timing",
    kinds={"postgres", "python"},
    deps=["round_stats", dg.AssetDep("timing_record", partition_mapping=dg.AllPartitionMapping())],
    description="The length of each round with its source, the timing record that belongs to it, and whether header "
    "and record agree. Player minutes are never touched: they are true already.",
)
def round_timing(context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]) -> dg.MaterializeResult:
    outcomes: dict[str, Outcome] = {}

    def recompute(conn: Conn, server: str, session: list[Stamped]) -> None:
        keys = [entry.key for entry in session]
        headers = parsed.headers(conn, keys)
        labels = results.labels(conn, keys)
        statuses = results.statuses(conn, keys)
        played = results.seconds_played(conn, keys)
        rounds = [Clocked(entry.key, headers[entry.key].map_name, labels[entry.key], entry.stamp) for entry in session]
        records = parsed.records_between(
            conn, server, session[0].stamp - CANDIDATE_WINDOW, session[-1].stamp + CANDIDATE_WINDOW
        )
        links = link_records(rounds, records)
        lengths = results.record_durations(conn, [record.key for record in records])
        timings = {}
        for key in keys:
            link = links[key]
            record = lengths.get(link.record_key or "") if link.link_class == "exact_end" else None
            seconds_by_guid = played.get(key, {})
            duration = round_duration(headers[key], statuses[key], seconds_by_guid.values(), record)
            status = timing_status(headers[key].attack_seconds, record)
            timings[key] = (duration, status, attackers_gave_up(headers[key], duration), link)
            outcomes[key] = timing_outcome(headers[key], duration, status, link, record, seconds_by_guid)
        results.store_timing(conn, timings)

    for_touched_sessions(database, context.partition_keys, recompute)
    with database.connect() as conn:
        check = report(context, conn, "timing_link", outcomes)
    own = [outcomes[key].facts for key in context.partition_keys if key in outcomes]
    metadata = {
        "rounds": len(own),
        "linked": sum(facts["link"] == "exact_end" for facts in own),
        "seconds of play": float(sum(facts["seconds"] or 0 for facts in own)),
    }
    return dg.MaterializeResult(metadata=metadata, check_results=[check])
