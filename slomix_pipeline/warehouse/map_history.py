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
    """When an attack ended, and in which round."""

    round_key: str
    ended_at: datetime


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
            "select round_key, stamp as ended_at from map_attack where map = %s order by stamp, round_key", [map_name]
        ).fetchall()


def last_plays(conn: Connection[DictRow], map_name: str, most: int) -> list[PlayOfMap]:
    """The matches on a map that were decided, newest first."""
    with conn.cursor(row_factory=rows_of(PlayOfMap)) as cursor:
        return cursor.execute(
            """with own as materialized (
                   select m.match_key, m.session_key, m.winner, m.r1_key, m.r2_key, s.started_at, s.ended_at
                   from match m join session s using (session_key)
                   where map_key(m.map) = %(map)s and m.winner is not null
               )
               select own.match_key, own.session_key, p.stamp as ended_at, own.winner, own.r1_key, own.r2_key
               from own join parsed_round p on p.round_key = coalesce(own.r2_key, own.r1_key)
               where own.ended_at >= all (array(   -- enough were played later than this: no file before it is needed
                   select started_at from own order by started_at desc offset %(most)s - 1 limit 1))
               order by p.stamp desc, own.match_key desc limit %(most)s""",
            {"map": map_name, "most": most},
        ).fetchall()


# By GUID first: of those there are few, and their matches are many. What that can't tell is asked beside it, of those
# alone whom it concerns: matches of who has several GUIDs, each once; rounds of matches of which not all is known.
_PLAYERS = """
    with who as materialized (
        select guid, person, name, count(*) over (partition by person) > 1 as has_others from board_person
    ), decided as materialized (
        select match_key, winner from match where map_key(map) = %(map)s and winner is not null
    ), of_guid as materialized (
        select f.guid, count(m.winner) as matches, count(*) filter (where m.winner = f.team) as won,
               count(*) filter (where m.winner = 'draw') as drawn, sum(f.rounds) filter (where knows_all) as rounds,
               sum(f.kills) filter (where knows_all) as kills, sum(f.deaths) filter (where knows_all) as deaths,
               sum(f.damage_given) filter (where knows_all) as damage_given,
               sum(f.seconds_played) filter (where knows_all) as seconds_played,
               bool_or(f.rounds > 0 and not knows_all) as lacks_some
        from (select *, num_nulls(kills, deaths, damage_given, seconds_played) = 0 as knows_all
              from player_match_fact where map = %(map)s) f
        left join decided m on m.match_key = f.match_key and f.team is not null
        group by f.guid
    ), lacking as materialized (
        select guid, match_key from player_match_fact
        where map = %(map)s and rounds > 0 and num_nulls(kills, deaths, damage_given, seconds_played) > 0
    ), result as (
        select w.person, g.matches, g.won, g.drawn from of_guid g join who w using (guid) where not w.has_others
        union all
        select person, count(*), count(*) filter (where winner = team), count(*) filter (where winner = 'draw')
        from (select w.person, min(f.team) as team, min(m.winner) as winner   -- as in person_result
              from player_match_fact f join who w using (guid) join decided m using (match_key)
              where f.map = %(map)s and f.team is not null
                and f.guid = any(array(select guid from who where has_others))
                and exists (select from who where has_others)   -- else the map's matches are read for nobody
              group by w.person, f.match_key having min(f.team) = max(f.team)) own
        group by person
    ), known as (
        select w.person, g.rounds, g.kills, g.deaths, g.damage_given, g.seconds_played
        from of_guid g join who w using (guid)
        union all
        select w.person, count(*), sum(f.kills) filter (where f.deaths is not null),
               sum(f.deaths) filter (where f.kills is not null),
               sum(f.damage_given) filter (where f.seconds_played is not null),
               sum(f.seconds_played) filter (where f.damage_given is not null)
        from lacking join player_round_fact f using (guid, match_key) join who w using (guid)
        where f.match_key = any(array(select match_key from lacking)) and counts_in_careers(f.flags)
          and exists (select from of_guid where lacks_some)
        group by w.person
    ), number as (
        select person, coalesce(sum(rounds), 0)::bigint as rounds,
               metric_kd(sum(kills)::bigint, sum(deaths)::bigint) as kd,
               metric_dpm(sum(damage_given)::bigint, sum(seconds_played)::bigint) as dpm
        from known group by person
    )
    select person as guid, named.name, r.matches, r.won, r.drawn, n.rounds, n.kd, n.dpm
    from result r join number n using (person) join (select distinct person, name from who) named using (person)
    where r.matches >= %(least)s
    order by dpm desc nulls last, rounds desc, guid limit %(most)s"""


def players_on(conn: Connection[DictRow], map_name: str, most: int) -> list[PlayerOnMap]:
    """Who played enough matches on a map, most damage per minute first. Numbers are of rounds that know them."""
    with conn.cursor(row_factory=rows_of(PlayerOnMap)) as cursor:
        return cursor.execute(_PLAYERS, {"map": map_name, "least": LEAST_MATCHES, "most": most}).fetchall()
