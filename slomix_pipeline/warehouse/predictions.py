"""The ledger of what was foretold: noted as it was made, read as it was said.

Belongs here: the table ``prediction``. Does not belong here: the chances (``rules.odds``), what became of them (the
view ``prediction_scored``), the words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules import odds
from slomix_pipeline.rules.attack_model import VERSION, Roster, from_json, roster
from slomix_pipeline.rules.forecast_report import Foretells
from slomix_pipeline.rules.par import Attack, par
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.rules.things import ThingKind
from slomix_pipeline.warehouse import fitted, forecast_reports
from slomix_pipeline.warehouse.fitted import Fitted, Model
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class HalfTimeSaid:
    """What was said at half-time. ``to_beat``: seconds; ``attacks``: on the map so far, of which ``chance`` is, None:
    too few; ``par``: seconds."""

    round_key: str
    to_beat: int
    limit_seconds: int | None
    attacks: int
    par: int | None
    chance: float | None


@dataclass(frozen=True)
class _HalfPlayed:
    """A match of which its first round alone is there, fresh from a sensor."""

    round_key: str
    server: str
    map: str
    limit_seconds: int | None
    to_beat: int
    attackers_first: Team | None


def note(conn: Connection[DictRow], session_keys: Sequence[str], max_age: timedelta) -> None:
    """Notes what is foretold of matches whose first round a sensor brought not longer than ``max_age`` ago and whose
    second one is not there; each once, and nothing by what rules of another version fitted.

    Belongs into the transaction that scores: so it stands before anybody reads of that round, and nothing that a person
    asks for later, an import or a backfill, foretells what has long been played.
    """
    halves = _half_played(conn, session_keys, max_age)
    if not halves:
        return
    maps, players = (_fitted(conn, model) for model in (Model.MAP_TIMES, Model.PLAYER_TIMES))
    for half in halves:
        if maps is not None:
            _note_half_time(conn, half, maps)
        if players is not None:
            _note_match(conn, half, players)


def _half_played(conn: Connection[DictRow], session_keys: Sequence[str], max_age: timedelta) -> list[_HalfPlayed]:
    with conn.cursor(row_factory=rows_of(_HalfPlayed)) as cursor:
        return cursor.execute(
            """select m.r1_key as round_key, p.server, map_key(m.map) as map, p.limit_seconds, m.r1_seconds as to_beat,
                      m.attackers_first
               from news n
               join match m on m.r1_key = n.partition_key
               join parsed_round p on p.round_key = m.r1_key
               where n.kind = %(kind)s and n.session_key = any(%(sessions)s) and n.by_sensor
                 and n.ended_at + %(max_age)s > now() and m.r1_seconds is not null
                 and not exists (select from prediction said where said.round_key = m.r1_key)
               order by m.r1_key""",
            {"kind": ThingKind.ROUND1, "sessions": list(session_keys), "max_age": max_age},
        ).fetchall()


def _note_half_time(conn: Connection[DictRow], half: _HalfPlayed, known: Fitted) -> None:
    said = odds.half_time(from_json(known.parameters), half.map, half.to_beat)
    attacks = conn.execute(
        """select seconds, completed from map_attack
           where map = %s and limit_seconds is not distinct from %s order by seconds, completed""",
        [half.map, half.limit_seconds],
    )
    usual = par((Attack(row["seconds"], row["completed"]) for row in attacks), half.limit_seconds)
    chance = said.chance if said.enough else None
    _store(conn, Foretells.HALF_TIME, half, known, said.attacks, usual.par, chance, told=True)


def _note_match(conn: Connection[DictRow], half: _HalfPlayed, known: Fitted) -> None:
    teams = _rosters(conn, half.round_key)
    if half.attackers_first is None or half.limit_seconds is None or len(teams) < len(Team):
        return
    model = from_json(known.parameters)
    first, second = teams[half.attackers_first], teams[other_team(half.attackers_first)]
    said = odds.match_odds(model, half.map, half.limit_seconds, first, second, forecast_reports.temperature(conn))
    attacks = model.attacks.get(half.map, 0)
    _store(conn, Foretells.MATCH, half, known, attacks, None, said.first, said.draw, told=False)


def _rosters(conn: Connection[DictRow], round_key: str) -> dict[Team, Roster]:
    """Who played a round for which team, by person; without teams of which nobody was there long enough."""
    seconds: dict[Team, dict[str, float]] = {}
    for row in conn.execute(
        """select p.team, coalesce(d.person_guid, r.guid) as guid, sum(r.seconds_played)::integer as seconds
           from round_player r
           join session_round s using (round_key)
           join session_player p on p.session_key = s.session_key and p.guid = r.guid
           left join person_decided d on d.guid = r.guid
           where r.round_key = %s and p.team is not null and r.seconds_played is not null
           group by p.team, coalesce(d.person_guid, r.guid) order by 1, 2""",
        [round_key],
    ):
        seconds.setdefault(Team(row["team"]), {})[row["guid"]] = row["seconds"]
    rosters = {team: roster(own) for team, own in seconds.items() if sum(own.values())}
    return {team: own for team, own in rosters.items() if own.shares}


def _store(
    conn: Connection[DictRow],
    kind: Foretells,
    half: _HalfPlayed,
    known: Fitted,
    attacks: int,
    usual: int | None,
    chance: float | None,
    draw: float | None = None,
    *,
    told: bool,
) -> None:
    conn.execute(
        """insert into prediction (kind, round_key, version, known_until, map, limit_seconds, to_beat, attacks, par,
                                   chance, draw_chance, told)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           on conflict do nothing""",
        [
            kind,
            half.round_key,
            known.version,
            known.known_until,
            half.map,
            half.limit_seconds,
            half.to_beat,
            attacks,
            usual,
            chance,
            draw,
            told and chance is not None,
        ],
    )


def _fitted(conn: Connection[DictRow], model: Model) -> Fitted | None:
    found = fitted.load(conn, model)
    return found if found is not None and found.version == VERSION else None


def said_at_half_time(conn: Connection[DictRow], to_beat: Mapping[str, int | None]) -> dict[str, HalfTimeSaid]:
    """What was said when these rounds were over, by round. ``to_beat``: the time that each left, as it is known now;
    what was said of another one is nothing to tell."""
    with conn.cursor(row_factory=rows_of(HalfTimeSaid)) as cursor:
        rows = cursor.execute(
            """select round_key, to_beat, limit_seconds, attacks, par, chance from prediction
               where kind = %s and round_key = any(%s)""",
            [Foretells.HALF_TIME, list(to_beat)],
        ).fetchall()
    return {row.round_key: row for row in rows if row.to_beat == to_beat[row.round_key]}


@dataclass(frozen=True)
class HalfTimeListed:
    """What was said at half-time of a match, and what came. ``came_true``: the second attack won; None: not known, or
    not to be held against it."""

    round_key: str
    map: str
    to_beat: int
    attacks: int
    chance: float | None
    made_at: datetime
    late: bool | None
    came_true: bool | None


def latest(conn: Connection[DictRow], most: int = 30) -> list[HalfTimeListed]:
    """What was said at half-time of the latest matches, the newest first."""
    with conn.cursor(row_factory=rows_of(HalfTimeListed)) as cursor:
        return cursor.execute(
            """select p.round_key, p.map, p.to_beat, p.attacks, p.chance, p.made_at, s.late, s.came_true
               from prediction p left join prediction_scored s using (id)
               where p.kind = %s order by p.id desc limit %s""",
            [Foretells.HALF_TIME, most],
        ).fetchall()
