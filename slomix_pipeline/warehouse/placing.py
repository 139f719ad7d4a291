"""A session worked out by the rules, from everything they take: the one way for stages and for receipts.

Belongs here: reading that, and whether a stored placing still rests on the records that are linked now.
Does not belong here: the rules (``rules.rounds``), writing what they make of rounds (``results``).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

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


def work_out_session(
    conn: Connection[DictRow], settings: Settings, server: str, session: Sequence[Stamped]
) -> WorkedOut:
    """Reads a session and asks the rules what its rounds are."""
    read = read_session(conn, settings, server, session)
    rules = settings.pairing_window, settings.filler_maps
    found = work_out(read.rounds.values(), *rules, read.second_rounds_seen, read.decisions, read.records)
    return WorkedOut(read.rounds, found)


def result_of_session(
    conn: Connection[DictRow], settings: Settings, server: str, session: Sequence[Stamped]
) -> tuple[SessionRead, SessionResult]:
    """Reads a session and asks the rules for all they make of it."""
    read = read_session(conn, settings, server, session)
    rules = settings.pairing_window, settings.filler_maps
    return read, session_result(read.rounds.values(), *rules, read.second_rounds_seen, read.decisions, read.records)


def read_session(conn: Connection[DictRow], settings: Settings, server: str, session: Sequence[Stamped]) -> SessionRead:
    """Reads a session's rounds anew from their bytes, and what else is known of it."""
    return SessionRead(
        {entry.key: entry for entry in parsed.load_rounds(conn, [entry.key for entry in session])},
        results.second_rounds_seen(conn, server, session, ZoneInfo(settings.timezone)),
        overrides.in_force(conn, server),
        timing_records.records_near(conn, server, session[0].stamp, session[-1].stamp),
    )


def rests_on(conn: Connection[DictRow], links: Mapping[str, Link]) -> bool:
    """Whether the stored placing of rounds was made with the records that are linked to them, as these are now."""
    rows = conn.execute(
        """select round_key, placed_with, coalesce(w.stored_at > r.rules_at, false) as outdated
           from round r left join timing_record w on w.record_key = r.placed_with
           where round_key = any(%s)""",
        [list(links)],
    )
    return all(row["placed_with"] == links[row["round_key"]].record_key and not row["outdated"] for row in rows)
