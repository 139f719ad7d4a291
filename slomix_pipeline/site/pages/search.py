"""Finding a player, a session or a map by what somebody typed into the header's field.

Does not belong here: what comes before what (``rules.name_search``).
"""

from dataclasses import dataclass
from datetime import date

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.name_search import search
from slomix_pipeline.site.answers import Asked, Moved
from slomix_pipeline.site.pages.sessions import SessionLine, lines
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import careers, maps, reading, site_reading
from slomix_pipeline.warehouse.careers import PlayerFound
from slomix_pipeline.warehouse.site_store import Moment

_LONGEST = 100  # characters; the header's field takes no more
_SHOWN = 25  # of a kind; who typed one letter is to type another


@dataclass(frozen=True)
class Hit:
    """A player. ``names``: those of his names that were meant, unless it is the one that he is shown by."""

    player: PlayerFound
    names: tuple[str, ...]


@dataclass(frozen=True)
class SearchPage:
    """``more_players``: how many are left out; ``instead``: players whose names look like what was typed, where nothing
    was found."""

    typed: str
    players: tuple[Hit, ...]
    more_players: int
    maps: tuple[str, ...]
    sessions: tuple[SessionLine, ...]
    instead: tuple[PlayerFound, ...]


def search_page(moment: Moment, asked: Asked) -> SearchPage:
    """``?q=``: a name or a GUID or the beginning of one, a map, a session's key, a day. One hit is where it leads."""
    conn, typed = moment.conn, asked.query.get("q", "").strip()[:_LONGEST]
    if not typed:
        return SearchPage("", (), 0, (), (), ())
    found, on_maps = careers.players_meant(conn, typed), _maps(conn, typed)
    found.sort(key=lambda player: player.last_seen, reverse=True)
    sessions = _sessions(conn, typed, asked)
    urls = [url_of("players", player.guid) for player in found]
    urls += [url_of("maps", name) for name in on_maps]
    urls += [url_of("sessions", key) for key in sessions]
    if len(urls) == 1:
        raise Moved(urls[0], for_good=False)
    nothing = not (found or on_maps or sessions)
    return SearchPage(
        typed,
        tuple(Hit(player, _meant(typed, player)) for player in found[:_SHOWN]),
        max(len(found) - _SHOWN, 0),
        on_maps[:_SHOWN],
        lines(moment, sessions) if sessions else (),
        tuple(careers.players_resembling(conn, typed)) if nothing else (),
    )


def _meant(typed: str, player: PlayerFound) -> tuple[str, ...]:
    names = search(typed, [(name, name) for name in (player.name, *player.aliases)])
    return () if player.name in names else tuple(names)


def _maps(conn: Connection[DictRow], typed: str) -> tuple[str, ...]:
    try:
        return (maps.find_map(conn, typed),)
    except maps.NotOneMap as error:
        return error.found


def _sessions(conn: Connection[DictRow], typed: str, asked: Asked) -> list[str]:
    """The keys of the session that is meant, or of those of a day, the newest first."""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return [row.session_key for row in reading.session_rows_of(conn, [typed])]
    return site_reading.newest_sessions(conn, _SHOWN, on=day, zone=asked.zone)
