"""Stage 4: how long each round really was, linked to its timing record where there is one."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from slomix_pipeline.checks.outcomes import chain_outcome, timing_outcome
from slomix_pipeline.rules.linking import Clocked, LinkClass
from slomix_pipeline.rules.pairing import SIDES_UNSEEN
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.timing import time_round
from slomix_pipeline.rules.timing_chain import ALIVE_WITHIN, Evidence, first_broken_link
from slomix_pipeline.rules.timing_records import link_timing_records
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Conn, Done, Tools, by_server, sessions_touched
from slomix_pipeline.stages.round_stats import place_session
from slomix_pipeline.stages.timing_look import Look, look_for_records
from slomix_pipeline.warehouse import files, parsed, results, timing_records
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.placing import rests_on


def round_timing(keys: Sequence[str], tools: Tools) -> Done:
    """Links the rounds of these rounds' sessions to their timing records and times them.

    A record that is not here yet is looked for in its folder once; sessions that were placed with other records than
    are there now are placed anew: what the checks of ``round_stats`` find then is among the outcomes.
    """
    look = look_for_records(tools, keys)
    own_keys = set(keys)
    outcomes: dict[CheckName, dict[str, Outcome]] = {CheckName.TIMING_LINK: {}, CheckName.TIMING_CHAIN: {}}
    for server, own in by_server(keys):
        look_here = look if server == tools.settings.server else Look()
        with sessions_touched(tools, server, own) as (conn, sessions):
            for session in sessions:
                found = _time_session(conn, tools.settings, server, session, look_here, own_keys)
                for name, anew in found.placed_anew.items():
                    outcomes.setdefault(name, {}).update(anew)
                outcomes[CheckName.TIMING_LINK] |= found.timed
                # The look was for the records of these rounds: of others without one it knows nothing new.
                outcomes[CheckName.TIMING_CHAIN] |= {k: o for k, o in found.chains.items() if o.passed or k in own_keys}
    timed = [outcome.facts for key, outcome in outcomes[CheckName.TIMING_LINK].items() if key in own_keys]
    totals = {
        "rounds": len(timed),
        "linked": sum(facts["link"] == LinkClass.EXACT_END for facts in timed),
        "seconds of play": float(sum(facts["seconds"] or 0 for facts in timed)),
        "records found in the folder": len(look.fetched),
        "look into the folder": look.trouble or ("done" if look.listed else "not needed"),
        "statuses": Counter(facts["status"] for facts in timed),
    }
    return Done(outcomes, totals)


@dataclass(frozen=True)
class _Timed:
    """Outcomes of a session's rounds, by round key: of the clock, and of the way its record came; by check and round
    key those of a placing that had to be made again."""

    timed: dict[str, Outcome]
    chains: dict[str, Outcome]
    placed_anew: dict[CheckName, dict[str, Outcome]]


def _time_session(
    conn: Conn, settings: Settings, server: str, session: list[Stamped], look: Look, own: Collection[str]
) -> _Timed:
    """Links, times and stores all rounds of a session; first it is placed again when records came since it was."""
    keys = [entry.key for entry in session]
    written = parsed.headers(conn, keys)
    labels = results.labels(conn, keys)
    rounds = [Clocked(entry.key, written[entry.key].map_name, labels[entry.key], entry.stamp) for entry in session]
    evidence = _evidence(conn, settings, server, session, look)
    near = timing_records.records_near(conn, server, session[0].stamp, session[-1].stamp)
    records = {entry.key: entry.record for entry in near}
    links, unlinked = link_timing_records(rounds, near)
    placed_anew = {} if rests_on(conn, links) else place_session(conn, settings, server, session, own)
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


def _evidence(conn: Conn, settings: Settings, server: str, session: list[Stamped], look: Look) -> Evidence:
    """What is known of the server's timing around a session. ``look``: nothing for a server that is not watched."""
    first, last = session[0].stamp - ALIVE_WITHIN, session[-1].stamp + ALIVE_WITHIN
    return Evidence(
        records=timing_records.records_between(conn, server, first, last),
        unread=[*look.unread, *timing_records.unread_files(conn, server, settings.zone)],
        listed_at=look.looked_at if look.listed else files.last_look(conn, server, settings.gametimes_folder),
        trouble=look.trouble,
        signs=look.signs,
        signs_at=look.looked_at,
    )
