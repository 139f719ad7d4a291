"""What pages and the API say alike of a name that there is nothing of, with what may have been meant.

Belongs here: finding what a part of an address or a parameter names, where both ask for it. The links are addresses of
pages; the API puts its own address before them. Does not belong here: how either says it.
"""

from typing import Literal

from slomix_pipeline.rules.boards import BOARDS, Board, BoardName
from slomix_pipeline.site.answers import Asked, Link, NotHere, NotUnderstood
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import maps, site_reading
from slomix_pipeline.warehouse.site_store import Moment


def nothing_near(moment: Moment, kind: Literal["session", "match", "round"], key: str) -> NotHere:
    """That there is no such key, with those around it."""
    folder = {"session": "sessions", "match": "matches", "round": "rounds"}[kind]
    found = site_reading.near(moment.conn, kind, key)
    return NotHere(f"There is no {kind} {key}.", [Link(url_of(folder, other), other) for other in found])


def board_named(name: str) -> Board:
    """The board of a name.

    Raises:
        NotHere: there is none.
    """
    if name not in set(BoardName):
        near = [Link(url_of("boards", board.name), board.title) for board in BOARDS.values()]
        raise NotHere(f"There is no board {name}.", near)
    return BOARDS[BoardName(name)]


def check_played(moment: Moment, name: str) -> None:
    """Whether any round that counts was played on a map.

    Raises:
        NotHere: none was.
    """
    if not maps.is_played(moment.conn, name):
        near = [Link(url_of("maps", other), other) for other in maps.map_names(moment.conn)]
        raise NotHere(f"No round that counts was played on a map called {name}.", near)


def map_asked(moment: Moment, asked: Asked) -> str | None:
    """The map that ``?map=`` names; None: all of them.

    Raises:
        NotUnderstood: no round that counts was played on it.
    """
    name = asked.query.get("map")
    if name and not maps.is_played(moment.conn, name):
        raise NotUnderstood("map", f"no round that counts was played on a map called {name}")
    return name or None
