"""Timing records of the gametimes folder: bytes into the database, then read.

Does not belong here: which round a record is of (``rules.linking``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.gameserver.source import FileMissing, TooLarge, TransientError
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.stages.common import Conn, Done, Tools, in_portions, round_by_round
from slomix_pipeline.stages.fetching import Fetching, stored_bytes
from slomix_pipeline.warehouse import files, timing_records
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.files import FileRow
from slomix_pipeline.warehouse.keeping import keep_each


def timing_record(keys: Sequence[str], tools: Tools) -> Done:
    """Fetches, stores and reads these timing records.

    Raises:
        TransientError: the one record asked for can't be reached just now; of several, the others go on.
    """
    outcomes: dict[str, Outcome] = {}
    with round_by_round(tools.database) as conn:
        fetching = Fetching(conn, tools.gameserver, tools.settings.gametimes_folder, gametimes.MAX_SIZE)
        rows = files.files_of(conn, FileKind.TIMING, keys)
        for portion in in_portions(rows.values()):
            stored = stored_bytes(conn, portion)
            came: dict[FileRow, bytes] = {}
            for row in portion:
                try:
                    came[row] = fetching.bytes_of(row, stored)
                except TransientError:
                    if len(keys) == 1:
                        raise
                    # The sensor asks again.
                except (FileMissing, TooLarge) as error:
                    outcomes[row.key] = _quarantine(conn, row, str(error))
            outcomes |= _take_in(conn, came)
    refused = {key: outcome.facts["reason"] for key, outcome in outcomes.items() if not outcome.passed}
    totals = {"records": len(outcomes) - len(refused), "quarantined": refused}
    return Done({CheckName.RECORD_PARSE: outcomes}, totals, left_out=set(keys) - outcomes.keys())


def _take_in(conn: Conn, came: Mapping[FileRow, bytes]) -> dict[str, Outcome]:
    """Keeps the bytes of records, reads and stores these. Returns what the check says, by key."""
    digests = {row: files.sha256_of(data) for row, data in came.items()}
    files.keep_bytes(conn, {row: data for row, data in came.items() if row.sha256 != digests[row]})
    outcomes: dict[str, Outcome] = {}
    records: list[tuple[FileRow, TimingRecord]] = []
    for row, data in came.items():
        try:
            records.append((replace(row, sha256=digests[row]), gametimes.parse(data)))
        except FormatError as error:
            outcomes[row.key] = _quarantine(conn, row, str(error))
        except RecursionError:
            outcomes[row.key] = _quarantine(conn, row, "its values are nested too deeply")
    kept = keep_each(conn, records, lambda some: _store(conn, some))
    for (row, record), refusal in kept:
        outcomes[row.key] = _quarantine(conn, row, str(refusal)) if refusal else record_outcome(record)
    return outcomes


def _store(conn: Conn, records: Sequence[tuple[FileRow, TimingRecord]]) -> None:
    # The ledger first: round_timing's look locks in this order too.
    for server, entries in groupby(records, key=lambda entry: entry[0].server):
        files.finish_all(conn, server, [row.name for row, _ in entries], FileStatus.INGESTED)
    timing_records.store_records(conn, records)


def record_outcome(record: TimingRecord) -> Outcome:
    """What the check says of a record that can be read: what that says."""
    facts = {
        "map": record.map_name,
        "round": record.number,
        "ended at": record.ended_at.isoformat(),
        "seconds": record.duration_seconds,
        "paused seconds": record.pause_seconds,
        "reason": record.exit_print or record.end_reason,
        "aborted": record.aborted,
        "script": record.script_version,
    }
    return Outcome(True, facts)


def _quarantine(conn: Conn, row: FileRow, reason: str) -> Outcome:
    files.finish(conn, row, FileStatus.QUARANTINED, reason)
    return Outcome(False, {"reason": reason}, error=True)
