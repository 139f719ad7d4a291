"""What was played on a map: its attacks, its last plays, who is good on it.

Belongs here: asking about one map in detail. Does not belong here: a map in numbers (``maps``), its records
(``records``), what par is (``rules.par``).
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse.rows import rows_of

LEAST_MATCHES = 4  # fewer say little of how good somebody is on a map


@dataclass(frozen=True)
class AttackSeen:
    """An attack: its time when completed, else what it had to beat or how long it was held off. ``is_of_a_team``: it
    is known which team attacked."""

    round_key: str
    ended_at: datetime
    seconds: int
    completed: bool
    limit_seconds: int | None
    in_book: bool
    is_of_a_team: bool


@dataclass(frozen=True)
class PlayOfMap:
    """A match on the map that was decided. ``winner``: a team's letter, or draw."""

    match_key: str
    session_key: str
    ended_at: datetime
    winner: str
    r1_key: str | None
    r2_key: str | None


@dataclass(frozen=True)
class PlayerOnMap:
    """Somebody on the map; ``matches``: decided ones that he played for one team alone."""

    guid: str
    name: str
    matches: int
    won: int
    drawn: int
    rounds: int
    kd: float | None
    dpm: float | None


def attacks_on(conn: Connection[DictRow], map_name: str) -> list[AttackSeen]:
    """All attacks on a map, oldest first."""
    with conn.cursor(row_factory=rows_of(AttackSeen)) as cursor:
        return cursor.execute(
            """select round_key, stamp as ended_at, seconds, completed, limit_seconds, in_book,
                      team is not null as is_of_a_team
               from map_attack where map = %s order by stamp, round_key""",
            [map_name],
        ).fetchall()


def last_plays(conn: Connection[DictRow], map_name: str, most: int) -> list[PlayOfMap]:
    """The matches on a map that were decided, newest first."""
    with conn.cursor(row_factory=rows_of(PlayOfMap)) as cursor:
        return cursor.execute(
            """select m.match_key, m.session_key, p.stamp as ended_at, m.winner, m.r1_key, m.r2_key
               from match m
               join parsed_round p on p.round_key = coalesce(m.r2_key, m.r1_key)
               where map_key(m.map) = %s and m.winner is not null
               order by p.stamp desc, m.match_key desc limit %s""",
            [map_name, most],
        ).fetchall()


def players_on(conn: Connection[DictRow], map_name: str, most: int) -> list[PlayerOnMap]:
    """Who played enough matches on a map, most damage per minute first. Numbers are of rounds that know them."""
    with conn.cursor(row_factory=rows_of(PlayerOnMap)) as cursor:
        return cursor.execute(
            """with played as (
                   select p.person, p.name, f.match_key, min(f.team) as team, min(f.team) = max(f.team) as one_team,
                          count(*) filter (where counts_in_careers(f.flags)) as rounds,
                          sum(f.kills) filter (where counts_in_careers(f.flags) and f.deaths is not null) as kills,
                          sum(f.deaths) filter (where counts_in_careers(f.flags) and f.kills is not null) as deaths,
                          sum(f.damage_given)
                              filter (where counts_in_careers(f.flags) and f.seconds_played is not null) as damage,
                          sum(f.seconds_played)
                              filter (where counts_in_careers(f.flags) and f.damage_given is not null) as seconds
                   from player_round_fact f join board_person p using (guid)
                   where f.map = %(map)s
                   group by p.person, p.name, f.match_key
               )
               select person as guid, name, count(m.winner) filter (where one_team) as matches,
                      count(*) filter (where one_team and m.winner = team) as won,
                      count(*) filter (where one_team and m.winner = 'draw') as drawn,
                      sum(rounds)::bigint as rounds,
                      metric_kd(sum(kills)::bigint, sum(deaths)::bigint) as kd,
                      metric_dpm(sum(damage)::bigint, sum(seconds)::bigint) as dpm
               from played left join match m using (match_key)
               group by person, name
               having count(m.winner) filter (where one_team) >= %(least)s
               order by dpm desc nulls last, rounds desc, guid limit %(most)s""",
            {"map": map_name, "least": LEAST_MATCHES, "most": most},
        ).fetchall()
