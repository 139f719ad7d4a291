"""Players on pages of their own: who there is, and what somebody did lately, on each map, and with whom.

Belongs here: what a page tells of a player beside his career.
Does not belong here: the career itself, and finding who is meant (``careers``); how it is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse import careers
from slomix_pipeline.warehouse.careers import AliasSeen, Standing
from slomix_pipeline.warehouse.rows import rows_of

NIGHTS_OF_LATELY = 10
MET_SHOWN = 10  # players whom somebody met most


@dataclass(frozen=True)
class PlayerListed:
    """Somebody who played in a round that counts. ``nights``: sessions with one."""

    guid: str
    name: str
    rounds: int
    nights: int
    last_played_at: datetime


@dataclass(frozen=True)
class Night:
    """Numbers of a session as far as they count in careers, or of several: then ``session_key`` is None. A number is
    None where one of the rounds does not know it."""

    session_key: str | None
    rounds: int
    kd: float | None
    efficiency: float | None
    dpm: float | None
    accuracy: float | None
    headshot_percent: float | None
    revives_given: int | None


@dataclass(frozen=True)
class Lately:
    """The latest nights, oldest first, and all of them together."""

    nights: tuple[Night, ...]
    together: Night


@dataclass(frozen=True)
class MapPlayed:
    """What somebody did on a map, and how his decided matches on it ended."""

    map: str
    rounds: int
    kd: float | None
    dpm: float | None
    standing: Standing


@dataclass(frozen=True)
class PlayerMet:
    """Somebody else, and the decided matches that both played: together, and against each other with the results of who
    met him."""

    guid: str
    name: str
    together: Standing
    against: Standing


def everybody(conn: Connection[DictRow]) -> list[PlayerListed]:
    """All who played in a round that counts and may be named, who was there last first."""
    with conn.cursor(row_factory=rows_of(PlayerListed)) as cursor:
        return cursor.execute(
            """select p.person as guid, p.name, sum(f.rounds)::bigint as rounds, count(distinct f.scope) as nights,
                      max(f.last_played_at) as last_played_at
               from player_session_fact f join board_person p using (guid)
               group by p.person, p.name order by max(f.last_played_at) desc, p.person"""
        ).fetchall()


def aliases_of(conn: Connection[DictRow], guid: str) -> list[AliasSeen]:
    """The names of a GUID none of whose rounds counts, the most used first; none of who is hidden or unknown."""
    with conn.cursor(row_factory=rows_of(AliasSeen)) as cursor:
        return cursor.execute(
            "select name, rounds, first_seen, last_seen from alias where guid = %s order by rounds desc, name", [guid]
        ).fetchall()


def lately(conn: Connection[DictRow], guids: Sequence[str], most: int | None = NIGHTS_OF_LATELY) -> Lately:
    """The latest nights of a player; so many, or all."""
    with conn.cursor(row_factory=rows_of(Night)) as cursor:
        *nights, together = cursor.execute(
            """select session_key, rounds, metric_kd(kills, deaths) as kd,
                      metric_efficiency(kills, deaths) as efficiency,
                      metric_dpm(damage_given, seconds_played) as dpm, metric_accuracy(hits, shots) as accuracy,
                      metric_headshot_percent(headshots, hits) as headshot_percent, revives_given
               from (
                   select scope as session_key, max(last_played_at) as ended_at, sum(rounds)::bigint as rounds,
                          case when count(kills) = count(*) then sum(kills)::bigint end as kills,
                          case when count(deaths) = count(*) then sum(deaths)::bigint end as deaths,
                          case when count(damage_given) = count(*) then sum(damage_given)::bigint end as damage_given,
                          case when count(seconds_played) = count(*) then sum(seconds_played)::bigint
                          end as seconds_played,
                          case when count(hits) = count(*) then sum(hits)::bigint end as hits,
                          case when count(shots) = count(*) then sum(shots)::bigint end as shots,
                          case when count(headshots) = count(*) then sum(headshots)::bigint end as headshots,
                          case when count(revives_given) = count(*) then sum(revives_given)::bigint end as revives_given
                   from player_session_fact
                   where guid = any(%(guids)s)
                     and scope in (select scope from player_session_fact where guid = any(%(guids)s)
                                   group by scope order by max(last_played_at) desc, scope desc limit %(nights)s)
                   group by grouping sets ((scope), ())
               ) summed
               order by session_key is null, ended_at, session_key""",
            {"guids": list(guids), "nights": most},
        ).fetchall()
    return Lately(tuple(nights), together)


def maps_played(conn: Connection[DictRow], guids: Sequence[str]) -> list[MapPlayed]:
    """What a player did on each map, the most played first."""
    rows = conn.execute(
        """with result as (   -- who was on both teams by two of his GUIDs neither won nor lost
               select match_key, min(map) as map, bool_and(won) as won, bool_and(drawn) as drawn
               from player_result where guid = any(%(guids)s) group by match_key having count(distinct team) = 1
           ),
           of_map as (
               select map, count(*) filter (where won) as won, count(*) filter (where drawn) as drawn,
                      count(*) filter (where not won and not drawn) as lost
               from result group by map
           )
           select played.map, rounds, metric_kd(kills, deaths) as kd, metric_dpm(damage_given, seconds_played) as dpm,
                  coalesce(won, 0) as won, coalesce(drawn, 0) as drawn, coalesce(lost, 0) as lost
           from (
               select scope as map, sum(rounds)::bigint as rounds,
                      case when count(kills) = count(*) then sum(kills)::bigint end as kills,
                      case when count(deaths) = count(*) then sum(deaths)::bigint end as deaths,
                      case when count(damage_given) = count(*) then sum(damage_given)::bigint end as damage_given,
                      case when count(seconds_played) = count(*) then sum(seconds_played)::bigint end as seconds_played
               from board_part where level = 'map' and guid = any(%(guids)s) group by scope
           ) played
           left join of_map using (map)
           order by rounds desc, map""",
        {"guids": list(guids)},
    ).fetchall()
    return [
        MapPlayed(row["map"], row["rounds"], row["kd"], row["dpm"], Standing(row["won"], row["drawn"], row["lost"]))
        for row in rows
    ]


# How many matches two have in common is only known when they are counted: PostgreSQL expects a handful, and would hold
# each against each, which takes thirty times longer.
_NESTED_LOOPS = "select set_config('enable_nestloop', %s, true)"


def most_met(conn: Connection[DictRow], person: str, most: int | None = MET_SHOWN) -> list[PlayerMet]:
    """Whom a player met in most decided matches, counted as ``careers.meetings`` does; so many, or all.
    Belongs into a transaction."""
    played = conn.execute(
        "select distinct match_key from player_result where guid = any(%s)", [careers.guids_of(conn, person)]
    ).fetchall()
    conn.execute(_NESTED_LOOPS, ["off"])
    rows = conn.execute(
        """with known as materialized (select guid, person, name from board_person),   -- once, not per row
           result as materialized (
               select p.person, p.name, r.match_key, min(r.team) as team, bool_and(r.won) as won,
                      bool_and(r.drawn) as drawn
               from player_result r join known p using (guid)
               where r.match_key = any(%(matches)s)
               group by p.person, p.name, r.match_key having count(distinct r.team) = 1
           )
           select other.person as guid, other.name,
                  count(*) filter (where other.team = me.team and me.won) as together_won,
                  count(*) filter (where other.team = me.team and me.drawn) as together_drawn,
                  count(*) filter (where other.team = me.team and not me.won and not me.drawn) as together_lost,
                  count(*) filter (where other.team <> me.team and me.won) as against_won,
                  count(*) filter (where other.team <> me.team and me.drawn) as against_drawn,
                  count(*) filter (where other.team <> me.team and not me.won and not me.drawn) as against_lost
           from result me join result other using (match_key)
           where me.person = %(person)s and other.person <> %(person)s
           group by other.person, other.name order by count(*) desc, other.name, other.person limit %(most)s""",
        {"person": person, "matches": [row["match_key"] for row in played], "most": most},
    ).fetchall()
    conn.execute(_NESTED_LOOPS, ["on"])
    return [
        PlayerMet(
            row["guid"],
            row["name"],
            *(Standing(*(row[f"{how}_{end}"] for end in ("won", "drawn", "lost"))) for how in ("together", "against")),
        )
        for row in rows
    ]
