"""One look at the game server for records that the database does not hold yet, so that the first message is right.

The record of a round is written some seconds before its stats file, but its own run may come later. Belongs here:
which files are worth fetching, and taking them in. A look that fails changes nothing: ``rework`` mends it later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from slomix_pipeline.assets.common import Conn, round_by_round
from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.consolelog import MAX_READ, ScriptSigns, script_signs
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import parse_file_name
from slomix_pipeline.gameserver.source import GameServer, GameServerError, read_log_end
from slomix_pipeline.rules.linking import Clocked
from slomix_pipeline.rules.timing_records import clocked_file, file_may_be_of
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.warehouse import files, timing_records
from slomix_pipeline.warehouse.database import Database


@dataclass(frozen=True)
class Look:
    """What a look came to. ``listed_at``: when the folder was listed; None with ``trouble``, or when nobody looked."""

    fetched: tuple[str, ...] = ()
    listed_at: datetime | None = None
    trouble: str | None = None
    signs: ScriptSigns | None = None


def look_for_records(database: Database, gameserver: GameServer, keys: Sequence[str]) -> Look:
    """Takes in the records of these rounds that lie in the game server's folder; each only once and whole."""
    settings = load_settings()
    if not settings.has_game_server:
        return Look()
    with round_by_round(database) as conn:
        waiting = timing_records.rounds_without_record(conn, settings.server, keys)
        if not waiting:
            return Look()
        now = datetime.now(UTC)
        try:
            fetched = list(_take_in(conn, gameserver, settings, waiting))
        except GameServerError as error:
            return Look(trouble=str(error), signs=_signs(gameserver, settings))
        without = timing_records.rounds_without_record(conn, settings.server, keys)
        return Look(tuple(fetched), now, signs=_signs(gameserver, settings) if without else None)


def _take_in(conn: Conn, gameserver: GameServer, settings: Settings, waiting: Sequence[Clocked]) -> Iterable[str]:
    for file in gameserver.list_folder(settings.gametimes_folder):
        name = parse_file_name(file.name)
        clocked = clocked_file(name, settings.zone)
        if clocked is None or not any(file_may_be_of(entry, clocked) for entry in waiting):
            continue
        data = gameserver.read(settings.gametimes_folder, file.name, gametimes.MAX_SIZE)
        try:
            record = gametimes.parse(data)
        except FormatError:
            continue  # perhaps not finished; the sensor waits until it is, and quarantines it if it never can be read
        with conn.transaction():
            row = files.note_found(conn, settings.server, name, data)
            timing_records.store_record(conn, row, record)
            files.finish(conn, row, "ingested")
        yield str(row.partition_key)


def _signs(gameserver: GameServer, settings: Settings) -> ScriptSigns | None:
    """What the server's log says of the script; None when there is none to be read."""
    if settings.console_log is None:
        return None
    try:
        return script_signs(read_log_end(gameserver, settings.console_log, MAX_READ))
    except GameServerError:
        return None
