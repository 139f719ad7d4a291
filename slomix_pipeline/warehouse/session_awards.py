"""The awards of a session, as the endstats of its rounds tell.

Does not belong here: a single round's awards (``endstats``), which of them are told (``rules.awards``), duels
(``duels``).
"""

from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.awards import Award, AwardGiven, told_awards
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class SessionAwards:
    """What is told of a session's awards; ``rounds``: of how many of its ``of_rounds`` rounds that count there are
    any."""

    awards: tuple[Award, ...]
    rounds: int
    of_rounds: int


NO_AWARDS = SessionAwards((), 0, 0)


def awards_of(conn: Connection[DictRow], session_key: str) -> SessionAwards:
    """The awards of a session. They are counted, never their values added: of some those go on from round 1."""
    with conn.cursor(row_factory=rows_of(AwardGiven)) as cursor:
        given = cursor.execute(
            """select a.award, n.person as guid, max(n.called) as name, count(distinct a.round_key) as times
               from valid_round_award a
               left join session_name n on n.session_key = a.session_key and n.guid = a.guid
               where a.session_key = %s and a.award is not null
               group by a.award, n.person""",
            [session_key],
        ).fetchall()
    row = conn.execute(
        """select count(*) as of_rounds, count(e.round_key) as rounds
           from valid_round v
           left join round_endstats e on e.round_key = v.round_key and e.link_class = 'exact_end'
           where v.session_key = %s""",
        [session_key],
    ).fetchone()
    assert row is not None
    return SessionAwards(told_awards(given), row["rounds"], row["of_rounds"])
