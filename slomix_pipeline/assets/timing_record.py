"""Timing records of the gametimes folder: bytes into the database, then read."""

from dataclasses import replace

import dagster as dg
import psycopg

from slomix_pipeline import partitions
from slomix_pipeline.assets.common import OWNER, bytes_of, round_by_round
from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.gameserver.source import FileMissing, GameServer, TooLarge, TransientError
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import files, parsed
from slomix_pipeline.warehouse.database import Database


@dg.asset(
    partitions_def=partitions.timings,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="timings",
    owners=[OWNER],
    kinds={"postgres", "file", "lua"},
    tags={"stage": "timing-record"},
    retry_policy=dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL),
    description="What the game server's script says about one round's time: start, end, pauses, length, rosters. "
    "Which round it belongs to is decided by round_timing.",
)
def timing_record(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], gameserver: dg.ResourceParam[GameServer]
) -> dg.MaterializeResult:
    stored = 0
    quarantined: dict[str, str] = {}
    with round_by_round(database) as conn:
        rows = files.files_of(conn, FileKind.TIMING, context.partition_keys)
        for key, row in rows.items():
            try:
                data = bytes_of(conn, row, gameserver, load_settings().gametimes_folder, gametimes.MAX_SIZE)
                digest = files.store_content(conn, data)
                files.note_arrived(conn, row, digest)
                record = gametimes.parse(data)
                with conn.transaction():
                    parsed.store_record(conn, replace(row, sha256=digest), record)
                    files.finish(conn, row, "ingested")
                stored += 1
            except TransientError:
                if context.has_partition_key:
                    raise
                continue  # the sensor asks again
            except (FormatError, FileMissing, TooLarge) as error:
                quarantined[key] = str(error)
            except (psycopg.IntegrityError, psycopg.DataError) as error:
                quarantined[key] = f"the database refuses it: {error.diag.message_primary or error}"
            except RecursionError:
                quarantined[key] = "its values are nested too deeply"
            if key in quarantined:
                files.finish(conn, row, "quarantined", quarantined[key])
    return dg.MaterializeResult(metadata={"records": stored, "quarantined": dg.MetadataValue.json(quarantined)})
