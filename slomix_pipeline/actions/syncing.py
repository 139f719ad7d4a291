"""``slomix sync``: what lies on the game servers and is not through yet, taken in at once.

Belongs here: which files of a listing that is, and the game server as a source of files. Does not belong here: taking
files in, what is told of them (``importing``); watching the folders (``sensors.folders``).

It works beside ``slomix run``: what that is about to take it leaves alone, and what it took is no news to that.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.actions.import_files import Offered
from slomix_pipeline.actions.importing import Summary, collisions_explained, ingest, tools_to_ingest
from slomix_pipeline.discord.channels import OpenChannels
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.gameserver.choose import open_game_server
from slomix_pipeline.gameserver.source import FolderMissing, GameServer, GameServerError, RemoteFile, check_listed
from slomix_pipeline.rules.reach import Reach, ReachOf
from slomix_pipeline.rules.stamps import time_in_name
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.runtime.home import working_alone
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import Progress
from slomix_pipeline.stages.raw_stats_file import MAX_BYTES
from slomix_pipeline.warehouse import files
from slomix_pipeline.warehouse.database import Database

HELD_STILL = 0.5  # seconds between two listings: a file that looks other in the second is still being written
LEFT_TO_RUN = timedelta(minutes=1)  # its sensors list each folder once in that time


class NothingToAsk(SlomixError):
    """There is no game server to sync with, or not the one named."""


def servers_meant(settings: Settings, server: str | None) -> list[Settings]:
    """The settings of the game servers that are meant: all that have files somewhere, or the one named.

    Raises:
        NothingToAsk: there is none.
    """
    meant = [own for own in settings.game_servers if own.place is not None and server in (None, own.server)]
    if not meant:
        known = ", ".join(own.server for own in settings.game_servers)
        raise NothingToAsk(
            "no game server is configured: set SLOMIX_SFTP_HOST or SLOMIX_GAMESERVER_DIR"
            if server is None
            else f"no game server {server!r} is configured; there is {known}"
        )
    return meant


@dataclass(frozen=True)
class Synced:
    """What a sync with one game server came to. ``left``: names of files that ``slomix run`` is about to take, or that
    are still being written."""

    server: str
    where: str
    summary: Summary
    left: Sequence[str]


def sync(
    settings: Settings,
    database: Database,
    reach: Reach,
    open_channels: OpenChannels,
    *,
    publish: bool,
    beside_run: bool,
    progress: Progress,
    patience: float | None = None,
) -> Synced:
    """Takes in what lies on the game server of ``settings``. Silent but for corrections, unless ``publish``.

    ``beside_run``: ``slomix run`` works here too; ``patience``: as ``working_alone`` has it.

    Raises:
        GameServerError: it can't be reached, or was lost: what came before that is kept.
        AnotherWorks, Collided, WorkerEnded: see there.
    """
    progress("waiting until no other command works here", 0, 1)
    with working_alone(database, patience), collisions_explained(), open_game_server(settings) as gameserver:
        progress("listing the folders", 0, 1)
        listed = _list_twice(settings, gameserver)
        with database.connect() as conn:
            wanted, left = _choose(conn, settings, gameserver, listed, reach, beside_run)
        summary = ingest(wanted, tools_to_ingest(settings, database, publish), open_channels, progress=progress)
    return Synced(settings.server, gameserver.describe(), summary, left)


def sync_each(
    servers: Sequence[Settings], reach: ReachOf, sync_one: Callable[[Settings, Reach], Synced]
) -> tuple[list[Synced], dict[str, GameServerError]]:
    """Syncs with game servers one after the other. Returns what came, and by server what kept it from coming: one that
    can't be reached keeps no other from being asked."""
    done, failed = [], {}
    for own in servers:
        try:
            done.append(sync_one(own, reach(own.server)))
        except GameServerError as error:
            failed[own.server] = error
    return done, failed


@dataclass(frozen=True)
class _Folder:
    """A folder as it was listed. ``still``: the names of the files that looked the same in both listings."""

    name: str
    kinds: Collection[FileKind]
    files: Sequence[RemoteFile]
    still: Collection[str]


def _list_twice(settings: Settings, gameserver: GameServer) -> list[_Folder]:
    """The folders of the game server; rounds go without timing records where there is no folder for them."""
    folders = {
        settings.gamestats_folder: (FileKind.STATS, FileKind.ENDSTATS),
        settings.gametimes_folder: (FileKind.TIMING,),
    }
    first: dict[str, dict[str, RemoteFile]] = {}
    for name, kinds in folders.items():
        try:
            first[name] = {file.name: file for file in gameserver.list_folder(name)}
        except FolderMissing:
            if FileKind.TIMING not in kinds:
                raise
    time.sleep(HELD_STILL)
    found = []
    for name, before in first.items():
        now = gameserver.list_folder(name)
        found.append(_Folder(name, folders[name], now, {file.name for file in now if before.get(file.name) == file}))
    return found


def _choose(
    conn: Connection[DictRow],
    settings: Settings,
    gameserver: GameServer,
    folders: Sequence[_Folder],
    reach: Reach,
    beside_run: bool,
) -> tuple[list[Offered], list[str]]:
    """The files that are wanted, and the names of those that are left for later."""
    ledger = files.ledger(conn, settings.server)
    wanted: list[Offered] = []
    left: list[str] = []
    for folder in folders:
        limits = _within_look_back(conn, settings, folder.name, reach)
        for file in folder.files:
            name = parse_file_name(file.name)
            at = time_in_name(name, settings.zone)
            if name.kind not in folder.kinds or at is None or not limits.holds(at):
                continue
            if file.name not in folder.still or (beside_run and _is_taken_by_run(ledger.get(file.name), file)):
                left.append(file.name)
            else:
                read = partial(_read, gameserver, folder.name, file)
                wanted.append(Offered(name, f"{folder.name} at {gameserver.describe()}", read, file))
    return wanted, left


def _within_look_back(conn: Connection[DictRow], settings: Settings, folder: str, reach: Reach) -> Reach:
    if reach.is_said:
        return reach
    return replace(reach, since=files.look_back_to(conn, settings.server, folder, settings.lookback))


def _is_taken_by_run(row: files.FileRow | None, file: RemoteFile) -> bool:
    """Whether the sensors of ``slomix run`` have just asked for a file, or are about to see it: what they take is
    announced, what a sync takes is not."""
    now = datetime.now(UTC)
    if row is not None and row.status is FileStatus.REQUESTED and not row.imported:
        return row.requested_at is not None and now - row.requested_at < LEFT_TO_RUN
    is_news = row is None or (row.size, row.modified_at) != (file.size, files.utc(file.modified_at))
    return is_news and now - files.utc(file.modified_at) < LEFT_TO_RUN


def _read(gameserver: GameServer, folder: str, file: RemoteFile) -> bytes:
    data = gameserver.read(folder, file.name, MAX_BYTES)
    check_listed(data, file.name, file.size)
    return data
