"""Where a round's timing got lost: the first broken link of the chain from the script to the round.

Belongs here: the order of the links, and what each piece of evidence proves.
Does not belong here: gathering the evidence (``assets.timing_look``, ``warehouse.timing_records``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from slomix_pipeline.formats.consolelog import ScriptSigns
from slomix_pipeline.formats.filenames import parse_file_name
from slomix_pipeline.rules.linking import LINK_WINDOW, Clocked, Link, LinkClass, same_map_within
from slomix_pipeline.rules.timing_records import FiledRecord, Unlinked, UnreadFile, clocked_file, file_may_be_of
from slomix_pipeline.rules.values import FileStatus

ALIVE_WITHIN = timedelta(hours=6)  # a record this near shows that the script ran; an evening is shorter

BROKEN_LINK, WHAT_IS_KNOWN = "first broken link", "what is known"  # how ``Broken`` is named where it is stored


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
class Evidence:
    """What is known of a server's timing around a round.

    ``records``: at least those within ``ALIVE_WITHIN`` of it; ``listed_at``: when the folder was last listed with
    success; ``trouble``: why it could not be just now; ``signs``: what the server's log said at ``signs_at``, when it
    can be read.
    """

    records: Sequence[FiledRecord] = ()
    unread: Sequence[UnreadFile] = ()
    listed_at: datetime | None = None
    trouble: str | None = None
    signs: ScriptSigns | None = None
    signs_at: datetime | None = None

    def fresh_signs(self, entry: Clocked) -> ScriptSigns | None:
        """The log as a witness of a round: of an old round it knows nothing but the names it wrote."""
        recent = self.signs_at is not None and self.signs_at - entry.at <= ALIVE_WITHIN
        return self.signs if recent else None


def first_broken_link(
    entry: Clocked, link: Link, unlinked: Mapping[str, Unlinked], evidence: Evidence
) -> Broken | None:
    """The first link that does not hold for a round; None when its record is linked. ``unlinked``: by record key."""
    if link.link_class is LinkClass.EXACT_END:
        return None
    near = [record.key for record in evidence.records if same_map_within(entry, record.clocked, LINK_WINDOW)]
    if link.link_class is not LinkClass.NONE:
        return Broken(ChainLink.LINKED, f"{link.candidate_key or ', '.join(near)}: {link.reason}")
    if near:
        why = (f"{key}: {unlinked[key].reason if key in unlinked else 'it belongs to another round'}" for key in near)
        return Broken(ChainLink.LINKED, "; ".join(why))
    for file in evidence.unread:
        if file_may_be_of(entry, file.clocked):
            link_ = ChainLink.FETCHED if file.status in (FileStatus.LISTED, FileStatus.REQUESTED) else ChainLink.PARSED
            return Broken(link_, f"{file.clocked.key} is {file.status}" + (f": {file.reason}" if file.reason else ""))
    if evidence.signs and (written := _written_by_log(entry, evidence.signs)):
        return Broken(ChainLink.FETCHED, f"the server's log says {written} was written, {_listing(entry, evidence)}")
    return _without_any_file(entry, evidence)


def _written_by_log(entry: Clocked, signs: ScriptSigns) -> str | None:
    named = [clocked_file(parse_file_name(name), UTC) for name in sorted(signs.written)]
    near = [file.key for file in named if file and file_may_be_of(entry, file)]
    return near[0] if near else None


def _without_any_file(entry: Clocked, evidence: Evidence) -> Broken:
    alive, signs = _sign_of_life(entry, evidence), evidence.fresh_signs(entry)
    if alive is None:
        return Broken(ChainLink.ALIVE, f"no record within {_hours(ALIVE_WITHIN)}, {_listing(entry, evidence)}")
    if signs and signs.trouble:
        return Broken(ChainLink.WRITTEN, f"the server's log says: {signs.trouble}")
    if evidence.listed_at and evidence.listed_at > entry.at:
        return Broken(ChainLink.WRITTEN, f"{alive}, but the folder holds none of this round")
    return Broken(ChainLink.FETCHED, f"{alive}, {_listing(entry, evidence)}")


def _sign_of_life(entry: Clocked, evidence: Evidence) -> str | None:
    apart = (record.record.ended_at - entry.at for record in evidence.records)
    nearest = min(apart, key=abs, default=None)
    if nearest is not None and abs(nearest) <= ALIVE_WITHIN:
        when = "after" if nearest > timedelta(0) else "before"
        return f"the script wrote a record {round(abs(nearest) / timedelta(minutes=1))} min {when} this round's end"
    signs = evidence.fresh_signs(entry)
    if signs and signs.version:
        return f"the server's log shows version {signs.version} of the script"
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
