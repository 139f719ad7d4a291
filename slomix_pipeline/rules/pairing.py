"""Which round 2 belongs to which round 1: a chronological walk over a session with one open round 1.

Belongs here: complete, orphaned, superseded, aborted and self-contradicting rounds, each with its reason.
Does not belong here: the numbers (``rules.differential``), who won (``rules.scoring``).
Never by date, map name alone or "newest file": the same map is played twice in a row.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, StatsFile
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.counters import counts_on
from slomix_pipeline.rules.identity import has_identity
from slomix_pipeline.rules.linking import LINK_WINDOW
from slomix_pipeline.rules.values import (
    FiledRound,
    Status,
    attack_succeeded,
    ended_early,
    map_key,
    measured_seconds,
    shared_lines,
    time_to_beat,
)

DEFAULT_WINDOW = timedelta(minutes=45)
UNUSUAL_GAP = timedelta(minutes=20)  # real gaps end at 14.8 min
# The play time of an aborted round in files of lua/gamestats.lua, whose labels are true. Other scripts have 0, or the
# negative of a clock, which is far lower.
OWN_NUMBER_PLAYTIME = "-1"
# Nobody is known to have given up sooner: a round 2 that ended earlier was broken off.
SOONEST_SURRENDER = 60  # seconds

# Of two rounds 1 that look like the halves of one match. Only a person can tell.
HALF_AS_FIRST = "half_played_as_round_1"
NO_SECOND_ROUND = "another round came instead of its round 2"
BROKEN_OFF = "its round 2 was broken off"
SIDES_STAYED = "labelled round 2, but the sides did not swap since the round 1 before it"
# What a flag of a pair says nothing against.
EXPLAINED = frozenset({"pair_timelimit_shortened"})


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
    records: Mapping[str, TimingRecord] | None = None,
) -> dict[str, Placed]:
    """Places every round of one server's session, by key. ``window`` bounds the time from R1's to R2's stamp;
    ``records``: the linked timing records, by round key."""
    placed: dict[str, Placed] = {}
    broken_off: list[FiledRound] = []
    open_first: FiledRound | None = None
    in_order = sorted(rounds, key=lambda r: (r.stamp, r.key))
    for current in in_order:
        record = (records or {}).get(current.key)
        near = open_first if open_first and _may_follow(open_first, current, window) else None
        fits = near if near and not _sides_stayed(near.stats, current.stats) else None
        if why := _why_aborted(current, fits, record):
            number = _number_of_aborted(current, fits, record)
            placed[current.key] = Placed(current.key, current.key, number, Status.ABORTED, reason=why)
            broken_off.append(current)
            if near and number == 2:
                placed[near.key] = replace(placed[near.key], reason=BROKEN_OFF)
        elif current.number == 1:
            if open_first and open_first.map_name == current.map_name:
                seen = [s for s in second_rounds_seen if not any(_is_of(s, entry) for entry in broken_off)]
                placed[open_first.key] = _replayed(placed[open_first.key], open_first, current, seen)
            elif open_first:
                placed[open_first.key] = _half(placed[open_first.key])
            placed[current.key] = Placed(current.key, current.key, 1, Status.R1_ONLY, reason="no round 2 has come")
            open_first = current
        elif fits:
            placed[fits.key], placed[current.key] = _paired(fits, current)
            open_first = None
        elif near:
            placed[current.key] = Placed(current.key, current.key, 2, Status.AMBIGUOUS, reason=SIDES_STAYED)
        else:
            why = _why_orphaned(open_first, current, window)
            placed[current.key] = Placed(current.key, current.key, 2, Status.R2_ONLY, reason=why)
            if open_first:
                placed[open_first.key] = _half(placed[open_first.key])
            open_first = None
    return placed | _halves_as_first(placed, in_order)


def _halves_as_first(placed: Mapping[str, Placed], in_order: Sequence[FiledRound]) -> dict[str, Placed]:
    """Rounds 1 that another replaced which looks like their round 2, and those others: nothing was played again.

    Seen where the server died in a round 2: the limit was set by hand and the half was played as a round 1.
    """
    halves: dict[str, Placed] = {}
    played = [entry for entry in in_order if placed[entry.key].status is not Status.ABORTED]
    firsts = [entry for entry in played if placed[entry.key].number == 1]
    for first, second in pairwise(firsts):
        if placed[first.key].status is not Status.SUPERSEDED or placed[second.key].partner:
            continue
        if evidence := _looks_like_its_second(first.stats, second.stats):
            own = halves.get(second.key, placed[second.key])
            halves[first.key] = _as_half(
                halves.get(first.key, replace(placed[first.key], status=Status.R1_ONLY, reason=None)),
                f"the limit of the round 1 that came next is its time, {evidence}: that may be its round 2",
            )
            halves[second.key] = _as_half(
                own, f"its limit is the time of the round 1 before, {evidence}: it may be the round 2 of that"
            )
    return halves


def _as_half(place: Placed, why: str) -> Placed:
    reason = f"{place.reason}; {why}" if place.reason else why
    return replace(place, reason=reason, flags=(*dict.fromkeys((*place.flags, HALF_AS_FIRST)),))


def _looks_like_its_second(first: StatsFile, second: StatsFile) -> str | None:
    """What tells that a round 1 is the round 2 of another: its limit is the other's time, and the sides swapped."""
    target = time_to_beat(first.header)
    if target is None or target == first.header.limit_seconds:
        return None  # after a full hold both are played for the map's own limit: that tells nothing
    swapped, stood = _swaps(first, second)
    if second.header.limit_seconds != target or 2 * swapped <= stood:
        return None
    who = "everybody" if swapped == stood else f"{swapped} of {stood} players"
    return f"{format_time(target)}, and {who} had swapped sides"


def _half(first: Placed) -> Placed:
    """A round 1 that another round closes."""
    return first if first.reason == BROKEN_OFF else replace(first, reason=NO_SECOND_ROUND)


def _why_orphaned(open_first: FiledRound | None, current: FiledRound, window: timedelta) -> str:
    if open_first and open_first.map_name != current.map_name:
        return f"its round 1 is not here: the round 1 before it is of {open_first.map_name}"
    if open_first and current.stamp - open_first.stamp > window:
        apart, most = ((span / timedelta(minutes=1)) for span in (current.stamp - open_first.stamp, window))
        return f"its round 1 is not here: the one before it ended {apart:.0f} min earlier, above {most:.0f}"
    return "its round 1 is not here"


def _may_follow(first: FiledRound, second: FiledRound, window: timedelta) -> bool:
    return first.map_name == second.map_name and timedelta(0) < second.stamp - first.stamp <= window


def _why_aborted(current: FiledRound, first: FiledRound | None, record: TimingRecord | None) -> str | None:
    """Why a round is one that ended by a map change, a restart or shutdown. ``first``: the round 1 that it may go on
    from. A timing record knows; without one the file's own signs decide."""
    header = current.stats.header
    if record and record.aborted:
        return "broken off: its timing record says that it did not reach its end"
    if re.match(r"\s*(-\d|0)", header.playtime or "") and not header.playtime_seconds:
        return "saved without reaching the end of the round (play time not above 0)"
    limit, time = header.limit_seconds, header.attack_seconds
    target = time_to_beat(first.stats.header) if first else None
    meets_target = limit is not None and limit == target
    if current.number == 2:
        all_new = all(player.rounds == 0 for player in current.stats.players)
        if all_new and not (first and meets_target and _all_may_be_new(first.stats, current.stats)):
            return "labelled round 2, but every player's match began with it"
        if not first and limit and time is not None and time > limit and not header.playtime_seconds:
            return "labelled round 2, without a round 1 and with a time above its limit"
        if first and record is None:
            return _why_broken_off(first, current)
    elif first and meets_target and _goes_on(first.stats, current.stats):
        return "labelled round 1, but it plays for the time of the round 1 before and counts on from it"
    return None


def _all_may_be_new(first: StatsFile, second: StatsFile) -> bool:
    """Whether a round 2 with which every player's match began can be one all the same: they reconnected, which the
    sides show, or all are others than before."""
    swapped, stood = _swaps(first, second)
    return 2 * swapped > stood or not shared_lines(first, second)


def _why_broken_off(first: FiledRound, second: FiledRound) -> str | None:
    """Why a round 2 was broken off although its file looks whole: some scripts write what the engine has preset, so
    the limit as the time, and the Axis side as the winner."""
    header = second.stats.header
    lasted, limit, shown = _lasted(first.stats, second.stats), header.limit_seconds, header.attack_seconds
    if lasted is None or not limit or not ended_early(lasted, limit) or (shown and shown < limit):
        return None
    after = f"ended after {format_time(round(lasted))} of {format_time(limit)}"
    if attack_succeeded(header):
        at_limit = measured_seconds(header) and shown == limit
        return f"{after}, yet its attackers would have won at the limit: broken off" if at_limit else None
    return f"{after}, too soon to have been given up: broken off" if lasted < SOONEST_SURRENDER else None


def _lasted(first: StatsFile, second: StatsFile) -> float | None:
    """Seconds of a round 2: by its own clock, else by the longest that a player of both rounds was there."""
    minutes = [
        (later.tail["minutes_played"] or 0) - (earlier.tail["minutes_played"] or 0)
        for earlier, later in shared_lines(first, second)
        if later.rounds == earlier.rounds + 1
    ]
    return measured_seconds(second.header) or (60 * max(minutes) if minutes else None)


def _number_of_aborted(entry: FiledRound, first: FiledRound | None, record: TimingRecord | None) -> int:
    """The round it was. Scripts that read the number at the end mostly get the other round's; ours, which keep it from
    the beginning on, say so: in the timing record, or in the stats file by its play time."""
    if record and record.aborted:
        return record.number
    if entry.stats.header.playtime == OWN_NUMBER_PLAYTIME:
        return entry.number
    return 2 if first and _most_went_on(first.stats, entry.stats) else 3 - entry.number


def _most_went_on(first: StatsFile, second: StatsFile) -> bool:
    """Whether most players of both rounds changed sides and count on from the first."""
    swapped, stood = _swaps(first, second)
    both = shared_lines(first, second)
    went_on = sum(later.rounds == earlier.rounds + 1 for earlier, later in both)
    return 2 * swapped > stood and 2 * went_on > len(both)


def _is_of(seen: SecondRoundSeen, entry: FiledRound) -> bool:
    """Whether what witnesses a round 2 is of this round."""
    return map_key(seen.map_name) == entry.map_name and abs(seen.stamp - entry.stamp) <= LINK_WINDOW


def _goes_on(first: StatsFile, second: StatsFile) -> bool:
    """Whether a file is a round 2 by its players. A replay into which the engine carried counters over looks alike,
    but its sides have not swapped."""
    swapped, stood = _swaps(first, second)
    return counts_on(first, second) and 2 * swapped > stood


def _replayed(
    placed: Placed, first: FiledRound, replay: FiledRound, second_rounds_seen: Sequence[SecondRoundSeen]
) -> Placed:
    for seen in second_rounds_seen:
        if map_key(seen.map_name) == first.map_name and first.stamp < seen.stamp < replay.stamp:
            return replace(placed, reason="its round 2 was played, but the stats file is missing")
    same = _known(first.stats) == _known(replay.stats) and len(first.stats.players) == len(replay.stats.players)
    reason = "replayed by the same players" if same else "replayed with other players"
    return replace(placed, status=Status.SUPERSEDED, reason=reason)


def _known(stats: StatsFile) -> set[str]:
    return {line.guid for line in stats.players if has_identity(line.guid)}


def _paired(first: FiledRound, second: FiledRound) -> tuple[Placed, Placed]:
    flags: tuple[str, ...] = ()
    status, reason = Status.COMPLETE, None
    target, limit = time_to_beat(first.stats.header), second.stats.header.limit_seconds
    if target is None or limit is None:
        flags += ("pair_timelimit_unknown",)
    elif target != limit:
        swapped, stood = _swaps(first.stats, second.stats)
        # Scripts shorten round 2 on some maps (sudden death); nothing makes it longer.
        flags += ("pair_timelimit_shortened" if limit < target else "pair_timelimit_mismatch",)
        if 2 * swapped == stood:
            status = Status.AMBIGUOUS
            reason = "round 2 has another time to beat than round 1 set, and half of the players did not swap sides"
    if second.stamp - first.stamp > UNUSUAL_GAP:
        flags += ("pair_gap_unusual",)
    shared = Placed(first.key, first.key, 1, status, partner=second.key, reason=reason, flags=flags)
    return shared, replace(shared, key=second.key, number=2, partner=first.key)


def _sides_stayed(first: StatsFile, second: StatsFile) -> bool:
    """Whether nobody, or hardly anybody, changed sides: between the rounds of a match everybody does."""
    swapped, stood = _swaps(first, second)
    return 2 * swapped < stood


def _swaps(first: StatsFile, second: StatsFile) -> tuple[int, int]:
    """How many players of both rounds changed sides, and how many stood on one in both."""
    sides = [(earlier.side, later.side) for earlier, later in shared_lines(first, second)]
    stood = [pair for pair in sides if all(side in (AXIS, ALLIES) for side in pair)]
    return sum(before != after for before, after in stood), len(stood)
