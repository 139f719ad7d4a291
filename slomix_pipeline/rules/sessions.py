"""Gaming sessions: rounds whose file stamps follow each other closely. Never a date.

A pure function of the ordered stamps and of what people decided, so arrival order never matters. Stamps are round ends
and never change; durations play no part, so timing that comes late can't regroup anything.

Does not belong here: which rounds of a server have to be looked at for that (``warehouse.touched``).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

DEFAULT_GAP = timedelta(minutes=60)


def still_runs(ended_at: datetime, now: datetime, gap: timedelta = DEFAULT_GAP) -> bool:
    """Whether a round that ended now would belong to a session whose last round so far is of ``ended_at``."""
    return now - ended_at <= gap


class Stamped(NamedTuple):
    """A round's key and its file stamp (UTC)."""

    key: str
    stamp: datetime


def group_into_sessions(
    rounds: Iterable[Stamped], gap: timedelta = DEFAULT_GAP, begins: Mapping[str, bool] | None = None
) -> list[list[Stamped]]:
    """The rounds of one server by session, each in order; stamps exactly ``gap`` apart are one session.

    ``begins``: rounds of which somebody decided whether they begin a session, by key. Rounds of one second never begin
    two: a session has its name from the stamp of its first round.
    """
    decided = begins or {}
    sessions: list[list[Stamped]] = []
    for entry in sorted(rounds, key=lambda r: (r.stamp, r.key)):
        goes_on = bool(sessions) and entry.stamp - sessions[-1][-1].stamp <= gap
        begins_one = decided.get(entry.key, not goes_on)
        if sessions and (not begins_one or entry.stamp == sessions[-1][0].stamp):
            sessions[-1].append(entry)
        else:
            sessions.append([entry])
    return sessions
