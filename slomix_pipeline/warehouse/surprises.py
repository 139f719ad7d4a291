"""The surprise of a session: whose night was furthest above what was expected of him.

Belongs here: working it out, also before the models have learned that session, and keeping what was told of it (the
table ``told_surprise``). Does not belong here: what a surprise is (``rules.expected``), how it is told (``discord``),
what pages show of everybody (``expectations``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow, tuple_row

from slomix_pipeline.rules.expected import (
    VERSION,
    Expectation,
    Metric,
    PlayedRound,
    Sum,
    expectations,
    from_json,
    own_sd,
    situations,
    summed,
    surprise,
    usual_ratio,
)
from slomix_pipeline.rules.things import Thing, ThingKind
from slomix_pipeline.warehouse import due, fitted
from slomix_pipeline.warehouse.expectations import known_expectations, sums_before
from slomix_pipeline.warehouse.played_history import played_rounds


@dataclass(frozen=True)
class Surprise:
    """What somebody did in a session, and what was expected of him; between ``usual_low`` and ``usual_high`` the ratio
    of both is in 80 of 100 sessions of his that are as long."""

    guid: str
    name: str
    metric: Metric
    actual: int
    expected: float
    usual_low: float
    usual_high: float


def surprise_of(conn: Connection[DictRow], session_key: str) -> Surprise | None:
    """The surprise of a session, by what was known before it: what comes later changes nothing of it. None: there was
    none, or it can't be known (yet). Never of who is hidden. Once it was told it stays, also where what is learned anew
    would name somebody else, as long as he may be named and his number is what it was."""
    session = conn.execute("select started_at from session where session_key = %s", [session_key]).fetchone()
    played = played_rounds(conn, [session_key])
    if session is None or not played:
        return None
    began, names = session["started_at"], _names(conn, session_key)
    told = _told(conn, session_key, names)
    if told and (told[0] is None or told[0].actual == _did(played, told[0])):
        return told[0]
    found = known_expectations(conn, played) or _by_the_models(conn, played, began)
    sums = _with_own_sd(conn, [own for own in summed(found) if own.guid in names], began)
    own = surprise(sums)
    if own is None:
        return None
    usual = usual_ratio(next(sd for one, sd in sums if one == own), own.minutes)
    return Surprise(own.guid, names[own.guid], own.metric, own.actual, own.expected, *usual)


def note_told(conn: Connection[DictRow], session_key: str, own: Surprise | None) -> None:
    """Keeps what the summary of a session says of its surprise, if that is told or is going to be."""
    if due.thing_named(conn, Thing(ThingKind.SESSION, session_key).name) is None:
        return
    numbers = (own.guid, own.metric, own.actual, own.expected, own.usual_low, own.usual_high) if own else (None,) * 6
    conn.execute(
        """insert into told_surprise (session_key, guid, metric, actual, expected, usual_low, usual_high)
           values (%s, %s, %s, %s, %s, %s, %s)
           on conflict (session_key) do update
           set (guid, metric, actual, expected, usual_low, usual_high)
               = (excluded.guid, excluded.metric, excluded.actual, excluded.expected, excluded.usual_low,
                  excluded.usual_high)""",
        [session_key, *numbers],
    )


def _told(conn: Connection[DictRow], session_key: str, names: Mapping[str, str]) -> tuple[Surprise | None] | None:
    """What was told of a session; None: nothing was told yet, or of who may not be named."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(
            """select guid, metric, actual, expected, usual_low, usual_high from told_surprise
               where session_key = %s""",
            [session_key],
        ).fetchone()
    if row is None:
        return None
    guid, metric, *numbers = row
    if guid is None:
        return (None,)
    return (Surprise(guid, names[guid], Metric(metric), *numbers),) if guid in names else None


def _did(played: Sequence[PlayedRound], told: Surprise) -> int:
    """The number that was told of somebody, as it is now."""
    return sum(
        line.actual(told.metric) or 0
        for one in played
        for line in one.lines
        if line.guid == told.guid and line.seconds > 0 and line.side in situations(one)
    )


def _by_the_models(conn: Connection[DictRow], played: Sequence[PlayedRound], began: datetime) -> list[Expectation]:
    """By what the models learned last, if that was before the session; else it is in them, and they can't judge it."""
    found: list[Expectation] = []
    for model in fitted.USUAL.values():
        kept = fitted.load(conn, model, VERSION)
        if kept is None or kept.known_until is None or kept.known_until >= began or not kept.parameters:
            return []
        found += expectations(from_json(kept.parameters), played)
    return found


def _with_own_sd(conn: Connection[DictRow], sums: Sequence[Sum], began: datetime) -> list[tuple[Sum, float]]:
    """Each sum with how far its player's full nights scattered before the session."""
    earlier: dict[tuple[str, Metric], list[Sum]] = {(own.guid, own.metric): [] for own in sums}
    for night in sums_before(conn, sorted({own.guid for own in sums}), began):
        earlier.setdefault((night.sums.guid, night.sums.metric), []).append(night.sums)
    return [(own, own_sd(own.metric, earlier[own.guid, own.metric])) for own in sums]


def _names(conn: Connection[DictRow], session_key: str) -> dict[str, str]:
    """What the players of a session are called in it, by person; without those who are hidden."""
    rows = conn.execute(
        """select distinct n.person, n.called from session_name n left join person_decided d using (guid)
           where n.session_key = %s and d.hidden_as is null""",
        [session_key],
    )
    return {row["person"]: row["called"] for row in rows}
