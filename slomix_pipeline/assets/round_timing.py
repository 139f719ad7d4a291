"""Stage 4: how long each round really was, linked to its timing record where there is one."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import dagster as dg

from slomix_pipeline.assets.common import Conn, for_touched_sessions, round_asset
from slomix_pipeline.assets.round_stats import place_session
from slomix_pipeline.assets.timing_look import Look, look_for_records
from slomix_pipeline.checks.layers import report, report_anew
from slomix_pipeline.checks.outcomes import chain_outcome, timing_outcome
from slomix_pipeline.gameserver.source import GameServer
from slomix_pipeline.rules.linking import Clocked, LinkClass
from slomix_pipeline.rules.pairing import SIDES_UNSEEN
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.timing import time_round
from slomix_pipeline.rules.timing_chain import ALIVE_WITHIN, Evidence, first_broken_link
from slomix_pipeline.rules.timing_records import link_timing_records
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import files, parsed, results, timing_records
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.placing import rests_on


@round_asset(
    "round_timing",
    stage="timing",
    kinds={"postgres", "python"},
    deps=["round_stats", dg.AssetDep("timing_record", partition_mapping=dg.AllPartitionMapping())],
    description="The length of each round with its source, the timing record that belongs to it, who gave up, and "
    "whether header and record agree. A record that is not here yet is looked for in its folder once; where one "
    "came since the rounds were placed, they are placed anew. Player minutes are never touched: they are true already.",
)
def round_timing(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], gameserver: dg.ResourceParam[GameServer]
) -> dg.MaterializeResult:
    look = look_for_records(database, gameserver, context.partition_keys)
    own_keys = set(context.partition_keys)
    timed: dict[str, Outcome] = {}
    chains: dict[str, Outcome] = {}
    placed: dict[CheckName, dict[str, Outcome]] = {}

    def recompute(conn: Conn, server: str, session: list[Stamped]) -> None:
        look_here = look if server == load_settings().server else Look()
        found = _time_session(conn, server, session, look_here, own_keys)
        for name, outcomes in found.placed_anew.items():
            placed.setdefault(name, {}).update(outcomes)
        timed.update(found.timed)
        # The look was for the records of this run's rounds: of others without one it knows nothing new.
        chains.update({key: o for key, o in found.chains.items() if o.passed or key in own_keys})

    for_touched_sessions(database, context.partition_keys, recompute)
    with database.connect() as conn:
        report_anew(context, conn, placed)
        checks = [
            report(context, conn, CheckName.TIMING_LINK, timed),
            report(context, conn, CheckName.TIMING_CHAIN, chains),
        ]
    own = [key for key in context.partition_keys if key in timed]
    statuses = Counter(timed[key].facts["status"] for key in own)
    metadata = {
        "rounds": len(own),
        "linked": sum(timed[key].facts["link"] == LinkClass.EXACT_END for key in own),
        "seconds of play": float(sum(timed[key].facts["seconds"] or 0 for key in own)),
        "records found in the folder": len(look.fetched),
        "look into the folder": look.trouble or ("done" if look.listed else "not needed"),
        "statuses": dg.MetadataValue.json(statuses),
    }
    return dg.MaterializeResult(metadata=metadata, check_results=checks)


@dataclass(frozen=True)
class _Timed:
    """Outcomes of a session's rounds, by round key: of the clock, and of the way its record came; by check and round
    key those of a placing that had to be made again."""

    timed: dict[str, Outcome]
    chains: dict[str, Outcome]
    placed_anew: dict[CheckName, dict[str, Outcome]]


def _time_session(conn: Conn, server: str, session: list[Stamped], look: Look, own: Collection[str]) -> _Timed:
    """Links, times and stores all rounds of a session; first it is placed again when records came since it was."""
    keys = [entry.key for entry in session]
    written = parsed.headers(conn, keys)
    labels = results.labels(conn, keys)
    rounds = [Clocked(entry.key, written[entry.key].map_name, labels[entry.key], entry.stamp) for entry in session]
    evidence = _evidence(conn, server, session, look)
    near = timing_records.records_near(conn, server, session[0].stamp, session[-1].stamp)
    records = {entry.key: entry.record for entry in near}
    links, unlinked = link_timing_records(rounds, near)
    placed_anew = {} if rests_on(conn, links) else place_session(conn, server, session, own)
    placed = results.places(conn, keys)
    headers = results.true_headers(conn, placed)
    played = results.seconds_played(conn, keys)
    timings = {}
    for key in keys:
        seconds = played.get(key, {}).values()
        record = records.get(links[key].record_key or "")
        seen = SIDES_UNSEEN not in placed[key].flags
        timings[key] = time_round(headers[key], placed[key].status, seconds, links[key], record, seen)
    results.store_timing(conn, timings)
    timing_records.store_unlinked(conn, records, unlinked)
    return _Timed(
        {key: timing_outcome(headers[key], timing, played.get(key, {})) for key, timing in timings.items()},
        {entry.key: chain_outcome(first_broken_link(entry, links[entry.key], unlinked, evidence)) for entry in rounds},
        placed_anew,
    )


def _evidence(conn: Conn, server: str, session: list[Stamped], look: Look) -> Evidence:
    """What is known of the server's timing around a session. ``look``: nothing for a server that is not watched."""
    settings = load_settings()
    first, last = session[0].stamp - ALIVE_WITHIN, session[-1].stamp + ALIVE_WITHIN
    return Evidence(
        records=timing_records.records_between(conn, server, first, last),
        unread=[*look.unread, *timing_records.unread_files(conn, server, settings.zone)],
        listed_at=look.looked_at if look.listed else files.last_look(conn, server, settings.gametimes_folder),
        trouble=look.trouble,
        signs=look.signs,
        signs_at=look.looked_at,
    )
