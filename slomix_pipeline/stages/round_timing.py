"""Stage 4: how long each round really was, linked to its timing record where there is one.

Does not belong here: which record a round has and what it says (``rules``), looking for it (``timing_look``).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from slomix_pipeline.checks.outcomes import chain_outcome, timing_outcome
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.rules.linking import CANDIDATE_WINDOW, Link, LinkClass
from slomix_pipeline.rules.pairing import SIDES_UNSEEN
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.timing import time_round
from slomix_pipeline.rules.timing_chain import ALIVE_WITHIN, Evidence, first_broken_link
from slomix_pipeline.rules.timing_records import FiledRecord, RecordLinks, UnreadFile, link_timing_records
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Conn, Done, Tools, by_server, sessions_touched
from slomix_pipeline.stages.round_stats import place_sessions
from slomix_pipeline.stages.timing_look import Look, look_for_records
from slomix_pipeline.warehouse import files, parsed, results, timing_records
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.placing import placed_otherwise


def round_timing(keys: Sequence[str], tools: Tools) -> Done:
    """Links the rounds of these rounds' sessions to their timing records and times them.

    A record that is not here yet is looked for in its folder once; sessions that were placed with other records than
    are there now are placed anew: what the checks of ``round_stats`` find then is among the outcomes.
    """
    look = look_for_records(tools, keys)
    own_keys = set(keys)
    outcomes: dict[CheckName, dict[str, Outcome]] = {CheckName.TIMING_LINK: {}, CheckName.TIMING_CHAIN: {}}
    for server, own in by_server(keys):
        with sessions_touched(tools, server, own) as (conn, sessions):
            found = _time_sessions(conn, tools.settings, server, sessions, look, own_keys)
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
    """Outcomes of rounds, by round key: of the clock, and of the way its record came; by check and round key those of
    placings that had to be made again."""

    timed: dict[str, Outcome]
    chains: dict[str, Outcome]
    placed_anew: dict[CheckName, dict[str, Outcome]]


def _time_sessions(
    conn: Conn, settings: Settings, server: str, sessions: list[list[Stamped]], look: Look, own: Collection[str]
) -> _Timed:
    """Links, times and stores all rounds of sessions; first those are placed again that records came of since."""
    rounds = parsed.clocked(conn, (entry.key for session in sessions for entry in session))
    clocked = [[rounds[entry.key] for entry in session] for session in sessions]
    around = timing_records.records_around(conn, server, sessions, ALIVE_WITHIN)
    near = [timing_records.those_around(around, session, CANDIDATE_WINDOW) for session in sessions]
    found = [link_timing_records(*given) for given in zip(clocked, near, strict=True)]
    links = {key: link for session in found for key, link in session.links.items()}
    otherwise = placed_otherwise(conn, links)
    anew = [session for session in sessions if any(entry.key in otherwise for entry in session)]
    placed_anew = place_sessions(conn, settings, server, anew, own) if anew else {}
    records = {entry.key: entry.record for some in near for entry in some}
    timed = _timed(conn, links, records)
    _store_unlinked(conn, records, found)
    unread = timing_records.unread_files(conn, server, settings.zone, sessions)
    evidence = _evidence(conn, settings, server, look, around, unread)
    chains = {
        entry.key: chain_outcome(first_broken_link(entry, links[entry.key], linked.unlinked, here))
        for session, of_session, linked in zip(sessions, clocked, found, strict=True)
        for here in [replace(evidence, records=timing_records.those_around(around, session, ALIVE_WITHIN))]
        for entry in of_session
    }
    return _Timed(timed, chains, placed_anew)


def _timed(conn: Conn, links: Mapping[str, Link], records: Mapping[str, TimingRecord]) -> dict[str, Outcome]:
    """Times and stores linked rounds; what their clocks look like. ``records``: by key, those that may be linked."""
    placed = results.places(conn, links)
    headers = results.true_headers(conn, placed)
    played = results.seconds_played(conn, links)
    timings = {}
    for key, link in links.items():
        seconds = played.get(key, {}).values()
        seen = SIDES_UNSEEN not in placed[key].flags
        record = records.get(link.record_key or "")
        timings[key] = time_round(headers[key], placed[key].status, seconds, link, record, seen)
    results.store_timing(conn, timings)
    return {key: timing_outcome(headers[key], timing, played.get(key, {})) for key, timing in timings.items()}


def _store_unlinked(conn: Conn, records: Iterable[str], found: Sequence[RecordLinks]) -> None:
    """Writes why records have no round. One that is near two sessions may be linked in one of them."""
    linked = {link.record_key for session in found for link in session.links.values()}
    unlinked = {key: why for session in found for key, why in session.unlinked.items() if key not in linked}
    timing_records.store_unlinked(conn, records, unlinked)


def _evidence(
    conn: Conn, settings: Settings, server: str, look: Look, records: Sequence[FiledRecord], unread: list[UnreadFile]
) -> Evidence:
    """What is known of a server's timing. ``look``: nothing for a server that is not watched."""
    return Evidence(
        records=records,
        unread=[*look.unread, *unread],
        listed_at=look.looked_at if look.listed else files.last_look(conn, server, settings.gametimes_folder),
        trouble=look.trouble,
        signs=look.signs,
        signs_at=look.looked_at,
    )
