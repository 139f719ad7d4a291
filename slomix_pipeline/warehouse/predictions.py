"""The ledger of what was foretold: noted as it was made, read as it was said.

Belongs here: the table ``prediction``. Does not belong here: the chances (``rules.odds``), what became of them (the
view ``prediction_scored``), the words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.rules import odds
from slomix_pipeline.rules.attack_model import VERSION, AttackModel, from_json, roster
from slomix_pipeline.rules.differential import NO_IDENTITY
from slomix_pipeline.rules.forecast_report import Foretells
from slomix_pipeline.rules.par import Attack, Par, par
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.rules.things import ThingKind
from slomix_pipeline.warehouse import fitted, forecast_reports
from slomix_pipeline.warehouse.attack_terms import known_of
from slomix_pipeline.warehouse.fitted import Model
from slomix_pipeline.warehouse.rows import rows_of

# From the end of a round 1 to the start of round 2, at most: what comes later than that and the time to beat together
# may come when all is over.
BETWEEN_ROUNDS = timedelta(minutes=5)


@dataclass(frozen=True)
class HalfTimeSaid:
    """What was said at half-time. ``to_beat``: seconds; ``attacks``: on this map, that the chance was learned from;
    ``par``: seconds, of ``par_attacks`` on this map with this limit; ``chance``: None: too few attacks."""

    round_key: str
    to_beat: int
    limit_seconds: int | None
    attacks: int
    par: int | None
    par_attacks: int | None
    chance: float | None


@dataclass(frozen=True)
class _HalfPlayed:
    """A match of which its first round alone is there, fresh from a sensor."""

    round_key: str
    map: str
    limit_seconds: int | None
    to_beat: int
    attackers_first: Team | None


@dataclass(frozen=True)
class _Foretold:
    """What the ledger keeps of a forecast beside its match."""

    kind: Foretells
    known_until: datetime | None
    attacks: int
    chance: float | None
    told: bool
    par: Par | None = None
    rosters: Mapping[str, Mapping[str, int]] | None = None


def note(conn: Connection[DictRow], session_keys: Sequence[str], max_age: timedelta) -> None:
    """Notes what is foretold of matches whose first round a sensor brought not longer than ``max_age`` ago, and before
    the second one can be over; each once, and nothing by what rules of another version fitted.

    Belongs into the transaction that scores: so it stands before anybody reads of that round, and nothing that a person
    asks for later, an import or a backfill, foretells what has long been played.
    """
    halves = _half_played(conn, session_keys, max_age)
    maps = fitted.load(conn, Model.MAP_TIMES, VERSION) if halves else None
    if maps is None:
        return
    model = from_json(maps.parameters)
    for half in halves:
        _store(conn, half, _half_time(conn, half, model, maps.known_until))
        if (before := _match(conn, half, model)) is not None:
            _store(conn, half, before)


def _half_played(conn: Connection[DictRow], session_keys: Sequence[str], max_age: timedelta) -> list[_HalfPlayed]:
    with conn.cursor(row_factory=rows_of(_HalfPlayed)) as cursor:
        return cursor.execute(
            """select m.r1_key as round_key, map_key(m.map) as map, p.limit_seconds, m.r1_seconds as to_beat,
                      m.attackers_first
               from news n
               join match m on m.r1_key = n.partition_key
               join parsed_round p on p.round_key = m.r1_key
               where n.kind = %(kind)s and n.session_key = any(%(sessions)s) and n.by_sensor
                 and n.ended_at + least(%(max_age)s, m.r1_seconds * interval '1 second' + %(between)s) > now()
                 and not exists (select from prediction said where said.round_key = m.r1_key)
               order by m.r1_key""",
            {
                "kind": ThingKind.ROUND1,
                "sessions": list(session_keys),
                "max_age": max_age,
                "between": BETWEEN_ROUNDS,
            },
        ).fetchall()


def _half_time(
    conn: Connection[DictRow], half: _HalfPlayed, model: AttackModel, known_until: datetime | None
) -> _Foretold:
    said = odds.half_time(model, half.map, half.to_beat)
    attacks = conn.execute(
        """select seconds, completed from map_attack
           where map = %s and limit_seconds is not distinct from %s order by seconds, completed""",
        [half.map, half.limit_seconds],
    )
    usual = par((Attack(row["seconds"], row["completed"]) for row in attacks), half.limit_seconds)
    chance = said.chance if said.enough else None
    return _Foretold(Foretells.HALF_TIME, known_until, said.attacks, chance, chance is not None, usual)


def _match(conn: Connection[DictRow], half: _HalfPlayed, maps: AttackModel) -> _Foretold | None:
    """Of the teams alone, as it is told of them before a match."""
    seconds = _seconds_of_teams(conn, half.round_key)
    if half.attackers_first is None or half.limit_seconds is None or seconds is None:
        return None
    first, second = (seconds[team] for team in (half.attackers_first, other_team(half.attackers_first)))
    teams = roster(first), roster(second)
    known = known_of(conn, [*first, *second])
    if known is None or not all(team.shares for team in teams):
        return None
    chance = odds.decided_odds(known.model, *teams, forecast_reports.temperature(conn))
    rosters = {"first": first, "second": second}
    attacks = maps.attacks.get(half.map, 0)
    return _Foretold(Foretells.MATCH, known.known_until, attacks, chance, told=False, rosters=rosters)


def _seconds_of_teams(conn: Connection[DictRow], round_key: str) -> Mapping[Team, Mapping[str, int]] | None:
    """How many seconds of a round everybody was there for his team, by person; None where that is not known of all."""
    seconds: dict[Team, dict[str, int]] = {team: {} for team in Team}
    for row in conn.execute(
        """select p.team, coalesce(d.person_guid, r.guid) as guid, r.seconds_played, %s = any(r.flags) as unknown
           from round_player r
           join session_round s using (round_key)
           left join session_player p on p.session_key = s.session_key and p.guid = r.guid
           left join person_decided d on d.guid = r.guid
           where r.round_key = %s and r.side is not null and r.seconds_played is distinct from 0
           order by guid, r.guid""",
        [NO_IDENTITY, round_key],
    ):
        if row["unknown"] or row["team"] is None or row["seconds_played"] is None:
            return None
        own = seconds[Team(row["team"])]
        own[row["guid"]] = own.get(row["guid"], 0) + row["seconds_played"]
    return seconds if all(seconds.values()) else None


def _store(conn: Connection[DictRow], half: _HalfPlayed, said: _Foretold) -> None:
    conn.execute(
        """insert into prediction (kind, round_key, version, known_until, map, limit_seconds, to_beat, attacks, par,
                                   par_attacks, chance, rosters, told)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           on conflict do nothing""",
        [
            said.kind,
            half.round_key,
            VERSION,
            said.known_until,
            half.map,
            half.limit_seconds,
            half.to_beat,
            said.attacks,
            said.par and said.par.par,
            said.par and said.par.attacks,
            said.chance,
            said.rosters and Jsonb(said.rosters),
            said.told,
        ],
    )


def said_at_half_time(conn: Connection[DictRow], to_beat: Mapping[str, int | None]) -> dict[str, HalfTimeSaid]:
    """What was said when these rounds were over, by round. ``to_beat``: the time that each left, as it is known now;
    what was said of another one, or when the second round was over, is nothing to tell."""
    with conn.cursor(row_factory=rows_of(HalfTimeSaid)) as cursor:
        rows = cursor.execute(
            """select p.round_key, p.to_beat, p.limit_seconds, p.attacks, p.par, p.par_attacks, p.chance
               from prediction p
               where p.kind = %s and p.round_key = any(%s)
                 and not exists (select from match m join parsed_round second on second.round_key = m.r2_key
                                 where m.r1_key = p.round_key and second.stamp <= p.made_at)""",
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
