"""All matches that models are fitted to, as the rules want them.

Belongs here: reading ``rated_match`` and ``rated_roster``. Does not belong here: which matches those are (the views),
what is made of them (``rules``).
"""

from collections import defaultdict
from collections.abc import Mapping

from psycopg import Connection
from psycopg.rows import DictRow, tuple_row

from slomix_pipeline.rules.attack_model import UNKNOWN_TEAM, Dealt, RatedMatch, Roster, roster
from slomix_pipeline.rules.par import Attack
from slomix_pipeline.rules.scoring import Faster, Winner
from slomix_pipeline.rules.teams import Team, other_team


def rated_matches(conn: Connection[DictRow]) -> list[RatedMatch]:
    """Every match that counts for models, in order of play; with unknown teams where not all who played are known."""
    seconds: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    rounds: dict[str, dict[str, dict[str, Dealt]]] = defaultdict(lambda: defaultdict(dict))
    with conn.cursor(row_factory=tuple_row) as cursor:
        for match_key, team, guid, played in cursor.execute(
            "select match_key, team, guid, seconds from rated_roster order by match_key, team, guid"
        ):
            seconds[match_key, team][guid] = played
        for match_key, round_key, guid, played, damage in cursor.execute(
            """select f.match_key, f.round_key, who.person, sum(f.seconds_played)::integer, sum(f.damage_given)::integer
               from player_round_fact f join career_name who using (guid)
               where f.side in (1, 2)
               group by f.match_key, f.round_key, who.person
               having count(f.seconds_played) = count(*) and count(f.damage_given) = count(*)
               order by f.round_key, who.person"""
        ):
            rounds[match_key][round_key][guid] = Dealt(played, damage)
        matches = cursor.execute(
            """select match_key, stamp, session_key, map, limit_seconds, first_seconds, first_completed, second_seconds,
                      second_completed, attackers_first, winner
               from rated_match order by stamp, match_key"""
        ).fetchall()
    return [
        RatedMatch(
            key,
            stamp,
            night,
            map_name,
            limit,
            Attack(first, first_done),
            Attack(second, second_done),
            _faster(winner, team),
            *_teams(seconds[key, team], seconds[key, other_team(team)]),
            tuple(rounds[key].values()),
        )
        for key, stamp, night, map_name, limit, first, first_done, second, second_done, letter, winner in matches
        for team in [Team(letter)]
    ]


def _teams(*seconds: Mapping[str, float]) -> tuple[Roster, Roster]:
    if not all(seconds):
        return UNKNOWN_TEAM, UNKNOWN_TEAM
    first, second = (roster(own) for own in seconds)
    return (first, second) if first.shares and second.shares else (UNKNOWN_TEAM, UNKNOWN_TEAM)


def _faster(winner: str, first: Team) -> Faster:
    """Whose attack won, by who attacked first."""
    if winner == Winner.DRAW:
        return Faster.DRAW
    return Faster.FIRST if winner == first else Faster.SECOND
