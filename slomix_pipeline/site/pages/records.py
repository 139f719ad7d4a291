"""The records: the best ever, each with the round it is from, whose receipt shows whether it is real.

Does not belong here: what can be a record (``warehouse.records``), its words (``reports.career_words``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slomix_pipeline.reports.career_words import equalled_text, record_title, record_value, samples_text
from slomix_pipeline.rules.records import RecordKind, RecordLevel
from slomix_pipeline.rules.timing import TimingStatus
from slomix_pipeline.site.answers import Asked, Link
from slomix_pipeline.site.pages.shared import map_asked
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse.maps import map_names
from slomix_pipeline.warehouse.records import RecordSeen, records
from slomix_pipeline.warehouse.site_store import Moment


@dataclass(frozen=True)
class RecordShown:
    """A record. ``holders``: GUID and name of each, as far as they may be named; ``played``: the round, match or
    session it is from; ``timing``: of a round, whether its length is confirmed."""

    title: str
    value: str
    holders: tuple[tuple[str, str], ...]
    equalled: str
    map_name: str | None
    ended_at: datetime
    played: Link
    timing: str


@dataclass(frozen=True)
class RecordsPage:
    """The records of numbers, and the fastest attacks. ``needs``: the samples that rates need."""

    maps: tuple[str, ...]
    map_name: str | None
    needs: str
    numbers: tuple[RecordShown, ...]
    attacks: tuple[RecordShown, ...]


def records_page(moment: Moment, asked: Asked) -> RecordsPage:
    """``?map=``: only of this map."""
    map_name = map_asked(moment, asked)
    found = records(moment.conn, map_name)
    return RecordsPage(tuple(map_names(moment.conn)), map_name, samples_text(), numbers(found), attacks(found))


def numbers(found: Sequence[RecordSeen]) -> tuple[RecordShown, ...]:
    """The records of players."""
    return tuple(_shown(record) for record in found if record.kind is not RecordKind.ATTACK)


def attacks(found: Sequence[RecordSeen]) -> tuple[RecordShown, ...]:
    """The records of teams against the clock."""
    return tuple(_shown(record) for record in found if record.kind is RecordKind.ATTACK)


def _shown(record: RecordSeen) -> RecordShown:
    return RecordShown(
        title=record_title(record),
        value=record_value(record),
        holders=tuple(zip(record.guids, record.holders, strict=True)),
        equalled=equalled_text(record),
        map_name=record.map,
        ended_at=record.ended_at,
        played=_played(record),
        timing=_timing(record) if record.level is RecordLevel.ROUND else "",
    )


def _timing(record: RecordSeen) -> str:
    if record.timing_status in (None, TimingStatus.NO_LUA_DATA):
        return "no Lua timing"
    return f"Lua timing {record.timing_status.lower()}"


def _played(record: RecordSeen) -> Link:
    """Where a record was reached: of a player's round his own receipt in it."""
    match record.level:
        case RecordLevel.SESSION:
            return Link(url_of("sessions", record.session_key), "session")
        case RecordLevel.MATCH if record.match_key:
            return Link(url_of("matches", record.match_key), "match")
    url = url_of("rounds", record.round_key)
    if record.kind is RecordKind.ATTACK or len(record.guids) != 1:
        return Link(url, "round")
    return Link(f"{url}?player={record.guids[0]}#player", "round")
