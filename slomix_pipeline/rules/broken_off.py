"""Whether a round was broken off: it ended by a map change, a restart or shutdown, whatever its file looks like.

Belongs here: the signs of that in a record and in the file itself, and which round it really was.
Does not belong here: what that means for the rounds around it (``rules.pairing``), for numbers (``rules.rounds``).
"""

import re

from slomix_pipeline.formats.gamestats import Header, PlayerLine, StatsFile
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.counters import counts_on, restart_signs
from slomix_pipeline.rules.values import (
    SOONEST_SURRENDER,
    FiledRound,
    attack_succeeded,
    ended_early,
    measured_seconds,
    shared_lines,
    swaps,
    time_to_beat,
    with_true_limit,
)

# The play time of an aborted round in files of lua/gamestats.lua, whose labels are true. Other scripts have 0, or the
# negative of a clock, which is far lower.
OWN_NUMBER_PLAYTIME = "-1"


def why_broken_off(current: FiledRound, first: FiledRound | None, record: TimingRecord | None) -> str | None:
    """Why a round is held to be broken off; None when it is not. ``first``: the round 1 that it may go on from.

    A timing record that saw how the round ended knows; otherwise the file's own signs decide. The end reason of older
    scripts is no such knowledge: they made it of length and winner, also for a round that was broken off.
    """
    if record and record.aborted:
        return "broken off: its timing record says that it did not reach its end"
    if record and (record.aborted is False or record.exit_print):
        return None
    header = current.stats.header
    if _without_intermission(header):
        return "saved without reaching the end of the round (play time not above 0)"
    if current.number == 1:
        return _why_a_second(first, current) if first else None
    limit, time = header.limit_seconds, header.attack_seconds
    if all(player.rounds == 0 for player in current.stats.players) and not (first and _all_may_be_new(first, current)):
        return "labelled round 2, but every player's match began with it"
    if first:
        return _why_too_short(first.stats, current.stats)
    if limit and time is not None and time > limit and not header.playtime_seconds:
        return "labelled round 2, without a round 1 and with a time above its limit"
    return None


def _plays_for_its_time(first: FiledRound, second: FiledRound) -> bool:
    limit = second.stats.header.limit_seconds
    return limit is not None and limit == time_to_beat(first.stats.header)


def _plays_for_a_set_time(first: FiledRound, second: FiledRound) -> bool:
    """As above, and after no full hold: then every round of the map has that limit."""
    limit = second.stats.header.limit_seconds
    return _plays_for_its_time(first, second) and limit != first.stats.header.limit_seconds


def _why_a_second(first: FiledRound, current: FiledRound) -> str | None:
    """Why a round-1 file is that of a round 2. A replay into which the engine carried counters over looks alike, but
    its sides have not swapped."""
    goes_on = counts_on(first.stats, current.stats) and swaps(first.stats, current.stats).most_swapped
    if goes_on and _plays_for_its_time(first, current):
        return "labelled round 1, but it plays for the time of the round 1 before and counts on from it"
    return None


def _all_may_be_new(first: FiledRound, second: FiledRound) -> bool:
    """Whether a round 2 with which every player's match began can be one all the same: they reconnected, which the
    sides show, or all are others than before, and it plays for a time that was set."""
    if not shared_lines(first.stats, second.stats):
        return _plays_for_a_set_time(first, second)
    return _plays_for_its_time(first, second) and swaps(first.stats, second.stats).most_swapped


def _why_too_short(first: StatsFile, second: StatsFile) -> str | None:
    """Why a round 2 was broken off although its file looks whole: some scripts write what the engine has preset, so
    the limit as the time, and the Axis side as the winner."""
    header = with_true_limit(second.header, first.header)
    lasted, limit, shown = _lasted(first, second), header.limit_seconds, header.attack_seconds
    if lasted is None or not limit or not ended_early(lasted, limit) or (shown and shown < limit):
        return None
    after = f"ended after {format_time(round(lasted))} of {format_time(limit)}"
    if attack_succeeded(header):
        return f"{after}, yet its attackers would have won at the limit: broken off" if shown == limit else None
    return f"{after}, too soon to have been given up: broken off" if lasted < SOONEST_SURRENDER else None


def _lasted(first: StatsFile, second: StatsFile) -> float | None:
    """Seconds of a round 2: by its own clock, else by the longest that a player of both rounds was there."""
    if measured := measured_seconds(with_true_limit(second.header, first.header)):
        return measured
    there = [_minutes_there(earlier, later) for earlier, later in shared_lines(first, second)]
    return 60 * max(there, default=0) or None


def _minutes_there(earlier: PlayerLine, later: PlayerLine) -> float:
    """Minutes of a player in a round 2 alone; 0 where they can't be told."""
    minutes = later.tail["minutes_played"] or 0
    if restart_signs(earlier, later):
        return minutes  # his counters began anew
    return max(0, minutes - (earlier.tail["minutes_played"] or 0))


def number_of_broken_off(entry: FiledRound, first: FiledRound | None, record: TimingRecord | None) -> int:
    """The round it was. Scripts that read the number at the end mostly get the other round's; ours, which keep it from
    the beginning on, say so: in the timing record, or in the stats file by its play time."""
    if record and record.aborted:
        return record.number
    header = entry.stats.header
    if header.playtime == OWN_NUMBER_PLAYTIME:
        return entry.number
    if first is None or not _most_went_on(first.stats, entry.stats):
        return 3 - entry.number
    # The number in a file without an intermission is the other round's, unless it plays for a time that was set.
    goes_on = not _without_intermission(header) or _plays_for_a_set_time(first, entry)
    return 2 if goes_on else 3 - entry.number


def _without_intermission(header: Header) -> bool:
    """Whether the file was saved before the round's end: its play time, taken from there, is not above 0."""
    return bool(re.match(r"\s*(-\d|0)", header.playtime or "")) and not header.playtime_seconds


def _most_went_on(first: StatsFile, second: StatsFile) -> bool:
    """Whether most players of both rounds changed sides and count on from the first."""
    both = shared_lines(first, second)
    went_on = sum(later.rounds == earlier.rounds + 1 for earlier, later in both)
    return swaps(first, second).most_swapped and 2 * went_on > len(both)
