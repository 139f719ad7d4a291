"""What the engine's counters do between two files: go on, begin anew, or hold more than the round they are in.

Belongs here: the signs of each, over lines as written. Two ways in which a counter tells lies are known of the engine:
it restarts for who reconnects (or for everybody), and it carries what was counted before over into a new round 1.
Does not belong here: what is done about it (``rules.differential``, ``rules.validity``).
"""

from collections.abc import Iterator
from operator import lt

from slomix_pipeline.formats.gamestats import NO_COUNTS, Header, PlayerLine, StatsFile
from slomix_pipeline.rules.identity import has_identity
from slomix_pipeline.rules.policy import MONOTONE_TAIL, MONOTONE_WEAPON_COLUMNS
from slomix_pipeline.rules.values import (
    CLOCK_MARGIN,
    attack_succeeded,
    measured_seconds,
    shared_lines,
    stopwatch_seconds,
)

# In 187 rounds with a sure clock nobody was there for more than 6 s longer (minutes are written in tenths).
OVERSTAY_MARGIN = 60  # seconds

# After less nothing's growth means anything; of fewer players all may have more by chance (5 % of two, none of four).
_WORTH_COMPARING = 60  # seconds
_WHOLE_LOBBY = 4  # players


def restart_signs(first: PlayerLine, second: PlayerLine) -> list[str]:
    """What tells that a player's counters began anew between two files (he reconnected); empty when they went on.

    Each sign catches what the others miss: ``rounds`` a restart whose numbers happen to be higher, the others a
    reconnect that ``rounds`` does not show: a counter fell, or would leave more parts than the whole.
    """
    signs = []
    if second.rounds != first.rounds + 1:
        signs.append(f"rounds {first.rounds} then {second.rounds}")
    signs += [f"{name} fell from {was:g} to {now:g}" for name, was, now in _fallen(first, second)]
    for weapon, later in second.weapons.items():
        earlier = first.weapons.get(weapon, NO_COUNTS)
        if later.headshots - earlier.headshots > later.hits - earlier.hits:
            signs.append(f"{weapon} would have hit more heads than it hit")
    headshot_kills, kills = second.tail["headshot_kills"], second.totals.kills - first.totals.kills
    if headshot_kills is not None and headshot_kills > max(kills, 0):
        signs.append(f"{headshot_kills:g} headshot kills of this round, but {kills} kills more")
    return signs


def counters_fell(first: PlayerLine, second: PlayerLine) -> bool:
    """Whether any counter that can only grow is lower in ``second``."""
    return next(_fallen(first, second), None) is not None


def nothing_counted(first: PlayerLine, second: PlayerLine) -> bool:
    """Whether no counter moved between two files: he sat the round out."""
    weapons = first.weapons.keys() | second.weapons.keys()
    return all(earlier == later for _, earlier, later in _known_tails(first, second)) and all(
        first.weapons.get(weapon, NO_COUNTS) == second.weapons.get(weapon, NO_COUNTS) for weapon in weapons
    )


def was_there(line: PlayerLine) -> bool:
    """Whether a line of a round's first file counts anything at all."""
    return any(line.tail[name] for name in MONOTONE_TAIL) or any(any(counts) for counts in line.weapons.values())


def counts_on(first: StatsFile, second: StatsFile) -> bool:
    """Whether the counters of all shared players go on from ``first``, by ``rounds`` and by every counter."""
    shared = shared_lines(first, second)
    return bool(shared) and all(_goes_on(earlier, later) for earlier, later in shared)


def _goes_on(first: PlayerLine, second: PlayerLine) -> bool:
    return second.rounds == first.rounds + 1 and not counters_fell(first, second)


def carried_over(stats: StatsFile, previous: StatsFile | None, longest: float | None = None) -> frozenset[str]:
    """GUIDs whose counters in a round-1 file go on from ``previous``, the file before it when that is of the same map.

    A map change clears all counters. With a sure clock that is known of each player: he is there for more than the
    ``longest`` seconds the round can have lasted, but not since ``previous``. Without one only the whole lobby tells:
    everybody's counters go on, and nobody was there just until the limit, as after a hold of its own. Who has no
    identity goes with the lobby.
    """
    if previous is None:
        return frozenset()
    shared = shared_lines(previous, stats)
    if _clock(stats.header):
        long = [(first, line) for first, line in shared if stayed_longer(_seconds(line), longest)]
        return frozenset(
            line.guid
            for first, line in long
            if _goes_on(first, line) and not stayed_longer(_seconds(line) - _seconds(first), longest)
        )
    shared = [(first, line) for first, line in shared if _seconds(first) >= _WORTH_COMPARING]
    if len(shared) < _WHOLE_LOBBY or not all(_goes_on(first, second) for first, second in shared):
        return frozenset()
    there = max(_seconds(line) for _, line in shared)
    if longest is not None and abs(there - longest) <= CLOCK_MARGIN:
        return frozenset()
    strangers = {line.guid for line in stats.players if not has_identity(line.guid)}
    return frozenset(line.guid for _, line in shared) | strangers


def _seconds(line: PlayerLine) -> float:
    return 60 * (line.tail["minutes_played"] or 0)


def stayed_longer(seconds: float | None, longest: float | None) -> bool:
    """Whether somebody is said to have been there for longer than a round of ``longest`` seconds lasted."""
    return longest is not None and (seconds or 0) > longest + OVERSTAY_MARGIN


def longest_seconds(header: Header, paused: float | None = None) -> float | None:
    """The longest a round with this header can have lasted: its clock where that is sure, else the limit.

    ``paused``: seconds of pauses, from the timing record. Servers before 2023 counted them as played.
    """
    longest = _clock(header) or header.limit_seconds
    return longest and longest + (paused or 0)


def _clock(header: Header) -> float | None:
    """What the header surely tells of the round's length; None when it only repeats the limit."""
    attack = stopwatch_seconds(header) if attack_succeeded(header) else None
    return attack or measured_seconds(header)


def _fallen(first: PlayerLine, second: PlayerLine) -> Iterator[tuple[str, float, float]]:
    """Name and both values of every counter that can only grow, but is lower in ``second``."""
    for name, earlier, later in _known_tails(first, second):
        if later < earlier:
            yield name, earlier, later
    for weapon in sorted(first.weapons):  # one that came later can't have fallen
        was, now = first.weapons[weapon], second.weapons.get(weapon, NO_COUNTS)
        if any(map(lt, now, was)):
            for column in MONOTONE_WEAPON_COLUMNS:
                earlier, later = getattr(was, column), getattr(now, column)
                if later < earlier:
                    yield f"{weapon} {column}", earlier, later


def _known_tails(first: PlayerLine, second: PlayerLine) -> Iterator[tuple[str, float, float]]:
    """Name and both values of every growing tail field of two lines of one player, where both are known."""
    for name in MONOTONE_TAIL:
        earlier, later = first.tail[name], second.tail[name]
        if earlier is not None and later is not None:
            yield name, earlier, later
