"""One look at the game server for records that the database does not hold yet, so that the first message is right.

The record of a round is written some seconds before its stats file, and the sensor leaves it to the round's run.
Belongs here: which files are worth fetching, and taking them in. A look that fails changes nothing: the sensor takes
what is left, and ``rework`` mends the round.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.consolelog import MAX_READ, ScriptSigns, script_signs
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileName, map_in_gametime_name, parse_file_name
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.formats.keys import file_key
from slomix_pipeline.gameserver.source import (
    FileMissing,
    GameServer,
    GameServerError,
    NotAsked,
    NotWhole,
    RemoteFile,
    TooLarge,
    TransientError,
    read_log_end,
)
from slomix_pipeline.rules.linking import Clocked
from slomix_pipeline.rules.timing_records import UNREADABLE, UnreadFile, clocked_file, file_may_be_of
from slomix_pipeline.rules.values import FileStatus, map_key
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Conn, Tools, round_by_round
from slomix_pipeline.stages.timing_record import record_outcome
from slomix_pipeline.warehouse import catalogue, files, timing_records
from slomix_pipeline.warehouse.catalogue import Partitions
from slomix_pipeline.warehouse.check_results import CheckName, store_outcomes
from slomix_pipeline.warehouse.keeping import keep_each


@dataclass(frozen=True)
class _Found:
    """A file of the folder: as listed, and what its name says."""

    listed: RemoteFile
    name: FileName
    clocked: Clocked


@dataclass(frozen=True)
class Look:
    """What a look came to. ``looked_at``: when, None when nobody looked; ``listed``: whether the folder could be
    listed, else ``trouble``; ``unread``: files that may be of the rounds but could not be read."""

    looked_at: datetime | None = None
    listed: bool = False
    fetched: tuple[str, ...] = ()
    unread: tuple[UnreadFile, ...] = ()
    trouble: str | None = None
    signs: ScriptSigns | None = None


def look_for_records(tools: Tools, keys: Sequence[str]) -> Look:
    """Takes in the records of these rounds that lie in the game server's folder; each only once and whole."""
    settings, gameserver = tools.settings, tools.gameserver
    if not settings.has_game_server:
        return Look()
    with round_by_round(tools.database) as conn:
        waiting = timing_records.rounds_without_record(conn, settings.server, keys)
        if not waiting:
            return Look()
        now = datetime.now(UTC)
        try:
            listing = gameserver.list_folder(settings.gametimes_folder)
            found = [
                _take_in(conn, gameserver, settings, file) for file in _files_of_rounds(listing, waiting, settings)
            ]
        except NotAsked:
            return Look()
        except TransientError as error:  # the log would only cost another wait
            return Look(now, trouble=str(error))
        except GameServerError as error:
            return Look(now, trouble=str(error), signs=_signs(gameserver, settings))
        without = timing_records.rounds_without_record(conn, settings.server, keys)
    return Look(
        now,
        listed=True,
        fetched=tuple(key for key in found if isinstance(key, str)),
        unread=tuple(file for file in found if isinstance(file, UnreadFile)),
        signs=_signs(gameserver, settings) if without else None,
    )


def _files_of_rounds(listing: Iterable[RemoteFile], waiting: Sequence[Clocked], settings: Settings) -> Iterator[_Found]:
    """The files of a listing that by their names may be the records of rounds."""
    by_map: dict[str, list[Clocked]] = {}
    for entry in waiting:
        by_map.setdefault(map_key(map_in_gametime_name(entry.map_name)), []).append(entry)
    for file in listing:
        name = parse_file_name(file.name)
        clocked = clocked_file(name, settings.zone)
        if clocked and any(file_may_be_of(entry, clocked) for entry in by_map.get(map_key(clocked.map_name), ())):
            yield _Found(file, name, clocked)


def _take_in(conn: Conn, gameserver: GameServer, settings: Settings, file: _Found) -> str | UnreadFile | None:
    """Stores one record. Returns its key, or the file and why it could not be read, perhaps not yet: the sensor waits
    until it is finished, and quarantines what never can be read."""
    try:
        data = gameserver.read(settings.gametimes_folder, file.name.name, gametimes.MAX_SIZE)
        if not data.lstrip().startswith(b"{"):
            return None  # lines may end anywhere; of JSON only a whole record can be read
        record = gametimes.parse(data)
        ((_, refusal),) = keep_each(conn, [record], lambda _: _store(conn, settings.server, file, data, record))
    except FileMissing:
        return None
    except (FormatError, NotWhole, TooLarge, RecursionError) as error:
        return UnreadFile(file.clocked, UNREADABLE, str(error) or type(error).__name__)
    if refusal is not None:
        return UnreadFile(file.clocked, UNREADABLE, str(refusal))
    return file_key(settings.server, file.name)


def _store(conn: Conn, server: str, file: _Found, data: bytes, record: TimingRecord) -> None:
    """What the record's own run would store, and that it had none."""
    row = files.note_found(conn, server, file.listed, file.name, data)
    timing_records.store_records(conn, [(row, record)])
    files.finish(conn, row, FileStatus.INGESTED)
    store_outcomes(conn, CheckName.RECORD_PARSE, {row.key: record_outcome(record)})
    catalogue.note(conn, Partitions.TIMINGS, [row.key])


def _signs(gameserver: GameServer, settings: Settings) -> ScriptSigns | None:
    """What the server's log says of the script; None when there is none to be read."""
    if settings.console_log is None:
        return None
    try:
        return script_signs(read_log_end(gameserver, settings.console_log, MAX_READ))
    except GameServerError:
        return None
