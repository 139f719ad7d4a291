"""Whether a player's form has changed: his damage and kills against what was expected, and his aimed accuracy.

Belongs here: reading his nights for that. Does not belong here: what a change is, and when it is told
(``rules.change``). Other numbers are not looked at: each one more is one more chance to be wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.change import LATEST_NIGHTS, Night, night_of, night_of_accuracy, standing_change
from slomix_pipeline.rules.expected import Metric
from slomix_pipeline.warehouse.expectations import NightKept

ACCURACY = "accuracy"
NIGHTS = 3 * LATEST_NIGHTS  # that are looked at: whatever was told before these is told no more


@dataclass(frozen=True)
class FormChange:
    """Since a session a player's nights have been at another level. ``what``: damage, kills or accuracy; ``by``: as a
    part of the level before, between ``low`` and ``high`` in 95 of 100 cases; ``probability``: that it changed."""

    what: str
    since: datetime
    session_key: str
    probability: float
    by: float
    low: float
    high: float


def changes_of(conn: Connection[DictRow], guids: Sequence[str], nights: Sequence[NightKept]) -> tuple[FormChange, ...]:
    """The changes that are told of a player now. ``guids``: all of his; ``nights``: his latest sums, of
    ``NIGHTS`` sessions, in order of play."""
    began = {night.session_key: night.started_at for night in nights}
    series: dict[str, list[Night]] = {}
    for metric in Metric:
        own = [night_of(night.session_key, night.sums, night.own_sd) for night in nights if night.sums.metric is metric]
        series[metric] = [night for night in own if night is not None][-NIGHTS:]
    series[ACCURACY] = _accuracy(conn, guids, began)
    return tuple(
        FormChange(what, began[found.since], found.since, found.probability, found.by, found.low, found.high)
        for what, own in series.items()
        if (found := standing_change(own)) is not None
    )


def _accuracy(conn: Connection[DictRow], guids: Sequence[str], began: dict[str, datetime]) -> list[Night]:
    """His latest nights by aimed accuracy, in order of play; when each began is added to ``began``."""
    rows = conn.execute(
        """select session_key, s.started_at, own.aimed_hits, own.aimed_shots
           from (
               select scope as session_key, sum(aimed_hits)::bigint as aimed_hits,
                      sum(aimed_shots)::bigint as aimed_shots
               from player_session_fact where guid = any(%(guids)s)
               group by scope having count(aimed_hits) = count(*) and count(aimed_shots) = count(*)
               order by max(last_played_at) desc, scope desc limit %(most)s
           ) own
           join session s using (session_key)
           order by s.started_at, session_key""",
        {"guids": list(guids), "most": NIGHTS},
    ).fetchall()
    found = [night_of_accuracy(row["session_key"], row["aimed_hits"], row["aimed_shots"]) for row in rows]
    began.update({row["session_key"]: row["started_at"] for row in rows})
    return [night for night in found if night is not None]
