"""What numbers of a whole file can't be, and what they should not be.

Belongs here: laws a single file must obey. ``impossible_number`` refuses it, the rest is worth a warning.
"""

import math
from collections.abc import Iterator

from slomix_pipeline.formats.gamestats import PlayerLine, StatsFile
from slomix_pipeline.formats.tail import TAIL_FIELDS

_MAY_BE_NEGATIVE = frozenset({"xp"})  # team kills cost experience
# Far above anything seen (damage ends at 8,400, denied playtime at 5,838 s in one match), far below what sums of it
# could overflow.
_MOST_OF_ANYTHING = 1_000_000
_MOST = {"minutes_played": 24 * 60, "minutes_dead": 24 * 60}
_RATIO_MARGIN = 0.051  # the writer rounds half up to one decimal


def impossible_number(stats: StatsFile) -> str | None:
    """The first number no round can have, with the player's GUID; none in over 2,000 real lines."""
    return next((f"{line.guid}: {what}" for line in stats.players for what in _impossible(line)), None)


def _impossible(line: PlayerLine) -> Iterator[str]:
    for name in TAIL_FIELDS:
        value = line.tail[name]
        if value is not None and value < 0 and name not in _MAY_BE_NEGATIVE:
            yield f"{name} is {value:g}"
        if value is not None and abs(value) > _MOST.get(name, _MOST_OF_ANYTHING):
            yield f"{name} is {value:.0f}"
    for weapon, counts in line.weapons.items():
        if max(counts.hits, counts.shots, counts.kills, counts.deaths, counts.headshots) > _MOST_OF_ANYTHING:
            yield f"the {weapon} has a number above {_MOST_OF_ANYTHING}"
    headshot_kills = line.tail["headshot_kills"]
    if headshot_kills is not None and headshot_kills > line.total("kills"):
        yield f"{headshot_kills:g} headshot kills of {line.total('kills')} kills"
    for weapon, counts in line.weapons.items():
        if counts.headshots > counts.hits:
            yield f"{counts.headshots} head hits of {counts.hits} hits with the {weapon}"


def disagreeing_ratios(stats: StatsFile) -> list[str]:
    """GUIDs whose kill ratio, as the writer printed it, is not that of the weapons.

    A kill outside the 28 weapon slots does this. The writer's ratio without a death is kills + 1.
    """
    return [line.guid for line in stats.players if line.tail["kd"] is not None and not _ratio_agrees(line)]


def _ratio_agrees(line: PlayerLine) -> bool:
    kills, deaths = line.total("kills"), line.total("deaths")
    ratio = kills / deaths if deaths else kills + 1
    printed = math.floor(ratio * 10 + 0.5) / 10
    return abs(printed - float(line.tail["kd"] or 0)) < _RATIO_MARGIN
