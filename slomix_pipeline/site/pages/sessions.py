"""The list of sessions: which evenings there were, and how they ended. Newest first, a page at a time.

Does not belong here: one session (``session``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.site.answers import Asked, NotUnderstood
from slomix_pipeline.site.pages.shared import score_text
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import reading, site_reading, teams
from slomix_pipeline.warehouse.reading import SessionScore
from slomix_pipeline.warehouse.site_store import Moment

_A_PAGE = 25


@dataclass(frozen=True)
class SessionLine:
    """A session in a list. ``grade``: None until it was worked out; ``counted``: any of its matches is."""

    url: str
    started_at: datetime
    a: TeamName
    b: TeamName
    score: str
    title: str
    matches: int
    rounds: int
    grade: str | None
    counted: bool
    server: str


@dataclass(frozen=True)
class SessionsPage:
    """``older``: the address of the next page; ``on``: the day that was asked for."""

    sessions: tuple[SessionLine, ...]
    older: str | None
    on: date | None
    several_servers: bool


def sessions(moment: Moment, asked: Asked) -> SessionsPage:
    """``?before=``: older than this session; ``?on=``: of this day."""
    conn, on = moment.conn, _day(asked.query.get("on"))
    before = None
    if wanted := asked.query.get("before"):
        before = reading.resolve_session(conn, wanted)  # it may have been merged away meanwhile
        if before is None:
            raise NotUnderstood(f"before: there is no session {wanted}")
    found = site_reading.newest_sessions(conn, _A_PAGE + 1, before=before, on=on, zone=asked.zone)
    page = found[:_A_PAGE]
    more = {"before": page[-1], **({"on": str(on)} if on else {})} if len(found) > _A_PAGE else None
    return SessionsPage(
        lines(moment, page),
        None if more is None else f"/sessions?{urlencode(more)}",
        on,
        site_reading.several_servers(conn),
    )


def lines(moment: Moment, keys: Sequence[str]) -> tuple[SessionLine, ...]:
    """Sessions as lines of a list, newest first."""
    rows = reading.session_rows_of(moment.conn, keys)[::-1]
    names, grades = teams.team_names(moment.conn, keys), site_reading.grades(moment.conn, keys)
    return tuple(_line(row, names[row.session_key], grades.get(row.session_key)) for row in rows)


def _line(row: SessionScore, names: Mapping[str, TeamName], grade: str | None) -> SessionLine:
    return SessionLine(
        url=url_of("sessions", row.session_key),
        started_at=row.started_at,
        a=names[Team.A],
        b=names[Team.B],
        score=f"{row.points_a} – {row.points_b}",
        title=score_text(row, names),
        matches=row.matches,
        rounds=row.rounds,
        grade=grade,
        counted=row.matches > row.not_counted,
        server=row.server,
    )


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotUnderstood(f"on: {text} is no day; write one like 2026-02-02") from None
