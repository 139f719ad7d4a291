"""The records: the best ever, each with the round it is from, whose receipt shows whether it is real.

Does not belong here: what can be a record (``warehouse.records``), what stands around one
(``warehouse.record_stories``), its words (``reports.career_words``, ``reports.record_words``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from slomix_pipeline.reports.career_words import (
    equalled_text,
    record_title,
    record_value,
    samples_text,
    value_of_kind,
)
from slomix_pipeline.reports.record_words import going_on_text, hold_text, lasted_text
from slomix_pipeline.rules.records import KINDS, RecordKind, RecordLevel
from slomix_pipeline.rules.timing import TimingStatus
from slomix_pipeline.site.answers import Asked, Link
from slomix_pipeline.site.meant import map_asked
from slomix_pipeline.site.templating import clock_text, url_of
from slomix_pipeline.warehouse.maps import map_names
from slomix_pipeline.warehouse.record_stories import (
    Beaten,
    Story,
    attack_stories,
    known_since,
    longest_hold,
    longest_run,
    stories,
)
from slomix_pipeline.warehouse.records import RecordSeen, named, records
from slomix_pipeline.warehouse.site_store import Moment

_CAPTIONS = {
    RecordLevel.ROUND: "In one round",
    RecordLevel.MATCH: "In one match",
    RecordLevel.SESSION: "In one session",
}


@dataclass(frozen=True)
class BeatenShown:
    """What was reached, and by whom: ``url``: the session in which it was. ``stood``: how long it was the best."""

    value: str
    holders: tuple[tuple[str, str], ...]
    url: str
    stood: str


@dataclass(frozen=True)
class RecordShown:
    """A record. ``holders``: GUID and name of each, as far as they may be named, and ``later``: of those who reached it
    again; ``played``: the round, match or session it is from; ``timing``: of a round, whether its length is confirmed;
    ``stands``: for how long by now."""

    title: str
    value: str
    holders: tuple[tuple[str, str], ...]
    later: tuple[tuple[str, str], ...]
    equalled: str
    map_name: str | None
    ended_at: datetime
    played: Link
    timing: str
    stands: str = ""
    broke: BeatenShown | None = None
    next_best: BeatenShown | None = None


@dataclass(frozen=True)
class RecordsTable:
    """The records of players at one level."""

    caption: str
    records: tuple[RecordShown, ...]


@dataclass(frozen=True)
class TeamRecord:
    """The longest hold, or run of sessions won. ``beside``: what else is to be known of it."""

    title: str
    value: str
    holders: tuple[tuple[str, str], ...]
    beside: str
    map_name: str | None
    ended_at: datetime
    played: Link


@dataclass(frozen=True)
class RecordsPage:
    """The records of numbers, the fastest attacks, the longest hold and run of sessions. ``needs``: the samples that
    rates need; ``late_kinds``: numbers that files have only since ``late_since``: None where all have them."""

    maps: tuple[str, ...]
    map_name: str | None
    needs: str
    late_kinds: tuple[str, ...]
    late_since: datetime | None
    tables: tuple[RecordsTable, ...]
    attacks: tuple[RecordShown, ...]
    longest: tuple[TeamRecord, ...]


def records_page(moment: Moment, asked: Asked) -> RecordsPage:
    """``?map=``: only of this map."""
    map_name = map_asked(moment, asked)
    who = named(moment.conn)
    found = records(moment.conn, map_name, who)
    told = [(story.record.level, _told(story, asked)) for story in stories(moment.conn, found, who, map_name)]
    tables = (
        RecordsTable(caption, tuple(record for of, record in told if of is level))
        for level, caption in _CAPTIONS.items()
    )
    return RecordsPage(
        maps=tuple(map_names(moment.conn)),
        map_name=map_name,
        needs=samples_text(),
        late_kinds=tuple(kind.title for kind in KINDS.values() if not kind.of_old_files),
        late_since=known_since(moment.conn),
        tables=tuple(table for table in tables if table.records),
        attacks=tuple(_told(story, asked) for story in attack_stories(moment.conn, found)),
        longest=_longest(moment, asked, who, map_name),
    )


def attacks(found: Sequence[RecordSeen]) -> tuple[RecordShown, ...]:
    """The records of teams against the clock."""
    return tuple(_shown(record) for record in found if record.kind is RecordKind.ATTACK)


def _told(story: Story, asked: Asked) -> RecordShown:
    record = story.record
    zone = asked.zone_of(record.session_key)
    fell = record.ended_at.astimezone(zone).date()
    stood = None if story.broke is None else lasted_text(story.broke.started_at.astimezone(zone).date(), fell)
    return replace(
        _shown(record),
        stands=lasted_text(fell, asked.today),
        broke=_beaten(record, story.broke, stood or ""),
        next_best=_beaten(record, story.next_best),
    )


def _beaten(record: RecordSeen, beaten: Beaten | None, stood: str = "") -> BeatenShown | None:
    if beaten is None:
        return None
    value = value_of_kind(record.kind, beaten.value)
    holders = tuple(zip(beaten.guids, beaten.holders, strict=True))
    return BeatenShown(value, holders, url_of("sessions", beaten.session_key), stood)


def _longest(
    moment: Moment, asked: Asked, who: Mapping[str, tuple[str, str]], map_name: str | None
) -> tuple[TeamRecord, ...]:
    found = []
    if hold := longest_hold(moment.conn, map_name):
        holders = tuple(zip(hold.guids, hold.holders, strict=True))
        link = Link(url_of("rounds", hold.round_key), "round")
        value = clock_text(hold.seconds)
        found.append(TeamRecord("longest hold", value, holders, hold_text(hold), hold.map, hold.ended_at, link))
    runs = longest_run(moment.conn, who, asked.still_runs) if map_name is None else []
    if runs:
        first = runs[0]  # to complete one as long
        holders = tuple(dict.fromkeys((run.guid, run.name) for run in runs))
        link, value = Link(url_of("sessions", first.last), "last session of it"), f"{first.nights} sessions in a row"
        found.append(TeamRecord("longest winning run", value, holders, going_on_text(runs), None, first.ended_at, link))
    return tuple(found)


def _shown(record: RecordSeen) -> RecordShown:
    return RecordShown(
        title=record_title(record),
        value=record_value(record),
        holders=tuple(zip(record.guids, record.holders, strict=True)),
        later=tuple(zip(record.later_guids, record.later_holders, strict=True)),
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
