"""A folder's files cut into batches that can be worked out side by side.

Belongs here: which files have nothing to do with each other. Does not belong here: working them out
(``actions.import_batches``).
"""

from bisect import bisect
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from slomix_pipeline.rules.linking import CANDIDATE_WINDOW
from slomix_pipeline.rules.sessions import Stamped, group_into_sessions

FILES_AT_ONCE = 400  # in a batch; more only where the rounds follow each other without a pause
_CLOCK_CHANGE = timedelta(hours=1)  # a stamp in the hour that comes twice may turn out to be the later


@dataclass(frozen=True)
class Batch:
    """Whole sessions, and what lies near them. ``records``: timing records, to be read first; ``rounds``: to be worked
    out; ``planned``: all rounds of these sessions, also those that are known already. Keys in order of play."""

    records: list[str] = field(default_factory=list)
    rounds: list[str] = field(default_factory=list)
    planned: frozenset[str] = frozenset()


def apart(session_gap: timedelta) -> timedelta:
    """The pause after which no round has anything to do with those before: neither a session nor a timing record, and
    were it in the hour that comes twice."""
    return max(session_gap, 2 * CANDIDATE_WINDOW) + _CLOCK_CHANGE


def cut_into_batches(
    rounds: Mapping[str, datetime],
    todo: Collection[str],
    records: Mapping[str, datetime],
    session_gap: timedelta,
    joined: Iterable[str] = (),
) -> list[Batch]:
    """The rounds ``todo`` and the timing records of one server in batches, in order of play.

    Args:
        rounds: the stamps of all rounds, also of those that are known already, by key.
        records: when the rounds of the records ended, by key.
        joined: rounds that somebody joined to the round before, however long ago that was.
    """
    stamped = (Stamped(key, at) for key, at in rounds.items())
    lots = group_into_sessions(stamped, apart(session_gap), dict.fromkeys(joined, False))
    lots = lots or [[]]
    # A record lies with the rounds that are nearest.
    borders = [before[-1].stamp + (after[0].stamp - before[-1].stamp) / 2 for before, after in pairwise(lots)]
    records_of: list[list[str]] = [[] for _ in lots]
    for key, at in sorted(records.items(), key=lambda item: (item[1], item[0])):
        records_of[bisect(borders, at)].append(key)
    chosen = set(todo)
    batches: list[Batch] = []
    for lot, near in zip(lots, records_of, strict=True):
        own = [entry.key for entry in lot if entry.key in chosen]
        if own or near:
            batches = _with(batches, Batch(near, own, frozenset(entry.key for entry in lot)))
    return batches


def _with(batches: Sequence[Batch], more: Batch) -> list[Batch]:
    """The batches with some files more: in the last one as long as it is not full."""
    if batches and 3 * len(batches[-1].rounds) < FILES_AT_ONCE and len(batches[-1].records) < FILES_AT_ONCE:
        last = batches[-1]
        together = Batch(last.records + more.records, last.rounds + more.rounds, last.planned | more.planned)
        return [*batches[:-1], together]
    return [*batches, more]
