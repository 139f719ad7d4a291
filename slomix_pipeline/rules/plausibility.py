"""What numbers can't be, and what they should not be.

Belongs here: bounds of single numbers. ``impossible_number`` refuses a file, the rest is worth a warning.
Does not belong here: what the numbers of a lobby add up to (``rules.laws``).
Source of the rates: bounds that no known audit of real play has reached with healthy files.
"""

import math
from collections.abc import Iterator, Sequence

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, Header, PlayerLine, StatsFile
from slomix_pipeline.formats.tail import TAIL_FIELDS
from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.values import CLOCK_MARGIN

_MAY_BE_NEGATIVE = frozenset({"xp"})  # team kills cost experience
# Far above anything seen (damage ends at 8,400, denied playtime at 5,838 s in one match), far below what sums of it
# could overflow.
_MOST_OF_ANYTHING = 1_000_000
_MOST = dict.fromkeys(TAIL_FIELDS, _MOST_OF_ANYTHING) | {"minutes_played": 24 * 60, "minutes_dead": 24 * 60}
_RATIO_MARGIN = 0.051  # the writer rounds half up to one decimal

# Seconds of play that one of each takes at least.
_SECONDS_PER = {
    "kills": 3,
    "deaths": 3,
    "shots": 1 / 15,
    "revives_given": 8,
    "gibs": 2,
    "dynamites_planted": 25,
    "dynamites_defused": 25,
    "damage_given": 1 / 100,
    "damage_received": 1 / 100,
    "xp": 1 / 1.5,
}
_MOST_ALIVE = 105  # percent
_WHOLE_LOBBY = 4  # shared players


def impossible_number(stats: StatsFile) -> str | None:
    """The first number no round can have, with the player's GUID; none in over 2,000 real lines."""
    return next((f"{line.guid}: {what}" for line in stats.players for what in _impossible(line)), None)


def _impossible(line: PlayerLine) -> Iterator[str]:
    for name, most in _MOST.items():
        value = line.tail[name]
        if value is None or 0 <= value <= most:
            continue
        if value < 0 and name not in _MAY_BE_NEGATIVE:
            yield f"{name} is {value:g}"
        if abs(value) > most:
            yield f"{name} is {value:.0f}"
    for weapon, counts in line.weapons.items():
        if max(counts) > _MOST_OF_ANYTHING:
            yield f"the {weapon} has a number above {_MOST_OF_ANYTHING}"
    headshot_kills, kills = line.tail["headshot_kills"], line.totals.kills
    if headshot_kills is not None and headshot_kills > kills:
        yield f"{headshot_kills:g} headshot kills of {kills} kills"
    for weapon, counts in line.weapons.items():
        if counts.headshots > counts.hits:
            yield f"{counts.headshots} head hits of {counts.hits} hits with the {weapon}"


def disagreeing_ratios(stats: StatsFile) -> list[str]:
    """GUIDs whose kill ratio, as the writer printed it, is not that of the weapons.

    A kill outside the 28 weapon slots does this. The writer's ratio without a death is kills + 1.
    """
    return [line.guid for line in stats.players if line.tail["kd"] is not None and not _ratio_agrees(line)]


def _ratio_agrees(line: PlayerLine) -> bool:
    kills, deaths = line.totals.kills, line.totals.deaths
    ratio = kills / deaths if deaths else kills + 1
    printed = math.floor(ratio * 10 + 0.5) / 10
    return abs(printed - float(line.tail["kd"] or 0)) < _RATIO_MARGIN


def implausible_numbers(players: Sequence[RoundPlayer]) -> list[str]:
    """Own numbers of a round that no play explains, each with its player's GUID."""
    return [f"{player.guid}: {what}" for player in players for what in _implausible(player)]


def _implausible(player: RoundPlayer) -> Iterator[str]:
    totals, played = {"kills": player.kills, "deaths": player.deaths, "shots": player.shots}, player.seconds_played
    for name, seconds in _SECONDS_PER.items():
        value = totals[name] if name in totals else player.counters[name]
        if value is not None and played is not None and value * seconds > played:
            yield f"{value} {name.replace('_', ' ')} in {played} s"
    if player.alive_percent is not None and player.alive_percent > _MOST_ALIVE:
        yield f"alive {player.alive_percent:.0f} % of the time"
    revived, deaths, self_kills = player.counters["times_revived"], player.deaths, player.counters["self_kills"]
    if revived is not None and deaths is not None and self_kills is not None and revived > deaths + self_kills:
        yield f"revived {revived} times after {deaths} deaths and {self_kills} self kills"


def outscored_its_first_round(first: Sequence[RoundPlayer], second: Sequence[RoundPlayer]) -> bool:
    """Whether everybody killed and damaged more in a round 2 that was no longer: so looks a sum of both rounds.

    After a round 1 that was given up early, round 2 is the longer one, and all may have more of everything.
    """
    before = {player.guid: player for player in first}
    shared = [(before[player.guid], player) for player in second if player.guid in before]
    return len(shared) >= _WHOLE_LOBBY and all(
        _more(second.kills, first.kills)
        and _more(second.counters["damage_given"], first.counters["damage_given"])
        and not _more(second.seconds_played, (first.seconds_played or 0) + CLOCK_MARGIN)
        for first, second in shared
    )


def _more(later: int | None, earlier: int | None) -> bool:
    return later is not None and earlier is not None and later > earlier


def odd_header(header: Header) -> list[str]:
    """What a header says that no stopwatch round has."""
    sides = {"winner": header.winner_side, "defender": header.defender_side}
    return [f"{name} {side}, which is no side" for name, side in sides.items() if side not in (AXIS, ALLIES)]
