"""What the players of a team did together, in a match or a session, and with which weapons each of them did it.

Belongs here: adding up over players. Does not belong here: one player's totals (``reading``).
"""

from dataclasses import dataclass
from typing import Literal

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.teams import Team
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class TeamTotals:
    """The numbers of all players of a team together; None where it is unknown of one of them. ``dpm``: of one of them,
    for each minute that any was there."""

    team: Team | None
    kills: int | None
    deaths: int | None
    kd: float | None
    dpm: float | None
    damage_given: int | None
    damage_received: int | None
    accuracy: float | None
    headshot_percent: float | None
    revives_given: int | None
    objectives: int | None


@dataclass(frozen=True)
class WeaponUsed:
    """What a player did with a weapon. ``headshots``: hits on heads."""

    guid: str
    weapon: str
    kills: int
    accuracy: float | None
    headshots: int


def team_totals(
    conn: Connection[DictRow], level: Literal["match", "session"], key: str
) -> dict[Team | None, TeamTotals]:
    """The totals of the teams of a match or session, and of those whose team is open (None)."""
    with conn.cursor(row_factory=rows_of(TeamTotals)) as cursor:
        found = cursor.execute(
            f"""select team, kills, deaths, metric_kd(kills, deaths) as kd,
                        metric_dpm(damage_given, seconds_played) as dpm, damage_given, damage_received,
                        metric_accuracy(hits, shots) as accuracy,
                        metric_headshot_percent(headshots, hits) as headshot_percent, revives_given, objectives
                 from (
                     select team, case when count(kills) = count(*) then sum(kills)::bigint end as kills,
                            case when count(deaths) = count(*) then sum(deaths)::bigint end as deaths,
                            case when count(damage_given) = count(*) then sum(damage_given)::bigint end as damage_given,
                            case when count(damage_received) = count(*) then sum(damage_received)::bigint
                            end as damage_received,
                            case when count(seconds_played) = count(*) then sum(seconds_played)::bigint
                            end as seconds_played,
                            case when count(hits) = count(*) then sum(hits)::bigint end as hits,
                            case when count(shots) = count(*) then sum(shots)::bigint end as shots,
                            case when count(headshots) = count(*) then sum(headshots)::bigint end as headshots,
                            case when count(revives_given) = count(*) then sum(revives_given)::bigint
                            end as revives_given,
                            case when count(done) = count(*) then sum(done)::bigint end as objectives
                     from (select *, objectives_stolen + objectives_returned + dynamites_planted
                                  + dynamites_defused as done
                           from player_round_fact where {level}_key = %s) fact
                     group by team
                 ) summed""",
            [key],
        ).fetchall()
    return {totals.team: totals for totals in found}


def weapons_used(conn: Connection[DictRow], level: Literal["match", "session"], key: str) -> list[WeaponUsed]:
    """The weapons with which the players of a match or session killed anybody, each player's most used first; of those
    alone whose counters are known in all of his rounds: else sums would say too little."""
    with conn.cursor(row_factory=rows_of(WeaponUsed)) as cursor:
        return cursor.execute(
            f"""select guid, weapon, sum(kills)::bigint as kills, metric_accuracy(sum(hits), sum(shots)) as accuracy,
                       sum(headshots)::bigint as headshots
                from valid_round_weapon
                where {level}_key = %(key)s
                  and guid <> all (array(select f.guid from player_round_fact f
                                         where f.{level}_key = %(key)s and f.kills is null))
                group by guid, weapon having sum(kills) > 0
                order by guid, sum(kills) desc, weapon""",
            {"key": key},
        ).fetchall()
