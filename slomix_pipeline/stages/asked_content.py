"""What was asked for, as a message that says how things stand now.

Belongs here: reading what each kind needs and handing it to its words. Does not belong here: the words (``discord``),
the numbers (``warehouse``), telling (``stages.asked_posts``).
"""

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.asked import (
    Asked,
    BoardAsked,
    CompareAsked,
    DigestAsked,
    MapAsked,
    OnThisDayAsked,
    PlayerAsked,
    RecordsAsked,
)
from slomix_pipeline.rules.boards import BOARDS, threshold
from slomix_pipeline.warehouse import careers, evenings, standings
from slomix_pipeline.warehouse.boards import board_rows
from slomix_pipeline.warehouse.maps import is_played, map_seen
from slomix_pipeline.warehouse.records import records

if TYPE_CHECKING:
    from slomix_pipeline.discord.embeds import Message


class NothingToTell(Exception):
    """There is nothing to say of it, or not any more; the text says why."""


def message_of(conn: Connection[DictRow], asked: Asked, zone: ZoneInfo, now: datetime) -> "Message":
    """What is said of what was asked for. ``conn``: a snapshot, so that all of it is of one moment, ``now``.

    Raises:
        NothingToTell: see there.
    """
    from slomix_pipeline.discord import board_messages, evening_messages

    match asked:
        case BoardAsked():
            return _board(conn, asked, zone, now)
        case PlayerAsked():
            return board_messages.player_message(_career(conn, asked.guid), now)
        case CompareAsked():
            one, other = _career(conn, asked.one), _career(conn, asked.other)
            return board_messages.compare_message(one, other, standings.meetings(conn, one.guid, other.guid), now)
        case RecordsAsked():
            return board_messages.records_message(records(conn, _known_map(conn, asked.map)), now, asked.map)
        case MapAsked():
            _known_map(conn, asked.map)
            return board_messages.map_message(map_seen(conn, asked.map), now)
        case OnThisDayAsked():
            found = evenings.evenings_on(conn, asked.day, zone)
            if not found:
                raise NothingToTell("nothing that counts was played on this day in earlier years")
            own = {evening.session.session_key for evening in found}
            standing = [record for record in records(conn) if record.session_key in own]
            return evening_messages.on_this_day_message(asked.day, found, standing, now)
        case DigestAsked():
            found = evenings.evenings_ended(conn, asked.since, asked.until)
            if not found:
                raise NothingToTell("nothing that counts was played since the last morning")
            return evening_messages.digest_message(found, now)


def _board(conn: Connection[DictRow], asked: BoardAsked, zone: ZoneInfo, now: datetime) -> "Message":
    from slomix_pipeline.discord.board_messages import board_message

    board = BOARDS[asked.board]
    needed = threshold(board, asked.min_rounds)
    since, until = (
        None if day is None else datetime.combine(day, asked.at, zone) for day in (asked.since, asked.until)
    )
    rows = board_rows(conn, board, needed, map_name=_known_map(conn, asked.map), since=since, until=until)
    if asked.unless_empty and not rows:
        raise NothingToTell("nobody has played enough for it")
    return board_message(board, needed, rows, now, asked.map, since, until)


def _known_map(conn: Connection[DictRow], name: str | None) -> str | None:
    if name is not None and not is_played(conn, name):
        raise NothingToTell(f"no round that counts is of the map {name!r} any more")
    return name


def _career(conn: Connection[DictRow], guid: str) -> careers.Career:
    player = careers.player_of(conn, guid)
    if player is None:
        raise NothingToTell(f"nothing is told of {guid}: no round of his counts any more, or he wished to be unnamed")
    return careers.career(conn, player)
