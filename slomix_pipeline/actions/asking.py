"""Asking for a post, by a command or from Dagster's launchpad: who and what is meant, and what became of it in words.

Belongs here: names as people type them, resolved when they are; the sentence at the end. Does not belong here: what can
be asked for (``rules.asked``), telling (``stages.asked_posts``), arguments (``cli.posting``, ``post_jobs``).
"""

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.reports.career_words import found_text
from slomix_pipeline.rules.asked import Asked, Asking, BoardAsked, CompareAsked, MapAsked, PlayerAsked, RecordsAsked
from slomix_pipeline.rules.boards import BoardName
from slomix_pipeline.rules.things import ThingKind, ToldAs
from slomix_pipeline.stages.asked_posts import ask, tell_asked
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse.asked_posts import asked_thing
from slomix_pipeline.warehouse.careers import NotOnePlayer, find_player
from slomix_pipeline.warehouse.maps import NotOneMap, find_map

if TYPE_CHECKING:
    from slomix_pipeline.discord.ledger import Told

Conn = Connection[DictRow]
OTHERS_TELL = "others are posted just now"


class NoChannel(SlomixError):
    """Nothing can be posted: no webhook is set."""


class NotPosted(SlomixError):
    """It was asked for, and will not be posted by itself; the text says why."""


def board_asked(conn: Conn, board: BoardName, on_map: str | None, since: date | None, min_rounds: int) -> BoardAsked:
    """A board, of the map that is meant.

    Raises:
        NotOneMap: none, or several, are meant.
    """
    return BoardAsked(board, on_map and find_map(conn, on_map), since, min_rounds)


def player_asked(conn: Conn, who: str) -> PlayerAsked:
    """The player who is meant.

    Raises:
        NotOnePlayer: nobody, or several, are meant.
    """
    return PlayerAsked(find_player(conn, who).guid)


def compare_asked(conn: Conn, one: str, other: str) -> CompareAsked:
    """The two players who are meant.

    Raises:
        NotOnePlayer: nobody, or several, are meant by one of the names.
    """
    return CompareAsked(find_player(conn, one).guid, find_player(conn, other).guid)


def records_asked(conn: Conn, on_map: str | None) -> RecordsAsked:
    """The records, of the map that is meant.

    Raises:
        NotOneMap: none, or several, are meant.
    """
    return RecordsAsked(on_map and find_map(conn, on_map))


def map_asked(conn: Conn, name: str) -> MapAsked:
    """The map that is meant.

    Raises:
        NotOneMap: none, or several, are meant.
    """
    return MapAsked(find_map(conn, name))


def hits(error: SlomixError) -> list[str]:
    """Whom or what a name may mean that means several, a line for each."""
    match error:
        case NotOnePlayer():
            return [found_text(player) for player in error.found]
        case NotOneMap():
            return list(error.found)
    return []


def key_now(asked: Asked, now: datetime) -> str:
    """A key that nothing was asked for under before: ``board-20261129-211500-3f2a81c0``, in UTC."""
    return f"{asked.what}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def post(tools: Tools, askings: Sequence[Asking]) -> list[str]:
    """Asks for posts and has them told. Returns what became of each, in words.

    Raises:
        NoChannel: nothing was asked for.
        NotPosted: of one it is not known whether it arrived, or it is too late for it.
    """
    if tools.channels.of(ThingKind.ASKED) is None:
        raise NoChannel(
            "no webhook is set for posts: set SLOMIX_DISCORD_BOARD_WEBHOOK, or SLOMIX_DISCORD_WEBHOOK; the one of a "
            "single game server gets its results alone"
        )
    ask(tools, askings)
    told = tell_asked([asking.key for asking in askings], tools)
    texts = [_text(asked_thing(asking.key).name, told.get(asking.key)) for asking in askings]
    if any(own.outcome in (ToldAs.IN_DOUBT, ToldAs.MISSED) for own in told.values()):
        raise NotPosted("\n".join(texts))
    return texts


def _text(thing: str, told: "Told | None") -> str:
    if told is None:
        return waits_text(thing, OTHERS_TELL)
    match told.outcome:
        case ToldAs.SENT:
            return f"{thing} is posted."
        case ToldAs.UNCHANGED | ToldAs.EDITED:
            return f"{thing} was posted before."
        case ToldAs.SILENT:
            return f"{thing} is not posted: {told.detail}."
        case ToldAs.IN_DOUBT:
            return f"{thing} may be there or not: {told.detail}; look, then slomix post --told or --retry {thing}"
        case ToldAs.MISSED:
            return f"{thing} was never posted, and is too old by now; slomix post --retry {thing}"
    return waits_text(thing, told.detail or told.outcome)


def waits_text(thing: str, why: str) -> str:
    """That a message surely is not there, and goes out by itself."""
    return f"{thing} waits, because {why}; it is delivered later."
