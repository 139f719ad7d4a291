"""What the engine's counters do between two files: go on, begin anew, or hold more than the round they are in.

Belongs here: the signs of each, over lines as written. Two ways in which a counter tells lies are known of the engine:
it restarts for who reconnects (or for everybody), and it carries what was counted before over into a new round 1.
Does not belong here: what is done about it (``rules.differential``, ``rules.validity``).
"""

from collections.abc import Iterator

from slomix_pipeline.formats.gamestats import PlayerLine, StatsFile, WeaponCounts
from slomix_pipeline.rules.policy import MONOTONE_TAIL, MONOTONE_WEAPON_COLUMNS, WEAPON_COLUMNS
from slomix_pipeline.rules.values import attack_succeeded

NO_COUNTS = WeaponCounts(0, 0, 0, 0, 0)

# In 187 rounds with a sure clock nobody was there for more than 6 s longer (minutes are written in tenths).
LONGER_THAN_THE_ROUND = 60  # seconds

_WORTH_COMPARING = 1.0  # minutes; after less there is nothing whose growth would mean anything


def restart_signs(first: PlayerLine, second: PlayerLine) -> list[str]:
    """What tells that a player's counters began anew between two files (he reconnected); empty when they went on.

    Each sign catches what the others miss: ``rounds`` a restart whose numbers happen to be higher, a fallen counter
    a reconnect that ``rounds`` does not show.
    """
    signs = []
    if second.rounds != first.rounds + 1:
        signs.append(f"rounds {first.rounds} then {second.rounds}")
    for name, was, now in _growing(first, second):
        if now < was:
            signs.append(f"{name} fell from {was:g} to {now:g}")
    for weapon, later in second.weapons.items():
        earlier = first.weapons.get(weapon, NO_COUNTS)
        if later.headshots - earlier.headshots > later.hits - earlier.hits:
            signs.append(f"{weapon} would have hit more heads than it hit")
    return signs


def counters_fell(first: PlayerLine, second: PlayerLine) -> bool:
    """Whether any counter that can only grow is lower in ``second``."""
    return any(later < earlier for _, earlier, later in _growing(first, second))


def nothing_counted(first: PlayerLine, second: PlayerLine) -> bool:
    """Whether no counter moved between two files: he sat the round out."""
    return all(earlier == later for _, earlier, later in _pairs(first, second, WEAPON_COLUMNS))


def was_there(line: PlayerLine) -> bool:
    """Whether a line of a round's first file counts anything at all."""
    return any(count for _, count, _ in _pairs(line, line, WEAPON_COLUMNS))


def counts_on(first: StatsFile, second: StatsFile) -> bool:
    """Whether the counters of all shared players go on from ``first``, by ``rounds`` and by every counter."""
    before = {line.guid: line for line in first.players}
    shared = [(before[line.guid], line) for line in second.players if line.guid in before]
    return bool(shared) and all(
        later.rounds == earlier.rounds + 1 and not counters_fell(earlier, later) for earlier, later in shared
    )


def carried_over(stats: StatsFile, previous: StatsFile | None) -> frozenset[str]:
    """GUIDs whose counters in a round-1 file hold more than that round.

    Either a player was there for longer than the round can have lasted, or the whole lobby counts on from
    ``previous``, the file before it when that is of the same map: then of everybody in both. (A map change clears all
    counters.)
    """
    found = {line.guid for line in stats.players if _longer_than_the_round(line, stats)}
    lines = previous.players if previous else ()
    before = {line.guid: line for line in lines if (line.tail["minutes_played"] or 0) >= _WORTH_COMPARING}
    shared = [(before[line.guid], line) for line in stats.players if line.guid in before]
    if len(shared) > 1 and not any(counters_fell(first, second) for first, second in shared):
        found |= {line.guid for _, line in shared}
    return frozenset(found)


def _longer_than_the_round(line: PlayerLine, stats: StatsFile) -> bool:
    header, minutes = stats.header, line.tail["minutes_played"]
    length = header.playtime_seconds or (header.attack_seconds if attack_succeeded(header) else header.limit_seconds)
    return bool(length and minutes and minutes * 60 > length + LONGER_THAN_THE_ROUND)


def _growing(first: PlayerLine, second: PlayerLine) -> Iterator[tuple[str, float, float]]:
    return _pairs(first, second, MONOTONE_WEAPON_COLUMNS)


def _pairs(
    first: PlayerLine, second: PlayerLine, weapon_columns: tuple[str, ...]
) -> Iterator[tuple[str, float, float]]:
    """Name and both values of every counter of two lines of one player, where both are known."""
    for name in MONOTONE_TAIL:
        earlier, later = first.tail[name], second.tail[name]
        if earlier is not None and later is not None:
            yield name, earlier, later
    for weapon in sorted(first.weapons.keys() | second.weapons.keys()):
        counts = first.weapons.get(weapon, NO_COUNTS), second.weapons.get(weapon, NO_COUNTS)
        for column in weapon_columns:
            yield f"{weapon} {column}", getattr(counts[0], column), getattr(counts[1], column)
