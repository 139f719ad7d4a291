"""The round-2 differential: a round's own numbers out of files that count partly on from round 1.

Belongs here: the subtraction, the answer to counters that restarted or were carried over, who was there at all.
Does not belong here: which field does what (``rules.policy``), the signs (``rules.counters``), pairing
(``rules.pairing``), ratios (SQL views).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from operator import sub

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, NO_COUNTS, PlayerLine, StatsFile, WeaponCounts
from slomix_pipeline.formats.weapons import WEAPONS
from slomix_pipeline.rules.counters import nothing_counted, restart_signs, stayed_longer, was_there
from slomix_pipeline.rules.identity import has_identity
from slomix_pipeline.rules.policy import BULLETS_SINCE, COUNTERS, MOST_DENIED_PER_KILL, POLICY, Policy
from slomix_pipeline.rules.values import other_side, shared_lines

# What a player's numbers are marked with.
CUMULATIVE = "cumulative"  # counts on from a round 1 that is not here, or from a line in it that can't be told: unknown
CARRIED_OVER = "counters_carried_over"  # a round 1 that counts on from the file before it: unknown
STAYED_LONGER = "there_for_longer"  # than the round can have lasted, so more than it is in his counters: unknown
COUNTER_RESET = "counter_reset"  # the round-2 line holds that round alone: taken as it is
DEAD_TIME_CAPPED = "dead_time_capped"  # the file has him dead for longer than he was there
NO_IDENTITY = "no_identity"  # nobody knows who he is: in the round's numbers, in no total over rounds

_CUMULATIVE = tuple(name for name in COUNTERS if POLICY[name] is Policy.CUMULATIVE)


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


def round_one_players(
    stats: StatsFile,
    second: StatsFile | None = None,
    carried_over: Collection[str] = (),
    longest: float | None = None,
) -> list[RoundPlayer]:
    """The players of a round-1 file, whose numbers are the round's own.

    Who ended as a spectator gets his side from ``second``, the round-2 file, when there is one. Of the GUIDs in
    ``carried_over``, and of who is there for more than the ``longest`` seconds the round can have lasted, what is
    cumulative is unknown (see ``rules.counters``).
    """
    later = {line.guid: line for line in second.players} if second else {}
    players = [_as_it_is(line, stats.tail_fields, later.get(line.guid)) for line in stats.players if was_there(line)]
    return [_without_cumulative(p, CARRIED_OVER) if p.guid in carried_over else _within(p, longest) for p in players]


def orphan_players(stats: StatsFile) -> list[RoundPlayer]:
    """The players of a file that counts on from a missing round 1: what is cumulative is unknown."""
    lines = (line for line in stats.players if was_there(line))
    return [_without_cumulative(_as_it_is(line, stats.tail_fields), CUMULATIVE) for line in lines]


def round_two_players(first: StatsFile, second: StatsFile, longest: float | None = None) -> list[RoundPlayer]:
    """The players of a round 2, each with the round's own numbers. Who sat it out has no entry.

    The line of a player whose counters restarted is taken as it is. When that is most of the lobby, the engine may
    have kept no counters at all; who happens to be above his round 1 then shows no sign of it, so what adds up decides.
    Who would have been there for more than the ``longest`` seconds the round can have lasted is unknown: something
    else is in his counters too, as an attempt at round 2 that was broken off, or a pause that no record tells. So is
    who may go on from a line of round 1 that nobody can tell to be his: a name is no identity.
    """
    shared = shared_lines(first, second)
    restarted = {line.guid for earlier, line in shared if restart_signs(earlier, line)}
    players = _second_round_players(first, second, restarted)
    if len(shared) / 2 < len(restarted) < len(shared):
        nothing_kept = _second_round_players(first, second, {line.guid for line in first.players})
        if _imbalance(nothing_kept) < _imbalance(players):
            players = nothing_kept
    return [_within(player, longest) for player in players]


def _second_round_players(first: StatsFile, second: StatsFile, restarted: Collection[str]) -> list[RoundPlayer]:
    before = {line.guid: line for line in first.players}
    tail_fields = min(first.tail_fields, second.tail_fields)
    players = []
    for line in second.players:
        earlier = before.get(line.guid)
        if earlier is not None and nothing_counted(earlier, line):
            continue
        if earlier is not None and line.guid not in restarted:
            players.append(_difference(earlier, line, tail_fields))
        elif was_there(line):
            player = _as_it_is(line, second.tail_fields, earlier)
            if earlier is not None:
                player = replace(player, flags=(COUNTER_RESET, *player.flags))
            elif any(not restart_signs(other, line) for other in _may_be_his(line, first, second)):
                player = _without_cumulative(player, CUMULATIVE)
            players.append(player)
    return players


def _may_be_his(line: PlayerLine, first: StatsFile, second: StatsFile) -> list[PlayerLine]:
    """The lines of round 1 that nobody in round 2 is known by, and of which one may be that of a ``line`` without any:
    for want of an identity on either side."""
    found = {other.guid for other in second.players}
    strangers = [other for other in first.players if other.guid not in found]
    return [other for other in strangers if not (has_identity(line.guid) and has_identity(other.guid))]


def _within(player: RoundPlayer, longest: float | None) -> RoundPlayer:
    """The player, without what is cumulative when he is said to have been there for longer than the round lasted."""
    return _without_cumulative(player, STAYED_LONGER) if stayed_longer(player.seconds_played, longest) else player


def _imbalance(players: Sequence[RoundPlayer]) -> int:
    """How far a lobby is from what every lobby obeys: one's kill is another's death, damage given is received."""
    kills = sum((p.kills or 0) - (p.deaths or 0) for p in players)
    damage = sum((p.counters["damage_given"] or 0) - (p.counters["damage_received"] or 0) for p in players)
    return abs(kills) + abs(damage)


def seconds(minutes: float | None) -> int | None:
    """Whole seconds of minutes written with one decimal: a tenth is exactly 6 s, so nothing is cut off."""
    return None if minutes is None else round(minutes * 10) * 6


def _as_it_is(line: PlayerLine, tail_fields: int, other_round: PlayerLine | None = None) -> RoundPlayer:
    played, dead = seconds(line.tail["minutes_played"]), seconds(line.tail["minutes_dead"])
    totals = line.totals
    return RoundPlayer(
        guid=line.guid,
        name=line.clean_name,
        side=_side(line, other_round),
        weapons={weapon: counts for weapon, counts in line.weapons.items() if counts != NO_COUNTS},
        kills=totals.kills,
        deaths=totals.deaths,
        headshots=totals.headshots,
        hits=totals.hits,
        shots=totals.shots,
        seconds_played=played,
        seconds_dead=_capped(dead, played),
        seconds_dead_raw=dead,
        alive_percent=line.tail["alive_percent"],
        counters=_counters(line, tail_fields, totals.kills),
        flags=(*(() if has_identity(line.guid) else (NO_IDENTITY,)), *_capped_flags(dead, played)),
    )


def _difference(first: PlayerLine, second: PlayerLine, tail_fields: int) -> RoundPlayer:
    played = _minus(seconds(second.tail["minutes_played"]), seconds(first.tail["minutes_played"]))
    dead = seconds(second.tail["minutes_dead"])
    hits, shots, kills, deaths, headshots = map(sub, second.totals, first.totals)
    counters = _counters(second, tail_fields, kills)
    for name in _CUMULATIVE:
        counters[name] = _minus(counters[name], _whole(first.tail[name]))
    return RoundPlayer(
        guid=second.guid,
        name=second.clean_name,
        side=_side(second, first),
        weapons=_weapon_difference(first, second),
        kills=kills,
        deaths=deaths,
        headshots=headshots,
        hits=hits,
        shots=shots,
        seconds_played=played,
        seconds_dead=_capped(dead, played),
        seconds_dead_raw=dead,
        alive_percent=_alive_percent(first, second),
        counters=counters,
        flags=_capped_flags(dead, played),
    )


def _weapon_difference(first: PlayerLine, second: PlayerLine) -> dict[str, WeaponCounts]:
    """Per weapon; shots stop at 0, because the engine takes shots at corpses back."""
    rows = {}
    held = first.weapons.keys() | second.weapons.keys()
    for weapon in (weapon for weapon in WEAPONS if weapon in held):
        earlier, later = first.weapons.get(weapon, NO_COUNTS), second.weapons.get(weapon, NO_COUNTS)
        hits, shots, kills, deaths, headshots = map(sub, later, earlier)
        counts = WeaponCounts(hits, max(0, shots), kills, deaths, headshots)
        if counts != NO_COUNTS:
            rows[weapon] = counts
    return rows


def _alive_percent(first: PlayerLine, second: PlayerLine) -> float | None:
    """The round's share of time alive, out of two shares over growing times."""
    share1, time1 = first.tail["alive_percent"], first.tail["minutes_played"]
    share2, time2 = second.tail["alive_percent"], second.tail["minutes_played"]
    if share1 is None or time1 is None or share2 is None or time2 is None or time2 <= time1:
        return None
    return min(100.0, max(0.0, (share2 * time2 - share1 * time1) / (time2 - time1)))


def _side(line: PlayerLine, other_round: PlayerLine | None) -> int | None:
    """Where he stood; of a player who ended as a spectator, the opposite of his side in the other round."""
    if line.side in (AXIS, ALLIES):
        return line.side
    return other_side(other_round.side) if other_round and other_round.side in (AXIS, ALLIES) else None


def _counters(line: PlayerLine, tail_fields: int, kills: int) -> dict[str, int | None]:
    """A line's own counters. ``tail_fields``: of the writer who knew least of what they are taken from; ``kills``: the
    round's own."""
    tail = line.tail
    counters = {name: None if (value := tail[name]) is None else int(value) for name in COUNTERS}
    if tail_fields < BULLETS_SINCE:
        counters["bullets_fired"] = None
    if (counters["denied_playtime"] or 0) > MOST_DENIED_PER_KILL * max(kills, 1):
        counters["denied_playtime"] = None
    return counters


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _minus(later: int | None, earlier: int | None) -> int | None:
    return None if later is None or earlier is None else later - earlier


def _without_cumulative(player: RoundPlayer, why: str) -> RoundPlayer:
    counters = player.counters | dict.fromkeys(_CUMULATIVE)
    flags = (why, *(flag for flag in player.flags if flag == NO_IDENTITY))
    return replace(
        player,
        weapons=None,
        kills=None,
        deaths=None,
        headshots=None,
        hits=None,
        shots=None,
        seconds_played=None,
        seconds_dead=None,
        alive_percent=None,
        counters=counters,
        flags=flags,
    )


def _capped(dead: int | None, played: int | None) -> int | None:
    """Seconds dead. Old writers counted dead time several times over: nobody is dead longer than he was there."""
    return None if dead is None or played is None else min(dead, played)


def _capped_flags(dead: int | None, played: int | None) -> tuple[str, ...]:
    return (DEAD_TIME_CAPPED,) if dead is not None and played is not None and dead > played else ()
