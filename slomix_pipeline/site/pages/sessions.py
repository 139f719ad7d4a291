"""The list of sessions: which evenings there were, and how they ended. Newest first, a page at a time.

Does not belong here: one session (``session``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.site.answers import Asked, Link, NotUnderstood
from slomix_pipeline.site.meant import map_asked
from slomix_pipeline.site.pages.shared import is_running, played_until, score_text
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import careers, maps, reading, session_list, site_reading, teams
from slomix_pipeline.warehouse.careers import NotOnePlayer, PlayerFound
from slomix_pipeline.warehouse.reading import SessionScore
from slomix_pipeline.warehouse.session_list import BestSeen, Noted, Wanted
from slomix_pipeline.warehouse.site_store import Moment

_A_PAGE = 25
NAMES = ("before", "on", "month", "player", "map", "one_file")


@dataclass(frozen=True)
class SessionLine:
    """A session in a list. ``grade``: None until it was worked out; ``counted``: any of its matches is; ``best``: who
    was best of each team; ``flags``: what a reader should know before he believes the score; ``why_not``: why none
    of its matches counts."""

    url: str
    started_at: datetime
    ended_at: datetime
    title: str
    running: bool
    matches: int
    rounds: int
    players: int
    grade: str | None
    counted: bool
    server: str
    best: tuple[tuple[TeamName, Sequence[BestSeen]], ...]
    flags: tuple[str, ...]
    why_not: str


@dataclass(frozen=True)
class SessionsPage:
    """``older``: the address of the next page; ``on``, ``month``, ``player``, ``map_name``: what was asked for;
    ``one_file``: the address of the same list with the sessions of one file, where there are any that it is without."""

    sessions: tuple[SessionLine, ...]
    older: str | None
    on: date | None
    month: str | None
    player: PlayerFound | None
    map_name: str | None
    maps: tuple[str, ...]
    filtered: bool
    one_file: Link | None
    several_servers: bool


def sessions(moment: Moment, asked: Asked) -> SessionsPage:
    """``?before=``: older than this session; ``?on=``, ``?month=``: of this day or month; ``?player=``: in which he
    was; ``?map=``: with a match on it; ``?one_file=1``: also those of one file without a result."""
    conn, on, month = moment.conn, _day(asked.query.get("on")), asked.query.get("month") or None
    player, map_name = _player(moment, asked.query.get("player")), map_asked(moment, asked)
    also = bool(asked.query.get("one_file"))
    before = None
    if named := asked.query.get("before"):
        before = reading.resolve_session(conn, named)  # it may have been merged away meanwhile
        if before is None:
            raise NotUnderstood("before", f"there is no session {named}")
    if on and month:
        raise NotUnderstood("month", "a day is given, too; ask for one of them")
    first, last = (on, on) if on else _month(month)
    guids = None if player is None else careers.guids_of(conn, player.guid)
    wanted = Wanted(before, first, last, guids, map_name, played_until(moment, asked))
    found = session_list.sessions_wanted(conn, _A_PAGE + 1, wanted, asked.zone, also_one_file=also)
    page = found[:_A_PAGE]
    kept = {name: asked.query[name] for name in NAMES if name != "before" and asked.query.get(name)}
    left_out = not also and session_list.are_there_of_one_file(conn, wanted, asked.zone)
    return SessionsPage(
        lines(moment, page, asked),
        f"/sessions?{urlencode({**kept, 'before': page[-1]})}" if len(found) > _A_PAGE else None,
        on,
        month,
        player,
        map_name,
        tuple(maps.map_names(conn)),
        bool(kept.keys() - {"one_file"}),
        Link(f"/sessions?{urlencode({**kept, 'one_file': 1})}", "Also rounds without a match") if left_out else None,
        site_reading.several_servers(conn),
    )


def lines(moment: Moment, keys: Sequence[str], asked: Asked | None = None) -> tuple[SessionLine, ...]:
    """Sessions as lines of a list, newest first. ``asked``: of a page that is ``live``; on others nobody can say which
    of them go on."""
    conn = moment.conn
    rows = reading.session_rows_of(conn, keys)[::-1]
    names, grades = teams.team_names(conn, keys), site_reading.grades(conn, keys)
    best, noted = session_list.best_of_sessions(conn, keys), session_list.noted(conn, keys)
    players = session_list.players_of_sessions(conn, keys)
    found = []
    for row in rows:
        key = row.session_key
        running = asked is not None and is_running(moment, asked, row.ended_at)
        note = noted.get(key, Noted(key))
        found.append(_line(row, names[key], players.get(key, 0), grades.get(key), running, best.get(key, {}), note))
    return tuple(found)


def _line(
    row: SessionScore,
    names: Mapping[str, TeamName],
    players: int,
    grade: str | None,
    running: bool,
    best: Mapping[Team, Sequence[BestSeen]],
    noted: Noted,
) -> SessionLine:
    counted = row.matches > row.not_counted
    return SessionLine(
        url=url_of("sessions", row.session_key),
        started_at=row.started_at,
        ended_at=row.ended_at,
        title=score_text(row, names),
        running=running,
        matches=row.matches,
        rounds=row.rounds,
        players=players,
        grade=grade,
        counted=counted,
        server=row.server,
        best=tuple((names[team], best[team]) for team in Team if team in best),
        flags=tuple(_flags(row, noted)) if counted else (),
        why_not="" if counted else "; ".join(noted.reasons),
    )


def _flags(row: SessionScore, noted: Noted) -> list[str]:
    said = (
        (row.not_counted, "not counted"),
        (row.without_points, "without points"),
        (noted.decided, "decided by a person"),
        (noted.corrected, "corrected"),
    )
    return [f"{number} {what}" for number, what in said if number]


def _player(moment: Moment, typed: str | None) -> PlayerFound | None:
    if not typed:
        return None
    try:
        return careers.player_of(moment.conn, typed) or careers.find_player(moment.conn, typed)
    except NotOnePlayer as error:
        raise NotUnderstood("player", str(error)) from None


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotUnderstood("on", f"{text} is no day; write one like 2026-02-02") from None


def _month(text: str | None) -> tuple[date, date] | tuple[None, None]:
    """The first and the last day of a month."""
    if text is None:
        return None, None
    found = re.fullmatch(r"(\d{4})-(\d{2})", text, re.ASCII)
    try:
        first = date(int(found[1]), int(found[2]), 1) if found else None
        last = first and (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    except (ValueError, OverflowError):
        first = last = None
    if first is None or last is None:
        raise NotUnderstood("month", f"{text} is no month; write one like 2026-02")
    return first, last
