"""Which timing record belongs to which round, and why one belongs to none.

Belongs here: restarted and aborted rounds, copies of a record, what an unlinked record is told as; which timing file
may hold a round's record.
Does not belong here: the link by the clock itself (``rules.linking``), how long a round was (``rules.timing``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from enum import StrEnum
from typing import Final, Literal, NamedTuple, TypeAlias

from slomix_pipeline.formats.filenames import FileKind, FileName, map_in_gametime_name
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.rules.linking import (
    CANDIDATE_WINDOW,
    LINK_WINDOW,
    WITHIN_WINDOW,
    Clocked,
    Link,
    LinkClass,
    link_records,
    same_map_within,
)
from slomix_pipeline.rules.stamps import time_in_name
from slomix_pipeline.rules.values import FileStatus, map_key

MAP_RESTART = "map_restart"  # how our script says it; such a round mostly leaves no stats file

# A round that is left is written in the moment it ends; after a finished one the stats file takes 3 s more.
LEFT_FILE_WITHIN = timedelta(seconds=5)


UNREADABLE: Final = "unreadable"
UnreadStatus: TypeAlias = FileStatus | Literal["unreadable"]


@dataclass(frozen=True, slots=True)
class FiledRecord:
    """One timing record with its key."""

    key: str
    record: TimingRecord

    @property
    def clocked(self) -> Clocked:
        """As it is matched. Our script knows an aborted round's true number, its stats file mostly has the other."""
        r = self.record
        return Clocked(self.key, r.map_name, None if r.aborted else r.number, r.ended_at, r.started_at)

    @property
    def was_restarted(self) -> bool:
        return bool(self.record.aborted) and self.record.end_reason == MAP_RESTART


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A timing file that is known but gave no record, with its status in the file ledger; ``UNREADABLE`` when it was
    found and tried just now."""

    clocked: Clocked
    status: UnreadStatus
    reason: str | None


def clocked_file(name: FileName, zone: tzinfo) -> Clocked | None:
    """A timing file by what its name says; None for other files. ``zone``: of a stamp in the name."""
    if name.kind is not FileKind.TIMING or name.map_name is None:
        return None
    at = time_in_name(name, zone)
    return None if at is None else Clocked(name.name, map_in_gametime_name(name.map_name), name.number, at)


def file_may_be_of(entry: Clocked, file: Clocked) -> bool:
    """Whether a timing file, by its name alone, may hold the record of a round."""
    return same_map_within(entry._replace(map_name=map_in_gametime_name(entry.map_name)), file, LINK_WINDOW)


class UnlinkedClass(StrEnum):
    """Why a record belongs to no round."""

    RESTARTED = "restarted"
    LEFT = "left"
    COPY = "copy"
    CANDIDATE = "candidate"
    TIE = "tie"
    FARTHER = "farther"
    NO_ROUND = "no_round"


class Unlinked(NamedTuple):
    """Why one record belongs to no round: the class, and for people."""

    unlinked_class: UnlinkedClass
    reason: str


class RecordLinks(NamedTuple):
    """``links`` by round key; ``unlinked`` by record key."""

    links: Mapping[str, Link]
    unlinked: Mapping[str, Unlinked]


def link_timing_records(rounds: Sequence[Clocked], records: Sequence[FiledRecord]) -> RecordLinks:
    """The timing record of every round, and the reason of every record that belongs to none."""
    in_order = sorted(records, key=lambda entry: (entry.record.ended_at, entry.key))
    unlinked = _copies(in_order)
    for entry in in_order:
        if entry.was_restarted and not any(same_map_within(r, entry.clocked, LEFT_FILE_WITHIN) for r in rounds):
            why = f"round {entry.record.number} was restarted: it has no stats file"
            unlinked.setdefault(entry.key, Unlinked(UnlinkedClass.RESTARTED, why))
    eligible = [entry.clocked for entry in in_order if entry.key not in unlinked]
    links = link_records(rounds, eligible)
    used = {link.record_key for link in links.values()}
    shown = {link.candidate_key: key for key, link in links.items()}
    for entry in in_order:
        if entry.key not in used and entry.key not in unlinked:
            unlinked[entry.key] = _why_unlinked(entry, rounds, links, shown.get(entry.key))
    return RecordLinks(links, unlinked)


def _copies(in_order: Sequence[FiledRecord]) -> dict[str, Unlinked]:
    """Records that say of a round just what another one says: two files, one account."""
    first: dict[tuple[object, ...], str] = {}
    copies: dict[str, Unlinked] = {}
    for entry in sorted(in_order, key=lambda e: e.record.exit_print is None):  # who has the engine's words comes first
        r = entry.record
        said = (r.started_at, r.duration_seconds, r.pause_seconds, r.winner_side)
        account = (map_key(r.map_name), r.number, r.ended_at, *said)
        original = first.setdefault(account, entry.key)
        if original != entry.key:
            copies[entry.key] = Unlinked(UnlinkedClass.COPY, f"says the same as {original}")
    return copies


def _why_unlinked(
    entry: FiledRecord, rounds: Sequence[Clocked], links: Mapping[str, Link], shown_with: str | None
) -> Unlinked:
    if shown_with is not None:
        return Unlinked(UnlinkedClass.CANDIDATE, f"a candidate of {shown_with} only: {links[shown_with].reason}")
    near = [r for r in rounds if same_map_within(r, entry.clocked, LINK_WINDOW)]
    if tied := next((links[r.key] for r in near if links[r.key].link_class is LinkClass.TIE), None):
        return Unlinked(UnlinkedClass.TIE, tied.reason or "")
    if any(links[r.key].link_class is LinkClass.EXACT_END for r in near):
        return Unlinked(UnlinkedClass.FARTHER, "its round has a nearer record")
    if entry.record.aborted:
        why = f"round {entry.record.number} was left before its end, and no stats file of it is known"
        return Unlinked(UnlinkedClass.LEFT, why)
    if replayed := _replayed_as(entry, rounds):
        why = f"seems to have been restarted: its map was played anew as {replayed} (older scripts swap the number)"
        return Unlinked(UnlinkedClass.RESTARTED, why)
    why = f"no stats file of this map and round {WITHIN_WINDOW} of its end"
    return Unlinked(UnlinkedClass.NO_ROUND, why)


def _replayed_as(entry: FiledRecord, rounds: Sequence[Clocked]) -> str | None:
    """The round into which a record of an older script was restarted, if it looks like one.

    Those scripts write a record at a ``map_restart`` too, with the other round's number, and don't say so. The round
    itself is then played anew: next on the server, with the number that the record does not have. A round 2 begins
    after its round 1; without one before, the record may as well be that of a round 1 whose stats file is lost.
    """
    if entry.record.aborted is not None:
        return None
    end = entry.record.ended_at
    following = min((r for r in rounds if r.at > end), key=lambda r: (r.at, r.key), default=None)
    if following is None or following.number != 3 - entry.record.number:
        return None
    before = max((r for r in rounds if r.at <= end), key=lambda r: (r.at, r.key), default=None)
    round_1_before = before is not None and before.number == 1 and same_map_within(before, following, CANDIDATE_WINDOW)
    if following.number == 2 and not round_1_before:
        return None
    return following.key if same_map_within(following, entry.clocked, CANDIDATE_WINDOW) else None
