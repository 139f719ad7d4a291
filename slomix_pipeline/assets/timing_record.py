"""Timing records of the gametimes folder: bytes into the database, then read."""

from dataclasses import replace
from typing import Any

import dagster as dg
import psycopg

from slomix_pipeline import partitions
from slomix_pipeline.assets.common import OWNER, Conn, bytes_of, round_by_round
from slomix_pipeline.checks.layers import check_specs, report
from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.gameserver.source import FileMissing, GameServer, TooLarge, TransientError
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import files, timing_records, unfinished
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.database import Database


@dg.asset(
    partitions_def=partitions.timings,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="timings",
    owners=[OWNER],
    kinds={"postgres", "file", "lua"},
    tags={"stage": "timing-record"},
    retry_policy=dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL),
    check_specs=check_specs("timing_record"),
    description="What the game server's script says about one round's time: start, end, pauses, length, rosters. "
    "Which round it belongs to is decided by round_timing.",
)
def timing_record(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], gameserver: dg.ResourceParam[GameServer]
) -> dg.MaterializeResult:
    outcomes: dict[str, Outcome] = {}
    with round_by_round(database) as conn:
        begun = unfinished.begun(conn, context.partition_keys, unfinished.Stage.TIMING_RECORD)
        rows = files.files_of(conn, FileKind.TIMING, context.partition_keys)
        for key, row in rows.items():
            try:
                outcomes[key] = Outcome(True, _take_in(conn, row, gameserver))
            except TransientError:
                if context.has_partition_key:
                    raise
                continue  # the sensor asks again
            except (FormatError, FileMissing, TooLarge) as error:
                outcomes[key] = _quarantine(conn, row, str(error))
            except (psycopg.IntegrityError, psycopg.DataError) as error:
                reason = f"the database refuses it: {error.diag.message_primary or error}"
                outcomes[key] = _quarantine(conn, row, reason)
            except RecursionError:
                outcomes[key] = _quarantine(conn, row, "its values are nested too deeply")
        with conn.transaction():
            check = report(context, conn, CheckName.RECORD_PARSE, outcomes)
            unfinished.note_done(conn, begun.only(outcomes))
    refused = {key: outcome.facts["reason"] for key, outcome in outcomes.items() if not outcome.passed}
    metadata: dict[str, Any] = {"records": len(outcomes) - len(refused), "quarantined": dg.MetadataValue.json(refused)}
    return dg.MaterializeResult(metadata=metadata, check_results=[check])


def _take_in(conn: Conn, row: files.FileRow, gameserver: GameServer) -> dict[str, Any]:
    """Stores a record. Returns what it says, as facts of its check."""
    data = bytes_of(conn, row, gameserver, load_settings().gametimes_folder, gametimes.MAX_SIZE)
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
