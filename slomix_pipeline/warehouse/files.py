"""The file ledger: every file seen, every version of its bytes, and what became of it.

Belongs here: reading and writing ``file``, ``file_content`` and ``folder_look``.
Does not belong here: when a file is wanted (``sensors``), what is in it (``formats``).
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.filenames import FileKind, FileName
from slomix_pipeline.formats.gametimes import LATEST_UNIX
from slomix_pipeline.formats.keys import file_key
from slomix_pipeline.gameserver.source import RemoteFile
from slomix_pipeline.rules.values import FileStatus, map_key
from slomix_pipeline.warehouse.rows import rows_of

_LOOK_BACK_MARGIN = timedelta(hours=1)  # behind the last look: stamps are a little older than files
WAITS_FOR_ITS_ROUND = "endstats file: read with its round"


@dataclass(frozen=True)
class FileRow:
    """One file of the ledger. ``size`` and ``modified_at`` are as listed on the game server; ``imported`` tells that
    the latest bytes came by import instead."""

    server: str
    name: str
    kind: FileKind
    partition_key: str | None
    timezone: str | None
    size: int | None
    modified_at: datetime | None
    imported: bool
    status: FileStatus
    reason: str | None
    sha256: str | None
    attempts: int
    requested_at: datetime | None

    @property
    def key(self) -> str:
        """The partition key, of a file that has one."""
        return str(self.partition_key)


@dataclass(frozen=True)
class ListedFile:
    """One file of the ledger as people see it listed."""

    server: str
    name: str
    kind: FileKind
    status: FileStatus
    reason: str | None
    sha256: str | None
    size: int | None
    partition_key: str | None
    first_seen_at: datetime
    arrived_at: datetime | None
    finished_at: datetime | None
    attempts: int


_COLUMNS = """server, name, kind, partition_key, timezone, size, modified_at, imported, status, reason, sha256,
              attempts, requested_at"""

# What a name alone says, in the order of ``_said_by``.
_SAID = "name, kind, partition_key, named_stamp, named_end, named_map, named_number"


def _said_by(server: str, file: FileName) -> tuple[object, ...]:
    named_map = None if file.map_name is None else map_key(file.map_name)
    return file.name, file.kind, file_key(server, file), file.stamp, file.ended_at, named_map, file.number


def sha256_of(data: bytes) -> str:
    """The identity of a file's content."""
    return hashlib.sha256(data).hexdigest()


def ledger(conn: Connection[DictRow], server: str) -> dict[str, FileRow]:
    """Everything known of a server's files, by name."""
    with conn.cursor(row_factory=rows_of(FileRow)) as cursor:
        rows = cursor.execute(f"select {_COLUMNS} from file where server = %s", [server])
        return {row.name: row for row in rows}


def waiting(conn: Connection[DictRow], server: str) -> dict[str, FileRow]:
    """The files of a server that were asked for and have no result so far, by name."""
    with conn.cursor(row_factory=rows_of(FileRow)) as cursor:
        rows = cursor.execute(
            f"select {_COLUMNS} from file where server = %s and status = %s", [server, FileStatus.REQUESTED]
        )
        return {row.name: row for row in rows}


def news_in(conn: Connection[DictRow], server: str, listing: Collection[RemoteFile]) -> dict[str, FileRow | None]:
    """The files of a listing that the ledger lacks, or has with another size or time, by name: with what it has."""
    rows = conn.execute(
        """select listed.name, f.name is not null as known
           from unnest(%s::text[], %s::bigint[], %s::timestamptz[]) as listed (name, size, modified_at)
           left join file f on f.server = %s and f.name = listed.name
           where (f.size, f.modified_at) is distinct from (listed.size, listed.modified_at)""",
        [
            [file.name for file in listing],
            [file.size for file in listing],
            [utc(file.modified_at) for file in listing],
            server,
        ],
    ).fetchall()
    had = {row.name: row for row in named(conn, server, [row["name"] for row in rows if row["known"]])}
    return {row["name"]: had.get(row["name"]) for row in rows}


def files_of(conn: Connection[DictRow], kind: FileKind, keys: Iterable[str]) -> dict[str, FileRow]:
    """The files of one kind behind partition keys, by key; keys without a file are left out."""
    with conn.cursor(row_factory=rows_of(FileRow)) as cursor:
        rows = cursor.execute(
            f"select {_COLUMNS} from file where kind = %s and partition_key = any(%s)", [kind, list(keys)]
        )
        return {str(row.partition_key): row for row in rows}


def named(conn: Connection[DictRow], server: str, names: Collection[str]) -> list[FileRow]:
    """The files with these names, in order of the names."""
    with conn.cursor(row_factory=rows_of(FileRow)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from file where server = %s and name = any(%s) order by name", [server, list(names)]
        ).fetchall()


def list_files(conn: Connection[DictRow], status: FileStatus | None = None) -> list[ListedFile]:
    """The ledger for people, ordered by name; all of it, or one status."""
    with conn.cursor(row_factory=rows_of(ListedFile)) as cursor:
        return cursor.execute(
            """select server, name, kind, status, reason, sha256, size, partition_key, first_seen_at, arrived_at,
                      finished_at, attempts
               from file where %(status)s::text is null or status = %(status)s order by server, name""",
            {"status": status},
        ).fetchall()


def note_seen(conn: Connection[DictRow], server: str, files: Sequence[tuple[RemoteFile, FileName, str | None]]) -> None:
    """Lists files of the game server as seen, each with the reason why it is not fetched, if there is one.

    A file that looks other than before counts as new: its attempts start again.
    """
    rows = [(*_said_by(server, name), file.size, utc(file.modified_at), reason) for file, name, reason in files]
    conn.execute(
        f"""insert into file (server, {_SAID}, size, modified_at, status, reason)
           select %s, {_SAID}, size, modified_at, 'listed', reason
           from unnest(%s::text[], %s::text[], %s::text[], %s::timestamp[], %s::timestamptz[], %s::text[],
                       %s::smallint[], %s::bigint[], %s::timestamptz[], %s::text[])
                as seen ({_SAID}, size, modified_at, reason)
           on conflict (server, name) do update
           set size = excluded.size, modified_at = excluded.modified_at, imported = false,
               attempts = case when (file.size, file.modified_at) is distinct from
                                    (excluded.size, excluded.modified_at) then 0 else file.attempts end,
               status = case when file.kind = 'endstats' then 'listed' else file.status end,
               reason = case when file.kind = 'endstats' then excluded.reason else file.reason end""",
        [server, *([row[column] for row in rows] for column in range(10))],
    )


def note_found(conn: Connection[DictRow], server: str, file: RemoteFile, name: FileName, data: bytes) -> FileRow:
    """Enters a file that was found before a sensor listed it, as it was listed when it was found, with its bytes: to
    the sensor it is no news any more, until it changes."""
    conn.execute(
        f"""insert into file (server, {_SAID}, size, modified_at, status)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'listed')
           on conflict (server, name) do nothing""",
        [server, *_said_by(server, name), file.size, utc(file.modified_at)],
    )
    (row,) = files_of(conn, name.kind, [str(file_key(server, name))]).values()
    keep_bytes(conn, {row: data})
    return replace(row, sha256=sha256_of(data))


def note_requested(conn: Connection[DictRow], server: str, names: Iterable[str], now: datetime) -> None:
    """Marks files as requested by a sensor, one attempt more."""
    conn.execute(
        """update file set status = %s, reason = null, requested_at = %s, attempts = attempts + 1,
                  by_sensor = by_sensor or not imported
           where server = %s and name = any(%s)""",
        [FileStatus.REQUESTED, now, server, list(names)],
    )


def note_imported(
    conn: Connection[DictRow],
    server: str,
    files: Sequence[tuple[FileName, bytes]],
    timezone: str | None,
    listed: Mapping[str, RemoteFile] = {},
) -> set[str]:
    """Stores files that a command brought; ``timezone`` is theirs when given.

    What the game server listed of a file of that name stays: the same listing must not undo the import. Of a command
    that asked the game server, ``listed`` has what that said, by name: to the sensors they are no news then, and where
    a sensor has seen a newer version meanwhile that stays. Returns the names of the others, which are stored.
    """
    contents = [data for _, data in files]
    digests = list(map(sha256_of, contents))
    conn.execute(
        """insert into file_content (sha256, bytes) select * from unnest(%s::text[], %b::bytea[])
           on conflict (sha256) do nothing""",
        [digests, contents],
    )
    rows = [
        (*_said_by(server, name), len(data), modified_at, digest)
        for (name, data), digest in zip(files, digests, strict=True)
        for modified_at in [utc(listed[name.name].modified_at) if name.name in listed else None]
    ]
    stored = conn.execute(
        f"""insert into file (server, {_SAID}, timezone, size, modified_at, sha256, imported, status, arrived_at,
               requested_at)
           select %s, {_SAID}, %s, size, modified_at, sha256, true, 'requested', now(), now()
           from unnest(%s::text[], %s::text[], %s::text[], %s::timestamp[], %s::timestamptz[], %s::text[],
                       %s::smallint[], %s::bigint[], %s::timestamptz[], %s::text[])
                as came ({_SAID}, size, modified_at, sha256)
           on conflict (server, name) do update
           set timezone = coalesce(excluded.timezone, file.timezone), sha256 = excluded.sha256, imported = true,
               size = case when excluded.modified_at is null then file.size else excluded.size end,
               modified_at = coalesce(excluded.modified_at, file.modified_at),
               arrived_at = coalesce(file.arrived_at, now()), status = 'requested', reason = null,
               requested_at = now(), attempts = 0
           where excluded.modified_at is null or coalesce(file.modified_at, '-infinity') <= excluded.modified_at
           returning name""",
        [server, timezone, *map(list, zip(*rows, strict=True))],
    )
    return {row["name"] for row in stored}


def note_listed(conn: Connection[DictRow], server: str, file: RemoteFile) -> None:
    """Notes how the game server lists a file whose bytes are known: to the sensors it is no news then."""
    conn.execute(
        "update file set size = %s, modified_at = %s where server = %s and name = %s",
        [file.size, utc(file.modified_at), server, file.name],
    )


def finish(conn: Connection[DictRow], row: FileRow, status: FileStatus, reason: str | None = None) -> None:
    """Gives a file its final status; ``reason`` is for a person."""
    assert status.is_final, status
    conn.execute(
        "update file set status = %s, reason = %s, finished_at = now() where server = %s and name = %s",
        [status, reason, row.server, row.name],
    )


def finish_all(conn: Connection[DictRow], server: str, names: Iterable[str], status: FileStatus) -> None:
    """Gives files a final status that needs no reason."""
    assert status.is_final, status
    conn.execute(
        "update file set status = %s, reason = null, finished_at = now() where server = %s and name = any(%s)",
        [status, server, list(names)],
    )


def keep_bytes(conn: Connection[DictRow], came: Mapping[FileRow, bytes]) -> None:
    """Keeps the bytes of files, once per content, and points the files at them; earlier contents stay stored."""
    if not came:
        return
    digests = [sha256_of(data) for data in came.values()]
    conn.execute(
        """insert into file_content (sha256, bytes) select * from unnest(%s::text[], %b::bytea[])
           on conflict (sha256) do nothing""",
        [digests, list(came.values())],
    )
    conn.execute(
        """update file f set sha256 = came.sha256, arrived_at = coalesce(f.arrived_at, now())
           from unnest(%s::text[], %s::text[], %s::text[]) came (server, name, sha256)
           where f.server = came.server and f.name = came.name""",
        [[row.server for row in came], [row.name for row in came], digests],
    )


def kept_whole(conn: Connection[DictRow], digests: Iterable[str]) -> set[str]:
    """Those of the contents that the database holds as they were stored, by their sha256."""
    rows = conn.execute(
        """select sha256 from file_content
           where sha256 = any(%s) and encode(pg_catalog.sha256(bytes), 'hex') = sha256""",
        [list(digests)],
    )
    return {row["sha256"] for row in rows}


def damaged(conn: Connection[DictRow]) -> tuple[int, dict[str, list[str]]]:
    """How many contents the database holds, and those that are not as they were stored: their sha256 and the names of
    the files that have them."""
    rows = conn.execute(
        """select sha256, array(select name from file f where f.sha256 = c.sha256 order by name) as names
           from file_content c where encode(pg_catalog.sha256(bytes), 'hex') <> sha256 order by sha256"""
    )
    off = {row["sha256"]: row["names"] for row in rows}
    row = conn.execute("select count(*) as n from file_content").fetchone()
    assert row is not None
    return row["n"], off


def holders_of(
    conn: Connection[DictRow], kind: FileKind, digests: Iterable[str]
) -> dict[tuple[str, str], dict[str, FileStatus]]:
    """The status of every file that has one of these contents, by server and sha256, and by name."""
    rows = conn.execute(
        "select server, sha256, name, status from file where kind = %s and sha256 = any(%s)", [kind, list(set(digests))]
    )
    found: dict[tuple[str, str], dict[str, FileStatus]] = {}
    for row in rows:
        found.setdefault((row["server"], row["sha256"]), {})[row["name"]] = FileStatus(row["status"])
    return found


def contents(conn: Connection[DictRow], digests: Iterable[str]) -> dict[str, bytes]:
    """Stored bytes by sha256."""
    rows = conn.execute("select sha256, bytes from file_content where sha256 = any(%s)", [list(set(digests))])
    return {row["sha256"]: bytes(row["bytes"]) for row in rows}


def note_look(conn: Connection[DictRow], server: str, folder: str, now: datetime) -> None:
    """Remembers that a folder was listed with success."""
    conn.execute(
        """insert into folder_look (server, folder, looked_at) values (%s, %s, %s)
           on conflict (server, folder) do update set looked_at = excluded.looked_at""",
        [server, folder, now],
    )


def last_look(conn: Connection[DictRow], server: str, folder: str) -> datetime | None:
    """When a folder was last listed with success; None before the first time."""
    found = conn.execute(
        "select looked_at from folder_look where server = %s and folder = %s", [server, folder]
    ).fetchone()
    return None if found is None else found["looked_at"]


def seen_after(conn: Connection[DictRow], server: str, newest: int) -> list[timedelta]:
    """How long after they were written, by the game server's clock, its newest stats files were first seen, by ours; of
    those that a sensor found within the last month."""
    rows = conn.execute(
        """select first_seen_at - modified_at as delay from file
           where server = %s and kind = %s and by_sensor and not imported and modified_at is not null
             and first_seen_at > now() - interval '30 days'
           order by first_seen_at desc limit %s""",
        [server, FileKind.STATS, newest],
    )
    return [row["delay"] for row in rows]


def look_back_to(conn: Connection[DictRow], server: str, folder: str, lookback: timedelta) -> datetime:
    """How old a file of a folder may be, by its stamp, to be taken by itself: ``lookback`` ago, or what came since the
    folder was listed last, where that is longer ago."""
    last = last_look(conn, server, folder)
    then = datetime.now(UTC) - lookback
    return then if last is None else min(then, last - _LOOK_BACK_MARGIN)


def utc(unix: int) -> datetime:
    """The moment of a listed file time; times no clock has are drawn to the nearest that can be stored."""
    return datetime.fromtimestamp(min(max(unix, 0), LATEST_UNIX), UTC)


def reopen(conn: Connection[DictRow], row: FileRow) -> None:
    """Takes a file's final status back: what made it known elsewhere is no longer so."""
    conn.execute(
        "update file set status = %s, reason = null where server = %s and name = %s",
        [FileStatus.REQUESTED, row.server, row.name],
    )


def reopen_lonely_copies(conn: Connection[DictRow], server: str) -> None:
    """Asks again for files that are known as copies of a file which has been replaced since: no round has their bytes
    any more, and none is about to have them."""
    conn.execute(
        """update file set status = %(requested)s, reason = null, requested_at = null
           where server = %(server)s and kind = %(stats)s and status = %(known)s
             and not exists (select from parsed_round p where p.server = file.server and p.sha256 = file.sha256)
             and not exists (select from file o where o.server = file.server and o.kind = %(stats)s
                             and o.status = %(requested)s and o.sha256 = file.sha256)""",
        {
            "server": server,
            "stats": FileKind.STATS,
            "known": FileStatus.KNOWN,
            "requested": FileStatus.REQUESTED,
        },
    )


def note_waiting(conn: Connection[DictRow], server: str, names: Sequence[str]) -> None:
    """Marks endstats files, whose bytes may be here already, as waiting for their rounds."""
    conn.execute(
        "update file set status = 'listed', reason = %s where server = %s and name = any(%s)",
        [WAITS_FOR_ITS_ROUND, server, names],
    )
