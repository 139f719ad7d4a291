"""Stage 1: the bytes of a round's stats file, into the database before anything reads them.

Does not belong here: what is in them (``parsed_round``).
"""

from collections.abc import Mapping, Sequence

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.gameserver.source import FileMissing, TooLarge, TransientError
from slomix_pipeline.rules.stats_files import accept_stats
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.stages.common import Conn, Done, Tools, in_portions, round_by_round
from slomix_pipeline.stages.fetching import Fetching, stored_bytes
from slomix_pipeline.warehouse import files, parsed
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.files import FileRow

MAX_BYTES = 16 << 20  # a full server's file has 30 kB; more than this is not fetched
_NEVER_SEEN = Outcome(False, {"reason": "no file of this name was ever listed or imported"}, error=True)


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
        fetching = Fetching(conn, tools.gameserver, tools.settings.gamestats_folder, MAX_BYTES)
        rows = files.files_of(conn, FileKind.STATS, keys)
        transfers |= {key: _NEVER_SEEN for key in keys if key not in rows}
        for portion in in_portions([rows[key] for key in keys if key in rows]):
            stored = stored_bytes(conn, portion)
            data: dict[FileRow, bytes | str] = {}
            for row in portion:
                try:
                    data[row] = _bytes_or_reason(fetching, row, stored)
                except TransientError as error:
                    if len(keys) == 1:
                        raise  # the run tries again; after that the sensor does
                    unreachable.append(f"{row.partition_key}: {error}")
            with conn.transaction():
                transfers |= _arrive(conn, data)
                whole = {r: d for r, d in data.items() if isinstance(d, bytes) and transfers[r.key].passed}
                duplicates |= _known_elsewhere(conn, whole)
            size += sum(map(len, whole.values()))
    totals = {"bytes": size, "files": len(transfers), "not reached": unreachable}
    return Done({CheckName.TRANSFER: transfers, CheckName.DUPLICATES: duplicates}, totals)


def _bytes_or_reason(fetching: Fetching, row: FileRow, stored: Mapping[str, bytes]) -> bytes | str:
    """The file's bytes, or why it can't be had for good."""
    try:
        return fetching.bytes_of(row, stored)
    except FileMissing:
        return "gone from the game server before it was fetched"
    except TooLarge:
        return f"larger than {MAX_BYTES >> 20} MB: not a stats file"


def _arrive(conn: Conn, came: Mapping[FileRow, bytes | str]) -> dict[str, Outcome]:
    """Keeps the bytes that came, and gives up those that can't be had. Returns what the check says, by key."""
    data = {row: found for row, found in came.items() if isinstance(found, bytes)}
    digests = {row: files.sha256_of(found) for row, found in data.items()}
    files.keep_bytes(conn, {row: data[row] for row, digest in digests.items() if row.sha256 != digest})
    whole = files.kept_whole(conn, digests.values())
    outcomes = {}
    for row, found in came.items():
        if isinstance(found, str):
            files.finish(conn, row, FileStatus.QUARANTINED, found)
            outcomes[row.key] = Outcome(False, {"reason": found}, error=True)
            continue
        digest = digests[row]
        if digest not in whole:
            raise StoredOtherwise(f"{row.name}: the database holds other bytes than were stored")
        facts = {"bytes": len(found), "sha256": digest, "header line": b"\\" in found.partition(b"\n")[0]}
        if not found:
            reason = parsed.keeps_earlier(conn, row, "empty file")
            files.finish(conn, row, FileStatus.QUARANTINED, reason)
            outcomes[row.key] = Outcome(False, facts | {"reason": reason}, error=True)
            continue
        if row.sha256 not in (None, digest):
            facts["replaces"] = row.sha256
        outcomes[row.key] = Outcome(True, facts)
    return outcomes


def _known_elsewhere(conn: Conn, came: Mapping[FileRow, bytes]) -> dict[str, Outcome]:
    """Sets files aside whose bytes another file of their server had first. Returns what the check says, by key."""
    digests = {row: files.sha256_of(data) for row, data in came.items()}
    holders = files.holders_of(conn, FileKind.STATS, digests.values())
    outcomes = {}
    for row, data in came.items():
        same = holders.get((row.server, digests[row]), {})  # nobody: the file got other bytes meanwhile
        other = _first_of(row, same)
        if other is not None and not _can_be_read(data):
            other = None  # what can't be read is quarantined under each of its names
        if other is not None:
            files.finish(conn, row, FileStatus.KNOWN, parsed.keeps_earlier(conn, row, f"the same bytes as {other}"))
            same[row.name] = FileStatus.KNOWN
        elif row.status is FileStatus.KNOWN:
            files.reopen(conn, row)
            same[row.name] = FileStatus.REQUESTED
        outcomes[row.key] = Outcome(True, {"same bytes as": other or "no other file"})
    return outcomes


def _first_of(row: FileRow, same: Mapping[str, FileStatus]) -> str | None:
    """The name of the file that had a file's bytes first, if it was another: an ingested one, or one of the same batch
    that comes before it by name. ``same``: the files with these bytes."""
    ingested = sorted(name for name, status in same.items() if status is FileStatus.INGESTED and name != row.name)
    requested = sorted(name for name, status in same.items() if status is FileStatus.REQUESTED and name < row.name)
    return next(iter([*ingested, *requested]), None)


def _can_be_read(data: bytes) -> bool:
    try:
        accept_stats(data)
    except FormatError:
        return False
    return True
