"""The round-2 differential: a round's own numbers out of files that count partly on from round 1.

Belongs here: which field does what (``POLICY``), the reset rule, who was there at all.
Does not belong here: pairing (``rules.pairing``), ratios (SQL views).
Source: the writer's code (engine counters go on, script counters restart with each map load), confirmed on
976 real player pairs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, PlayerLine, StatsFile, WeaponCounts
from slomix_pipeline.formats.tail import TAIL_FIELDS
from slomix_pipeline.formats.weapons import WEAPONS
from slomix_pipeline.rules.values import other_side


class Policy(Enum):
    """How a field of a round-2 file becomes the round's own."""

    CUMULATIVE = "counts on from round 1: subtract"
    THIS_ROUND = "this round only: take as it is"
    RECOMPUTE = "a ratio over mixed counts: neither; computed anew where it is shown"


POLICY: dict[str, Policy] = {
    **dict.fromkeys(
        (
            "damage_given", "damage_received", "team_damage_given", "team_damage_received", "gibs", "self_kills",
            "team_kills", "team_gibs", "bullets_fired", "minutes_played",
        ),
        Policy.CUMULATIVE,
    ),
    **dict.fromkeys(
        (
            "xp", "killing_spree", "death_spree", "kill_assists", "kill_steals", "headshot_kills",
            "objectives_stolen", "objectives_returned", "dynamites_planted", "dynamites_defused", "times_revived",
            "minutes_dead", "useful_kills", "denied_playtime", "multikills_2", "multikills_3", "multikills_4",
            "multikills_5", "multikills_6", "useless_kills", "full_self_kills", "repairs", "revives_given",
        ),
        Policy.THIS_ROUND,
    ),
    **dict.fromkeys(("alive_percent", "dpm", "tank_ratio", "dead_percent", "kd"), Policy.RECOMPUTE),
}  # fmt: skip

# Of a reconnected player these drop. Shots (and their sum, bullets_fired) don't count: the engine refunds some.
_MONOTONE_TAIL = tuple(f for f in TAIL_FIELDS if POLICY[f] is Policy.CUMULATIVE and f != "bullets_fired")
_MONOTONE_WEAPON = ("hits", "kills", "deaths", "headshots")
_EVERY_WEAPON_COLUMN = (*_MONOTONE_WEAPON, "shots")

_NO_COUNTS = WeaponCounts(0, 0, 0, 0, 0)

# Before the 38-field generation bullets_fired is another unit, 17 to 95 times the shots: unknown.
_BULLETS_SINCE = 38

# Counted values of one player in one round, by name; minutes become seconds (a tenth of a minute is 6 s).
COUNTERS = tuple(f for f in TAIL_FIELDS if POLICY[f] is not Policy.RECOMPUTE and not f.startswith("minutes_"))


@dataclass(frozen=True, slots=True)
class RoundPlayer:
    """What one player did in one round; None is unknown. ``side``: 1 Axis, 2 Allies, None unknown.

    ``shots`` is the true difference and may be below the sum of the weapon rows, which stop at 0.
    ``seconds_dead`` never exceeds ``seconds_played``; ``seconds_dead_raw`` is what the file says.
    """

    guid: str
    name: str
    side: int | None
    weapons: dict[str, WeaponCounts] | None
    kills: int | None
    deaths: int | None
    headshots: int | None
    hits: int | None
    shots: int | None
    seconds_played: int | None
    seconds_dead: int | None
    seconds_dead_raw: int | None
    alive_percent: float | None
    counters: dict[str, int | None] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


def round_one_players(stats: StatsFile, second: StatsFile | None = None) -> list[RoundPlayer]:
    """The players of a round-1 file, whose numbers are the round's own.

    Who ended as a spectator gets his side from ``second``, the round-2 file, when there is one.
    """
    later = {line.guid: line for line in second.players} if second else {}
    return [_as_it_is(line, stats.tail_fields, later.get(line.guid)) for line in stats.players if _was_there(line)]


def orphan_players(stats: StatsFile) -> list[RoundPlayer]:
    """The players of a file that counts on from a missing round 1: what is cumulative is unknown."""
    return [_without_cumulative(_as_it_is(line, stats.tail_fields)) for line in stats.players if _was_there(line)]


def round_two_players(first: StatsFile, second: StatsFile) -> list[RoundPlayer]:
    """The players of a round 2, each with the round's own numbers. Who sat it out has no entry."""
    before = {line.guid: line for line in first.players}
    tail_fields = min(first.tail_fields, second.tail_fields)
    players = []
    for line in second.players:
        earlier = before.get(line.guid)
        if earlier is None:
            if _was_there(line):
                players.append(_as_it_is(line, second.tail_fields))
        elif _nothing_counted(earlier, line):
            continue
        elif counters_restarted(earlier, line):
            player = _as_it_is(line, second.tail_fields, earlier)
            players.append(replace(player, flags=("counter_reset", *player.flags)))
        else:
            players.append(_difference(earlier, line, tail_fields))
    return players


def counters_restarted(first: PlayerLine, second: PlayerLine) -> bool:
    """Whether a player's counters began anew between two files (he reconnected).

    Signs, each catching what the others miss: ``rounds`` did not go up by one, a counter fell, or a weapon would have
    hit more heads than it hit.
    """
    return second.rounds != first.rounds + 1 or counters_fell(first, second) or _more_heads_than_hits(first, second)


def _more_heads_than_hits(first: PlayerLine, second: PlayerLine) -> bool:
    return any(
        later.headshots - earlier.headshots > later.hits - earlier.hits
        for weapon, later in second.weapons.items()
        if (earlier := first.weapons.get(weapon, _NO_COUNTS))
    )


def counters_fell(first: PlayerLine, second: PlayerLine) -> bool:
    """Whether any counter that can only grow is lower in ``second``."""
    return any(later < earlier for earlier, later in _counter_pairs(first, second, _MONOTONE_WEAPON))


def _counter_pairs(
    first: PlayerLine, second: PlayerLine, weapon_columns: tuple[str, ...]
) -> Iterator[tuple[float, float]]:
    for name in _MONOTONE_TAIL:
        earlier, later = first.tail[name], second.tail[name]
        if earlier is not None and later is not None:
            yield earlier, later
    for weapon in first.weapons.keys() | second.weapons.keys():
        counts = first.weapons.get(weapon, _NO_COUNTS), second.weapons.get(weapon, _NO_COUNTS)
        for column in weapon_columns:
            yield getattr(counts[0], column), getattr(counts[1], column)


def _nothing_counted(first: PlayerLine, second: PlayerLine) -> bool:
    return all(earlier == later for earlier, later in _counter_pairs(first, second, _EVERY_WEAPON_COLUMN))


def _was_there(line: PlayerLine) -> bool:
    return any(count for count, _ in _counter_pairs(line, line, _EVERY_WEAPON_COLUMN))


def seconds(minutes: float | None) -> int | None:
    """Whole seconds of minutes written with one decimal: a tenth is exactly 6 s, so nothing is cut off."""
    return None if minutes is None else round(minutes * 10) * 6


def _as_it_is(line: PlayerLine, tail_fields: int, other_round: PlayerLine | None = None) -> RoundPlayer:
    player = RoundPlayer(
        guid=line.guid,
        name=line.clean_name,
        side=_side(line, other_round),
        weapons={w: c for w, c in line.weapons.items() if c != _NO_COUNTS},
        kills=line.total("kills"),
        deaths=line.total("deaths"),
        headshots=line.total("headshots"),
        hits=line.total("hits"),
        shots=line.total("shots"),
        seconds_played=seconds(line.tail["minutes_played"]),
        seconds_dead=seconds(line.tail["minutes_dead"]),
        seconds_dead_raw=seconds(line.tail["minutes_dead"]),
        alive_percent=line.tail["alive_percent"],
        counters={name: _count(line, name, tail_fields) for name in COUNTERS},
    )
    return _with_dead_time_capped(player)


def _difference(first: PlayerLine, second: PlayerLine, tail_fields: int) -> RoundPlayer:
    played = _minus(seconds(second.tail["minutes_played"]), seconds(first.tail["minutes_played"]))
    counters = {}
    for name in COUNTERS:
        value = _count(second, name, tail_fields)
        counters[name] = _minus(value, _count(first, name, tail_fields)) if _is_cumulative(name) else value
    player = RoundPlayer(
        guid=second.guid,
        name=second.clean_name,
        side=_side(second, first),
        weapons=_weapon_difference(first, second),
        kills=second.total("kills") - first.total("kills"),
        deaths=second.total("deaths") - first.total("deaths"),
        headshots=second.total("headshots") - first.total("headshots"),
        hits=second.total("hits") - first.total("hits"),
        shots=second.total("shots") - first.total("shots"),
        seconds_played=played,
        seconds_dead=seconds(second.tail["minutes_dead"]),
        seconds_dead_raw=seconds(second.tail["minutes_dead"]),
        alive_percent=_alive_percent(first, second),
        counters=counters,
    )
    return _with_dead_time_capped(player)


def _weapon_difference(first: PlayerLine, second: PlayerLine) -> dict[str, WeaponCounts]:
    """Per weapon; shots stop at 0, because the engine takes shots at corpses back."""
    rows = {}
    for weapon in WEAPONS:
        earlier, later = first.weapons.get(weapon, _NO_COUNTS), second.weapons.get(weapon, _NO_COUNTS)
        counts = WeaponCounts(
            hits=later.hits - earlier.hits,
            shots=max(0, later.shots - earlier.shots),
            kills=later.kills - earlier.kills,
            deaths=later.deaths - earlier.deaths,
            headshots=later.headshots - earlier.headshots,
        )
        if counts != _NO_COUNTS:
            rows[weapon] = counts
    return rows


def _alive_percent(first: PlayerLine, second: PlayerLine) -> float | None:
    """The round's share of time alive, out of two shares over growing times."""
    parts = [line.tail[name] for line in (first, second) for name in ("alive_percent", "minutes_played")]
    if any(part is None for part in parts):
        return None
    share1, time1, share2, time2 = (float(part or 0) for part in parts)
    return min(100.0, max(0.0, (share2 * time2 - share1 * time1) / (time2 - time1))) if time2 > time1 else None


def _side(line: PlayerLine, other_round: PlayerLine | None) -> int | None:
    """Where he stood; of a player who ended as a spectator, the opposite of his side in the other round."""
    if line.side in (AXIS, ALLIES):
        return line.side
    return other_side(other_round.side) if other_round and other_round.side in (AXIS, ALLIES) else None


def _count(line: PlayerLine, name: str, tail_fields: int) -> int | None:
    value = line.tail[name]
    return None if value is None or (name == "bullets_fired" and tail_fields < _BULLETS_SINCE) else int(value)


def _is_cumulative(name: str) -> bool:
    return POLICY[name] is Policy.CUMULATIVE


def _minus(later: int | None, earlier: int | None) -> int | None:
    return None if later is None or earlier is None else later - earlier


def _without_cumulative(player: RoundPlayer) -> RoundPlayer:
    counters = {name: None if _is_cumulative(name) else value for name, value in player.counters.items()}
    return replace(
        player, weapons=None, kills=None, deaths=None, headshots=None, hits=None, shots=None,
        seconds_played=None, seconds_dead=None, alive_percent=None, counters=counters, flags=("cumulative",),
    )  # fmt: skip


def _with_dead_time_capped(player: RoundPlayer) -> RoundPlayer:
    """Old writers counted dead time several times over: nobody is dead longer than he was there."""
    if player.seconds_dead is None or player.seconds_played is None or player.seconds_dead <= player.seconds_played:
        return player
    return replace(player, seconds_dead=player.seconds_played, flags=(*player.flags, "dead_time_capped"))
