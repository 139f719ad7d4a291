"""Which round 2 belongs to which round 1: a chronological walk over a session with one open round 1.

Belongs here: complete, orphaned, superseded and self-contradicting rounds, each with its reason.
Does not belong here: which round was broken off (``rules.broken_off``), the numbers (``rules.differential``), who won
(``rules.scoring``).
Never by date, map name alone or "newest file": the same map is played twice in a row.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from slomix_pipeline.formats.gamestats import StatsFile
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.broken_off import number_of_broken_off, why_broken_off
from slomix_pipeline.rules.identity import has_identity
from slomix_pipeline.rules.linking import LINK_WINDOW
from slomix_pipeline.rules.stamps import CLOCK_CHANGE
from slomix_pipeline.rules.values import FiledRound, Status, map_key, swaps, time_to_beat

DEFAULT_WINDOW = timedelta(minutes=45)
UNUSUAL_GAP = timedelta(minutes=20)  # real gaps end at 14.8 min

# Of two rounds 1 that look like the halves of one match. Only a person can tell.
HALF_AS_FIRST = "half_played_as_round_1"
NO_SECOND_ROUND = "another round came instead of its round 2"
BROKEN_OFF = "its round 2 was broken off"
SIDES_STAYED = "labelled round 2, but the sides did not swap since the round 1 before it"
# Of a pair: round 2's limit beside round 1's time, which it should be.
LIMIT_UNKNOWN, LIMIT_LONGER = "pair_timelimit_unknown", "pair_timelimit_mismatch"
LIMIT_SHORTENED = "pair_timelimit_shortened"  # as scripts do on some maps
GAP_UNUSUAL = "pair_gap_unusual"
# Of a pair of which nobody is known to have stood on a side in both rounds: its sides prove nothing.
SIDES_UNSEEN = "pair_sides_unseen"
# A round 2 by a decision of people: its file is that of a round 1. Its numbers are its own, unless it counts on.
PLAYED_AS_FIRST, COUNTS_ON = "played_as_round_1", "counts_on_from_round_1"
# Flags of a pair that say nothing against it.
HARMLESS_FLAGS = frozenset({LIMIT_SHORTENED, PLAYED_AS_FIRST, COUNTS_ON})


class SecondRoundSeen(NamedTuple):
    """Witness of a round 2 other than its stats file: its endstats file. ``ambiguous``: it may as well be an hour
    younger than its ``stamp`` says."""

    map_name: str
    stamp: datetime
    ambiguous: bool = False


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

    @property
    def goes_on(self) -> bool:
        """Whether its file counts on from that of its round 1."""
        return goes_on(self.number, self.flags)


def goes_on(number: int, flags: Collection[str]) -> bool:
    """Whether the file of a round with that place counts on from that of its round 1."""
    return number == 2 and (PLAYED_AS_FIRST not in flags or COUNTS_ON in flags)


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
    witnesses = [_in_its_hour(seen, in_order) for seen in second_rounds_seen]
    for current in in_order:
        record = (records or {}).get(current.key)
        near = open_first if open_first and _may_follow(open_first, current, window) else None
        fits = near if near and not swaps(near.stats, current.stats).most_stayed else None
        if why := why_broken_off(current, fits, record):
            number = number_of_broken_off(current, fits, record)
            placed[current.key] = Placed(current.key, current.key, number, Status.ABORTED, reason=why)
            broken_off.append(current)
            if near and number == 2:
                placed[near.key] = replace(placed[near.key], reason=BROKEN_OFF)
        elif current.number == 1:
            if open_first and open_first.map_name == current.map_name:
                seen = [s for s in witnesses if not any(_is_of(s, entry) for entry in broken_off)]
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
    flags = place.flags if HALF_AS_FIRST in place.flags else (*place.flags, HALF_AS_FIRST)
    return replace(place, reason=reason, flags=flags)


def _looks_like_its_second(first: StatsFile, second: StatsFile) -> str | None:
    """What tells that a round 1 is the round 2 of another: its limit is the other's time, and the sides swapped."""
    target = time_to_beat(first.header)
    if target is None or target == first.header.limit_seconds:
        return None  # after a full hold both are played for the map's own limit: that tells nothing
    sides = swaps(first, second)
    if second.header.limit_seconds != target or not sides.most_swapped:
        return None
    who = "everybody" if sides.swapped == sides.stood else f"{sides.swapped} of {sides.stood} players"
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


def _is_of(seen: SecondRoundSeen, entry: FiledRound) -> bool:
    """Whether what witnesses a round 2 is of this round."""
    return map_key(seen.map_name) == entry.map_name and abs(seen.stamp - entry.stamp) <= LINK_WINDOW


def _in_its_hour(seen: SecondRoundSeen, rounds: Sequence[FiledRound]) -> SecondRoundSeen:
    """A witness with the hour of its round, which has a stats file perhaps; without one it stays in the earlier."""
    later = seen._replace(stamp=seen.stamp + CLOCK_CHANGE, ambiguous=False)
    of_the_later = seen.ambiguous and any(_is_of(later, entry) for entry in rounds)
    return later if of_the_later and not any(_is_of(seen, entry) for entry in rounds) else seen


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
    target, limit = time_to_beat(first.stats.header), second.stats.header.limit_seconds
    if target is None or limit is None:
        flags += (LIMIT_UNKNOWN,)
    elif target != limit:
        # Scripts shorten round 2 on some maps (sudden death); nothing makes it longer.
        flags += (LIMIT_SHORTENED if limit < target else LIMIT_LONGER,)
    if second.stamp - first.stamp > UNUSUAL_GAP:
        flags += (GAP_UNUSUAL,)
    if not swaps(first.stats, second.stats).stood:
        flags += (SIDES_UNSEEN,)
    reason = _why_ambiguous(first, second)
    status = Status.AMBIGUOUS if reason else Status.COMPLETE
    shared = Placed(first.key, first.key, 1, status, partner=second.key, reason=reason, flags=flags)
    return shared, replace(shared, key=second.key, number=2, partner=first.key)


def _why_ambiguous(first: FiledRound, second: FiledRound) -> str | None:
    """Why a pair can't be told from a map begun again: neither the sides nor the limit prove it."""
    sides, limit = swaps(first.stats, second.stats), second.stats.header.limit_seconds
    target, of_map = time_to_beat(first.stats.header), first.stats.header.limit_seconds
    if sides.most_swapped or (limit is not None and limit == target != of_map):
        return None
    if sides.stood:
        return "only half of the players swapped sides, and its limit does not prove that it is round 2"
    if limit in (None, target) and any(line.rounds for line in second.stats.players):
        return None  # nobody of round 1 is left, and the engine counts a second round
    return "nobody stood on a side in both rounds, and its limit does not prove that it is round 2"
