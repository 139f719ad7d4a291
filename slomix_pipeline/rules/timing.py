"""How long a round really was, and which timing record belongs to it.

Belongs here: the order of duration sources, the one-to-one link, the comparison of header and record.
Source of the order: the engine's clock runs the stopwatch and every player's minutes; the header prints it when
the attackers won, and otherwise only repeats the limit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from slomix_pipeline.formats.gamestats import Header
from slomix_pipeline.rules.counters import OVERSTAY_MARGIN
from slomix_pipeline.rules.values import Status, attack_succeeded, map_key

LINK_WINDOW = timedelta(seconds=30)  # true pairs lie within 7 s; beyond 30 s it was always another play of the map
CANDIDATE_WINDOW = timedelta(minutes=45)  # a lone record this far off is shown, never used
ALIGNED_WITHIN = 30  # seconds
MINOR_WITHIN = 60  # seconds
GAVE_UP_MARGIN = 12  # seconds; full holds differ from the limit by up to 6 s, early ends by 15 s and more


class TimingStatus(StrEnum):
    """Whether the header told the truth about the round's length."""

    ALIGNED = "ALIGNED"
    MINOR_DIFF = "MINOR DIFF"
    DISCREPANCY = "DISCREPANCY"
    NO_LUA_DATA = "NO LUA DATA"


class Duration(NamedTuple):
    """Seconds of play without pauses, and where they are from; both None when nothing tells."""

    seconds: float | None
    source: str | None


class DurationSource(NamedTuple):
    """One thing that may tell a round's length; ``why_not``: why it does not, None when it does."""

    name: str
    seconds: float | None
    why_not: str | None


def duration_sources(
    header: Header,
    status: Status,
    player_seconds: Iterable[int | None],
    record_seconds: float | None = None,
) -> list[DurationSource]:
    """Everything that may tell a round's length, best first; ``players`` is exact to 6 s, ``limit`` an assumption.

    ``player_seconds``: what each player was there for in this round alone; ``record_seconds``: of the linked record.
    """
    limit = header.limit_seconds
    longest = max((s for s in player_seconds if s), default=None)
    presets = "the header of an aborted round holds presets" if status is Status.ABORTED else None
    sources = (
        DurationSource("attack_time", header.attack_seconds, presets or _why_not_attack_time(header)),
        DurationSource("measured", header.playtime_seconds, None),
        DurationSource("timing", record_seconds, None),
        DurationSource("players", longest and min(longest, limit or longest), None),
        DurationSource("limit", limit, presets),
    )
    return [source if source.seconds else source._replace(why_not="not there") for source in sources]


def _why_not_attack_time(header: Header) -> str | None:
    succeeded, limit, attack = attack_succeeded(header), header.limit_seconds, header.attack_seconds
    if succeeded is None:
        return "the header does not say who won"
    if not succeeded:
        return "the attackers did not win: it only repeats the limit"
    return None if attack and limit and attack <= limit else "above the limit, or without one"


def round_duration(
    header: Header,
    status: Status,
    player_seconds: Iterable[int | None],
    record_seconds: float | None = None,
) -> Duration:
    """The round's length, from the best source there is."""
    for source in duration_sources(header, status, player_seconds, record_seconds):
        if source.seconds and source.why_not is None:
            return Duration(float(source.seconds), source.name)
    return Duration(None, None)


def attackers_gave_up(header: Header, duration: Duration) -> bool | None:
    """Whether the attackers ended the round early; None when that can't be told."""
    succeeded = attack_succeeded(header)
    if succeeded is None:
        return None
    if succeeded:
        return False
    if duration.seconds is None or duration.source == "limit" or header.limit_seconds is None:
        return None
    return duration.seconds < header.limit_seconds - GAVE_UP_MARGIN


def overstayed(duration: Duration, players: Mapping[str, int | None]) -> list[str]:
    """GUIDs of who is said to have played for longer than the round lasted. ``players``: seconds by GUID."""
    if duration.seconds is None or duration.source == "players":
        return []
    longest = duration.seconds + OVERSTAY_MARGIN
    return sorted(guid for guid, played in players.items() if played is not None and played > longest)


def timing_status(attack_seconds: int | None, record_seconds: float | None) -> TimingStatus:
    """Compares the header's attack time, as printed, with the record's duration (both in seconds)."""
    if record_seconds is None or attack_seconds is None:
        return TimingStatus.NO_LUA_DATA
    difference = abs(attack_seconds - record_seconds)
    if difference <= ALIGNED_WITHIN:
        return TimingStatus.ALIGNED
    return TimingStatus.MINOR_DIFF if difference <= MINOR_WITHIN else TimingStatus.DISCREPANCY


class Clocked(NamedTuple):
    """A round (file stamp) or a timing record (end), to be matched. ``number`` as written, ``at`` in UTC."""

    key: str
    map_name: str
    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A round's timing record: linked (``exact_end``), only a candidate (``fuzzy``), or why there is none."""

    record_key: str | None
    link_class: str
    reason: str | None = None


_TIE = Link(None, "tie", "two candidates at the same distance")


class _Pair(NamedTuple):
    distance: timedelta
    key: str
    record_key: str
    same_number: bool


def link_records(rounds: Sequence[Clocked], records: Sequence[Clocked]) -> dict[str, Link]:
    """The link of every round, by key; one to one, decided over all of them at once by the smallest distance.

    Two candidates at the same distance link to neither: a tie is never guessed.
    """
    pairs = sorted(
        _Pair(abs(r.at - record.at), r.key, record.key, r.number == record.number)
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
            links[pair.key] = _TIE if tied else Link(pair.record_key, "exact_end")
        used |= {pair.record_key for pair in free}
    for entry in rounds:
        links.setdefault(entry.key, _candidate(entry.key, [pair for pair in pairs if pair.record_key not in used]))
    return links


def _may_belong(entry: Clocked, record: Clocked) -> bool:
    """Whether a record is worth showing with a round; one that names the map's other round only when it is near."""
    window = CANDIDATE_WINDOW if entry.number == record.number else LINK_WINDOW
    return map_key(entry.map_name) == map_key(record.map_name) and abs(entry.at - record.at) <= window


def _candidate(key: str, free: Sequence[_Pair]) -> Link:
    """The only record for the round of ``key``, if it is a record for that round only: shown, never used."""
    mine = [pair for pair in free if pair.key == key]
    if len(mine) != 1 or sum(pair.record_key == mine[0].record_key for pair in free) != 1:
        return Link(None, "none", "no timing record within 30 s of the file stamp")
    if mine[0].same_number:
        return Link(mine[0].record_key, "fuzzy", "the only record of this map and round, but more than 30 s off")
    return Link(mine[0].record_key, "fuzzy", "the only record near, but it says it is the map's other round")
