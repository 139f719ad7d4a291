"""Sessions worked out by the rules, from everything they take: the one way for stages and for receipts.

Belongs here: reading that, and whether a stored placing still rests on the records that are linked now.
Does not belong here: the rules (``rules.rounds``), writing what they make of rounds (``results``).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.linking import Link
from slomix_pipeline.rules.overrides import Override
from slomix_pipeline.rules.pairing import SecondRoundSeen
from slomix_pipeline.rules.rounds import SessionRounds, work_out
from slomix_pipeline.rules.session_result import SessionResult, session_result
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.timing_records import FiledRecord
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import overrides, parsed, results, timing_records


class SessionRead(NamedTuple):
    """Everything the rules take of a session; ``rounds`` by key, ``decisions`` of the server."""

    rounds: Mapping[str, FiledRound]
    second_rounds_seen: Sequence[SecondRoundSeen]
    decisions: Sequence[Override]
    records: Sequence[FiledRecord]


class WorkedOut(NamedTuple):
    """A session's rounds by key, and what the rules make of them."""

    rounds: Mapping[str, FiledRound]
    found: SessionRounds


def work_out_sessions(
    conn: Connection[DictRow], settings: Settings, server: str, sessions: Sequence[Sequence[Stamped]]
) -> list[WorkedOut]:
    """Reads sessions and asks the rules what their rounds are, session by session."""
    rules = settings.pairing_window, settings.filler_maps
    return [
        WorkedOut(
            read.rounds, work_out(read.rounds.values(), *rules, read.second_rounds_seen, read.decisions, read.records)
        )
        for read in _read(conn, settings, server, sessions)
    ]


def results_of_sessions(
    conn: Connection[DictRow], settings: Settings, server: str, sessions: Sequence[Sequence[Stamped]]
) -> list[tuple[SessionRead, SessionResult]]:
    """Reads sessions and asks the rules for all they make of each."""
    rules = settings.pairing_window, settings.filler_maps
    return [
        (read, session_result(read.rounds.values(), *rules, read.second_rounds_seen, read.decisions, read.records))
        for read in _read(conn, settings, server, sessions)
    ]


def _read(
    conn: Connection[DictRow], settings: Settings, server: str, sessions: Sequence[Sequence[Stamped]]
) -> list[SessionRead]:
    """Reads the rounds of sessions by their bytes, and what else is known of them."""
    filed = {entry.key: entry for entry in parsed.load_rounds(conn, [e.key for session in sessions for e in session])}
    decided = overrides.in_force(conn, server)
    seen = results.second_rounds_seen(conn, server, sessions, settings.of_server(server).zone)
    records = timing_records.records_near(conn, server, sessions)
    return [
        SessionRead({entry.key: filed[entry.key] for entry in session}, second_rounds, decided, near)
        for session, second_rounds, near in zip(sessions, seen, records, strict=True)
    ]


def placed_otherwise(conn: Connection[DictRow], links: Mapping[str, Link]) -> set[str]:
    """Those of rounds whose stored placing was not made with the records that are linked to them, as these are now."""
    rows = conn.execute(
        """select round_key, placed_with, coalesce(w.stored_at > r.rules_at, false) as outdated
           from round r left join timing_record w on w.record_key = r.placed_with
           where round_key = any(%s)""",
        [list(links)],
    )
    return {
        row["round_key"] for row in rows if row["placed_with"] != links[row["round_key"]].record_key or row["outdated"]
    }
