"""Seasons: the champions of each quarter with the tables that made them, and who collected which awards.

Does not belong here: what a season is (``rules.seasons``), who leads (``warehouse.seasons``), boards of other spans
(``boards``).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from slomix_pipeline.reports.career_words import board_value, count, rounds_text
from slomix_pipeline.rules.awards import Collected
from slomix_pipeline.rules.boards import BOARDS, Board, threshold, threshold_text
from slomix_pipeline.rules.seasons import LEAST_SESSIONS, Season, season_named
from slomix_pipeline.site.answers import Asked, Link, NotHere, NotUnderstood
from slomix_pipeline.site.pages.corrections import CorrectionLine, correction_line
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse.boards import BoardRow
from slomix_pipeline.warehouse.corrections import of_sessions_begun
from slomix_pipeline.warehouse.seasons import (
    SeasonPlayed,
    regulars,
    season_awards,
    season_boards,
    seasons_played,
)
from slomix_pipeline.warehouse.site_store import Moment

_PLACES = 5  # of each board


@dataclass(frozen=True)
class SeasonLine:
    """A season in the list. ``runs``: it is not over."""

    link: Link
    sessions: str
    matches: str
    runs: bool


@dataclass(frozen=True)
class SeasonsPage:
    """All seasons, newest first."""

    seasons: tuple[SeasonLine, ...]


@dataclass(frozen=True)
class SeasonPlace:
    """A place on a board of a season."""

    rank: int
    guid: str
    name: str
    value: str
    over: str


@dataclass(frozen=True)
class SeasonBoard:
    """A board of a season; who has the first place is its champion. ``needs``: how much somebody must have played."""

    title: str
    formula: str
    needs: str
    places: tuple[SeasonPlace, ...]

    @property
    def champions(self) -> tuple[SeasonPlace, ...]:
        """Several where they share the first place."""
        return tuple(place for place in self.places if place.rank == 1)


@dataclass(frozen=True)
class SeasonPage:
    """A season. ``corrections``: what was found since it ended, of its results; ``awards``: where its awards are."""

    title: str
    start: datetime
    last_day: datetime
    runs: bool
    sessions: str
    matches: str
    least_sessions: int
    boards: tuple[SeasonBoard, ...]
    awards: str
    corrections: tuple[CorrectionLine, ...]


@dataclass(frozen=True)
class AwardsPage:
    """Who collected which awards in a season: None while nothing was played. ``rounds``: of how many there are any."""

    season: Link | None
    others: tuple[Link, ...]
    awards: tuple[Collected, ...]
    rounds: str


def seasons_page(moment: Moment, asked: Asked) -> SeasonsPage:
    """Which seasons there were."""
    return SeasonsPage(tuple(_line(played, asked) for played in seasons_played(moment.conn, asked.zone)))


def season_page(moment: Moment, asked: Asked) -> SeasonPage:
    """One season, by its id."""
    conn, zone = moment.conn, asked.zone
    found = seasons_played(conn, zone)
    season = season_named(asked.given["id"])
    played = next((own for own in found if own.season == season), None)
    if season is None or played is None:
        links = [_link(own.season) for own in found]
        raise NotHere(f"Nothing was played in a season {asked.given['id']}.", links)
    rows = season_boards(conn, BOARDS.values(), season, zone, regulars(conn, season, zone))
    start, end = season.start(zone), season.end(zone)
    return SeasonPage(
        title=season.id,
        start=start,
        last_day=end - timedelta(days=1),
        runs=_runs(season, asked),
        sessions=count(played.sessions, "session"),
        matches=count(played.matches, "match", "matches"),
        least_sessions=LEAST_SESSIONS,
        boards=tuple(_board(board, rows[board.name]) for board in BOARDS.values()),
        awards=f"/awards?season={season.id}",
        corrections=tuple(correction_line(row) for row in of_sessions_begun(conn, start, end, found_since=end)),
    )


def awards_page(moment: Moment, asked: Asked) -> AwardsPage:
    """``?season=``: of this one; else the newest."""
    found = [own.season for own in seasons_played(moment.conn, asked.zone)]
    wanted = asked.query.get("season")
    season = season_named(wanted) if wanted else next(iter(found), None)
    if wanted and season not in found:
        raise NotUnderstood("season", f"nothing was played in a season {wanted}")
    others = tuple(Link(f"/awards?season={own.id}", own.id) for own in found)
    if season is None:
        return AwardsPage(None, (), (), "")
    seen = season_awards(moment.conn, season, asked.zone)
    return AwardsPage(_link(season), others, seen.awards, f"{seen.rounds:,} of {count(seen.of_rounds, 'round')}")


def _line(played: SeasonPlayed, asked: Asked) -> SeasonLine:
    return SeasonLine(
        _link(played.season),
        count(played.sessions, "session"),
        count(played.matches, "match", "matches"),
        _runs(played.season, asked),
    )


def _link(season: Season) -> Link:
    return Link(url_of("seasons", season.id), season.id)


def _runs(season: Season, asked: Asked) -> bool:
    return asked.today < season.end(asked.zone).date()


def _board(board: Board, rows: list[BoardRow]) -> SeasonBoard:
    return SeasonBoard(
        board.title,
        board.formula,
        threshold_text(board, threshold(board)),
        tuple(
            SeasonPlace(row.rank, row.guid, row.name, board_value(board, row), rounds_text(row))
            for row in rows
            if row.rank <= _PLACES
        ),
    )
