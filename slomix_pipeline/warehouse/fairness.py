"""How even the teams of a session were, by what was to be expected of its players before it.

Belongs here: summing that up. Does not belong here: what is expected of somebody (``rules.expectation``), the words
(``reports.balance_words``).
"""

from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.expected import LEAST_ROUNDS
from slomix_pipeline.rules.teams import Team


@dataclass(frozen=True)
class ExpectedOfTeams:
    """The damage that was to be expected of both teams of a session, in so many ``rounds`` as they were played."""

    a: float
    b: float
    rounds: int

    @property
    def share_of_a(self) -> float:
        return self.a / (self.a + self.b)


def expected_of_teams(conn: Connection[DictRow], session_key: str) -> ExpectedOfTeams | None:
    """What was to be expected of the teams of a session, in the rounds in which everybody stood with his own; None
    where that is not known of everybody in them, or where not most of a team were known well enough before."""
    rows = conn.execute(
        """with stood as (
               select f.round_key, coalesce(d.person_guid, f.guid) as guid, f.team,
                      case when (f.team = 'A') = (f.side = 1) then 1 else -1 end as a_is_axis
               from player_round_fact f
               left join person_decided d on d.guid = f.guid
               where f.session_key = %(session)s and f.side is not null and f.seconds_played > 0
           ), whole as (
               select round_key from stood group by round_key
               having count(team) = count(*) and abs(sum(a_is_axis)) = count(*)
           )
           select s.team, sum(e.damage) as damage, count(*) = count(e.damage) as whole,
                  count(distinct e.guid) as players, count(distinct s.round_key) as rounds,
                  count(distinct e.guid) filter (where e.earlier_rounds >= %(least)s) as known
           from whole
           join stood s using (round_key)
           left join (
               select * from expectation
               where round_key = any(array(select round_key from session_round where session_key = %(session)s))
           ) e on e.round_key = s.round_key and e.guid = s.guid
           group by s.team""",
        {"session": session_key, "least": LEAST_ROUNDS},
    ).fetchall()
    if len(rows) < len(Team) or not all(row["whole"] and 2 * row["known"] > row["players"] for row in rows):
        return None
    damage = {Team(row["team"]): float(row["damage"]) for row in rows}
    return ExpectedOfTeams(damage[Team.A], damage[Team.B], max(row["rounds"] for row in rows))
