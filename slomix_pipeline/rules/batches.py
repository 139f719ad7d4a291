"""A folder's rounds cut into batches that can be worked out side by side.

Belongs here: which rounds have nothing to do with each other. Does not belong here: working them out
(``actions.import_batches``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slomix_pipeline.rules.linking import CANDIDATE_WINDOW
from slomix_pipeline.rules.sessions import Stamped, group_into_sessions

ROUNDS_AT_ONCE = 130  # in a batch; more only where the rounds follow each other without a pause
_CLOCK_CHANGE = timedelta(hours=1)  # a stamp in the hour that comes twice may turn out to be the later


@dataclass(frozen=True)
class Batch:
    """Whole sessions. ``rounds``: to be worked out, in order of play; ``planned``: all rounds of these sessions, also
    those that are known already."""

    rounds: list[str]
    planned: frozenset[str]


def apart(session_gap: timedelta) -> timedelta:
    """The pause after which no round has anything to do with those before: neither a session nor a timing record, and
    were it in the hour that comes twice."""
    return max(session_gap, 2 * CANDIDATE_WINDOW) + _CLOCK_CHANGE


def cut_into_batches(
    rounds: Mapping[str, datetime],
    todo: Collection[str],
    session_gap: timedelta,
    joined: Iterable[str] = (),
) -> list[Batch]:
    """The rounds ``todo`` of one server in batches, in order of play.

    Args:
        rounds: the stamps of all rounds, also of those that are known already, by key.
        joined: rounds that somebody joined to the round before, however long ago that was.
    """
    stamped = (Stamped(key, at) for key, at in rounds.items())
    lots = group_into_sessions(stamped, apart(session_gap), dict.fromkeys(joined, False))
    chosen = set(todo)
    batches: list[Batch] = []
    for lot in lots:
        own = [entry.key for entry in lot if entry.key in chosen]
        if own:
            batches = _with(batches, Batch(own, frozenset(entry.key for entry in lot)))
    return batches


def _with(batches: Sequence[Batch], more: Batch) -> list[Batch]:
    """The batches with some rounds more: in the last one as long as it is not full."""
    if batches and len(batches[-1].rounds) < ROUNDS_AT_ONCE:
        last = batches[-1]
        return [*batches[:-1], Batch(last.rounds + more.rounds, last.planned | more.planned)]
    return [*batches, more]
