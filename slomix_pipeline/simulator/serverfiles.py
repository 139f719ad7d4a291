"""What the game server's scripts make of a round: the stats file and the timing record's extras.

Belongs here: which counters go on from round 1, how numbers are rounded and which are mixed up, as the scripts do it.
Does not belong here: bytes (``formats``). The list of what goes on is the engine's, written down here once more on
purpose: were it taken from ``rules.differential``, a mistake there would confirm itself.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.gamestats import ALLIES, AXIS, PlayerLine, WeaponCounts
from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.formats.weapons import WEAPONS
from slomix_pipeline.simulator.values import SimRound, TruePlayer

# The engine saves these over a map restart, and all weapon counts; the scripts' own counters start anew.
_GOES_ON = (
    "damage_given",
    "damage_received",
    "team_damage_given",
    "team_damage_received",
    "gibs",
    "self_kills",
    "team_kills",
    "team_gibs",
    "bullets_fired",
)
_NOTHING = WeaponCounts(0, 0, 0, 0, 0)


def clock_text(milliseconds: int) -> str:
    """``M:SS`` as the stats script prints a time: the engine keeps minutes with six decimals, fractions are cut off."""
    minutes = float(f"{milliseconds / 60_000:f}")
    return format_time(math.floor(minutes * 60_000) // 1000)


def player_line(own: TruePlayer, before: TruePlayer | None, rounds: int) -> PlayerLine:
    """A player's line at the end of a round; ``before`` is his round 1 when his counters went on from it."""
    halves = [own] if before is None else [before, own]
    weapons = {}
    for weapon in WEAPONS:
        counts = _sum(half.weapons.get(weapon, _NOTHING) for half in halves)
        if counts.hits or counts.shots or counts.kills or counts.deaths:
            weapons[weapon] = counts
    tail: dict[str, float | None] = dict(own.counters)
    for name in _GOES_ON:
        tail[name] = sum(half.counters[name] for half in halves)
    played = sum(half.seconds_played for half in halves)
    alive = played - sum(half.seconds_dead for half in halves)
    kills, deaths = sum(half.kills for half in halves), sum(half.deaths for half in halves)
    received = sum(half.damage_received for half in halves)
    tank = received / deaths / 130 if deaths and received > 1000 else 0.0
    tail |= {
        "alive_percent": _tenths(100 * alive / played),
        "dpm": 0.0,  # the script never gets to computing it
        "minutes_played": _tenths(played / 60),
        "tank_ratio": _tenths(tank) if tank > 3 else 0.0,
        # this round's dead time over both rounds' play time, and not before two minutes
        "dead_percent": _tenths(100 * own.seconds_dead / played) if played > 120 else 0.0,
        "minutes_dead": _tenths(own.seconds_dead / 60),
        "kd": _tenths(kills / deaths) if deaths else float(kills + 1),
    }
    return PlayerLine(own.guid, own.name, rounds, own.side, weapons, tail)


def _sum(counts: Iterable[WeaponCounts]) -> WeaponCounts:
    rows = [(c.hits, c.shots, c.kills, c.deaths, c.headshots) for c in counts]
    return WeaponCounts(*map(sum, zip(*rows, strict=True)))


def _tenths(value: float) -> float:
    """Half up to one decimal, as the scripts round."""
    return math.floor(value * 10 + 0.5) / 10


def timing_bytes(sim_round: SimRound) -> bytes:
    """The round's timing record with rosters and spawn counts."""
    players = sorted(sim_round.players.values(), key=lambda player: player.fighter.guid32)
    axis, allies = ([_roster_entry(p) for p in players if p.side == side] for side in (AXIS, ALLIES))
    return gametimes.dump(sim_round.timing, axis=axis, allies=allies, spawn_stats=[_spawn_stats(p) for p in players])


def _roster_entry(player: TruePlayer) -> dict[str, str]:
    return {"guid": player.fighter.guid32, "name": clean_name(player.name)}


def _spawn_stats(player: TruePlayer) -> Mapping[str, Any]:
    return _roster_entry(player) | {
        "spawns": len(player.waits) + 1,
        "deaths": player.falls,
        "dead_seconds": player.seconds_dead,
        "avg_respawn": sum(player.waits) // len(player.waits) if player.waits else 0,
        "max_respawn": max(player.waits, default=0),
    }
