"""The boards: who leads by what, of whom enough is known.

Belongs here: the list of boards, a board, and reading the filters behind its address.
Does not belong here: who stands on a board (``warehouse.boards``), how much somebody must have played
(``rules.boards``), the words (``reports.career_words``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from slomix_pipeline.reports.career_words import board_heading, board_value, rounds_text
from slomix_pipeline.rules.boards import BOARDS, MIN_ROUNDS, Board, BoardName, threshold, threshold_text
from slomix_pipeline.site.answers import Asked, Link, NotHere, NotUnderstood
from slomix_pipeline.site.pages.shared import map_asked, number_asked
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse.boards import board_rows
from slomix_pipeline.warehouse.maps import map_names
from slomix_pipeline.warehouse.site_store import Moment

_A_PAGE = 50
_PERIODS = (30, 90)  # days, as links


@dataclass(frozen=True)
class BoardListed:
    """A board in the list of them. ``needs``: how much somebody must have played."""

    link: Link
    formula: str
    needs: str


@dataclass(frozen=True)
class BoardsPage:
    """All boards."""

    boards: tuple[BoardListed, ...]


@dataclass(frozen=True)
class Place:
    """A place on a board. ``over``: the rounds that the value is of."""

    rank: int
    guid: str
    name: str
    value: str
    over: str


@dataclass(frozen=True)
class BoardPage:
    """A board. ``others``: all boards with the same filters; ``periods``: this one since so many days ago;
    ``standing``: how many stand on it; ``more``: the address of the next places."""

    url: str
    title: str
    heading: str
    others: tuple[Link, ...]
    periods: tuple[Link, ...]
    maps: tuple[str, ...]
    map_name: str | None
    since: date | None
    min_rounds: int
    usual_rounds: int
    standing: int
    places: tuple[Place, ...]
    more: str | None


def boards(moment: Moment, asked: Asked) -> BoardsPage:
    """Which boards there are."""
    return BoardsPage(
        tuple(
            BoardListed(Link(url_of("boards", board.name), board.title), board.formula, _needs(board))
            for board in BOARDS.values()
        )
    )


def _needs(board: Board) -> str:
    return threshold_text(board, threshold(board))


def board_page(moment: Moment, asked: Asked) -> BoardPage:
    """``?map=``: only of this map; ``?since=``: only of sessions since this day; ``?min_rounds=``: who played fewer is
    left out; ``?after=``: the places after this one."""
    board = _board(asked.given["board"])
    map_name = map_asked(moment, asked)
    since, min_rounds, after = (
        _since(asked),
        number_asked(asked, "min_rounds", 1) or MIN_ROUNDS,
        number_asked(asked, "after") or 0,
    )
    needed = threshold(board, min_rounds)
    begin = None if since is None else datetime.combine(since, time(), asked.zone)
    rows = board_rows(moment.conn, board, needed, map_name=map_name, since=begin)
    filters = {
        **({"map": map_name} if map_name else {}),
        **({"since": str(since)} if since else {}),
        **({"min_rounds": str(min_rounds)} if min_rounds != MIN_ROUNDS else {}),
    }
    shown = rows[after : after + _A_PAGE]
    return BoardPage(
        url=url_of("boards", board.name),
        title=f"{board.title}{f' on {map_name}' if map_name else ''}",
        heading=board_heading(board, needed, begin),
        others=tuple(Link(_address(other, filters), other.title) for other in BOARDS.values()),
        periods=_periods(board, filters, asked.today),
        maps=tuple(map_names(moment.conn)),
        map_name=map_name,
        since=since,
        min_rounds=min_rounds,
        usual_rounds=MIN_ROUNDS,
        standing=len(rows),
        places=tuple(Place(row.rank, row.guid, row.name, board_value(board, row), rounds_text(row)) for row in shown),
        more=_address(board, {**filters, "after": str(after + _A_PAGE)}) if len(rows) > after + _A_PAGE else None,
    )


def _periods(board: Board, filters: Mapping[str, str], today: date) -> tuple[Link, ...]:
    always = {name: value for name, value in filters.items() if name != "since"}
    since = [
        Link(_address(board, {**always, "since": str(today - timedelta(days))}), f"last {days} days")
        for days in _PERIODS
    ]
    return (Link(_address(board, always), "all time"), *since)


def _address(board: Board, query: Mapping[str, str]) -> str:
    return url_of("boards", board.name) + (f"?{urlencode(query)}" if query else "")


def _board(name: str) -> Board:
    if name not in set(BoardName):
        raise NotHere(
            f"There is no board {name}.",
            [Link(url_of("boards", board.name), board.title) for board in BOARDS.values()],
        )
    return BOARDS[BoardName(name)]


def _since(asked: Asked) -> date | None:
    text = asked.query.get("since")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotUnderstood(f"since: {text} is no day; write one like 2026-02-02") from None
