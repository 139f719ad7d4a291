"""Which round 2 belongs to which round 1: a chronological walk over a session with one open round 1.

Belongs here: complete, orphaned, superseded, aborted and self-contradicting rounds, each with its reason.
Does not belong here: the numbers (``rules.differential``), who won (``rules.scoring``).
Never by date, map name alone or "newest file": the same map is played twice in a row.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, StatsFile
from slomix_pipeline.rules.counters import counts_on
from slomix_pipeline.rules.values import FiledRound, Status, map_key, shared_lines

DEFAULT_WINDOW = timedelta(minutes=45)
UNUSUAL_GAP = timedelta(minutes=20)  # real gaps end at 14.8 min
# The play time of an aborted round in files of lua/gamestats.lua, whose labels are true. Other scripts have 0, or the
# negative of a clock, which is far lower.
OWN_NUMBER_PLAYTIME = "-1"

NO_SECOND_ROUND = "another round came instead of its round 2"


class SecondRoundSeen(NamedTuple):
    """Witness of a round 2 other than its stats file: its endstats file."""

    map_name: str
    stamp: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of one round. ``match_key`` is the key of the match's first round, ``partner`` the other's.

    ``number`` is the round it really was: an aborted round may carry the other number in its file.
    """

    key: str
    match_key: str
    number: int
    status: Status
    partner: str | None = None
    reason: str | None = None
    flags: tuple[str, ...] = ()


def pair_rounds(
    rounds: Iterable[FiledRound],
    window: timedelta = DEFAULT_WINDOW,
    second_rounds_seen: Sequence[SecondRoundSeen] = (),
) -> dict[str, Placed]:
    """Places every round of one server's session, by key. ``window`` bounds the time from R1's to R2's stamp."""
    placed: dict[str, Placed] = {}
    open_first: FiledRound | None = None
    for current in sorted(rounds, key=lambda r: (r.stamp, r.key)):
        fits = open_first is not None and _may_follow(open_first, current, window)
        if why := _why_aborted(current, open_first, fits):
            number = _number_of_aborted(current)
            placed[current.key] = Placed(current.key, current.key, number, Status.ABORTED, reason=why)
        elif current.number == 1:
            if open_first and open_first.map_name == current.map_name:
                placed[open_first.key] = _replayed(placed[open_first.key], open_first, current, second_rounds_seen)
            elif open_first:
                placed[open_first.key] = replace(placed[open_first.key], reason=NO_SECOND_ROUND)
            placed[current.key] = Placed(current.key, current.key, 1, Status.R1_ONLY, reason="no round 2 has come")
            open_first = current
        elif open_first and fits:
            placed[open_first.key], placed[current.key] = _paired(open_first, current)
            open_first = None
        else:
            why = _why_orphaned(open_first, current, window)
            placed[current.key] = Placed(current.key, current.key, 2, Status.R2_ONLY, reason=why)
            if open_first:
                placed[open_first.key] = replace(placed[open_first.key], reason=NO_SECOND_ROUND)
            open_first = None
    return placed


def _why_orphaned(open_first: FiledRound | None, current: FiledRound, window: timedelta) -> str:
    if open_first and open_first.map_name != current.map_name:
        return f"its round 1 is not here: the round 1 before it is of {open_first.map_name}"
    if open_first and current.stamp - open_first.stamp > window:
        apart, most = ((span / timedelta(minutes=1)) for span in (current.stamp - open_first.stamp, window))
        return f"its round 1 is not here: the one before it ended {apart:.0f} min earlier, above {most:.0f}"
    return "its round 1 is not here"


def _may_follow(first: FiledRound, second: FiledRound, window: timedelta) -> bool:
    return first.map_name == second.map_name and timedelta(0) < second.stamp - first.stamp <= window


def _why_aborted(current: FiledRound, open_first: FiledRound | None, fits: bool) -> str | None:
    """Why a round is one that ended by a map change or shutdown."""
    header = current.stats.header
    if re.match(r"\s*(-\d|0)", header.playtime or "") and not header.playtime_seconds:
        return "saved without reaching the end of the round (play time not above 0)"
    limit, time = header.limit_seconds, header.attack_seconds
    target = open_first.stats.header.attack_seconds if open_first and fits else None
    meets_target = limit is not None and limit == target
    if current.number == 2:
        if not meets_target and all(player.rounds == 0 for player in current.stats.players):
            return "labelled round 2, but every player's match began with it"
        if not fits and limit is not None and time is not None and time > limit:
            return "labelled round 2, without a round 1 and with a time above its limit"
    elif open_first and meets_target and _goes_on(open_first.stats, current.stats):
        return "labelled round 1, but it plays for the time of the round 1 before and counts on from it"
    return None


def _number_of_aborted(entry: FiledRound) -> int:
    """The round it was. Scripts that read the number at the end get the other round's; ours, which keeps it from the
    beginning on, says so by its play time."""
    return entry.number if entry.stats.header.playtime == OWN_NUMBER_PLAYTIME else 3 - entry.number


def _goes_on(first: StatsFile, second: StatsFile) -> bool:
    """Whether a file is a round 2 by its players. A replay into which the engine carried counters over looks alike,
    but its sides have not swapped."""
    return counts_on(first, second) and _sides_swapped(first, second)


def _replayed(
    placed: Placed, first: FiledRound, replay: FiledRound, second_rounds_seen: Sequence[SecondRoundSeen]
) -> Placed:
    for seen in second_rounds_seen:
        if map_key(seen.map_name) == first.map_name and first.stamp < seen.stamp < replay.stamp:
            return replace(placed, reason="its round 2 was played, but the stats file is missing")
    same = {line.guid for line in first.stats.players} == {line.guid for line in replay.stats.players}
    reason = "replayed by the same players" if same else "replayed with other players"
    return replace(placed, status=Status.SUPERSEDED, reason=reason)


def _paired(first: FiledRound, second: FiledRound) -> tuple[Placed, Placed]:
    flags: tuple[str, ...] = ()
    status, reason = Status.COMPLETE, None
    target, limit = first.stats.header.attack_seconds, second.stats.header.limit_seconds
    if target is None or limit is None:
        flags += ("pair_timelimit_unknown",)
    elif target != limit:
        flags += ("pair_timelimit_mismatch",)
        if not _sides_swapped(first.stats, second.stats):
            status = Status.AMBIGUOUS
            reason = "round 2 has another time to beat than round 1 set, and the sides did not swap"
    if second.stamp - first.stamp > UNUSUAL_GAP:
        flags += ("pair_gap_unusual",)
    shared = Placed(first.key, first.key, 1, status, partner=second.key, reason=reason, flags=flags)
    return shared, replace(shared, key=second.key, number=2, partner=first.key)


def _sides_swapped(first: StatsFile, second: StatsFile) -> bool:
    """Whether most players of both rounds changed sides."""
    sides = [(earlier.side, later.side) for earlier, later in shared_lines(first, second)]
    stood = [pair for pair in sides if all(side in (AXIS, ALLIES) for side in pair)]
    return sum(before != after for before, after in stood) * 2 > len(stood)
