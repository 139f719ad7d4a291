"""Seasons with the tables of their champions, and who collected which awards in one.

Does not belong here: what a season is (``rules.seasons``), who leads (``warehouse.seasons``).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from slomix_pipeline.rules.awards import Collected
from slomix_pipeline.rules.boards import BOARDS, Board, Threshold, threshold
from slomix_pipeline.rules.seasons import LEAST_SESSIONS
from slomix_pipeline.site.answers import Asked, Link, NotHere, NotUnderstood
from slomix_pipeline.site.api.boards import PlaceOnBoard
from slomix_pipeline.site.api.kit import (
    ROUTER,
    USUAL,
    After,
    Keyed,
    Limit,
    Listed,
    addresses,
    answer,
    api_url,
    links,
    listed,
    player_links,
)
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import seasons as season_reading
from slomix_pipeline.warehouse.boards import BoardRow
from slomix_pipeline.warehouse.seasons import SeasonPlayed
from slomix_pipeline.warehouse.site_store import Moment

_PLACES = 5  # of each board of a season


@dataclass(frozen=True, kw_only=True)
class SeasonInList(Keyed):
    """A quarter of a year in which something was played; ``ends_at``: the first moment after it. ``matches``: decided
    ones."""

    starts_at: datetime
    ends_at: datetime
    sessions: int
    matches: int


@dataclass(frozen=True, kw_only=True)
class SeasonBoard(Board, Keyed):
    """A board of a season; who has the first place, alone or with others, is its champion."""

    needs: Threshold
    places: tuple[PlaceOnBoard, ...]


@dataclass(frozen=True, kw_only=True)
class SeasonResource(SeasonInList):
    """A season. ``least_sessions``: who played fewer is no champion."""

    least_sessions: int
    boards: tuple[SeasonBoard, ...]


@dataclass(frozen=True)
class AwardOfSeason(Collected, Keyed):
    """Who collected an award, most often first; ``untold``: how often it went to somebody who can't be told."""


@dataclass(frozen=True)
class AwardsOfSeason(Listed[AwardOfSeason]):
    """``rounds``: of how many of the ``of_rounds`` that count there are awards."""

    items: tuple[AwardOfSeason, ...]
    season: str | None
    rounds: int
    of_rounds: int


@ROUTER.get("/seasons", response_model=Listed[SeasonInList])
def seasons(request: Request, after: After = None, limit: Limit = USUAL) -> Response:
    """All seasons in which something was played, newest first."""

    def make(moment: Moment, asked: Asked) -> Listed[SeasonInList]:
        rows = season_reading.seasons_played(moment.conn, asked.zone)
        part, more = listed(asked, rows, lambda row: row.season.id, limit, after)
        return Listed(tuple(SeasonInList(**_about(row, asked)) for row in part), more)

    return answer(request, make)


@ROUTER.get("/seasons/{id}", response_model=SeasonResource)
def season(request: Request, id: str) -> Response:  # noqa: A002  # as it stands in the address
    """One season with its boards."""

    def make(moment: Moment, asked: Asked) -> SeasonResource:
        played = season_reading.seasons_played(moment.conn, asked.zone)
        own = next((row for row in played if row.season.id == id), None)
        if own is None:
            near = [Link(url_of("seasons", row.season.id), row.season.id) for row in played]
            raise NotHere(f"Nothing was played in a season {id}.", near)
        among = season_reading.regulars(moment.conn, own.season, asked.zone)
        rows = season_reading.season_boards(moment.conn, BOARDS.values(), own.season, asked.zone, among)
        return SeasonResource(
            **_about(own, asked),
            least_sessions=LEAST_SESSIONS,
            boards=tuple(_board(board, rows[board.name]) for board in BOARDS.values()),
        )

    return answer(request, make)


@ROUTER.get("/awards", response_model=AwardsOfSeason)
def awards(
    request: Request,
    season: Annotated[str | None, Query(max_length=10, description="Of this one, as 2026-Q1; else the newest.")] = None,
    after: After = None,
    limit: Limit = USUAL,
) -> Response:
    """Who collected which awards in a season, the most wanted first."""

    def make(moment: Moment, asked: Asked) -> AwardsOfSeason:
        played = [row.season for row in season_reading.seasons_played(moment.conn, asked.zone)]
        own = next((one for one in played if season in (None, one.id)), None)
        if own is None and season is not None:
            raise NotUnderstood("season", f"nothing was played in a season {season}")
        if own is None:
            return AwardsOfSeason((), None, None, 0, 0)
        found = season_reading.season_awards(moment.conn, own, asked.zone)
        part, more = listed(asked, found.awards, lambda award: award.award, limit, after)
        way = addresses(f"/awards?season={own.id}", f"{api_url('awards')}?season={own.id}")
        items = tuple(AwardOfSeason(**vars(award), **way, key=award.award) for award in part)
        return AwardsOfSeason(items, more, own.id, found.rounds, found.of_rounds)

    return answer(request, make)


def _about(played: SeasonPlayed, asked: Asked) -> dict[str, Any]:
    return {
        "key": played.season.id,
        "starts_at": played.season.start(asked.zone).astimezone(UTC),
        "ends_at": played.season.end(asked.zone).astimezone(UTC),
        "sessions": played.sessions,
        "matches": played.matches,
        **links("seasons", played.season.id),
    }


def _board(board: Board, rows: list[BoardRow]) -> SeasonBoard:
    places = (row for row in rows if row.rank <= _PLACES)
    return SeasonBoard(
        **vars(board),
        key=board.name,
        needs=threshold(board),
        places=tuple(PlaceOnBoard(**vars(row), **player_links(row.guid)) for row in places),
        **links("boards", board.name),
    )
