"""The sensors of the two folders: a new or changed file becomes a partition and a run.

A tick watches for a while itself (the daemon looks at sensors only every 5 s): one ``stat`` of the folder per look,
a listing only when the folder changed and once a minute anyway. What is new is decided from the listing and the file
ledger; the cursor only saves work.

Does not belong here: fetching and reading files (``stages``), the ledger's statements (``warehouse.files``).
"""

import json
import os
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import dagster as dg

from slomix_pipeline import jobs, partitions
from slomix_pipeline.formats.filenames import FileKind, FileName, parse_file_name
from slomix_pipeline.formats.keys import file_key
from slomix_pipeline.gameserver.source import FolderMissing, GameServer, PermanentError, RemoteFile, TransientError
from slomix_pipeline.jobs import tags_of_wish
from slomix_pipeline.rules.stamps import time_in_name
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.sensors.requests import Wanted, keys_in_flight, requests_for
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Wish
from slomix_pipeline.warehouse import files
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.server_zones import note_zone

WATCH_SECONDS = 44.0  # per tick, of Dagster's 60 s: the next begins at a multiple of 5 s, until which nobody looks
LOOK_EVERY = 0.3  # seconds between two looks; also what a file's size must hold still for
LOOK_FOR_RECORDS_EVERY = 2.0  # nobody waits for this look: records are left to their rounds
LIST_ANYWAY = 60.0  # seconds; a file rewritten in place does not change its folder
LEFT_TO_ITS_ROUND = timedelta(seconds=45)  # a record; the run of its round, which looks for it, has begun by then
RESTLESS = 2.5  # seconds of listing on after a change: folder times are whole seconds
PAUSE_AFTER_REFUSAL = 42.0  # seconds, within Dagster's 60 s for a tick
FIRST_BACK_OFF = timedelta(seconds=30)
LONGEST_BACK_OFF = timedelta(hours=1)

_NOT_READ = {
    FileKind.ENDSTATS: files.WAITS_FOR_ITS_ROUND,
    FileKind.WEAPON_STATS: "weapon file of an old writer: not read",
    FileKind.UNKNOWN: "the name follows no known pattern",
    FileKind.STATS: "a stats file outside its folder",
    FileKind.TIMING: "a timing record outside its folder",
}
TOO_OLD = "older than the look-back: waits for a backfill"


# By server and folder, then by name: files that the ledger has as they were listed last, so that of a folder with the
# files of years only the others are asked about: nothing but a sensor changes what the ledger has listed. A lost cursor
# starts anew.
_agreed: WeakKeyDictionary[Database, dict[tuple[str, str], dict[str, RemoteFile]]] = WeakKeyDictionary()

Noted = tuple[RemoteFile, FileName, str | None]


@dataclass(frozen=True)
class Decision:
    """What a listing comes to: files to note (with a reason when they are not fetched), files to request, files from
    before the look-back (to note when no other is waited for), and whether some are not finished yet."""

    noted: list[Noted] = field(default_factory=list)
    requested: list[tuple[RemoteFile, FileName, int]] = field(default_factory=list)
    old: list[Noted] = field(default_factory=list)
    unsettled: bool = False


def decide(
    listing: Iterable[RemoteFile],
    held_still: Mapping[str, RemoteFile],
    ledger: Mapping[str, files.FileRow],
    in_flight: Collection[str],
    *,
    kind: FileKind,
    zone: tzinfo,
    now: datetime,
    look_back_to: datetime,
) -> Decision:
    """Which files of a listing are new, changed, or without a result and due again.

    Args:
        held_still: the previous listing; a file counts as finished when it looks the same in both.
        ledger: of files that wait for a result, and of those listed that look other than it has them; it may hold more.
        in_flight: partition keys that runs work on.
        kind: what the folder is for; other kinds are noted only.
        look_back_to: files with an earlier stamp that were never read are noted, not requested.
    """
    decision = Decision()
    listed = {file.name: file for file in listing}
    news = (f for f in listed.values() if _is_news(ledger.get(f.name), f) or _is_due(ledger[f.name], in_flight, now))
    unsettled = False
    named = [(parse_file_name(file.name), file) for file in news]
    for name, file in sorted(named, key=lambda pair: _order(pair[0], pair[1], zone)):
        row = ledger.get(file.name)
        if row and not _is_news(row, file):
            decision.requested.append((file, name, row.attempts + 1))
        elif not _was_read(row) and _order(name, file, zone)[0] < look_back_to:
            decision.old.append((file, name, TOO_OLD if name.kind is kind else _NOT_READ[name.kind]))
        elif row is None and kind is FileKind.TIMING and _is_left_to_its_round(name, zone, now):
            continue
        elif name.kind is not kind:
            decision.noted.append((file, name, _NOT_READ[name.kind]))
        elif held_still.get(file.name) != file or (row and row.partition_key in in_flight):
            unsettled = True
        else:
            decision.noted.append((file, name, None))
            decision.requested.append((file, name, 1))
    for row in ledger.values():  # gone from the folder, or left by an import that was cut short
        if row.name not in listed and row.kind == kind and _is_due(row, in_flight, now):
            file = RemoteFile(row.name, row.size or 0, int(row.modified_at.timestamp()) if row.modified_at else 0)
            decision.requested.append((file, parse_file_name(row.name), row.attempts + 1))
    return replace(decision, unsettled=unsettled)


def _is_news(row: files.FileRow | None, file: RemoteFile) -> bool:
    """Whether a file is new to the ledger or looks other than it has it."""
    return row is None or (row.size, row.modified_at) != (file.size, files.utc(file.modified_at))


def _is_left_to_its_round(record: FileName, zone: tzinfo, now: datetime) -> bool:
    """Whether a record is so fresh that the run of its round, written some seconds later, will fetch it: one run for
    both. What it leaves is taken by the next listing, which comes later than that."""
    ended_at = time_in_name(record, zone)
    return ended_at is not None and timedelta() <= now - ended_at < LEFT_TO_ITS_ROUND


def _is_due(row: files.FileRow, in_flight: Collection[str], now: datetime) -> bool:
    return row.status is FileStatus.REQUESTED and row.partition_key not in in_flight and now >= due_again(row)


def _is_under_way(row: files.FileRow, now: datetime) -> bool:
    return (
        row.status is FileStatus.REQUESTED and row.requested_at is not None and now - row.requested_at < FIRST_BACK_OFF
    )


def _was_read(row: files.FileRow | None) -> bool:
    """Whether the game server's file was ever asked for: then a change of it counts, however old it is."""
    return row is not None and row.modified_at is not None and row.status is not FileStatus.LISTED


def due_again(row: files.FileRow) -> datetime:
    """When a requested file without a result may be asked for again: later each time. An import may still be storing
    other files before its run starts."""
    wait: timedelta = min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2 ** min(row.attempts - 1, 10))
    if row.imported and row.attempts == 0:
        wait = LONGEST_BACK_OFF
    return (row.requested_at or datetime.min.replace(tzinfo=UTC)) + wait


def _order(name: FileName, file: RemoteFile, zone: tzinfo) -> tuple[datetime, str]:
    """By the round's end; of a name without a time, by the file's own."""
    return time_in_name(name, zone) or files.utc(file.modified_at), name.name


@dataclass(frozen=True)
class Cursor:
    """What saves a listing: the folder's time when it was last listed, when that was (unix seconds), and the id of the
    process that did it: each lists once at its start."""

    changed_at: int = 0
    moved_at: float = 0.0
    listed_at: float = 0.0
    process: int = 0

    @classmethod
    def load(cls, text: str | None) -> "Cursor":
        try:
            return cls(**json.loads(text or "{}"))
        except (ValueError, TypeError):
            return cls()

    def wants_listing(self, changed_at: int, now: float) -> bool:
        restless = changed_at != self.changed_at or now - self.moved_at < RESTLESS
        return restless or now - self.listed_at > LIST_ANYWAY or self.process != os.getpid()


@dataclass(frozen=True)
class Folder:
    """One watched folder: which kind of file it is for, what a file of it becomes, how many seconds pass between two
    looks, whether it may be missing."""

    kind: FileKind
    name: str
    partitions_def: dg.DynamicPartitionsDefinition
    job: str
    look_every: float
    optional: bool = False


def watch(
    context: dg.SensorEvaluationContext,
    settings: Settings,
    database: Database,
    gameserver: GameServer,
    folder: Folder,
    seconds: float = WATCH_SECONDS,
) -> dg.SensorResult | dg.SkipReason:
    """Looks at a folder of a game server until something is to be done or ``seconds`` are over. ``settings``: of that
    server."""
    with database.transaction() as conn:
        note_zone(conn, settings)
    if not settings.has_game_server:
        return dg.SkipReason("no game server is configured: set SLOMIX_SFTP_HOST or SLOMIX_GAMESERVER_DIR")
    cursor = Cursor.load(context.cursor)
    with database.connect() as conn:
        look_back_to = files.look_back_to(conn, settings.server, folder.name, settings.lookback)
    end = time.monotonic() + seconds
    held_still: dict[str, RemoteFile] = {}
    if cursor.process != os.getpid():
        _agreed.setdefault(database, {}).pop((settings.server, folder.name), None)
    try:
        while True:
            changed_at = gameserver.folder_changed_at(folder.name)
            now = time.time()
            if cursor.wants_listing(changed_at, now):
                moved_at = now if changed_at != cursor.changed_at else cursor.moved_at
                listing = gameserver.list_folder(folder.name)
                taken = take(context.instance, settings, database, folder, listing, held_still, look_back_to)
                held_still = {file.name: file for file in listing}
                if taken.wanted:
                    # The listing is not remembered: whatever else came meanwhile is seen by the next tick at once.
                    requests = requests_for(
                        context.instance, folder.partitions_def, taken.wanted, tags_of_wish(Wish.LIVE)
                    )
                    return dg.SensorResult(requests)
                # What did not hold still is listed again at the next look, though its folder may not move any more.
                cursor = Cursor(changed_at, moved_at, 0.0 if taken.unsettled else now, os.getpid())
            if time.monotonic() >= end:
                context.update_cursor(json.dumps(asdict(cursor)))
                return dg.SkipReason(f"nothing new in {folder.name} at {gameserver.describe()}")
            time.sleep(folder.look_every)
    except TransientError as error:
        return dg.SkipReason(f"the game server can't be reached just now, trying again: {error}")
    except FolderMissing as error:
        if not folder.optional:
            raise
        time.sleep(max(0.0, end - time.monotonic()))
        return dg.SkipReason(f"{error}; rounds go without timing records")
    except PermanentError:
        # A refused login every few seconds gets one banned.
        time.sleep(max(0.0, end - time.monotonic()) * PAUSE_AFTER_REFUSAL / WATCH_SECONDS)
        raise


@dataclass(frozen=True)
class Taken:
    """What a listing led to: partitions to run, and whether some files are not finished yet."""

    wanted: list[Wanted]
    unsettled: bool


def take(
    instance: dg.DagsterInstance,
    settings: Settings,
    database: Database,
    folder: Folder,
    listing: Collection[RemoteFile],
    held_still: Mapping[str, RemoteFile],
    look_back_to: datetime,
) -> Taken:
    """Decides on a listing, gives Dagster the keys of what is new and notes the decision in the file ledger: in this
    order, so that what a process that ended did not finish is as new to the next as it was to it."""
    now = datetime.now(UTC)
    agreed = _agreed.setdefault(database, {}).setdefault((settings.server, folder.name), {})
    with database.transaction() as conn:
        waiting = files.waiting(conn, settings.server)
        asked = [file for file in listing if agreed.get(file.name) != file]
        news = files.news_in(conn, settings.server, asked)
        in_flight = keys_in_flight(instance, folder.job) if waiting else set()
        decision = decide(
            [file for file in listing if file.name in news or file.name in waiting],
            held_still,
            waiting | {name: row for name, row in news.items() if row},
            in_flight,
            kind=folder.kind,
            zone=ZoneInfo(settings.timezone),
            now=now,
            look_back_to=look_back_to,
        )
        # A round that is new is waited for: ten thousand old files beside it are noted once it is through.
        busy = decision.requested or decision.unsettled or any(_is_under_way(row, now) for row in waiting.values())
        noted = decision.noted if busy else [*decision.noted, *decision.old]
        wanted = [
            Wanted(key, f"{key}:{file.size}:{file.modified_at}:{attempt}")
            for file, name, attempt in decision.requested
            if (key := file_key(settings.server, name))
        ]
        own = [file_key(settings.server, name) for _, name, _ in noted if name.kind is folder.kind]
        partitions.add_keys(instance, folder.partitions_def, [*(w.key for w in wanted), *filter(None, own)])
        files.note_seen(conn, settings.server, noted)
        files.note_requested(conn, settings.server, [file.name for file, _, _ in decision.requested], now)
        if not decision.unsettled:
            files.note_look(conn, settings.server, folder.name, now)
    open_still = news.keys() - {file.name for file, _, _ in noted}
    agreed.update((file.name, file) for file in asked if file.name not in open_still)
    return Taken(wanted, decision.unsettled)


GAMESTATS, GAMETIMES = "gamestats", "gametimes"


def watched_folders(settings: Settings) -> dict[str, Folder]:
    """The two folders of the game server, by what they are for."""
    return {
        GAMESTATS: Folder(FileKind.STATS, settings.gamestats_folder, partitions.rounds, "ingest_rounds", LOOK_EVERY),
        GAMETIMES: Folder(
            FileKind.TIMING,
            settings.gametimes_folder,
            partitions.timings,
            "ingest_timings",
            LOOK_FOR_RECORDS_EVERY,
            optional=True,
        ),
    }


_DESCRIPTIONS = {
    GAMESTATS: "Watches the gamestats folder{of}: every new or changed stats file becomes a round and a run.",
    GAMETIMES: "Watches the gametimes folder{of}: every new or changed timing record becomes a run.",
}


def folder_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """The sensors of the two folders; where there are several game servers, two for each: none waits for another."""
    if not settings.servers:
        return [_folder_sensor(name, settings.server, f"{name}_sensor", "") for name in (GAMESTATS, GAMETIMES)]
    return [
        _folder_sensor(name, server, f"{name}_sensor_{server.replace('-', '_')}", f" of game server {server}")
        for server in settings.servers
        for name in (GAMESTATS, GAMETIMES)
    ]


def _folder_sensor(folder: str, server: str, name: str, of: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=name,
        job={GAMESTATS: jobs.ingest_rounds, GAMETIMES: jobs.ingest_timings}[folder],
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=_DESCRIPTIONS[folder].format(of=of),
    )
    def sensor(
        context: dg.SensorEvaluationContext,
        settings: dg.ResourceParam[Settings],
        database: dg.ResourceParam[Database],
        gameserver: dg.ResourceParam[GameServer],
    ) -> dg.SensorResult | dg.SkipReason:
        own = settings.of_server(server)
        return watch(context, own, database, gameserver.of(server), watched_folders(own)[folder])

    return sensor
