"""What was expected of players, beside what they did: in a session, in a match, and over the sessions of one of them.

Belongs here: reading the tables ``expectation`` and ``expected_night``, and which sums of them are told. Does not
belong here: writing them (``played_history``), from when on anything is said (``rules.expected``), the words
(``reports.expected_words``), whether a player's form changed (``form_changes``).

What is told of a session is summed here, of its rounds as they are now, so it is what the rest of its page says. As
long as nothing was expected in one of them, though it could be, nothing is told of any: a part would pass for the
whole. The nights of a player are told as they were when the models learned last.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow, tuple_row

from slomix_pipeline.rules.expected import (
    Expectation,
    Metric,
    PlayedRound,
    Sum,
    judged,
    situations,
    summed,
    usual_ratio,
)
from slomix_pipeline.rules.form import Against
from slomix_pipeline.warehouse.played_history import played_rounds


@dataclass(frozen=True)
class Held:
    """What a player did, held against what was expected. ``ratio``: of actual to expected; between ``usual_low`` and
    ``usual_high`` it is in 80 of 100 cases that are as long; ``judged``: even is a usual one; ``rounds``: of how many
    rounds it is the sum, which last so many ``minutes``."""

    rounds: int
    minutes: float
    actual: int
    expected: float
    ratio: float
    usual_low: float
    usual_high: float
    judged: Against


@dataclass(frozen=True)
class PlayerHeld:
    """A player of a session or match, by person. ``earlier_rounds``: of him, that this rests on; a number that is known
    of none of his rounds is None."""

    guid: str
    name: str
    earlier_rounds: int
    damage: Held | None
    kills: Held | None


@dataclass(frozen=True)
class NightHeld:
    """A session of one player."""

    session_key: str
    ended_at: datetime
    earlier_rounds: int
    damage: Held | None
    kills: Held | None


@dataclass(frozen=True)
class HeldOf:
    """Those of a session or match who are known well enough, by name, and how many are not."""

    players: tuple[PlayerHeld, ...] = ()
    not_known: int = 0


NOBODY = HeldOf()


@dataclass(frozen=True)
class NightKept:
    """A player's sum of a session as it was when the models learned last. ``own_sd``: how far his full nights scattered
    before it."""

    session_key: str
    started_at: datetime
    ended_at: datetime
    sums: Sum
    own_sd: float


_KEPT = """e.session_key, s.started_at, s.ended_at, e.own_sd,
           e.guid, e.metric, e.rounds, e.minutes, e.expected, e.actual, e.earlier_rounds"""


def held_of_session(conn: Connection[DictRow], session_key: str) -> HeldOf:
    """The players of a session; nobody while that was not learned."""
    return _held_of(conn, session_key, None)


def held_of_match(conn: Connection[DictRow], session_key: str, round_keys: Collection[str]) -> HeldOf:
    """The players of a match, of its rounds."""
    return _held_of(conn, session_key, round_keys)


def _held_of(conn: Connection[DictRow], session_key: str, round_keys: Collection[str] | None) -> HeldOf:
    own_sd = {(one.sums.guid, one.sums.metric): one.own_sd for one in sums_of_session(conn, session_key)}
    if not own_sd:  # so it was not learned yet, and no rounds have to be read for that
        return NOBODY
    played = [one for one in played_rounds(conn, [session_key]) if round_keys is None or one.key in round_keys]
    names, players = names_of(conn, session_key), []
    sums = summed(known_expectations(conn, played))
    for guid, own in groupby(sums, key=lambda one: one.guid):
        numbers = {one.metric: shown for one in own if (shown := held(one, own_sd.get((guid, one.metric))))}
        if numbers and guid in names:
            earlier = min(one.earlier_rounds for one in sums if one.guid == guid)
            both = (numbers.get(Metric.DAMAGE), numbers.get(Metric.KILLS))
            players.append(PlayerHeld(guid, names[guid], earlier, *both))
    players.sort(key=lambda player: (player.name.casefold(), player.guid))
    return HeldOf(tuple(players), len({one.guid for one in sums}) - len(players))


def held(own: Sum, own_sd: float | None) -> Held | None:
    """A sum as it is told; None of who is not known well enough."""
    how = None if own_sd is None else judged(own, own_sd)
    if own_sd is None or how is None:
        return None
    low, high = usual_ratio(own_sd, own.minutes)
    return Held(own.rounds, own.minutes, own.actual, own.expected, own.ratio, low, high, how)


def known_expectations(conn: Connection[DictRow], played: Sequence[PlayedRound]) -> list[Expectation]:
    """What was expected in some rounds, by all sessions before theirs; nothing where it is not known of all of them."""
    rows = conn.execute(
        "select round_key, guid, damage, kills, earlier_rounds from expectation where round_key = any(%s)",
        [[one.key for one in played]],
    ).fetchall()
    kept = {(row["round_key"], row["guid"]): row for row in rows}
    found = []
    for one in played:
        sides = situations(one)
        for line in one.lines:
            if line.damage is None or line.kills is None or line.seconds <= 0 or line.side not in sides:
                continue
            if (row := kept.get((one.key, line.guid))) is None:
                return []
            for metric, actual in ((Metric.DAMAGE, line.damage), (Metric.KILLS, line.kills)):
                own = (one.key, one.night, line.guid, metric, line.seconds / 60)
                found.append(Expectation(*own, row[metric], actual, row["earlier_rounds"]))
    return found


def sums_of_session(conn: Connection[DictRow], session_key: str) -> list[NightKept]:
    """Everybody's sums of a session."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(
            f"""select {_KEPT} from expected_night e cross join session s
                where e.session_key = %(key)s and s.session_key = %(key)s
                order by e.guid, e.metric""",
            {"key": session_key},
        )
        return [_kept(*row) for row in rows]


def sums_before(conn: Connection[DictRow], guids: Sequence[str], began: datetime) -> list[NightKept]:
    """All sums of players of sessions that began before a moment, in order of play."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(
            f"""select {_KEPT}
                from (select * from expected_night where guid = any(%s)) e join session s using (session_key)
                where s.started_at < %s
                order by s.started_at, e.session_key, e.guid, e.metric""",
            [list(guids), began],
        )
        return [_kept(*row) for row in rows]


def latest_sums(conn: Connection[DictRow], guid: str, most: int) -> list[NightKept]:
    """The sums of so many of the latest sessions of a player, in order of play."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(
            f"""select {_KEPT}
                from (select * from expected_night where guid = %s) e join session s using (session_key)
                order by s.started_at desc, e.session_key desc, e.metric desc limit %s""",
            [guid, len(Metric) * most],
        ).fetchall()
    return [_kept(*row) for row in rows][::-1]


def _kept(session_key: str, started_at: datetime, ended_at: datetime, own_sd: float, *of_sum: Any) -> NightKept:
    guid, metric, *numbers = of_sum
    return NightKept(session_key, started_at, ended_at, Sum(guid, Metric(metric), *numbers), own_sd)


def nights_held(nights: Sequence[NightKept]) -> Iterator[NightHeld]:
    """The sessions of a player, the latest first, of those before which he was known well enough. ``nights``: his sums,
    in order of play."""
    for key, own in groupby(reversed(nights), key=lambda night: night.session_key):
        both = list(own)
        numbers = {one.sums.metric: shown for one in both if (shown := held(one.sums, one.own_sd))}
        if numbers:
            told = (numbers.get(Metric.DAMAGE), numbers.get(Metric.KILLS))
            yield NightHeld(key, both[0].ended_at, both[0].sums.earlier_rounds, *told)


def names_of(conn: Connection[DictRow], session_key: str) -> dict[str, str]:
    """What the players of a session are called in it, by person."""
    rows = conn.execute("select distinct person, called from session_name where session_key = %s", [session_key])
    return {row["person"]: row["called"] for row in rows}
