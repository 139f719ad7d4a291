"""One match of a simulated evening: how it goes, as data, and its rounds as they are played.

Belongs here: who is there when, which rounds are cut short or played again, whose script wrote, which file got lost.
Does not belong here: who meets on which map (``evening``), the fighting (``fighting``), bytes (``writing``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from random import Random
from typing import NamedTuple

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, SPECTATOR, Header, PlayerLine, StatsFile
from slomix_pipeline.simulator.fighting import Place, fight
from slomix_pipeline.simulator.serverfiles import clock_text, player_line
from slomix_pipeline.simulator.values import NO_GUID, Fighter, SimMatch, SimRound, TruePlayer
from slomix_pipeline.simulator.writers import NEWEST, Writer

_INTERMISSION = 15
_FRAME = 25  # ms, the engine's clock
_INVENTED_TIME = "71:05"  # scripts make one up for a round without an end


class Shape(Enum):
    """How a match goes."""

    BEATEN = auto()  # both attacks succeed, the second is faster
    HELD = auto()  # the second attack does not beat the first one's time
    FULL_HOLD = auto()  # the first attack fails over the map's whole limit, the second succeeds
    SURRENDER = auto()  # the second attackers give up early; the header then shows the full limit
    DOUBLE_HOLD = auto()  # both fail over the map's whole limit: a draw


class Stay(Enum):
    """How someone is there in a match; who has none of these plays both rounds through."""

    AWAY = auto()  # in neither round
    JOINS_R1 = auto()  # comes during round 1
    JOINS_R2 = auto()  # comes during round 2, a newcomer
    JOINS_BETWEEN = auto()  # comes in the break, a newcomer
    LEAVES_R1 = auto()  # goes during round 1; his last line stays
    LEAVES_BETWEEN = auto()
    LEAVES_R2 = auto()  # goes during round 2; his last line stays
    RECONNECTS = auto()  # comes back into round 2, and everything of his counts from 0
    RECONNECTS_UNSEEN = auto()  # the same on servers whose ``rounds`` go up all the same
    WATCHES_END_R1 = auto()  # goes during round 1, to the spectators, and plays round 2
    WATCHES_END_R2 = auto()  # goes during round 2, to the spectators
    SITS_OUT_R2 = auto()  # a spectator in round 2: a line in which nothing moves
    GOES_OVER_R1 = auto()  # to the enemy during round 1, for the rest of it
    GOES_OVER_AND_BACK_R2 = auto()  # to the enemy and back during round 2
    REFUNDED = auto()  # plays; of his knife's swings the engine takes some back in round 2


_ABSENT = {
    1: {Stay.AWAY, Stay.JOINS_R2, Stay.JOINS_BETWEEN},
    2: {Stay.AWAY, Stay.LEAVES_R1, Stay.LEAVES_BETWEEN, Stay.SITS_OUT_R2},
}
_COMES_LATE = {1: {Stay.JOINS_R1}, 2: {Stay.JOINS_R2, Stay.RECONNECTS, Stay.RECONNECTS_UNSEEN}}
_GOES_EARLY = {1: {Stay.LEAVES_R1, Stay.WATCHES_END_R1}, 2: {Stay.LEAVES_R2, Stay.WATCHES_END_R2}}
# When, in parts of a round.
_GOES_OVER: Mapping[int, Mapping[Stay | None, Sequence[float]]] = {
    1: {Stay.GOES_OVER_R1: [0.4]},
    2: {Stay.GOES_OVER_AND_BACK_R2: [0.2, 0.5]},
}
_WATCHES = {1: {Stay.WATCHES_END_R1}, 2: {Stay.WATCHES_END_R2, Stay.SITS_OUT_R2}}
STARTS_ANEW = {Stay.RECONNECTS, Stay.RECONNECTS_UNSEEN}


class FalseStart(Enum):
    """A round 1 before the one that counts."""

    ABORTED = auto()  # the map changed under it, and came back
    REPLAYED = auto()  # played to its end, by one player less and with the sides exchanged


class Files(Enum):
    """What is left of a match."""

    BOTH = auto()
    ONLY_R1 = auto()  # round 2's file was lost
    ONLY_R2 = auto()  # round 1's file was lost
    R2_ABORTED = auto()  # the map changed during round 2: its file is labelled round 1


@dataclass(frozen=True, slots=True)
class Course:
    """How a match goes. Players are numbered, team A first; ``renames``: raw names that they have in round 2.

    ``writers``: who wrote the files of round 1 and of round 2. ``limit``: of the map, in seconds. ``a_attacks_first``:
    None where the teams' first sides alternate from match to match. ``resets``: the match is reset in its round 1, and
    in the round 2 of every start that was played to its end. ``keyless``: whose client has no GUID.
    """

    map_name: str
    limit: int
    shape: Shape
    stays: Mapping[int, Stay] = field(default_factory=dict)
    renames: Mapping[int, str] = field(default_factory=dict)
    bots: int = 0
    starts: Sequence[FalseStart] = ()
    files: Files = Files.BOTH
    writers: tuple[Writer, Writer] = (NEWEST, NEWEST)
    a_attacks_first: bool | None = None
    resets: bool = False
    keyless: int | None = None


class Played(NamedTuple):
    """What became of a course: the match when both its files are there, the rounds of no complete match, and the
    attempts that a reset ended."""

    match: SimMatch | None
    others: list[SimRound]
    restarted: list[SimRound]


@dataclass(frozen=True, slots=True)
class _Half:
    """A round's course. ``extra_ms`` is the fraction of a second that whole seconds leave out."""

    seconds: int
    extra_ms: int
    attackers_won: bool
    surrendered: bool = False
    aborted: bool = False


@dataclass(frozen=True, slots=True)
class _Guest:
    """Someone of a match: who he is, where he stands in round 1, how he is there."""

    fighter: Fighter
    first_side: int
    stay: Stay | None
    renamed: Fighter


def play_match(
    rng: Random, course: Course, fighters: Sequence[Fighter], clock: datetime, *, a_side: int, replayed: bool
) -> Played:
    """Plays a match after ``clock``.

    ``a_side``: where team A stands in round 1; ``replayed``: the map was the last one too, and ``rounds`` go on.
    A round 1 whose second is missing gets the status of one that no later file says more about.
    """
    fighters = [replace(f, guid32=NO_GUID) if n == course.keyless else f for n, f in enumerate(fighters)]
    guests = [
        _Guest(
            f,
            a_side if f.team == "A" else ALLIES + AXIS - a_side,
            course.stays.get(number),
            replace(f, name=course.renames.get(number, f.name)),
        )
        for number, f in enumerate(fighters)
    ]
    others: list[SimRound] = []
    restarted: list[SimRound] = []
    for start in course.starts:
        others.append(_false_start(rng, course, start, guests, clock, rounds=int(replayed)))
        clock = others[-1].ended_at
        replayed = start is FalseStart.REPLAYED
        if course.resets and replayed:
            restarted.append(_reset(rng, course, _exchanged(guests), clock, first=others[-1]))
            clock = restarted[-1].ended_at
    if course.resets:
        restarted.append(_reset(rng, course, guests, clock))
        clock = restarted[-1].ended_at
    first_half, second_half = _halves(rng, course.shape, course.limit)
    if course.files is Files.R2_ABORTED:
        second_half = _cut_short(rng, second_half.seconds)
    limit = clock_text(course.limit * 1000)
    r1 = _play_round(
        rng,
        course.writers[0],
        guests,
        first_half,
        course.map_name,
        clock,
        limit_seconds=course.limit,
        limit_text=limit,
        rounds=int(replayed),
    )
    r2 = _play_round(
        rng,
        course.writers[1],
        guests,
        second_half,
        course.map_name,
        r1.ended_at,
        limit_seconds=_to_beat(r1),
        limit_text=r1.stats.header.attack_time,
        rounds=int(replayed) + 1,
        first=r1,
    )
    if course.files is Files.BOTH:
        return Played(SimMatch(course.map_name, r1, r2), others, restarted)
    if course.files is not Files.ONLY_R2:
        others.append(replace(r1, status="r1_only"))
    if course.files is not Files.ONLY_R1:
        others.append(r2 if second_half.aborted else replace(r2, status="r2_only"))
    return Played(None, others, restarted)


def _to_beat(first: SimRound) -> int:
    """The seconds that round 2 has. What a script made up is no time to beat: the engine knows its own."""
    return first.duration_seconds if first.attackers_won else first.limit_seconds


def _halves(rng: Random, shape: Shape, limit: int) -> tuple[_Half, _Half]:
    """The course of both rounds. Seconds are multiples of 6, see ``TruePlayer``."""

    def attack(longest: int, least: float, most: float) -> _Half:
        return _Half(_six(longest * rng.uniform(least, most)), _FRAME * rng.randint(4, 32), attackers_won=True)

    hold = _Half(limit, _FRAME, attackers_won=False)
    if shape is Shape.DOUBLE_HOLD:
        return hold, hold
    if shape is Shape.FULL_HOLD:
        return hold, attack(limit, 0.4, 0.85)
    if shape is Shape.BEATEN:
        first = attack(limit, 0.45, 0.9)
        return first, attack(first.seconds, 0.55, 0.95)
    first = attack(limit, 0.5, 0.9)
    if shape is Shape.HELD:
        return first, replace(first, extra_ms=first.extra_ms + _FRAME, attackers_won=False)
    gave_up = replace(attack(first.seconds, 0.5, 0.7), attackers_won=False, surrendered=True)
    return first, gave_up


def _six(seconds: float) -> int:
    return int(seconds) // 6 * 6


def _cut_short(rng: Random, seconds: int) -> _Half:
    return _Half(_six(seconds * rng.uniform(0.1, 0.6)), 0, attackers_won=False, aborted=True)


def _false_start(
    rng: Random, course: Course, start: FalseStart, guests: Sequence[_Guest], clock: datetime, rounds: int
) -> SimRound:
    half, status = _cut_short(rng, course.limit), "aborted"
    if start is FalseStart.REPLAYED:
        half, status = _halves(rng, course.shape, course.limit)[0], "superseded"
        guests = _exchanged(guests)
    played = _play_round(
        rng,
        course.writers[0],
        guests,
        half,
        course.map_name,
        clock,
        limit_seconds=course.limit,
        limit_text=clock_text(course.limit * 1000),
        rounds=rounds,
    )
    return replace(played, status=status)


def _exchanged(guests: Sequence[_Guest]) -> list[_Guest]:
    """One player less, and everybody on the other side."""
    return [replace(guest, first_side=ALLIES + AXIS - guest.first_side) for guest in guests[:-1]]


def _reset(
    rng: Random, course: Course, guests: Sequence[_Guest], clock: datetime, first: SimRound | None = None
) -> SimRound:
    """A round that a reset of the match ends: round 2 where ``first`` is given."""
    limit = _to_beat(first) if first else course.limit
    played = _play_round(
        rng,
        course.writers[0],
        guests,
        _cut_short(rng, limit),
        course.map_name,
        clock,
        limit_seconds=limit,
        limit_text=clock_text(limit * 1000),
        rounds=0,
        first=first,
    )
    return replace(played, status="restarted")


def _places(rng: Random, guests: Sequence[_Guest], number: int, seconds: int) -> list[tuple[_Guest, Place]]:
    places = []
    for guest in guests:
        if guest.stay in _ABSENT[number]:
            continue
        joined = _six(seconds * rng.uniform(0.2, 0.4)) if guest.stay in _COMES_LATE[number] else 0
        left = _six(seconds * rng.uniform(0.6, 0.8)) if guest.stay in _GOES_EARLY[number] else seconds
        refunded = guest.stay is Stay.REFUNDED
        switches = tuple(int(seconds * part) for part in _GOES_OVER[number].get(guest.stay, ()))
        if number == 1:
            swings = 3 if refunded else rng.randrange(5)
            places.append((guest, Place(guest.fighter, guest.first_side, joined, left, swings, switches)))
        else:
            swings = -2 if refunded else rng.randrange(4)
            side = ALLIES + AXIS - guest.first_side
            places.append((guest, Place(guest.renamed, side, joined, left, swings, switches)))
    return places


def _play_round(
    rng: Random,
    writer: Writer,
    guests: Sequence[_Guest],
    half: _Half,
    map_name: str,
    clock: datetime,
    *,
    limit_seconds: int,
    limit_text: str,
    rounds: int,
    first: SimRound | None = None,
) -> SimRound:
    """Plays one round after ``clock``. In a round 2 (``first`` given) the engine's counters go on."""
    number = 1 if first is None else 2
    winner = ALLIES if half.attackers_won else AXIS
    places = _places(rng, guests, number, half.seconds)
    played, deeds = fight(
        rng, [place for _, place in places], half.seconds, attackers=ALLIES, attackers_won=half.attackers_won
    )
    lines = [_line(own, guest, number, first, rounds) for own, (guest, _) in zip(played, places, strict=True)]
    rng.shuffle(lines)  # the script's order is arbitrary
    if first:
        lines += [
            _idle_line(first.players[guest.fighter.key], rounds) for guest in guests if guest.stay is Stay.SITS_OUT_R2
        ]
    real_ms = half.seconds * 1000 + half.extra_ms
    header = Header(
        server_name="^2Simulated^7 evening",
        map_name=map_name,
        config="legacy3" if len(places) < 7 else "legacy6",
        number=3 - number if half.aborted else number,
        defender_side=AXIS,
        winner_side=winner,
        limit=limit_text,
        attack_time=clock_text(real_ms) if half.attackers_won else limit_text,
        playtime=str(-real_ms if half.aborted else real_ms + 2 * _FRAME),
    )
    if half.aborted and header.number == 2:
        header = replace(header, attack_time=_INVENTED_TIME)
    header = writer.header(header, held=not half.attackers_won and not half.aborted)
    return SimRound(
        map_name=map_name,
        number=number,
        ended_at=clock + timedelta(seconds=_INTERMISSION + rng.randint(30, 90) + half.seconds),
        zone=UTC,
        duration_seconds=half.seconds,
        limit_seconds=limit_seconds,
        defender_side=AXIS,
        winner_side=winner,
        surrender_side=ALLIES if half.surrendered else 0,
        players={own.fighter.key: own for own in played},
        stats=StatsFile(header, tuple(map(writer.line, lines)), writer.tail_fields),
        status="aborted" if half.aborted else "complete",
        line_end=writer.line_end,
        deeds=deeds,
    )


def _line(own: TruePlayer, guest: _Guest, number: int, first: SimRound | None, rounds: int) -> PlayerLine:
    before = first.players.get(guest.fighter.key) if first and guest.stay not in STARTS_ANEW else None
    missed_the_start = guest.stay in _COMES_LATE[number] and guest.stay is not Stay.RECONNECTS_UNSEEN
    if guest.stay is Stay.JOINS_R1:
        rounds = number - 1
    elif guest.stay is Stay.JOINS_BETWEEN:
        rounds = 1
    elif missed_the_start:
        rounds = 0
    line = player_line(own, before, rounds)
    return replace(line, side=SPECTATOR) if guest.stay in _WATCHES[number] else line


def _idle_line(first: TruePlayer, rounds: int) -> PlayerLine:
    """The line of someone who does nothing in round 2: what the engine kept of round 1, and nothing of the script's."""
    nothing = replace(first, weapons={}, counters=dict.fromkeys(first.counters, 0), seconds_played=0, seconds_dead=0)
    return replace(player_line(nothing, first, rounds), side=SPECTATOR)
