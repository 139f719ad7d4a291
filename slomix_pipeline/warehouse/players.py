"""Players on pages of their own: who there is, and what somebody did on each map, in his last matches, and with whom.

Belongs here: what a page tells of a player beside his career.
Does not belong here: the career itself, and finding who is meant (``careers``); his nights (``nights``); how it is
shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse.careers import AliasSeen
from slomix_pipeline.warehouse.rows import rows_of
from slomix_pipeline.warehouse.standings import Standing, meetings_of

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
class MapPlayed:
    """What somebody did on a map, and how his decided matches on it ended."""

    map: str
    rounds: int
    kd: float | None
    dpm: float | None
    standing: Standing


@dataclass(frozen=True)
class MatchPlayed:
    """A match that somebody played: whether his team ``won`` and whether it was ``drawn``, both None where nobody can
    say: it is not ``counted``, or he ``changed_sides``, or his team is open. A number is None where one of his rounds
    does not know it; all are where one is ``left_out`` of careers."""

    match_key: str
    map: str
    ended_at: datetime
    won: bool | None
    drawn: bool | None
    counted: bool
    changed_sides: bool
    left_out: bool
    kills: int | None
    deaths: int | None
    dpm: float | None


@dataclass(frozen=True)
class Duels:
    """How often somebody killed another one and was killed by him, in as many rounds with a kill between them."""

    kills: int
    deaths: int
    rounds: int


@dataclass(frozen=True)
class PlayerMet:
    """Somebody else, and the decided matches that both played: together, and against each other with the results of who
    met him."""

    guid: str
    name: str
    together: Standing
    against: Standing


@dataclass(frozen=True)
class PlayerDuelled:
    """Somebody else, and the duels with him."""

    guid: str
    name: str
    duels: Duels


@dataclass(frozen=True)
class Rivals:
    """Whom somebody was killed by most, and whom he killed most; None where no round told of any. Who plays much kills
    much: see ``rules.pairs.nemesis``."""

    killer: PlayerDuelled | None
    victim: PlayerDuelled | None


@dataclass(frozen=True)
class Support:
    """What a career is told of beside ``CareerNumbers``. ``revives_given_per_round``: over ``revives_given_rounds``,
    those that know it; ``survival_disputed``: the two sources of ``survival_percent`` contradict each other."""

    revives_given_per_round: float | None
    revives_given_rounds: int
    survival_percent: float | None
    survival_disputed: bool | None


def everybody(conn: Connection[DictRow]) -> list[PlayerListed]:
    """All who played in a round that counts and may be named, who was there last first."""
    with conn.cursor(row_factory=rows_of(PlayerListed)) as cursor:
        return cursor.execute(
            """with own as (
                   select guid, sum(rounds)::bigint as rounds, count(*) as nights, max(ended_at) as ended_at
                   from player_night_fact group by guid
               )
               select p.person as guid, p.name, sum(own.rounds)::bigint as rounds,
                      case when count(*) = 1 then max(own.nights)   -- of two GUIDs some may be the same
                           else (select count(distinct f.session_key) from player_night_fact f
                                 where f.guid = any(array_agg(own.guid))) end as nights,
                      max(own.ended_at) as last_played_at
               from own join board_person p using (guid)
               group by p.person, p.name order by max(own.ended_at) desc, p.person"""
        ).fetchall()


def aliases_of(conn: Connection[DictRow], guid: str) -> list[AliasSeen]:
    """The names of a GUID none of whose rounds counts, the most used first; none of who is hidden or unknown."""
    with conn.cursor(row_factory=rows_of(AliasSeen)) as cursor:
        return cursor.execute(
            "select name, rounds, first_seen, last_seen from alias where guid = %s order by rounds desc, name", [guid]
        ).fetchall()


def maps_played(conn: Connection[DictRow], guids: Sequence[str], ended: Mapping[str, Standing]) -> list[MapPlayed]:
    """What a player did on each map, the most played first. ``ended``: as ``standings.on_maps`` has it."""
    rows = conn.execute(
        """select map, rounds, metric_kd(kills, deaths) as kd, metric_dpm(damage_given, seconds_played) as dpm
           from (
               select map, sum(rounds)::bigint as rounds,
                      case when count(kills) = count(*) then sum(kills)::bigint end as kills,
                      case when count(deaths) = count(*) then sum(deaths)::bigint end as deaths,
                      case when count(damage_given) = count(*) then sum(damage_given)::bigint end as damage_given,
                      case when count(seconds_played) = count(*) then sum(seconds_played)::bigint end as seconds_played
               from player_match_fact
               where rounds > 0 and guid = any(%s)
               group by map
           ) played
           order by rounds desc, map""",
        [list(guids)],
    )
    return [MapPlayed(**row, standing=ended.get(row["map"], Standing(0, 0, 0))) for row in rows]


def recent_matches(conn: Connection[DictRow], guids: Sequence[str], most: int) -> list[MatchPlayed]:
    """The latest matches of a player, also such as nobody won, the latest first."""
    with conn.cursor(row_factory=rows_of(MatchPlayed)) as cursor:
        return cursor.execute(
            """with own as (
                   select match_key, max(ended_at) as ended_at
                   from unnest(%(guids)s::text[]) one (guid)
                   cross join lateral (   -- the latest of each GUID, from the end of the index
                       select match_key, ended_at from player_match_fact where guid = one.guid
                       order by ended_at desc, match_key desc limit %(most)s
                   ) latest
                   group by match_key order by max(ended_at) desc, match_key desc limit %(most)s
               )
               select match_key, map, ended_at, case when one_team then team = winner end as won,
                      case when one_team then winner = 'draw' end as drawn, winner is not null as counted,
                      in_teams and not one_team as changed_sides, left_out,
                      case when not left_out then kills end as kills, case when not left_out then deaths end as deaths,
                      case when not left_out then metric_dpm(damage_given, seconds_played) end as dpm
               from (
                   select own.match_key, min(f.map) as map, own.ended_at, m.winner, min(f.team) as team,
                          coalesce(min(f.team) = max(f.team) and count(f.team) = count(*), false) as one_team,
                          count(sp.team) = count(*) as in_teams, sum(f.rounds) < sum(f.rounds_played) as left_out,
                          case when count(f.kills) = count(*) then sum(f.kills)::bigint end as kills,
                          case when count(f.deaths) = count(*) then sum(f.deaths)::bigint end as deaths,
                          case when count(f.damage_given) = count(*) then sum(f.damage_given)::bigint
                          end as damage_given,
                          case when count(f.seconds_played) = count(*) then sum(f.seconds_played)::bigint
                          end as seconds_played
                   from own
                   join match m using (match_key)
                   join player_match_fact f on f.match_key = own.match_key and f.guid = any(%(guids)s)
                   left join session_player sp on sp.session_key = f.session_key and sp.guid = f.guid
                   group by own.match_key, own.ended_at, m.winner
               ) found
               order by ended_at desc, match_key desc""",
            {"guids": list(guids), "most": most},
        ).fetchall()


def support(conn: Connection[DictRow], person: str, guids: Sequence[str]) -> Support:
    """A career's support and survival."""
    with conn.cursor(row_factory=rows_of(Support)) as cursor:
        row = cursor.execute(
            """select metric_per_round(known.revives_given, known.rounds) as revives_given_per_round,
                      coalesce(known.rounds, 0) as revives_given_rounds, c.survival_percent, c.survival_disputed
               from (select sum(revives_given)::bigint as revives_given, sum(revives_given_rounds)::bigint as rounds
                     from player_night_fact where guid = any(%(guids)s)) known
               cross join player_metric c
               where c.level = 'career' and c.guid = %(person)s""",
            {"person": person, "guids": list(guids)},
        ).fetchone()
    assert row is not None, "who is found played in a round that counts"
    return row


_DUELS = """
    select o.person as guid, o.name, sum(f.kills)::bigint as kills, sum(f.deaths)::bigint as deaths,
           sum(f.rounds)::bigint as rounds
    from (   -- before anybody is named: there are more sessions than players
        select opponent_guid, sum(kills) as kills, sum(deaths) as deaths, sum(rounds) as rounds
        from player_duel_fact where guid = any(%(guids)s) group by opponent_guid
    ) f
    join board_person o on o.guid = f.opponent_guid
    where o.person <> %(person)s
    group by o.person, o.name"""


def duels_of(conn: Connection[DictRow], person: str, guids: Sequence[str]) -> list[PlayerDuelled]:
    """The duels of a player with everybody who may be named, as far as endstats tell of them; by name."""
    rows = conn.execute(_DUELS, {"guids": list(guids), "person": person}).fetchall()
    return sorted(
        (PlayerDuelled(row["guid"], row["name"], Duels(row["kills"], row["deaths"], row["rounds"])) for row in rows),
        key=lambda own: (own.name, own.guid),
    )


def rivals(found: Sequence[PlayerDuelled]) -> Rivals:
    """The hardest of somebody's duels."""
    return Rivals(
        max((own for own in found if own.duels.deaths), key=lambda own: own.duels.deaths, default=None),
        max((own for own in found if own.duels.kills), key=lambda own: own.duels.kills, default=None),
    )


def most_met(conn: Connection[DictRow], person: str, most: int | None = MET_SHOWN) -> list[PlayerMet]:
    """Whom a player met in most decided matches, counted as ``standings.meetings`` does; so many, or all."""
    rows = conn.execute(
        """select m.*, p.name
           from person_met m
           join board_person p on p.guid = m.other
           where m.person = %(person)s
           order by together_won + together_drawn + together_lost + against_won + against_drawn + against_lost desc,
                    p.name, m.other
           limit %(most)s""",
        {"person": person, "most": most},
    ).fetchall()
    met = [(row["other"], row["name"], meetings_of(row)) for row in rows]
    return [PlayerMet(guid, name, own.together, own.against) for guid, name, own in met]
