"""``slomix import``: a folder of files, of whatever age, through the same assets as live rounds.

Belongs here: finding files, storing their bytes, running the partitions in bulk, the summary.

It may be interrupted at any point. What it still owes is in the database, as of every run (``warehouse.unfinished``,
``warehouse.rework``), and the next import of the folder asks for it: known is only what is through.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline import partitions
from slomix_pipeline.discord.channels import channels_in_use
from slomix_pipeline.formats.filenames import FileKind, FileName, parse_file_name
from slomix_pipeline.formats.keys import file_key
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.gameserver.local import found_below, read_file
from slomix_pipeline.gameserver.source import GameServerError
from slomix_pipeline.rules.stamps import time_in_name
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.runtime.home import one_shot_instance, open_database
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import OF_A_ROUND, OF_A_SESSION, OF_A_TIMING, Progress, run_stages
from slomix_pipeline.stages.common import Tools, Wish
from slomix_pipeline.stages.raw_stats_file import MAX_BYTES
from slomix_pipeline.warehouse import files, results, rework, timing_records, unfinished
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.unfinished import Stage

# The kinds of files that are read, and what such a file has to go through; endstats files wait for their round instead.
_STAGES: dict[FileKind, Sequence[Stage]] = {
    FileKind.STATS: unfinished.ROUND_ENDS,
    FileKind.TIMING: (Stage.TIMING_RECORD,),
    FileKind.ENDSTATS: (),
}
# Records first: rounds look for them.
_WORK = {FileKind.TIMING: (OF_A_TIMING, partitions.timings), FileKind.STATS: (OF_A_ROUND, partitions.rounds)}


@dataclass
class Summary:
    """What an import came to. ``resumed``: files among the ingested ones that an earlier import left unfinished;
    ``unannounced``: rounds that an interrupted import was to announce, and this one was not asked to;
    ``renewed``: rounds known before that were worked out again, for what came since or was left undone; ``waiting``:
    endstats files whose round is not here; ``quarantined``, ``skipped``: name and reason; ``left_aside``: names of
    other files; ``zone_off_by``: from the timing records to the stamps of the rounds, where nothing was linked because
    the time zone of the stamps seems to be another."""

    found: int = 0
    ingested: int = 0
    resumed: int = 0
    renewed: int = 0
    known: int = 0
    waiting: int = 0
    unannounced: int = 0
    linked: int = 0
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    left_aside: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    zone_off_by: timedelta | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs: counts, and the files that did not come to a good end, with reasons."""
        return {
            "found": self.found,
            "ingested": self.ingested,
            "resumed": self.resumed,
            "renewed": self.renewed,
            "known": self.known,
            "waiting": self.waiting,
            "unannounced": self.unannounced,
            "linked": self.linked,
            "quarantined": len(self.quarantined),
            "skipped": len(self.skipped),
            "left_aside": len(self.left_aside),
            "reasons": [{"name": name, "reason": reason} for name, reason in (*self.quarantined, *self.skipped)],
            "sessions": self.sessions,
            "zone_off_by_minutes": self.zone_off_by and round(self.zone_off_by / timedelta(minutes=1)),
        }


class Interrupted(KeyboardInterrupt):
    """Somebody stopped an import; the text says how far it came."""


def import_into_home(
    settings: Settings, directory: Path, timezone: str | None, publish: bool, progress: Progress
) -> Summary:
    """Imports a folder into the home of ``settings``; with ``publish`` its results are announced, on the stand-in
    when no webhook is set.

    Raises:
        Interrupted: by Ctrl-C.
    """
    try:
        return _hearing_interrupts(lambda: _import_into_home(settings, directory, timezone, publish, progress))
    except KeyboardInterrupt:
        how_far = _how_far(settings, directory)
        raise Interrupted(f"Stopped: {how_far}. The next import of {directory} goes on from there.") from None


def _hearing_interrupts(work: Callable[[], Summary]) -> Summary:
    """Does the work in a thread that ends with the process, so that this one hears Ctrl-C: a run of Dagster's would
    take it for itself, and a step for a failure that it tries again."""
    outcome: Future[Summary] = Future()

    def do() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=do, name="import", daemon=True).start()
    return outcome.result()


def _how_far(settings: Settings, directory: Path) -> str:
    names = {name.name: name for path in found_below(directory) if (name := parse_file_name(path.name)).kind in _STAGES}
    with open_database(settings).connect() as conn:
        ledger, left = files.ledger(conn, settings.server), unfinished.stages_left(conn, settings.server)
    done = [row for row in ledger.values() if row.name in names and _is_done(row, left)]
    return f"{len(done)} of {len(names)} files are through"


def _import_into_home(
    settings: Settings, directory: Path, timezone: str | None, publish: bool, progress: Progress
) -> Summary:
    with ExitStack() as stack:
        database = open_database(settings)
        channels = stack.enter_context(channels_in_use(settings))
        progress("waiting until no other command runs rounds here", 0, 1)
        instance = stack.enter_context(one_shot_instance(settings, database))
        tools = Tools(database, settings, NoGameServer(), channels, Wish.ASKED if publish else None)
        return import_folder(directory, tools, instance, timezone=timezone, progress=progress)


def import_folder(
    directory: Path, tools: Tools, instance: dg.DagsterInstance, *, timezone: str | None, progress: Progress
) -> Summary:
    """Ingests every game file below a folder. ``timezone``: of the stamps, when it is not the setting's."""
    summary = Summary()
    database, server = tools.database, tools.settings.server
    zone = ZoneInfo(timezone) if timezone else tools.settings.zone
    found = _store(directory, database, server, timezone, zone, summary, progress)
    rounds = found.of_kind[FileKind.STATS]
    with database.transaction() as conn:
        if announce := tools.wish is Wish.ASKED:
            unfinished.note_begun(conn, rounds, [Stage.SESSION_POST])
        promised = unfinished.begun(conn, rounds, Stage.SESSION_POST)
    for kind, (stages, partitions_def) in _WORK.items():
        # Rounds to announce are run though they are known: what was never told of them is told then.
        keys = rounds if announce and kind is FileKind.STATS else _keys(server, _of_kind(found.todo, kind))
        partitions.add_keys(instance, partitions_def, keys)
        run_stages(stages, keys, tools, progress)
    with database.connect() as conn:
        behind = _rounds_behind(conn, tools.settings, found.of_kind)
    # These may be rounds of other folders, of which nobody asked to announce anything.
    run_stages(OF_A_ROUND, behind, replace(tools, wish=None), progress)
    _conclude(database, server, found, behind, summary)
    if announce:
        with database.connect() as conn:
            sessions = results.sessions_of(conn, rounds)
        summary.sessions = sorted({*summary.sessions, *sessions})
        partitions.add_keys(instance, partitions.sessions, sessions)
        run_stages(OF_A_SESSION, sessions, tools, progress)
    else:
        summary.unannounced = len(promised.since)
    with database.transaction() as conn:  # told now, or nobody asks for it any more
        unfinished.note_done(conn, promised)
    return summary


@dataclass(frozen=True)
class _Found:
    """The files of a folder, in order of play. ``todo``: those that are not through; ``begun``: the names of those
    among them that an earlier import or run had begun with; ``of_kind``: the keys of all, by kind."""

    todo: list[FileName]
    begun: set[str]
    of_kind: dict[FileKind, list[str]]


def _keys(server: str, names: Iterable[FileName]) -> list[str]:
    return [key for name in names if (key := file_key(server, name))]


def _of_kind(names: Iterable[FileName], kind: FileKind) -> list[FileName]:
    return [name for name in names if name.kind is kind]


def _is_done(row: files.FileRow, left: Collection[str]) -> bool:
    """Whether a file came to a good end, and so did everything that is made of it."""
    return row.status in (FileStatus.INGESTED, FileStatus.KNOWN) and row.partition_key not in left


def _rounds_behind(conn: Connection[DictRow], settings: Settings, of_kind: Mapping[FileKind, list[str]]) -> list[str]:
    """The rounds that are stale of a folder's stats files, or by its endstats files and timing records."""
    keys = [key for keys in of_kind.values() for key in keys]
    return [stale.round_key for stale in rework.stale_rounds(conn, settings, among=keys)]


def _store(
    directory: Path,
    database: Database,
    server: str,
    timezone: str | None,
    zone: tzinfo,
    summary: Summary,
    progress: Progress,
) -> _Found:
    """Stores the bytes of all files that are new or changed. ``zone``: of the stamps."""
    paths = found_below(directory)
    todo: dict[str, FileName] = {}
    begun: set[str] = set()
    with database.transaction() as conn:
        ledger, left = files.ledger(conn, server), unfinished.stages_left(conn, server)
        taken: dict[str, str] = {}
        for number, path in enumerate(paths, start=1):
            progress("reading files", number, len(paths))
            name = parse_file_name(path.name)
            if name.kind in (FileKind.UNKNOWN, FileKind.WEAPON_STATS):
                summary.left_aside.append(path.name)
                continue
            summary.found += 1
            try:
                data = read_file(path, MAX_BYTES)
            except GameServerError as error:
                summary.skipped.append((path.name, str(error)))
                continue
            digest = files.sha256_of(data)
            if taken.setdefault(path.name, digest) != digest:
                reason = f"another file of this name has other bytes; the one in {path.parent} is left out"
                summary.skipped.append((path.name, reason))
                continue
            row = ledger.get(path.name)
            same = row is not None and row.sha256 == digest and timezone in (None, row.timezone)
            if row and same and _is_done(row, left):
                summary.known += 1
            elif path.name not in todo:
                todo[path.name] = name
                if same:
                    begun.add(path.name)
                files.note_imported(conn, server, [(name, data)], timezone)
                if name.kind is FileKind.ENDSTATS:
                    files.note_waiting(conn, server, name.name)
        for kind, stages in _STAGES.items():
            unfinished.note_begun(conn, _keys(server, _of_kind(todo.values(), kind)), stages)
    named = _in_order_of_play(map(parse_file_name, taken), zone)
    of_kind = {kind: _keys(server, _of_kind(named, kind)) for kind in FileKind}
    return _Found([name for name in named if name.name in todo], begun, of_kind)


def _in_order_of_play(names: Iterable[FileName], zone: tzinfo) -> list[FileName]:
    """All of them have a time in their names."""
    return sorted(names, key=lambda name: (time_in_name(name, zone), name.name))


def _conclude(database: Database, server: str, found: _Found, behind: Sequence[str], summary: Summary) -> None:
    names = [name.name for name in found.todo]
    keys = _keys(server, found.todo)
    with database.connect() as conn:
        rows = conn.execute(
            "select name, kind, status, reason from file where server = %s and name = any(%s) order by name",
            [server, names],
        ).fetchall()
        summary.ingested += sum(row["status"] == FileStatus.INGESTED for row in rows)
        summary.resumed += sum(row["status"] == FileStatus.INGESTED and row["name"] in found.begun for row in rows)
        summary.known += sum(row["status"] == FileStatus.KNOWN for row in rows)
        summary.waiting += sum(row["kind"] == FileKind.ENDSTATS and row["status"] == FileStatus.LISTED for row in rows)
        summary.quarantined += [(row["name"], row["reason"]) for row in rows if row["status"] == FileStatus.QUARANTINED]
        linked = conn.execute(
            "select count(*) as n from round_timing where record_key is not null and round_key = any(%s)",
            [[*keys, *behind]],
        ).fetchone()
        summary.linked = linked["n"] if linked else 0
        if not summary.linked:
            of_kind = (_keys(server, _of_kind(found.todo, kind)) for kind in (FileKind.STATS, FileKind.TIMING))
            summary.zone_off_by = timing_records.zone_off_by(conn, *of_kind)
        summary.renewed = len(set(behind) - set(keys))
        summary.sessions = results.sessions_of(conn, [*keys, *behind])
