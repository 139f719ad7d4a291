"""The card of a map: its curve, by the order of the attacks where that matters, and its closest finishes.

Belongs here: asking the views about one map's attacks. Does not belong here: what a curve and par are (``rules.par``),
when the order matters (``rules.attack_order``), a map in a few numbers (``maps``), the words (``reports.map_words``).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.attack_order import Stratum, differ
from slomix_pipeline.rules.par import LEAST_ATTACKS, Attack, HoldingCurve, holding_curve, moves
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.warehouse.teams import team_names

CLOSE = 10  # seconds by which a time is beaten in a close finish
FINISHES = 5  # that are told


@dataclass(frozen=True)
class ParUntilGivenUp:
    """What par would be if attacks that were given up counted up to that moment alone; ``par`` None: not reached."""

    par: int | None


@dataclass(frozen=True)
class MapCurves:
    """The curves of the attacks with a map's usual limit. ``first``, ``second``: those of first and of second attacks;
    None as long as one curve is right for both. ``until_given_up``: None where that says the same as par."""

    both: HoldingCurve
    first: HoldingCurve | None
    second: HoldingCurve | None
    until_given_up: ParUntilGivenUp | None


@dataclass(frozen=True)
class Finish:
    """A second attack that beat the time that it had to by a few seconds. ``team``: who attacked."""

    match_key: str
    session_key: str
    round_key: str
    ended_at: datetime
    team: TeamName
    to_beat: int
    seconds: int


def map_curves(conn: Connection[DictRow], map_name: str, limit_seconds: int | None) -> MapCurves | None:
    """The curves of a map whose usual limit this is; None while there are too few attacks for one."""
    rows = conn.execute(
        """select number, limit_seconds, completed, seconds, count(*) as times
           from map_attack where map = %s group by number, limit_seconds, completed, seconds""",
        [map_name],
    ).fetchall()
    usual = [row for row in rows if row["limit_seconds"] == limit_seconds]
    both = holding_curve(_attacks(usual))
    if both.attacks < LEAST_ATTACKS:
        return None
    limits = {row["limit_seconds"] for row in rows}
    own = [_stratum(usual)]
    apart = differ(_stratum(row for row in rows if row["limit_seconds"] == limit) for limit in limits) and all(
        len(attacks) >= LEAST_ATTACKS for attacks in own[0]
    )
    first, second = map(holding_curve, own[0]) if apart else (None, None)
    return MapCurves(both, first, second, _until_given_up(conn, map_name, limit_seconds, usual, both.par))


def _attacks(rows: Iterable[DictRow]) -> list[Attack]:
    found: list[Attack] = []
    for row in rows:
        found += [Attack(row["seconds"], row["completed"])] * row["times"]
    return found


def _stratum(rows: Iterable[DictRow]) -> Stratum:
    known = list(rows)
    return Stratum(*(_attacks(row for row in known if row["number"] == number) for number in (1, 2)))


def _until_given_up(
    conn: Connection[DictRow], map_name: str, limit_seconds: int | None, usual: Iterable[DictRow], par: int | None
) -> ParUntilGivenUp | None:
    given_up = conn.execute(
        """select a.seconds, floor(t.duration_seconds)::integer as lasted
           from map_attack a join round_timing t using (round_key)
           where a.map = %s and a.limit_seconds is not distinct from %s and a.given_up and not a.completed
             and t.duration_seconds < a.seconds""",
        [map_name, limit_seconds],
    ).fetchall()
    if not given_up:
        return None
    attacks = Counter(_attacks(usual))
    attacks.subtract(Attack(row["seconds"], False) for row in given_up)
    attacks.update(Attack(row["lasted"], False) for row in given_up)
    other = holding_curve(attacks.elements()).par
    return ParUntilGivenUp(other) if moves(par, other) else None


def closest_finishes(conn: Connection[DictRow], map_name: str) -> tuple[Finish, ...]:
    """The second attacks on a map that won by the fewest seconds, closest and then newest first. Of those that failed
    nobody knows how little they lacked."""
    rows = conn.execute(
        """select m.match_key, m.session_key, second.round_key, second.stamp as ended_at, second.team,
                  first.seconds as to_beat, second.seconds
           from map_attack second
           join map_attack first on first.match_key = second.match_key and first.number = 1
           join match m on m.match_key = second.match_key
           where second.map = %(map)s and first.map = %(map)s and map_key(m.map) = %(map)s
             and second.number = 2 and second.completed and second.in_book
             and (first.completed or first.seconds = first.limit_seconds)
             and first.seconds - second.seconds between 0 and %(close)s and m.winner = second.team
           order by first.seconds - second.seconds, second.stamp desc, second.round_key limit %(most)s""",
        {"map": map_name, "close": CLOSE, "most": FINISHES},
    ).fetchall()
    names = team_names(conn, {row["session_key"] for row in rows})
    return tuple(Finish(**{**row, "team": names[row["session_key"]][row["team"]]}) for row in rows)
