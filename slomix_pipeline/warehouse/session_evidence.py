"""What a session's result rests on: teams, every match with sides, times and source, decisions, corrections, grade.

Belongs here: reading it in one piece. How it is told is in ``evidence``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.grades import Grade
from slomix_pipeline.rules.overrides import meant_team
from slomix_pipeline.rules.scoring import Confidence, Faster, Source, Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse import corrections, overrides, reading, teams
from slomix_pipeline.warehouse.corrections import Correction
from slomix_pipeline.warehouse.grades import session_grade
from slomix_pipeline.warehouse.hiding import hiding
from slomix_pipeline.warehouse.overrides import DecisionSeen
from slomix_pipeline.warehouse.reading import RosterEntry, SessionScore
from slomix_pipeline.warehouse.rows import rows_of
from slomix_pipeline.warehouse.teams import TeamEvidence


@dataclass(frozen=True)
class AttackSeen:
    """The attack of one round: ``key`` is None when the round is not there; ``seconds`` as the stopwatch shows it;
    ``played``: seconds of the round; ``surrender``: the side that gave up."""

    key: str | None
    seconds: int | None
    completed: bool | None
    played: float | None
    surrender: int | None


@dataclass(frozen=True)
class MatchEvidence:
    """A row of match with both its rounds' length and surrender. ``by_header``, ``by_time``: whose attack won as each
    would have it alone; None: it does not say."""

    position: int
    map: str
    status: Status
    r1_key: str | None
    r2_key: str | None
    winner: Winner | None
    source: Source | None
    reason: str
    confidence: Confidence | None
    disputed: bool | None
    by_header: Faster | None
    by_time: Faster | None
    points_a: int | None
    points_b: int | None
    attackers_side: int | None
    attackers_first: Team | None
    r1_seconds: int | None
    r1_completed: bool | None
    r1_played: float | None
    r1_surrender: int | None
    r2_seconds: int | None
    r2_completed: bool | None
    r2_played: float | None
    r2_surrender: int | None

    @property
    def attacks(self) -> tuple[AttackSeen, AttackSeen]:
        """Of round 1 and of round 2."""
        return (
            AttackSeen(self.r1_key, self.r1_seconds, self.r1_completed, self.r1_played, self.r1_surrender),
            AttackSeen(self.r2_key, self.r2_seconds, self.r2_completed, self.r2_played, self.r2_surrender),
        )


@dataclass(frozen=True)
class SessionEvidence:
    """``decisions``: those in force about its rounds, by the letters that the teams have now."""

    session: SessionScore
    names: Mapping[str, TeamName]
    rosters: Sequence[RosterEntry]
    teams: TeamEvidence | None
    grade: Grade
    matches: Sequence[MatchEvidence]
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
    keys = conn.execute("select round_key from session_round where session_key = %s", [session_key]).fetchall()
    rosters = reading.rosters(conn, session_key)
    team_of = {entry.guid: entry.team for entry in rosters}
    return SessionEvidence(
        session=rows[0],
        names=teams.team_names(conn, [session_key])[session_key],
        rosters=rosters,
        teams=teams.team_evidence(conn, session_key),
        grade=session_grade(conn, session_key),
        matches=_matches(conn, session_key),
        decisions=[
            replace(row, value=meant_team(row.value, row.roster or (), team_of))
            for row in overrides.about(conn, [row["round_key"] for row in keys])
        ],
        corrections=corrections.listed(conn, session_key),
    )


def _matches(conn: Connection[DictRow], session_key: str) -> list[MatchEvidence]:
    hidden = hiding(conn)
    with conn.cursor(row_factory=rows_of(MatchEvidence)) as cursor:
        found = cursor.execute(
            """select m.position, m.map, m.status, m.r1_key, m.r2_key, m.winner, m.source, m.reason, m.confidence,
                      m.disputed, m.by_header, m.by_time, m.points_a, m.points_b, m.attackers_side, m.attackers_first,
                      m.r1_seconds, m.r1_completed, first.duration_seconds as r1_played,
                      first.surrender_side as r1_surrender,
                      m.r2_seconds, m.r2_completed, second.duration_seconds as r2_played,
                      second.surrender_side as r2_surrender
               from match m
               left join round_timing first on first.round_key = m.r1_key
               left join round_timing second on second.round_key = m.r2_key
               where m.session_key = %s order by m.position""",
            [session_key],
        ).fetchall()
    return [replace(row, reason=hidden.text(row.reason)) for row in found]
