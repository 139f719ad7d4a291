"""Conservation laws: what the numbers of every round must add up to, and what may break them without a mistake.

Belongs here: the laws of a lobby, of a header, of a pair, each with the numbers it saw and the players it names.
Does not belong here: bounds of single numbers (``rules.plausibility``), what is done about a broken law (``checks``).
Source: found to hold on 305 of 308 real files and on the round-2 differences of all 142 real pairs; the exceptions
were one reconnect and one leaver, who take what they did with them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, Header, PlayerLine, StatsFile
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.differential import COUNTER_RESET, RoundPlayer
from slomix_pipeline.rules.identity import has_identity
from slomix_pipeline.rules.values import attack_succeeded, shared_lines, stopwatch_seconds, time_to_beat

CAUSES = "what may explain it"  # how ``known_causes`` are named where they are stored
KILLS, DAMAGE = "kills = deaths", "damage given = received"  # records ask for these, see sql/views/11_records.sql
UNKNOWN = "unknown"  # a sum that a law needs
UNEXPLAINED = "nobody in this file explains it: somebody who left on the way has no line, or the file is wrong"
SHORT_STAY = 60  # seconds less than the longest stay; the writer's minutes are exact to 6 s


class Finding(NamedTuple):
    """What one law saw. ``holds`` is None where a number it needs is unknown; ``players``: GUIDs that break it."""

    law: str
    holds: bool | None
    numbers: str
    players: tuple[str, ...] = ()


def lobby_laws(players: Sequence[RoundPlayer]) -> list[Finding]:
    """The laws of everybody's own numbers in one round."""
    return [
        _equal(KILLS, players, _kills, players, _deaths),
        _side_by_side("Axis kills = Allies deaths", players, AXIS),
        _side_by_side("Allies kills = Axis deaths", players, ALLIES),
        _equal(DAMAGE, players, _counter("damage_given"), players, _counter("damage_received")),
        _equal(
            "team damage given = received",
            players,
            _counter("team_damage_given"),
            players,
            _counter("team_damage_received"),
        ),
        _within("head hits ≤ hits", players, lambda p: p.headshots, lambda p: p.hits),
        _within("headshot kills ≤ kills", players, _counter("headshot_kills"), _kills),
    ]


def header_law(header: Header, number: int) -> Finding:
    """The attackers won exactly when they took less than the limit. It is open where no time stands; a round 2 may be
    won within the second that its limit prints."""
    law = "attackers won = time below the limit"
    won, time, limit = attack_succeeded(header), stopwatch_seconds(header), header.limit_seconds
    shown = "no time" if time is None else format_time(time)
    numbers = f"winner {header.winner_side}, defender {header.defender_side}, {shown} of {header.limit}"
    if won is None or time is None or limit is None:
        return Finding(law, None, numbers)
    return Finding(law, won == (time < limit) or (number == 2 and won), numbers)


def pair_laws(first: StatsFile, second: StatsFile) -> list[Finding]:
    """What confirms that a round 2 goes on from its round 1."""
    shared = shared_lines(first, second)
    return [
        _limit_law(first.header, second.header),
        _of_all("shared players swap sides", [pair for pair in shared if _stood(pair)], _swapped),
        _of_all("rounds go up by one", shared, lambda pair: pair[1].rounds == pair[0].rounds + 1),
    ]


def _limit_law(first: Header, second: Header) -> Finding:
    """Scripts shorten round 2 on some maps; nothing makes it longer."""
    law, limit, time = "limit of round 2 = time of round 1", second.limit_seconds, time_to_beat(first)
    if limit is None or time is None:
        return Finding(law, None, f"{second.limit} and {'no time' if time is None else format_time(time)}")
    shortened = ": shortened" if limit < time else ""
    return Finding(law, limit <= time, f"{second.limit} and {format_time(time)}{shortened}")


def known_causes(
    players: Sequence[RoundPlayer], first: StatsFile | None, others: Sequence[Sequence[RoundPlayer]] = ()
) -> list[str]:
    """What can break a lobby's laws without any mistake: who left, came late, reconnected or changed sides. ``first``:
    the round-1 file of a round 2; ``others``: the players of the session's other rounds."""
    switched = _side_switch(players, others)
    causes = [switched] if switched else []
    causes += [f"{guid} ended both rounds on the same side: he changed sides" for guid in _on_one_side(players, first)]
    there = {p.guid for p in players}
    longest = max((p.seconds_played or 0 for p in players), default=0)
    for p in players:
        if COUNTER_RESET in p.flags:
            causes.append(f"{p.guid} reconnected: what he counted before that is gone")
        elif p.seconds_played is not None and p.seconds_played < longest - SHORT_STAY:
            causes.append(
                f"{p.guid} was there for {format_time(p.seconds_played)} of {format_time(longest)}: "
                "if he reconnected, what he counted before is gone"
            )
    known = [line.guid for line in first.players if has_identity(line.guid)] if first else []
    left = [guid for guid in known if guid not in there]
    causes += [f"{guid} of round 1 has no numbers here: if he left on the way, what he did is gone" for guid in left]
    return causes or [UNEXPLAINED]


def _side_switch(players: Sequence[RoundPlayer], others: Sequence[Sequence[RoundPlayer]]) -> str | None:
    """Who changed sides on the way, when that alone breaks the laws of sides: all kills are deaths, but what he did
    before counts on the side where he ended. None when the laws hold, or more is wrong."""
    kills, deaths = _sum(players, _kills), _sum(players, _deaths)
    axis, allies = ([p for p in players if p.side == side] for side in (AXIS, ALLIES))
    own, taken = _sum(axis, _kills), _sum(allies, _deaths)
    if None in (kills, deaths, own, taken) or kills != deaths or own == taken:
        return None
    too_many = (taken or 0) - (own or 0)  # kills and deaths on the Allies side, negative on the other
    able = [p for p in (allies if too_many > 0 else axis) if (p.kills or 0) + (p.deaths or 0) >= abs(too_many)]
    here = {p.guid: p.side for p in players}
    elsewhere = {guid for other in others for guid in _with_other_mates(here, {p.guid: p.side for p in other})}
    found = [p.guid for p in able if p.guid in elsewhere] or [p.guid for p in able]
    names = ", ".join(found) or "more than one player"
    who = f"one of {names}" if len(found) > 1 else names
    return f"{who} changed sides on the way: what he did before counts on the side where he ended"


def _on_one_side(players: Sequence[RoundPlayer], first: StatsFile | None) -> list[str]:
    """Who of a round 2 stands where he stood in round 1, when most did not."""
    before = {line.guid: line.side for line in first.players if line.side in (AXIS, ALLIES)} if first else {}
    both = [p for p in players if p.side and p.guid in before]
    stayed = [p.guid for p in both if p.side == before[p.guid]]
    return stayed if 2 * len(stayed) < len(both) else []


def _with_other_mates(here: Mapping[str, int | None], other: Mapping[str, int | None]) -> set[str]:
    """Players who changed teams between two rounds. Most players tell whether the sides swapped; those who did
    otherwise changed teams. Nobody where it is half and half."""
    shared = {guid for guid in here.keys() & other.keys() if here[guid] and other[guid]}
    moved = {guid for guid in shared if here[guid] != other[guid]}
    return min(moved, shared - moved, key=len) if 2 * len(moved) != len(shared) else set()


_Number = Callable[[RoundPlayer], int | None]


def _kills(player: RoundPlayer) -> int | None:
    return player.kills


def _deaths(player: RoundPlayer) -> int | None:
    return player.deaths


def _counter(name: str) -> _Number:
    return lambda player: player.counters[name]


def _side_by_side(law: str, players: Sequence[RoundPlayer], side: int) -> Finding:
    if any(p.side is None for p in players):
        return Finding(law, None, "somebody's side is unknown")
    own, others = [p for p in players if p.side == side], [p for p in players if p.side != side]
    return _equal(law, own, _kills, others, _deaths)


def _equal(
    law: str, givers: Sequence[RoundPlayer], given: _Number, takers: Sequence[RoundPlayer], taken: _Number
) -> Finding:
    left, right = _sum(givers, given), _sum(takers, taken)
    if left is None or right is None:
        return Finding(law, None, UNKNOWN)
    return Finding(law, left == right, f"{left} {'=' if left == right else '≠'} {right}")


def _sum(players: Sequence[RoundPlayer], number: _Number) -> int | None:
    total = 0
    for value in map(number, players):
        if value is None:
            return None
        total += value
    return total


def _within(law: str, players: Sequence[RoundPlayer], part: _Number, whole: _Number) -> Finding:
    values = [(p.guid, part(p), whole(p)) for p in players]
    known = [(guid, a, b) for guid, a, b in values if a is not None and b is not None]
    broken = [(guid, a, b) for guid, a, b in known if a > b]
    numbers = ", ".join(f"{a} of {b}" for _, a, b in broken) or f"{len(known)} players"
    return Finding(law, not broken if known else None, numbers, tuple(guid for guid, _, _ in broken))


_Pair = tuple[PlayerLine, PlayerLine]


def _stood(pair: _Pair) -> bool:
    return all(line.side in (AXIS, ALLIES) for line in pair)


def _swapped(pair: _Pair) -> bool:
    return pair[0].side != pair[1].side


def _of_all(law: str, shared: Sequence[_Pair], holds: Callable[[_Pair], bool]) -> Finding:
    broken = tuple(second.guid for first, second in shared if not holds((first, second)))
    numbers = f"{len(shared) - len(broken)} of {len(shared)} shared players"
    return Finding(law, not broken if shared else None, numbers, broken)
