"""Stage 1: the bytes of a round's stats file, into the database before anything reads them."""

from collections.abc import Sequence
from dataclasses import replace

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.gameserver.source import FileMissing, TooLarge, TransientError
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.stages.common import Conn, Done, Tools, bytes_of, round_by_round
from slomix_pipeline.warehouse import files, parsed
from slomix_pipeline.warehouse.check_results import CheckName, Outcome

MAX_BYTES = 16 << 20  # a full server's file has 30 kB; more than this is not fetched


class StoredOtherwise(SlomixError):
    """The database gives back other bytes than were stored."""


def raw_stats_file(keys: Sequence[str], tools: Tools) -> Done:
    """Brings the bytes of these rounds' stats files into the database.

    Raises:
        TransientError: the one file asked for can't be reached just now; of several, the others go on.
        StoredOtherwise: the database can't be trusted.
    """
    transfers: dict[str, Outcome] = {}
    duplicates: dict[str, Outcome] = {}
    unreachable: list[str] = []
    size = 0
    with round_by_round(tools.database) as conn:
        rows = files.files_of(conn, FileKind.STATS, keys)
        for key in keys:
            if key not in rows:
                transfers[key] = Outcome(
                    False, {"reason": "no file of this name was ever listed or imported"}, error=True
                )
                continue
            try:
                data = _bytes_or_reason(conn, rows[key], tools)
            except TransientError as error:
                if len(keys) == 1:
                    raise  # the run tries again; after that the sensor does
                unreachable.append(f"{key}: {error}")
                continue
            with conn.transaction():
                transfers[key] = _arrive(conn, rows[key], data)
                if transfers[key].passed and isinstance(data, bytes):
                    size += len(data)
                    duplicates[key] = _known_elsewhere(conn, replace(rows[key], sha256=files.sha256_of(data)), data)
    totals = {"bytes": size, "files": len(transfers), "not reached": unreachable}
    return Done({CheckName.TRANSFER: transfers, CheckName.DUPLICATES: duplicates}, totals)


def _bytes_or_reason(conn: Conn, row: files.FileRow, tools: Tools) -> bytes | str:
    """The file's bytes, or why it can't be had for good."""
    try:
        return bytes_of(conn, row, tools.gameserver, tools.settings.gamestats_folder, MAX_BYTES)
    except FileMissing:
        return "gone from the game server before it was fetched"
    except TooLarge:
        return f"larger than {MAX_BYTES >> 20} MB: not a stats file"


def _arrive(conn: Conn, row: files.FileRow, data: bytes | str) -> Outcome:
    if isinstance(data, str):
        files.finish(conn, row, FileStatus.QUARANTINED, data)
        return Outcome(False, {"reason": data}, error=True)
    digest = files.store_content(conn, data)
    files.note_arrived(conn, row, digest)
    stored = files.contents(conn, [digest])[digest]
    facts = {"bytes": len(data), "sha256": digest, "header line": b"\\" in data.partition(b"\n")[0]}
    if stored != data:
        raise StoredOtherwise(f"{row.name}: the database holds other bytes than were stored")
    if not data:
        reason = parsed.keeps_earlier(conn, row, "empty file")
        files.finish(conn, row, FileStatus.QUARANTINED, reason)
        return Outcome(False, facts | {"reason": reason}, error=True)
    if row.sha256 not in (None, digest):
        facts["replaces"] = row.sha256
    return Outcome(True, facts)


def _known_elsewhere(conn: Conn, row: files.FileRow, data: bytes) -> Outcome:
    other = files.same_bytes_elsewhere(conn, row)
    if other is not None and not _can_be_read(data):
        other = None  # what can't be read is quarantined under each of its names
    if other is not None:
        files.finish(conn, row, FileStatus.KNOWN, parsed.keeps_earlier(conn, row, f"the same bytes as {other}"))
    elif row.status is FileStatus.KNOWN:
        files.reopen(conn, row)
    return Outcome(True, {"same bytes as": other or "no other file"})


def _can_be_read(data: bytes) -> bool:
    try:
        parsed.accept_stats(data)
    except FormatError:
        return False
    return True
