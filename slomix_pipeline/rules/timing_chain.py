"""Where a round's timing got lost: the first broken link of the chain from the script to the round.

Belongs here: the order of the links, and what each piece of evidence proves.
Does not belong here: gathering the evidence (``assets.timing_look``, ``warehouse.timing_records``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from slomix_pipeline.formats.consolelog import ScriptSigns
from slomix_pipeline.formats.filenames import FileKind, FileName, map_in_gametime_name, parse_file_name
from slomix_pipeline.rules.linking import LINK_WINDOW, Clocked, Link, LinkClass, same_map_within
from slomix_pipeline.rules.stamps import stamp_in_utc
from slomix_pipeline.rules.timing_records import FiledRecord

ALIVE_WITHIN = timedelta(hours=6)  # a record this near shows that the script ran; an evening is shorter


class ChainLink(StrEnum):
    """The links in their order, each as it is told when it is the first that does not hold."""

    ALIVE = "script not seen alive"
    WRITTEN = "file not written"
    FETCHED = "file not fetched"
    PARSED = "file not parsed"
    LINKED = "record not linked"


class Broken(NamedTuple):
    """The first broken link, and what is known about it, for people."""

    link: ChainLink
    why: str


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A timing file that is known but gave no record, with its status in the file ledger."""

    clocked: Clocked
    status: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a server's timing around a round.

    ``records``: at least those within ``ALIVE_WITHIN`` of it; ``listed_at``: when the folder was last listed with
    success; ``trouble``: why it could not be just now; ``signs``: what the server's log says, when it can be read.
    """

    records: Sequence[FiledRecord] = ()
    unread: Sequence[UnreadFile] = ()
    listed_at: datetime | None = None
    trouble: str | None = None
    signs: ScriptSigns | None = None


def clocked_file(name: FileName, zone: tzinfo) -> Clocked | None:
    """A timing file by what its name says; None for other files. ``zone``: of a stamp in the name."""
    if name.kind is not FileKind.TIMING or name.map_name is None:
        return None
    at = name.ended_at or (stamp_in_utc(name.stamp, zone).at if name.stamp else None)
    return None if at is None else Clocked(name.name, map_in_gametime_name(name.map_name), name.number, at)


def as_in_names(entry: Clocked) -> Clocked:
    """A round with its map as the names of timing files have it."""
    return entry._replace(map_name=map_in_gametime_name(entry.map_name))


def first_broken_link(entry: Clocked, link: Link, evidence: Evidence) -> Broken | None:
    """The first link that does not hold for a round; None when its record is linked."""
    if link.link_class is LinkClass.EXACT_END:
        return None
    near = [record.key for record in evidence.records if same_map_within(entry, record.clocked, LINK_WINDOW)]
    if near or link.link_class is not LinkClass.NONE:
        return Broken(ChainLink.LINKED, f"{link.candidate_key or ', '.join(near)}: {link.reason}")
    for file in evidence.unread:
        if same_map_within(as_in_names(entry), file.clocked, LINK_WINDOW):
            parsed = ChainLink.PARSED if file.status == "quarantined" else ChainLink.FETCHED
            return Broken(parsed, f"{file.clocked.key} is {file.status}" + (f": {file.reason}" if file.reason else ""))
    if evidence.signs and (written := _written_by_log(entry, evidence.signs)):
        return Broken(ChainLink.FETCHED, f"the server's log says {written} was written, {_listing(entry, evidence)}")
    return _without_any_file(entry, evidence)


def _written_by_log(entry: Clocked, signs: ScriptSigns) -> str | None:
    named = [clocked_file(parse_file_name(name), UTC) for name in sorted(signs.written)]
    near = [file.key for file in named if file and same_map_within(as_in_names(entry), file, LINK_WINDOW)]
    return near[0] if near else None


def _without_any_file(entry: Clocked, evidence: Evidence) -> Broken:
    alive = _sign_of_life(entry, evidence)
    if alive is None:
        return Broken(ChainLink.ALIVE, f"no record within {_hours(ALIVE_WITHIN)}, {_listing(entry, evidence)}")
    if evidence.signs and evidence.signs.trouble:
        return Broken(ChainLink.WRITTEN, f"the server's log says: {evidence.signs.trouble}")
    if evidence.listed_at and evidence.listed_at > entry.at:
        return Broken(ChainLink.WRITTEN, f"{alive}, but the folder holds none of this round")
    return Broken(ChainLink.FETCHED, f"{alive}, {_listing(entry, evidence)}")


def _sign_of_life(entry: Clocked, evidence: Evidence) -> str | None:
    nearest = min((abs(record.record.ended_at - entry.at) for record in evidence.records), default=None)
    if nearest is not None and nearest <= ALIVE_WITHIN:
        return f"the script wrote a record {round(nearest / timedelta(minutes=1))} min from this round"
    if evidence.signs and evidence.signs.version:
        return f"the server's log shows version {evidence.signs.version} of the script"
    return None


def _listing(entry: Clocked, evidence: Evidence) -> str:
    if evidence.trouble:
        return f"and the folder could not be listed: {evidence.trouble}"
    if evidence.listed_at is None:
        return "and no folder of a game server was ever listed: records come only by import"
    when = "since" if evidence.listed_at > entry.at else "before"
    return f"and the folder was last listed {when} the round ended, at {evidence.listed_at:%Y-%m-%d %H:%M} UTC"


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):g} h"
