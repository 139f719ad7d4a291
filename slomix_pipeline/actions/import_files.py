"""Files that a command brings: which are new, and their bytes into the database.

Belongs here: what a source of files offers, a folder as such a source, reading the ledger. Does not belong here: the
game server as a source (``syncing``), what is made of the files (``import_batches``).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.filenames import FileKind, FileName, parse_file_name
from slomix_pipeline.formats.keys import file_key
from slomix_pipeline.gameserver.local import found_below, read_file
from slomix_pipeline.gameserver.source import GameServerError, NotWhole, RemoteFile, TransientError
from slomix_pipeline.rules.stamps import time_in_name
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.stages.chain import Progress
from slomix_pipeline.stages.raw_stats_file import MAX_BYTES
from slomix_pipeline.warehouse import files, unfinished
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.unfinished import Stage

_BYTES_AT_ONCE = 4 << 20  # held and stored at once; a single file may have more

# The kinds of files that are read, and what such a file has to go through; endstats files wait for their round instead.
_STAGES: dict[FileKind, Sequence[Stage]] = {
    FileKind.STATS: unfinished.ROUND_ENDS,
    FileKind.TIMING: (Stage.TIMING_RECORD,),
    FileKind.ENDSTATS: (),
}


@dataclass(frozen=True)
class Offered:
    """A file that a source has. ``place``: where it lies, for people; ``listed``: how the game server lists it, of
    what comes from there. What ``read`` raises is a ``GameServerError``."""

    name: FileName
    place: str
    read: Callable[[], bytes]
    listed: RemoteFile | None = None


def files_below(directory: Path) -> list[Offered]:
    """A folder, with all folders below it, as a source."""
    return [
        Offered(parse_file_name(path.name), str(path.parent), partial(read_file, path, MAX_BYTES))
        for path in found_below(directory)
    ]


@dataclass(frozen=True)
class Found:
    """The files of a source, in order of play. ``todo``: those that are not through; ``begun``: the names of those
    among them that an earlier import or run had begun with; ``of_kind``: the keys of all, by kind; ``count``: how many
    files of a kind that is read there were, with those skipped; ``known``: how many are through already."""

    server: str
    todo: list[FileName]
    begun: set[str]
    of_kind: dict[FileKind, list[str]]
    count: int
    known: int

    def keys(self, *kinds: FileKind) -> list[str]:
        """The keys of the files of these kinds that are not through."""
        return _keys(self.server, (name for name in self.todo if name.kind in kinds))

    def times(self, zone: tzinfo) -> dict[str, datetime]:
        """When the rounds of the stats files that are not through ended, by key, as the names say."""
        named = (name for name in self.todo if name.kind is FileKind.STATS)
        return {key: at for name in named for key in _keys(self.server, [name]) if (at := time_in_name(name, zone))}


@dataclass(frozen=True)
class LeftOut:
    """``skipped``: name and reason of files that could not be taken; ``aside``: names of files of other kinds."""

    skipped: list[tuple[str, str]]
    aside: list[str]


def how_far(database: Database, server: str, directory: Path) -> tuple[int, int]:
    """How many of the files below a folder are through, and how many there are."""
    names = {name.name for path in found_below(directory) if (name := parse_file_name(path.name)).kind in _STAGES}
    with database.connect() as conn:
        ledger, left = files.ledger(conn, server), unfinished.stages_left(conn, server)
    return sum(row.name in names and _is_done(row, left) for row in ledger.values()), len(names)


def store_files(
    offered: Sequence[Offered],
    database: Database,
    server: str,
    timezone: str | None,
    zone: tzinfo,
    progress: Progress,
) -> tuple[Found, LeftOut]:
    """Stores the bytes of all files that are new or changed, some at a time. ``zone``: of the stamps; ``timezone``: to
    be kept with the files.

    Raises:
        TransientError: the game server went away. What came before that is stored, and goes through with the rest.
    """
    left_out = LeftOut([], [])
    with database.connect() as conn:
        ledger, left = files.ledger(conn, server), unfinished.stages_left(conn, server)
    named: dict[str, FileName] = {}
    todo: set[str] = set()
    begun: set[str] = set()
    with database.connect() as conn:
        conn.autocommit = True
        taking = _Taking(conn, server, timezone)
        through = {name for name, row in ledger.items() if _is_done(row, left)}
        unread = [f.name for f in offered if f.name.name in through and _is_as_listed(f, ledger[f.name.name])]
        named |= {name.name: name for name in unread}
        known = count = len(unread)
        wanted = [file for file in offered if file.name.name not in named]
        try:
            for file, data in _read(wanted, left_out, progress):
                count += 1
                name = file.name
                if isinstance(data, str):
                    left_out.skipped.append((name.name, data))
                    continue
                named[name.name] = name
                row = ledger.get(name.name)
                same = row is not None and row.sha256 == files.sha256_of(data) and timezone in (None, row.timezone)
                if same and name.name in through:
                    known += 1
                    if file.listed is not None:
                        files.note_listed(conn, server, file.listed)
                elif name.name not in todo:
                    todo.add(name.name)
                    if same:
                        begun.add(name.name)
                    taking.take(file, data)
        finally:
            taking.store()
    todo -= set(taking.outdated)
    left_out.skipped.extend(
        (name, "a newer version came meanwhile: it is left to the sensors") for name in taking.outdated
    )
    in_order = sorted(named.values(), key=lambda name: (time_in_name(name, zone), name.name))  # all of them have a time
    of_kind = {kind: _keys(server, (name for name in in_order if name.kind is kind)) for kind in FileKind}
    return Found(server, [name for name in in_order if name.name in todo], begun, of_kind, count, known), left_out


def _is_as_listed(file: Offered, row: files.FileRow) -> bool:
    """Whether the ledger has a file as the game server lists it: then it needs not be read to be known."""
    listed = file.listed
    return listed is not None and (row.size, row.modified_at) == (listed.size, files.utc(listed.modified_at))


def _read(offered: Sequence[Offered], left_out: LeftOut, progress: Progress) -> Iterator[tuple[Offered, bytes | str]]:
    """Every file of a kind that is read with its bytes, or why it can't be taken."""
    taken: dict[str, str] = {}
    for number, file in enumerate(offered, start=1):
        progress("reading files", number, len(offered))
        if file.name.kind not in _STAGES:
            left_out.aside.append(file.name.name)
            continue
        try:
            data = file.read()
        except GameServerError as error:
            if isinstance(error, TransientError) and not isinstance(error, NotWhole):
                raise  # whoever is away is asked no more
            yield file, str(error)
            continue
        digest = files.sha256_of(data)
        if taken.setdefault(file.name.name, digest) != digest:
            yield file, f"another file of this name has other bytes; the one in {file.place} is left out"
        else:
            yield file, data


class _Taking:
    """Files on their way into the database: a few megabytes of them per transaction. ``outdated``: the names of those
    of which a sensor has seen a newer version meanwhile."""

    def __init__(self, conn: Connection[DictRow], server: str, timezone: str | None) -> None:
        self._conn, self._server, self._timezone = conn, server, timezone
        self._files: list[tuple[FileName, bytes]] = []
        self._listed: dict[str, RemoteFile] = {}
        self._size = 0
        self.outdated: list[str] = []

    def take(self, file: Offered, data: bytes) -> None:
        self._files.append((file.name, data))
        if file.listed is not None:
            self._listed[file.name.name] = file.listed
        self._size += len(data)
        if self._size >= _BYTES_AT_ONCE:
            self.store()

    def store(self) -> None:
        """Stores what was taken, with what it has to go through from here."""
        if not self._files:
            return
        with self._conn.transaction():
            stored = files.note_imported(self._conn, self._server, self._files, self._timezone, self._listed)
            names = [name for name, _ in self._files if name.name in stored]
            self.outdated += [name.name for name, _ in self._files if name.name not in stored]
            waiting = [name.name for name in names if name.kind is FileKind.ENDSTATS]
            files.note_waiting(self._conn, self._server, waiting)
            for kind, stages in _STAGES.items():
                keys = _keys(self._server, (name for name in names if name.kind is kind))
                unfinished.note_begun(self._conn, keys, stages)
        self._files, self._listed, self._size = [], {}, 0


def _keys(server: str, names: Iterable[FileName]) -> list[str]:
    return [key for name in names if (key := file_key(server, name))]


def _is_done(row: files.FileRow, left: Collection[str]) -> bool:
    """Whether a file came to a good end, and so did everything that is made of it."""
    return row.status in (FileStatus.INGESTED, FileStatus.KNOWN) and row.partition_key not in left
