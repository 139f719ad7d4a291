"""Timing records of the gametimes folder: bytes into the database, then read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg

from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.gameserver.source import FileMissing, TooLarge, TransientError
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.stages.common import Conn, Done, Tools, bytes_of, round_by_round
from slomix_pipeline.warehouse import files, timing_records
from slomix_pipeline.warehouse.check_results import CheckName, Outcome


def timing_record(keys: Sequence[str], tools: Tools) -> Done:
    """Fetches, stores and reads these timing records.

    Raises:
        TransientError: the one record asked for can't be reached just now; of several, the others go on.
    """
    outcomes: dict[str, Outcome] = {}
    with round_by_round(tools.database) as conn:
        rows = files.files_of(conn, FileKind.TIMING, keys)
        for key, row in rows.items():
            try:
                outcomes[key] = Outcome(True, _take_in(conn, row, tools))
            except TransientError:
                if len(keys) == 1:
                    raise
                continue  # the sensor asks again
            except (FormatError, FileMissing, TooLarge) as error:
                outcomes[key] = _quarantine(conn, row, str(error))
            except (psycopg.IntegrityError, psycopg.DataError) as error:
                reason = f"the database refuses it: {error.diag.message_primary or error}"
                outcomes[key] = _quarantine(conn, row, reason)
            except RecursionError:
                outcomes[key] = _quarantine(conn, row, "its values are nested too deeply")
    refused = {key: outcome.facts["reason"] for key, outcome in outcomes.items() if not outcome.passed}
    totals = {"records": len(outcomes) - len(refused), "quarantined": refused}
    return Done({CheckName.RECORD_PARSE: outcomes}, totals, left_out=set(keys) - outcomes.keys())


def _take_in(conn: Conn, row: files.FileRow, tools: Tools) -> dict[str, Any]:
    """Stores a record. Returns what it says, as facts of its check."""
    data = bytes_of(conn, row, tools.gameserver, tools.settings.gametimes_folder, gametimes.MAX_SIZE)
    digest = files.store_content(conn, data)
    files.note_arrived(conn, row, digest)
    record = gametimes.parse(data)
    with conn.transaction():
        files.finish(conn, row, FileStatus.INGESTED)  # the ledger first: round_timing's look locks in this order too
        timing_records.store_record(conn, replace(row, sha256=digest), record)
    return {
        "map": record.map_name,
        "round": record.number,
        "ended at": record.ended_at.isoformat(),
        "seconds": record.duration_seconds,
        "paused seconds": record.pause_seconds,
        "reason": record.exit_print or record.end_reason,
        "aborted": record.aborted,
        "script": record.script_version,
    }


def _quarantine(conn: Conn, row: files.FileRow, reason: str) -> Outcome:
    files.finish(conn, row, FileStatus.QUARANTINED, reason)
    return Outcome(False, {"reason": reason}, error=True)
