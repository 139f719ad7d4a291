"""Boards, records and maps: who leads, the best ever, how fast a map is.

Does not belong here: what they are (``rules``), reading them (``warehouse``), one player (``players``).
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from slomix_pipeline.formats.gamestats import MAX_LINE
from slomix_pipeline.reports.career_words import record_title
from slomix_pipeline.reports.map_words import card_text
from slomix_pipeline.rules.boards import BOARDS, MIN_ROUNDS, Board, Threshold, threshold
from slomix_pipeline.rules.records import RecordKind, RecordLevel
from slomix_pipeline.site.answers import Asked
from slomix_pipeline.site.api.kit import (
    ROUTER,
    USUAL,
    After,
    Keyed,
    Limit,
    Linked,
    Listed,
    answer,
    links,
    listed,
    player_links,
)
from slomix_pipeline.site.meant import board_named, check_played, map_asked
from slomix_pipeline.warehouse import maps as map_reading
from slomix_pipeline.warehouse import records as record_reading
from slomix_pipeline.warehouse.boards import BoardRow, board_rows
from slomix_pipeline.warehouse.map_cards import Finish, MapCurves
from slomix_pipeline.warehouse.maps import MapNumbers
from slomix_pipeline.warehouse.records import RecordSeen
from slomix_pipeline.warehouse.site_store import Moment

MapAsked = Annotated[str | None, Query(max_length=MAX_LINE, description="Only of this map.")]


@dataclass(frozen=True, kw_only=True)
class BoardInList(Board, Keyed):
    """A board. ``formula``: what is ranked; ``needs``: what somebody must have played to stand on it."""

    needs: Threshold


@dataclass(frozen=True, kw_only=True)
class PlaceOnBoard(BoardRow, Linked):
    """A place. ``rounds``: those that know the number, which ``value`` is over; ``of_rounds``: all he played."""


@dataclass(frozen=True, kw_only=True)
class BoardResource(BoardInList, Listed[PlaceOnBoard]):
    """A board as it stands. ``standing``: how many stand on it; the part that is asked for never changes a rank."""

    items: tuple[PlaceOnBoard, ...]
    standing: int


@dataclass(frozen=True, kw_only=True)
class RecordInList(RecordSeen, Keyed):
    """A record: who holds it first, and the round and file it is from. ``equalled``: how often it was reached again."""

    title: str


@dataclass(frozen=True, kw_only=True)
class MapInList(MapNumbers, Keyed):
    """A map in numbers. ``first_won``, ``second_won``: matches won by who attacked first, and by the other team;
    ``advantage``: how sure the first of these is as a share of both; ``sentence``: the map in words."""

    sentence: str


@dataclass(frozen=True, kw_only=True)
class FinishInMap(Finish, Linked):
    """A second attack that beat the time that it had to by a little: ``to_beat`` and ``seconds``, both in seconds."""


@dataclass(frozen=True, kw_only=True)
class MapResource(MapInList):
    """A map with its curve, its closest finishes and its records. ``curves``: the share of defences that still hold,
    step by step, each with its 95 % interval; null while there are too few attacks."""

    curves: MapCurves | None
    finishes: tuple[FinishInMap, ...]
    records: tuple[RecordInList, ...]


@ROUTER.get("/boards", response_model=Listed[BoardInList])
def boards(request: Request, after: After = None, limit: Limit = USUAL) -> Response:
    """Which boards there are."""

    def make(moment: Moment, asked: Asked) -> Listed[BoardInList]:
        part, more = listed(asked, tuple(BOARDS.values()), lambda board: board.name, limit, after)
        return Listed(
            tuple(
                BoardInList(**vars(one), key=one.name, needs=threshold(one), **links("boards", one.name))
                for one in part
            ),
            more,
        )

    return answer(request, make)


@ROUTER.get("/boards/{board}", response_model=BoardResource)
def board(
    request: Request,
    board: str,
    map: MapAsked = None,  # noqa: A002  # as it stands in the address
    since: Annotated[date | None, Query(description="Only sessions since this day, in the server's zone.")] = None,
    min_rounds: Annotated[int, Query(ge=1, le=999_999, description="Who played fewer is left out.")] = MIN_ROUNDS,
    after: After = None,
    limit: Limit = USUAL,
) -> Response:
    """Who leads. Order: value, rounds, GUID."""

    def make(moment: Moment, asked: Asked) -> BoardResource:
        of = board_named(board)
        needed = threshold(of, min_rounds)
        begin = None if since is None else datetime.combine(since, time(), asked.zone)
        rows = board_rows(moment.conn, of, needed, map_name=map_asked(moment, asked), since=begin)
        part, more = listed(asked, rows, lambda row: row.guid, limit, after)
        return BoardResource(
            **vars(of),
            items=tuple(PlaceOnBoard(**vars(row), **player_links(row.guid)) for row in part),
            next=more,
            key=of.name,
            needs=needed,
            standing=len(rows),
            **links("boards", of.name),
        )

    return answer(request, make)


@ROUTER.get("/records", response_model=Listed[RecordInList])
def records(request: Request, map: MapAsked = None, after: After = None, limit: Limit = USUAL) -> Response:  # noqa: A002
    """The best ever: of rounds, matches and sessions, and the fastest attack of every map."""

    def make(moment: Moment, asked: Asked) -> Listed[RecordInList]:
        rows = record_reading.records(moment.conn, map_asked(moment, asked))
        part, more = listed(asked, rows, _record_key, limit, after)
        return Listed(tuple(_record(row) for row in part), more)

    return answer(request, make)


def _record_key(row: RecordSeen) -> str:
    """What tells a record from all others; of attacks each map has one."""
    return f"{row.level}:{row.kind}" + (f":{row.map}" if row.kind is RecordKind.ATTACK else "")


def _record(row: RecordSeen) -> RecordInList:
    where = {"session": row.session_key, "match": row.match_key, "round": row.round_key}
    folder = {"session": "sessions", "match": "matches", "round": "rounds"}
    level = row.level if where[row.level] is not None else RecordLevel.ROUND
    return RecordInList(
        **vars(row),
        key=_record_key(row),
        title=record_title(row),
        **links(folder[level], where[level] or row.round_key),
    )


@ROUTER.get("/maps", response_model=Listed[MapInList])
def maps(request: Request, after: After = None, limit: Limit = USUAL) -> Response:
    """All maps of which a round counts, by name."""

    def make(moment: Moment, asked: Asked) -> Listed[MapInList]:
        part, more = listed(asked, map_reading.map_numbers(moment.conn), lambda row: row.name, limit, after)
        return Listed(tuple(MapInList(**vars(row), **_of_map(row)) for row in part), more)

    return answer(request, make)


def _of_map(seen: MapNumbers) -> dict[str, Any]:
    return {"key": seen.name, "sentence": card_text(seen), **links("maps", seen.name)}


@ROUTER.get("/maps/{map}", response_model=MapResource)
def map_(request: Request, map: str) -> Response:  # noqa: A002
    """One map, with its curve, its closest finishes and its records."""

    def make(moment: Moment, asked: Asked) -> MapResource:
        name = asked.given["map"]
        check_played(moment, name)
        seen = map_reading.map_seen(moment.conn, name)
        numbers: dict[str, Any] = {field: getattr(seen, field) for field in MapNumbers.__dataclass_fields__}
        return MapResource(
            **numbers,
            **_of_map(seen),
            curves=seen.curves,
            finishes=tuple(FinishInMap(**vars(row), **links("matches", row.match_key)) for row in seen.finishes),
            records=tuple(_record(row) for row in seen.records),
        )

    return answer(request, make)
