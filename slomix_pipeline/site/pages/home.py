"""The front page: what was played last, what is on, and what is new since.

Does not belong here: the whole list (``sessions``), a session (``session``), a whole board (``boards``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.reports.career_words import board_value, rounds_text
from slomix_pipeline.rules.boards import BOARDS, Board, BoardName, threshold
from slomix_pipeline.site.answers import Asked, Link
from slomix_pipeline.site.pages.sessions import SessionLine, lines
from slomix_pipeline.site.pages.shared import MatchLine, match_lines, played_until
from slomix_pipeline.site.pages.team_tables import Against, against_usual
from slomix_pipeline.site.templating import number_text
from slomix_pipeline.warehouse import evenings, reading, session_list
from slomix_pipeline.warehouse.boards import board_rows
from slomix_pipeline.warehouse.own_usual import own_usual
from slomix_pipeline.warehouse.session_list import Wanted
from slomix_pipeline.warehouse.site_news import OF_LATE, NewsSeen, latest_news
from slomix_pipeline.warehouse.site_store import Moment

_BEFORE = 3  # sessions before the last one
_NEWS = 10
_LED = (BoardName.DPM, BoardName.KD, BoardName.REVIVES_GIVEN)  # skill twice, and support
_LEADERS = 3
_OF_LEADERS = timedelta(days=90)
_QUIET = timedelta(days=30)


@dataclass(frozen=True)
class InForm:
    """A player of the last session against the damage per minute of his own sessions before."""

    guid: str
    name: str
    dpm: str
    against: Against


@dataclass(frozen=True)
class Leaders:
    """The first of a board: GUID, name, value and rounds of each."""

    board: Link
    places: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True)
class HomePage:
    """``last``: None while nothing was played; ``quiet``: nobody has played for long; ``form``: highest first;
    ``on_this_day``: of earlier years; ``leader_days``: of how many days ``leaders`` are."""

    last: SessionLine | None
    quiet: bool
    matches: tuple[MatchLine, ...]
    before: tuple[SessionLine, ...]
    form: tuple[InForm, ...]
    news: Sequence[NewsSeen]
    on_this_day: tuple[SessionLine, ...]
    leaders: tuple[Leaders, ...]
    leader_days: int


def home(moment: Moment, asked: Asked) -> HomePage:
    """The last session with its matches, those before, and what is new."""
    conn = moment.conn
    keys = _newest(moment, asked, also_one_file=False) or _newest(moment, asked, also_one_file=True)
    if not keys:
        return HomePage(None, False, (), (), (), (), (), (), _OF_LEADERS.days)
    last, *before = lines(moment, keys, asked)
    news_since, led_since = (
        datetime.combine(asked.today - days, time(), asked.zone) for days in (OF_LATE, _OF_LEADERS)
    )
    return HomePage(
        last,
        asked.today - last.ended_at.astimezone(asked.zone).date() > _QUIET,
        match_lines(reading.matches(conn, keys[:1], records=False, players_of=())),
        tuple(before),
        _form(conn, keys[0]),
        latest_news(conn, news_since, _NEWS),
        lines(moment, evenings.sessions_on(conn, asked.today, asked.zone)),
        tuple(_leaders(conn, BOARDS[name], led_since) for name in _LED),
        _OF_LEADERS.days,
    )


def _newest(moment: Moment, asked: Asked, *, also_one_file: bool) -> list[str]:
    """The newest sessions as the list has them; rounds without a match where there is nothing else."""
    wanted = Wanted(played_until=played_until(moment, asked))
    return session_list.sessions_wanted(moment.conn, _BEFORE + 1, wanted, asked.zone, also_one_file=also_one_file)


def _form(conn: Connection[DictRow], session_key: str) -> tuple[InForm, ...]:
    """Who of the last session was above or below his own usual."""
    usual = own_usual(conn, session_key)
    players = sorted(reading.session_players(conn, session_key), key=lambda player: -(player.dpm or 0))
    return tuple(
        InForm(player.guid, player.name, number_text(player.dpm, 1), against)
        for player in players
        if (against := against_usual(player, usual.get(player.guid)).get("dpm"))
    )


def _leaders(conn: Connection[DictRow], board: Board, since: datetime) -> Leaders:
    rows = board_rows(conn, board, threshold(board), since=since)[:_LEADERS]
    return Leaders(
        Link(f"/boards/{board.name}?since={since:%Y-%m-%d}", board.title),
        tuple((row.guid, row.name, board_value(board, row), rounds_text(row)) for row in rows),
    )
