"""The boards: who leads by what, of whom enough is known.

Belongs here: the list of boards, a board, and reading the filters behind its address.
Does not belong here: who stands on a board (``warehouse.boards``), how much somebody must have played
(``rules.boards``), the words (``reports.career_words``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from urllib.parse import urlencode

from slomix_pipeline.reports.career_words import board_heading, board_value, place_text, rounds_text
from slomix_pipeline.rules.boards import BOARDS, MIN_ROUNDS, Board, threshold, threshold_text
from slomix_pipeline.site.answers import Asked, Link, NotUnderstood
from slomix_pipeline.site.meant import board_named, map_asked
from slomix_pipeline.site.pages.shared import number_asked
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse.boards import BoardSeen, board_rows, board_seen
from slomix_pipeline.warehouse.careers import players_meant
from slomix_pipeline.warehouse.maps import map_names
from slomix_pipeline.warehouse.site_store import Moment

FILTERS = ("map", "since", "min_rounds", "after", "find")
_A_PAGE = 50
_PERIODS = (30, 90)  # days, as links
_LONGEST = 100  # characters of a name that is looked for
_CHOICE = 10  # players whom it may mean
_BELOW = 10  # who miss a board


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
    """A place on a board. ``over``: the rounds that the value is of; ``found``: it is of who was looked for."""

    rank: int
    guid: str
    name: str
    value: str
    over: str
    found: bool


@dataclass(frozen=True)
class Below:
    """Somebody who misses a board, and by what."""

    guid: str
    name: str
    lacking: str


@dataclass(frozen=True)
class Found:
    """Looking for somebody on a board. ``text``: why he is not there; ``choice``: who may be meant, each with the
    address of the board where he is looked for; ``more``: how many are left out."""

    typed: str
    text: str
    choice: tuple[tuple[Link, str], ...] = ()
    more: int = 0


@dataclass(frozen=True)
class BoardPage:
    """A board. ``others``: all boards with the same filters; ``periods``: this one since so many days ago;
    ``standing``: how many stand on it; ``partly``: of how many of them not all rounds know the number; ``below``: who
    misses it; ``emptied_by``: where nobody stands on it, what would have to go, each with its address; ``more``: the
    address of the next places; ``before``: of those before; ``find``: looking for somebody, None where that is not
    asked."""

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
    partly: int
    places: tuple[Place, ...]
    below: tuple[Below, ...]
    emptied_by: tuple[Link, ...]
    before: str | None
    more: str | None
    find: Found | None


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
    left out; ``?after=``: the places after this one; ``?find=``: the places around this player's."""
    board = board_named(asked.given["board"])
    of = _Filters(
        map_asked(moment, asked), _since(asked), number_asked(asked, "min_rounds", 1) or MIN_ROUNDS, asked.zone
    )
    needed = threshold(board, of.min_rounds)
    seen = board_seen(moment.conn, board, needed, map_name=of.map_name, since=of.begin)
    rows = seen.rows
    after, looked_for, find = number_asked(asked, "after") or 0, None, None
    if typed := asked.query.get("find", "").strip()[:_LONGEST]:
        looked_for, find = _find(moment, board, of, typed, seen)
        rank = next((row.rank for row in rows if row.guid == looked_for), None)
        after = after if rank is None else (rank - 1) // _A_PAGE * _A_PAGE
    after = min(after, max(len(rows) - 1, 0) // _A_PAGE * _A_PAGE)  # beyond the last place there is its page
    shown = rows[after : after + _A_PAGE]
    last = len(rows) <= after + _A_PAGE
    below = seen.below[:_BELOW] if last else []
    filters = of.as_query()
    return BoardPage(
        url=url_of("boards", board.name),
        title=f"{board.title}{f' on {of.map_name}' if of.map_name else ''}",
        heading=board_heading(board, needed, of.begin),
        others=tuple(Link(_address(other, filters), other.title) for other in BOARDS.values()),
        periods=_periods(board, filters, asked.today),
        maps=tuple(map_names(moment.conn)),
        map_name=of.map_name,
        since=of.since,
        min_rounds=of.min_rounds,
        usual_rounds=MIN_ROUNDS,
        standing=len(rows),
        partly=sum(row.rounds < row.of_rounds for row in rows),
        places=tuple(
            Place(row.rank, row.guid, row.name, board_value(board, row), rounds_text(row), row.guid == looked_for)
            for row in shown
        ),
        below=tuple(Below(own.guid, own.name, place_text(board, needed, own)) for own in below),
        emptied_by=() if rows else _emptied_by(moment, board, of),
        before=_address(board, {**filters, "after": str(max(after - _A_PAGE, 0))}) if after else None,
        more=None if last else _address(board, {**filters, "after": str(after + _A_PAGE)}),
        find=find,
    )


@dataclass(frozen=True)
class _Filters:
    """What narrows a board. ``begin``: when ``since`` begins on the server."""

    map_name: str | None
    since: date | None
    min_rounds: int
    zone: tzinfo

    @property
    def begin(self) -> datetime | None:
        return None if self.since is None else datetime.combine(self.since, time(), self.zone)

    def as_query(self) -> dict[str, str]:
        return {
            **({"map": self.map_name} if self.map_name else {}),
            **({"since": str(self.since)} if self.since else {}),
            **({"min_rounds": str(self.min_rounds)} if self.min_rounds != MIN_ROUNDS else {}),
        }


def _emptied_by(moment: Moment, board: Board, of: _Filters) -> tuple[Link, ...]:
    """What is to be taken off a board that nobody stands on so that somebody does, each alone."""
    without = {
        "without the map": replace(of, map_name=None),
        "of all time": replace(of, since=None),
        "from one round on": replace(of, min_rounds=1),
    }
    return tuple(
        Link(_address(board, other.as_query()), f"{what}: {found} ranked")
        for what, other in without.items()
        if other != of and (found := _ranked(moment, board, other))
    )


def _ranked(moment: Moment, board: Board, of: _Filters) -> int:
    needed = threshold(board, of.min_rounds)
    return len(board_rows(moment.conn, board, needed, map_name=of.map_name, since=of.begin))


def _find(moment: Moment, board: Board, of: _Filters, typed: str, seen: BoardSeen) -> tuple[str | None, Found]:
    """Who is looked for, and what to say where that is nobody, or he is on no place."""
    meant = players_meant(moment.conn, typed)
    if len(meant) != 1:
        text = "Several players are meant; choose one:" if meant else "Nobody who played is called so."
        choice = tuple(
            (Link(f"{_address(board, of.as_query() | {'find': own.guid})}#found", own.name), own.guid)
            for own in meant[:_CHOICE]
        )
        return None, Found(typed, text, choice, len(meant) - len(choice))
    (own,) = meant
    if any(row.guid == own.guid for row in seen.rows):
        return own.guid, Found(typed, "")
    place = next((place for place in seen.below if place.guid == own.guid), None)
    if place is None:
        return None, Found(typed, "He played in no round of these.")
    return own.guid, Found(typed, f"He has no place: {place_text(board, threshold(board, of.min_rounds), place)}.")


def _periods(board: Board, filters: Mapping[str, str], today: date) -> tuple[Link, ...]:
    always = {name: value for name, value in filters.items() if name != "since"}
    since = [
        Link(_address(board, {**always, "since": str(today - timedelta(days))}), f"last {days} days")
        for days in _PERIODS
    ]
    return (Link(_address(board, always), "all time"), *since)


def _address(board: Board, query: Mapping[str, str]) -> str:
    return url_of("boards", board.name) + (f"?{urlencode(query)}" if query else "")


def _since(asked: Asked) -> date | None:
    text = asked.query.get("since")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotUnderstood("since", f"{text} is no day; write one like 2026-02-02") from None
