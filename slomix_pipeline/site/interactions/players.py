"""Answers about years: ``/player``, ``/compare``, ``/top``, ``/records``, ``/map``; and ``/link``.

Belongs here: who and what is meant, and which words are said of it: those of posts (``stages.asked_content``,
``discord``), of what pages read. Does not belong here: the words, the numbers (``warehouse``), the shape of answers
(``replies``).
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from urllib.parse import urlencode

from slomix_pipeline.discord import career_parts
from slomix_pipeline.discord.board_messages import Block, board_message, career_blocks, player_message
from slomix_pipeline.discord.embeds import Message, escape
from slomix_pipeline.discord.wording import player_text
from slomix_pipeline.reports.career_words import found_text
from slomix_pipeline.rules.asked import CompareAsked, MapAsked, RecordsAsked
from slomix_pipeline.rules.boards import BOARDS, BoardName, threshold
from slomix_pipeline.site.interactions.commands import CommandName, OptionName, Period, PlayerPart
from slomix_pipeline.site.interactions.replies import Asked, Button, Refused, Reply, chosen
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.stages.asked_content import message_of
from slomix_pipeline.warehouse import careers, link_requests, players, standings
from slomix_pipeline.warehouse.boards import board_rows
from slomix_pipeline.warehouse.careers import Career, NotOnePlayer, PlayerFound
from slomix_pipeline.warehouse.link_requests import Wish
from slomix_pipeline.warehouse.maps import NotOneMap, find_map, is_played

PLACES = 15  # of a board, on a message
_UNLINKED = "say who: you are not linked to a player; /link asks for that"


def player(asked: Asked) -> Reply:
    """A career, or a part of it: of who is named, of a Discord user who is linked, or of who asks."""
    career = careers.career(asked.conn, _player_meant(asked))
    part = chosen(asked.call, OptionName.PART, PlayerPart.CAREER)
    message = player_message(career, asked.now, _PARTS[part](asked, career))
    if not message.embeds[0].fields:
        raise Refused(f"nothing is known of that for {career.name}")
    return Reply(message, asked.base + url_of("players", career.guid))


def _maps(asked: Asked, career: Career) -> list[Block]:
    conn, guid = asked.conn, career.guid
    return career_parts.map_blocks(
        players.maps_played(conn, careers.guids_of(conn, guid), standings.on_maps(conn, guid))
    )


def _opponents(asked: Asked, career: Career) -> list[Block]:
    return career_parts.opponent_blocks(players.most_met(asked.conn, career.guid))


_PARTS: dict[PlayerPart, Callable[[Asked, Career], list[Block]]] = {
    PlayerPart.CAREER: lambda asked, career: list(career_blocks(career)),
    PlayerPart.FORM: lambda asked, career: career_parts.blocks_of(career, career_parts.FORM),
    PlayerPart.MAPS: _maps,
    PlayerPart.WEAPONS: lambda asked, career: career_parts.blocks_of(career, career_parts.WEAPONS),
    PlayerPart.ALIASES: lambda asked, career: career_parts.alias_blocks(career),
    PlayerPart.BADGES: lambda asked, career: career_parts.blocks_of(career, career_parts.BADGES),
    PlayerPart.OPPONENTS: _opponents,
}


def _player_meant(asked: Asked) -> PlayerFound:
    call, caller = asked.call, asked.call.caller
    if typed := call.option(OptionName.WHO):
        return _find(asked, typed)
    own = "" if caller is None else caller.id
    user = call.data.target_id or call.option(OptionName.USER) or own
    found = _linked(asked, user)
    if found is None:
        raise Refused(_UNLINKED if user == own else "nobody knows which player that is: he is not linked")
    return found


def _linked(asked: Asked, discord_id: str) -> PlayerFound | None:
    guid = link_requests.linked_player(asked.conn, discord_id)
    if guid is None:
        return None
    for own in (guid, *careers.guids_of(asked.conn, guid)):  # his rounds may be those of another one of them
        if (found := careers.player_of(asked.conn, own)) is not None:
            return found
    raise Refused(f"the player of that user is {guid}, of whom no round counts so far")


def _find(asked: Asked, typed: str) -> PlayerFound:
    """The one who is meant; who wished to be hidden is nobody."""
    try:
        return careers.find_player(asked.conn, typed)
    except NotOnePlayer as error:
        raise Refused(str(error), [found_text(found) for found in error.found]) from None


def compare(asked: Asked) -> Reply:
    """Two players side by side."""
    one, other = (_find(asked, asked.call.option(name)) for name in (OptionName.A, OptionName.B))
    if one.guid == other.guid:
        raise Refused(f"that is {one.name} twice")
    message = message_of(asked.conn, CompareAsked(one.guid, other.guid), asked.zone, asked.now)
    return Reply(message, asked.base + url_of("compare", one.guid, other.guid))


def records(asked: Asked) -> Reply:
    """The records, of a map or of all."""
    on_map = _map_meant(asked)
    query = f"?{urlencode({'map': on_map})}" if on_map else ""
    message = message_of(asked.conn, RecordsAsked(on_map), asked.zone, asked.now)
    return Reply(message, asked.base + "/records" + query)


def map_(asked: Asked) -> Reply:
    """A map."""
    name = _map_meant(asked)
    if name is None:
        raise Refused("say which map")
    return Reply(message_of(asked.conn, MapAsked(name), asked.zone, asked.now), asked.base + url_of("maps", name))


def _map_meant(asked: Asked) -> str | None:
    typed = asked.call.option(OptionName.MAP)
    try:
        return find_map(asked.conn, typed) if typed else None
    except NotOneMap as error:
        raise Refused(str(error), error.found) from None


def top(asked: Asked) -> Reply:
    """A board from its first place on."""
    call = asked.call
    board = chosen(call, OptionName.BOARD, BoardName.KILLS)
    period = chosen(call, OptionName.PERIOD, Period.ALL)
    return _board(asked, board, period, _map_meant(asked), 0)


def turned(asked: Asked) -> Reply:
    """A board whose buttons were pressed, at other places."""
    try:
        command, board, period, page, on_map = asked.call.data.custom_id.split("/", 4)
        if command != CommandName.TOP or (on_map and not is_played(asked.conn, on_map)):
            raise ValueError
        return _board(asked, BoardName(board), Period(period), on_map or None, min(int(page), 9999))
    except ValueError:
        raise Refused("this button does nothing any more; ask anew") from None


def _board(asked: Asked, name: BoardName, period: Period, on_map: str | None, page: int) -> Reply:
    """``page``: how many pages of places come before; beyond the last it is the last."""
    board = BOARDS[name]
    needed = threshold(board)
    day = None if period.days is None else asked.now.date() - timedelta(period.days)
    since = None if day is None else datetime.combine(day, time(), asked.zone)
    rows = board_rows(asked.conn, board, needed, map_name=on_map, since=since)
    last = max(0, (len(rows) - 1) // PLACES)
    page = max(0, min(page, last))
    shown = rows[page * PLACES : (page + 1) * PLACES]
    query = {**({"map": on_map} if on_map else {}), **({"since": str(day)} if day else {})}
    url = asked.base + url_of("boards", name) + (f"?{urlencode(query)}" if query else "")
    buttons = [
        Button(label, f"{CommandName.TOP}/{name}/{period}/{to}/{on_map or ''}", 0 <= to <= last)
        for label, to in (("Places before", page - 1), ("Next places", page + 1))
    ]
    message = board_message(board, needed, shown, asked.now, on_map, since)
    return Reply(message, url, buttons=buttons if last else ())


def link(asked: Asked) -> Reply:
    """Has noted that who asks wants to be linked to a player."""
    caller = asked.call.caller
    if caller is None or not asked.can_link:
        raise Refused("nobody can be linked from here")
    wanted = _find(asked, asked.call.option(OptionName.WHO))
    if (own := link_requests.linked_player(asked.conn, caller.id)) is not None:
        if own == wanted.guid:
            raise Refused(f"you are linked to {wanted.name} already")
        raise Refused("you are linked to another player; an admin can change that")
    who = f"**{player_text(wanted.name)}** ({escape(wanted.guid)})"
    return Reply(
        Message(content=f"Noted: you want to be linked to {who}. An admin confirms it."),
        wish=Wish(caller.id, caller.called, wanted.guid),
    )
