"""Sessions of a calendar day or of a stretch of time, each as it is told in a few words.

Belongs here: finding them, and reading what is told of them. Does not belong here: the whole summary of one
(``reading``, ``session_evidence``), the words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.warehouse import reading
from slomix_pipeline.warehouse.careers import Unlocked, unlocked_in
from slomix_pipeline.warehouse.reading import MatchSeen, PlayerTotals, SessionScore


@dataclass(frozen=True)
class Evening:
    """A session in which at least one match counts. ``players``: its totals; ``unlocked``: what they reached in it for
    the first time."""

    session: SessionScore
    matches: tuple[MatchSeen, ...]
    players: tuple[PlayerTotals, ...]
    unlocked: tuple[Unlocked, ...]

    @property
    def teams(self) -> Mapping[str, TeamName]:
        return self.matches[0].teams


def evenings_on(conn: Connection[DictRow], day: date, zone: tzinfo) -> list[Evening]:
    """The evenings that began on this calendar day in earlier years, the oldest first."""
    return _evenings(conn, sessions_on(conn, day, zone))


def sessions_on(conn: Connection[DictRow], day: date, zone: tzinfo) -> list[str]:
    """The keys of the sessions with a match that counts that began on this calendar day in earlier years, the oldest
    first."""
    rows = conn.execute(
        """select session_key
           from (select session_key, started_at, (started_at at time zone %(zone)s)::date as day from session) s
           where extract(month from s.day) = %(month)s and extract(day from s.day) = %(day)s
             and extract(year from s.day) < %(year)s
             and exists (select from match m where m.session_key = s.session_key and m.winner is not null)
           order by started_at, session_key""",
        {"zone": str(zone), "month": day.month, "day": day.day, "year": day.year},
    )
    return [row["session_key"] for row in rows]


def evenings_ended(conn: Connection[DictRow], since: datetime, until: datetime) -> list[Evening]:
    """The evenings whose last round ended after ``since`` and not after ``until``, the oldest first."""
    rows = conn.execute(
        "select session_key from session where ended_at > %s and ended_at <= %s order by started_at, session_key",
        [since, until],
    ).fetchall()
    return _evenings(conn, [row["session_key"] for row in rows])


def _evenings(conn: Connection[DictRow], keys: list[str]) -> list[Evening]:
    found = []
    for key in keys:
        for session in reading.session_rows(conn, key):
            if session.matches > session.not_counted:
                matches, players = reading.matches(conn, [key]), reading.session_players(conn, key)
                found.append(Evening(session, tuple(matches), tuple(players), tuple(unlocked_in(conn, key))))
    return found
