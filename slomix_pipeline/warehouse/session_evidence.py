"""What a session's result rests on: teams, every match with sides, times and source, decisions, corrections, grade.

Belongs here: reading it in one piece. How it is told is in ``evidence``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.grades import Grade
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.warehouse import corrections, overrides, reading, teams
from slomix_pipeline.warehouse.corrections import Correction
from slomix_pipeline.warehouse.grades import session_grade
from slomix_pipeline.warehouse.overrides import DecisionSeen
from slomix_pipeline.warehouse.reading import SessionScore
from slomix_pipeline.warehouse.teams import TeamEvidence


@dataclass(frozen=True)
class SessionEvidence:
    """``matches``: rows of match, with ``r1_played``, ``r2_played`` (seconds) and
    ``r1_surrender``, ``r2_surrender`` (the side); ``decisions``: in force about its rounds."""

    session: SessionScore
    names: Mapping[str, TeamName]
    rosters: Sequence[DictRow]
    teams: TeamEvidence | None
    grade: Grade
    matches: Sequence[DictRow]
    decisions: Sequence[DecisionSeen]
    corrections: Sequence[Correction]


def session_evidence(conn: Connection[DictRow], session_key: str) -> SessionEvidence:
    """Everything that a session's result rests on.

    Raises:
        KeyError: there is no such session.
    """
    rows = reading.session_rows(conn, session_key)
    if not rows:
        raise KeyError(session_key)
    matches = conn.execute(
        """select m.*, first.duration_seconds as r1_played, first.surrender_side as r1_surrender,
                  second.duration_seconds as r2_played, second.surrender_side as r2_surrender
           from match m
           left join round_timing first on first.round_key = m.r1_key
           left join round_timing second on second.round_key = m.r2_key
           where m.session_key = %s order by m.position""",
        [session_key],
    ).fetchall()
    keys = conn.execute("select round_key from session_round where session_key = %s", [session_key]).fetchall()
    return SessionEvidence(
        session=rows[0],
        names=teams.team_names(conn, [session_key])[session_key],
        rosters=reading.rosters(conn, session_key),
        teams=teams.team_evidence(conn, session_key),
        grade=session_grade(conn, session_key),
        matches=matches,
        decisions=overrides.about(conn, [row["round_key"] for row in keys]),
        corrections=corrections.listed(conn, session_key),
    )
