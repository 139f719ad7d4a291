"""What somebody can choose from while he types a command: the newest sessions and matches, everybody.

Does not belong here: who is meant by a name (``careers``), maps (``maps``), how a choice reads (``site.interactions``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse import teams
from slomix_pipeline.warehouse.players import PlayerListed, everybody
from slomix_pipeline.warehouse.reading import SessionScore, session_rows_of
from slomix_pipeline.warehouse.rows import rows_of
from slomix_pipeline.warehouse.site_reading import newest_sessions
from slomix_pipeline.warehouse.site_store import Moment, Version


@dataclass(frozen=True)
class MatchListed:
    """A match in a list of them. ``winner``: None where none is known."""

    match_key: str
    session_key: str
    map: str
    status: Status
    winner: Winner | None
    played_at: datetime


_SESSIONS_SEARCHED = 100  # the newest: with several game servers the last match need not be of the last of them


def newest_matches(conn: Connection[DictRow], most: int) -> list[MatchListed]:
    """The newest matches, newest first."""
    with conn.cursor(row_factory=rows_of(MatchListed)) as cursor:
        return cursor.execute(
            """select m.match_key, m.session_key, m.map, m.status, m.winner, p.stamp as played_at
               from match m join parsed_round p on p.round_key = coalesce(m.r1_key, m.r2_key)
               where m.session_key in (select session_key from session
                                       order by started_at desc, session_key desc limit %(sessions)s)
               order by p.stamp desc, m.match_key desc limit %(most)s""",
            {"most": most, "sessions": _SESSIONS_SEARCHED},
        ).fetchall()


def newest_scores(conn: Connection[DictRow], most: int) -> list[tuple[SessionScore, Mapping[str, TeamName]]]:
    """The newest sessions with their score and what their teams are called, newest first."""
    keys = newest_sessions(conn, most)
    names = teams.team_names(conn, keys)
    scores = sorted(session_rows_of(conn, keys), key=lambda row: keys.index(row.session_key))
    return [(score, names[score.session_key]) for score in scores]


class Everybody:
    """All who can be chosen, kept while the data is the same: every key that somebody presses asks for them."""

    def __init__(self) -> None:
        self._kept: tuple[Version, Sequence[PlayerListed]] | None = None

    def at(self, moment: Moment) -> Sequence[PlayerListed]:
        """Those of a moment, who was there last first."""
        kept = self._kept
        if kept is None or kept[0] != moment.version:
            self._kept = kept = (moment.version, everybody(moment.conn))
        return kept[1]
