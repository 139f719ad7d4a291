"""The surprise of a session: whose night was furthest above what was expected of him.

Belongs here: working it out, also before the models have learned that session. Does not belong here: what a surprise is
(``rules.expected``), how it is told (``discord``), what pages show of everybody (``expectations``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.expected import (
    VERSION,
    Expectation,
    Metric,
    PlayedRound,
    Sum,
    expectations,
    from_json,
    own_sd,
    summed,
    surprise,
)
from slomix_pipeline.warehouse import fitted
from slomix_pipeline.warehouse.expectations import known_expectations, sums_before
from slomix_pipeline.warehouse.played_history import played_rounds


@dataclass(frozen=True)
class Surprise:
    """What somebody did in a session, and what was expected of him."""

    guid: str
    name: str
    metric: Metric
    actual: int
    expected: float


def surprise_of(conn: Connection[DictRow], session_key: str) -> Surprise | None:
    """The surprise of a session, by what was known before it: what comes later changes nothing of it. None: there was
    none, or it can't be known (yet). Never of who is hidden."""
    session = conn.execute("select started_at from session where session_key = %s", [session_key]).fetchone()
    played = played_rounds(conn, [session_key])
    if session is None or not played:
        return None
    began = session["started_at"]
    found = known_expectations(conn, played) or _by_the_models(conn, played, began)
    names = _names(conn, session_key)
    sums = [own for own in summed(found) if own.guid in names]
    own = surprise(_with_own_sd(conn, sums, began))
    return None if own is None else Surprise(own.guid, names[own.guid], own.metric, own.actual, own.expected)


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
