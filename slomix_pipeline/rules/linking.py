"""Which file of a round belongs to it, told by map, number and clock: one to one, and a tie is never guessed.

Belongs here: the link of any two kinds of things that say when they ended. What is special about timing records is in
``rules.timing_records``, about awards in ``rules.endstats``.
Source of the window: both write at the end of a round, some seconds apart; beyond 30 s it was always another play.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from slomix_pipeline.rules.values import map_key

LINK_WINDOW = timedelta(seconds=30)  # true pairs lie within 7 s
CANDIDATE_WINDOW = timedelta(minutes=45)  # a lone record this far off is shown, never used
_QUARTER_HOUR = timedelta(minutes=15)  # what time zones differ by
_FARTHEST_ZONES = timedelta(hours=26)


class LinkClass(StrEnum):
    """How sure it is that two things are of one round. Files carry no start, so there is no link by equal starts."""

    EXACT_END = "exact_end"
    FUZZY = "fuzzy"
    TIE = "tie"
    NONE = "none"


class Clocked(NamedTuple):
    """A round (file stamp) or a record of one (end), to be matched. ``number`` as written; None: it tells nothing.
    ``began``: when the round of a record began, where it says so."""

    key: str
    map_name: str
    number: int | None
    at: datetime
    began: datetime | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """What a round has: a record that is linked, one that is only a candidate, or why there is none."""

    link_class: LinkClass
    reason: str | None = None
    record_key: str | None = None
    candidate_key: str | None = None


class _Pair(NamedTuple):
    distance: timedelta
    key: str
    record_key: str
    same_number: bool


def link_records(rounds: Sequence[Clocked], records: Sequence[Clocked]) -> dict[str, Link]:
    """The link of every round, by key; one to one, decided over all of them at once by the smallest distance.

    Two candidates at the same distance link to neither. More records or rounds never take a link from a pair but by a
    smaller distance, or by an equal one that shows that it never was sure.
    """
    pairs = sorted(
        _Pair(abs(r.at - record.at), r.key, record.key, _same_number(r, record))
        for r in rounds
        for record in records
        if _may_belong(r, record)
    )
    near = [pair for pair in pairs if pair.same_number and pair.distance <= LINK_WINDOW]
    links: dict[str, Link] = {}
    used: set[str] = set()
    for _, equally_far in groupby(near, key=lambda pair: pair.distance):
        free = [pair for pair in equally_far if pair.key not in links and pair.record_key not in used]
        for pair in free:
            tied = any((p.key == pair.key) != (p.record_key == pair.record_key) for p in free)
            links[pair.key] = _TIE if tied else Link(LinkClass.EXACT_END, record_key=pair.record_key)
        used |= {pair.record_key for pair in free}
    for entry in rounds:
        links.setdefault(entry.key, _candidate(entry.key, [pair for pair in pairs if pair.record_key not in used]))
    return links


_TIE = Link(LinkClass.TIE, "two candidates at the same distance")


def seconds_text(span: timedelta) -> str:
    """A span for people: ``30 s``."""
    return f"{span.total_seconds():g} s"


WITHIN_WINDOW = f"within {seconds_text(LINK_WINDOW)}"


def same_map_within(one: Clocked, other: Clocked, window: timedelta) -> bool:
    """Whether both are of one map and ended within ``window`` of each other."""
    return map_key(one.map_name) == map_key(other.map_name) and abs(one.at - other.at) <= window


def _same_number(entry: Clocked, record: Clocked) -> bool:
    return record.number in (None, entry.number)


def _may_belong(entry: Clocked, record: Clocked) -> bool:
    """Whether a record is worth showing with a round; one that doesn't name this round only when it is near."""
    if record.began is not None and record.began >= entry.at:
        return False
    return same_map_within(entry, record, CANDIDATE_WINDOW if record.number == entry.number else LINK_WINDOW)


def _candidate(key: str, free: Sequence[_Pair]) -> Link:
    """The only record for the round of ``key``, if it is a record for that round only: shown, never used."""
    mine = [pair for pair in free if pair.key == key]
    if len(mine) != 1 or sum(pair.record_key == mine[0].record_key for pair in free) != 1:
        return Link(LinkClass.NONE, f"none {WITHIN_WINDOW} of the file stamp")
    why = "the only one near, but it says it is the map's other round"
    if mine[0].same_number:
        why = f"the only one of this map and round, but more than {seconds_text(LINK_WINDOW)} off"
    return Link(LinkClass.FUZZY, why, candidate_key=mine[0].record_key)


def zone_off_by(rounds: Sequence[Clocked], records: Sequence[Clocked]) -> timedelta | None:
    """By how much the stamps of rounds lie beside the ends of their records, where a wrong time zone tells: the same
    quarter hours for most records, and for two at least. None where none does. Nothing is linked by it."""
    found = Counter(off for record in records for off in {_quarters_off(entry, record) for entry in rounds} if off)
    off, times = found.most_common(1)[0] if found else (0, 0)
    return off * _QUARTER_HOUR if times >= 2 and 2 * times > len(records) else None


def _quarters_off(entry: Clocked, record: Clocked) -> int:
    """The quarter hours from a record's end to a round's stamp, when it is the round's but for that; else 0."""
    quarters = round((entry.at - record.at) / _QUARTER_HOUR)
    moved = entry._replace(at=entry.at - quarters * _QUARTER_HOUR)
    fits = entry.number == record.number and same_map_within(moved, record, LINK_WINDOW)
    return quarters if fits and abs(entry.at - record.at) <= _FARTHEST_ZONES else 0
