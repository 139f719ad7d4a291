"""Two players beside each other: what both did in the rounds that both played, and how their matches on each map ended.

Does not belong here: their careers, and the matches that they played with and against each other in all
(``standings``);
duels (``players``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse.careers import CareerNumbers
from slomix_pipeline.warehouse.rows import rows_of
from slomix_pipeline.warehouse.standings import Meetings, meetings_of

# Of rounds that count in the careers of both; else as in player_round_sum. Who played all his rounds of a session with
# the other one did there what it adds to his career: its rounds need not be read.
_TOGETHER = """
    with shared as materialized (
        select session_key, guid, max(rounds) as rounds from player_met_fact
        where guid = any(%(own)s) and other_guid = any(%(others)s) and rounds > 0 group by session_key, guid
    ),
    night as materialized (
        select shared.rounds as shared, f.* from shared
        join player_session_fact f on f.scope = shared.session_key and f.guid = shared.guid
        where f.guid = any(%(own)s)
    ),
    part as (
        select rounds, first_played_at, last_played_at, kills, deaths, damage_given, seconds_played, hits, shots,
               aimed_hits, aimed_shots, headshots, gibs, revives_given
        from night where shared = rounds
        union all
        select 1, f.stamp, f.stamp, f.kills, f.deaths, f.damage_given, f.seconds_played, f.hits, f.shots,
               f.aimed_hits, f.aimed_shots, f.headshots, f.gibs, f.revives_given
        from night
        cross join lateral (
            select * from player_round_fact own
            where own.session_key = night.scope and own.guid = night.guid and counts_in_careers(own.flags)
              and exists (select from player_round_fact other
                          where other.session_key = night.scope and other.guid = any(%(others)s)
                            and other.round_key = own.round_key and counts_in_careers(other.flags))
            offset 0
        ) f
        where night.shared < night.rounds
    ),
    summed as (
        select sum(rounds)::bigint as rounds, min(first_played_at) as first_played_at,
               max(last_played_at) as last_played_at,
               case when count(kills) = count(*) then sum(kills)::bigint end as kills,
               case when count(deaths) = count(*) then sum(deaths)::bigint end as deaths,
               case when count(damage_given) = count(*) then sum(damage_given)::bigint end as damage_given,
               case when count(seconds_played) = count(*) then sum(seconds_played)::bigint end as seconds_played,
               case when count(hits) = count(*) then sum(hits)::bigint end as hits,
               case when count(shots) = count(*) then sum(shots)::bigint end as shots,
               case when count(aimed_hits) = count(*) then sum(aimed_hits)::bigint end as aimed_hits,
               case when count(aimed_shots) = count(*) then sum(aimed_shots)::bigint end as aimed_shots,
               case when count(headshots) = count(*) then sum(headshots)::bigint end as headshots,
               case when count(gibs) = count(*) then sum(gibs)::bigint end as gibs,
               case when count(revives_given) = count(*) then sum(revives_given)::bigint end as revives_given
        from part
    )
    select rounds, first_played_at, last_played_at, kills, deaths, metric_kd(kills, deaths) as kd,
           metric_efficiency(kills, deaths) as efficiency, damage_given, seconds_played,
           metric_dpm(damage_given, seconds_played) as dpm, metric_per_round(kills, rounds) as kills_per_round,
           metric_accuracy(hits, shots) as accuracy, metric_aimed_accuracy(aimed_hits, aimed_shots) as aimed_accuracy,
           metric_headshot_percent(headshots, hits) as headshot_percent, gibs, revives_given
    from summed where rounds > 0"""


@dataclass(frozen=True)
class MetOnMap:
    """A map on which both played decided matches, with the results of the first."""

    map: str
    met: Meetings


def numbers_together(conn: Connection[DictRow], guids: Sequence[str], others: Sequence[str]) -> CareerNumbers | None:
    """What a player did in the rounds that count in his career and in that of the other one; None: there are none."""
    with conn.cursor(row_factory=rows_of(CareerNumbers)) as cursor:
        return cursor.execute(_TOGETHER, {"own": list(guids), "others": list(others)}).fetchone()


def met_on_maps(conn: Connection[DictRow], one: str, other: str) -> list[MetOnMap]:
    """How the matches ended that two players had in common, by map, the most played first."""
    rows = conn.execute(
        """with own as materialized (select match_key, map, team, won, drawn from person_result where person = %s),
                theirs as materialized (select match_key, team from person_result where person = %s)
           select own.map, count(*) filter (where same and won) as together_won,
                  count(*) filter (where same and drawn) as together_drawn,
                  count(*) filter (where same and not won and not drawn) as together_lost,
                  count(*) filter (where not same and won) as against_won,
                  count(*) filter (where not same and drawn) as against_drawn,
                  count(*) filter (where not same and not won and not drawn) as against_lost
           from (select own.*, own.team = theirs.team as same from own join theirs using (match_key)) own
           group by own.map order by count(*) desc, own.map""",
        [one, other],
    )
    return [MetOnMap(row["map"], meetings_of(row)) for row in rows]
