"""Stage 4: how long each round really was, linked to its timing record where there is one."""

import dagster as dg

from slomix_pipeline.assets.common import Conn, for_touched_sessions, round_asset
from slomix_pipeline.checks.layers import Outcome, report
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.timing import (
    CANDIDATE_WINDOW,
    Clocked,
    TimingStatus,
    attackers_gave_up,
    link_records,
    overstayed,
    round_duration,
    timing_status,
)
from slomix_pipeline.warehouse import parsed, results
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
    own = set(context.partition_keys)
    outcomes: dict[str, Outcome] = {}
    seconds: list[float] = []

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
            if key in own:
                facts = {
                    "status": status.value,
                    "seconds": duration.seconds,
                    "source": duration.source,
                    "header": headers[key].attack_time,
                    "record seconds": record,
                    "link": link.link_class,
                    "why": link.reason or "within 30 s",
                    "candidate": link.record_key if link.link_class == "fuzzy" else "none",
                }
                longer = overstayed(duration, seconds_by_guid)
                facts["there for longer than the round"] = ", ".join(longer) or "nobody"
                agrees = status in (TimingStatus.ALIGNED, TimingStatus.NO_LUA_DATA)
                known = duration.seconds is not None
                outcomes[key] = Outcome(agrees and known and not longer and link.link_class != "tie", facts)
                seconds.append(duration.seconds or 0.0)
        results.store_timing(conn, timings)

    for_touched_sessions(database, context.partition_keys, recompute)
    with database.connect() as conn:
        check = report(context, conn, "timing_link", outcomes)
    linked = sum(outcome.facts["link"] == "exact_end" for outcome in outcomes.values())
    metadata = {"rounds": len(outcomes), "linked": linked, "seconds of play": sum(seconds)}
    return dg.MaterializeResult(metadata=metadata, check_results=[check])
