"""A believable evening of stopwatch matches, the same for the same seed, and the truth about it.

Belongs here: who plays, what happens on which map, when. How a round is fought is in ``fighting``.
Does not belong here: writing files (``writing``), a clock: the evening is put where the caller says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum, auto
from hashlib import sha256
from random import Random

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, Header, StatsFile
from slomix_pipeline.formats.tail import NEWEST_LAYOUT
from slomix_pipeline.simulator.fighting import Place, fight
from slomix_pipeline.simulator.serverfiles import clock_text, player_line
from slomix_pipeline.simulator.values import Evening, Fighter, Kit, SimMatch, SimRound, Team

SOME_EVENING = datetime(2026, 3, 14, 22, 30, tzinfo=UTC)  # where an evening ends when nobody says
MIN_TEAM, MAX_TEAM = 3, 6

# Time limits in seconds, as servers set them. The Axis defend all of these.
MAPS = {
    "supply": 720, "te_escape2": 600, "etl_adlernest": 600, "sw_goldrush_te": 720, "et_brewdog": 600,
    "etl_frostbite": 600, "erdenberg_t2": 720, "braundorf_b4": 600, "etl_sp_delivery": 720,
}  # fmt: skip
_USUAL_LIMIT = 600
_INTERMISSION = 15
_FRAME = 25  # ms, the engine's clock

# Invented people with everything in their names that trips formatting and escaping.
_CLANS: dict[Team, tuple[str, ...]] = {
    "A": ("^1fox^7|marten", "^1fox^7|^2sab^alle_", "^1fox^7|*vixen*", "^1fox^7|^/Lis^?jak ž", "^1fox^7|kit__kat",
          "^1fox^7|^zr^xe^yd", "^1fox^7|~~tod~~"),
    "B": ("^5.owl ^7hoot*", "^5.owl ^7_barn_", "^5.owl ^7str^>ï^:x", "^5.owl ^7taw||ny", "^5.owl ^7snow`y",
          "^5.owl ^7@here", "^5.owl ^7ура^4льская"),
}  # fmt: skip
_KITS: tuple[Kit, ...] = ("medic", "engineer", "fieldops", "medic", "covert", "soldier")


class Shape(Enum):
    """How a match goes."""

    BEATEN = auto()  # both attacks succeed, the second is faster
    HELD = auto()  # the second attack does not beat the first one's time
    FULL_HOLD = auto()  # the first attack fails over the map's whole limit, the second succeeds
    SURRENDER = auto()  # the second attackers give up early; the header then shows the full limit
    DOUBLE_HOLD = auto()  # both fail over the map's whole limit: a draw


_SHAPES = (*Shape, Shape.BEATEN)  # in some order
_REPEATED, _LATE_JOIN, _LEFT, _RECONNECTED, _REFUNDED = 4, 1, 2, 3, 0  # matches (from 0) where it happens


@dataclass(frozen=True, slots=True)
class _Half:
    """A round's course. ``extra_ms`` is the fraction of a second that whole seconds leave out."""

    seconds: int
    extra_ms: int
    attackers_won: bool
    surrendered: bool = False


@dataclass(frozen=True, slots=True)
class _Presence:
    """Who is there in a match: ``late`` misses round 1, ``leaver`` goes in round 2, ``reconnected`` starts anew."""

    fighters: Sequence[Fighter]
    late: Fighter | None
    leaver: Fighter | None
    reconnected: Fighter | None
    refunded: Fighter | None


def play_evening(
    seed: int = 1,
    *,
    players_per_team: int = 4,
    maps: int | Sequence[str] = 7,
    ends_at: datetime = SOME_EVENING,
    zone: tzinfo = UTC,
    leaver: bool = False,
    reconnect: bool = False,
) -> Evening:
    """Plays an evening whose last round ends at ``ends_at`` (aware; the second counts) on a server in ``zone``.

    ``maps`` names them in order, or says how many. From 6 maps on it holds everything of ``Shape``, and a map
    played twice in a row, a late joiner and a knife whose shots fall. ``leaver``: someone leaves during a round 2
    and his last line stays; ``reconnect``: someone comes back into a round 2 with counters at 0.

    Raises:
        ValueError: no map, or a team below 3 or above 6 players.
    """
    if not MIN_TEAM <= players_per_team <= MAX_TEAM:
        raise ValueError(f"{players_per_team} players per team; {MIN_TEAM} to {MAX_TEAM} can play")
    rng = Random(seed)
    names = _map_order(rng, maps) if isinstance(maps, int) else list(maps)
    if not names:
        raise ValueError("an evening needs a map")
    team_a, team_b = _line_up(rng, "A", players_per_team), _line_up(rng, "B", players_per_team)
    fighters = team_a + team_b
    shapes = rng.sample(_SHAPES, len(_SHAPES))
    late_match = min(_LATE_JOIN, len(names) - 1)
    matches: list[SimMatch] = []
    clock = datetime(2000, 1, 1, tzinfo=UTC)
    for index, map_name in enumerate(names):
        presence = _Presence(
            fighters=[f for f in fighters if index >= late_match or f is not team_b[-1]],
            late=team_b[-1] if index == late_match else None,
            leaver=team_a[-1] if leaver and index == min(_LEFT, len(names) - 1) else None,
            reconnected=team_b[0] if reconnect and index == min(_RECONNECTED, len(names) - 1) else None,
            refunded=team_a[0] if index == _REFUNDED else None,
        )
        replayed = index > 0 and names[index - 1] == map_name
        shape = shapes[index] if index < len(shapes) else rng.choice((Shape.BEATEN, Shape.HELD))
        a_side = ALLIES if index % 2 else AXIS
        match = _play_match(rng, map_name, shape, presence, clock, a_side=a_side, replayed=replayed)
        matches.append(match)
        clock = match.r2.ended_at
    evening = Evening(tuple(matches), frozenset(f.guid for f in team_a), frozenset(f.guid for f in team_b))
    return place(evening, ends_at, zone)


def place(evening: Evening, last_round_ends_at: datetime, zone: tzinfo) -> Evening:
    """The same evening at another time (aware; fractions of a second are cut off) and in another time zone."""
    shift = last_round_ends_at.astimezone(UTC).replace(microsecond=0) - evening.ended_at

    def moved(half: SimRound) -> SimRound:
        return replace(half, ended_at=half.ended_at + shift, zone=zone)

    return replace(evening, matches=tuple(replace(m, r1=moved(m.r1), r2=moved(m.r2)) for m in evening.matches))


def _map_order(rng: Random, count: int) -> list[str]:
    """Different maps, started over when they run out, with one played twice in a row."""
    order: list[str] = []
    while len(order) < count:
        order += rng.sample(sorted(MAPS), len(MAPS))
    if count > _REPEATED:
        order[_REPEATED] = order[_REPEATED - 1]
    return order[:count]


def _line_up(rng: Random, team: Team, count: int) -> list[Fighter]:
    """Some of a clan's people, with the form of the day. GUID and talent stay theirs over all evenings."""
    fighters = []
    for name, kit in zip(rng.sample(_CLANS[team], count), _KITS, strict=False):
        guid32 = sha256(f"simulated player {name}".encode()).hexdigest()[:32].upper()
        talent = Random(guid32)
        skill = talent.uniform(0.8, 1.3) * rng.uniform(0.93, 1.07)
        fighters.append(Fighter(guid32, name, team, kit, skill, aim=talent.uniform(0.32, 0.44)))
    return fighters


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


def _play_match(
    rng: Random, map_name: str, shape: Shape, presence: _Presence, clock: datetime, *, a_side: int, replayed: bool
) -> SimMatch:
    limit = MAPS.get(map_name, _USUAL_LIMIT)
    first_half, second_half = _halves(rng, shape, limit)
    r1 = _play_round(rng, _places_r1(rng, presence, a_side, first_half.seconds), first_half, map_name, clock,
                     limit_seconds=limit, limit_text=clock_text(limit * 1000), rounds=int(replayed))  # fmt: skip
    places = _places_r2(rng, presence, ALLIES + AXIS - a_side, second_half.seconds)
    limit_seconds = r1.duration_seconds if first_half.attackers_won else limit
    r2 = _play_round(rng, places, second_half, map_name, r1.ended_at,
                     limit_seconds=limit_seconds, limit_text=r1.stats.header.attack_time, rounds=int(replayed) + 1,
                     first=r1, anew=presence.reconnected)  # fmt: skip
    return SimMatch(map_name, r1, r2)


def _side_of(fighter: Fighter, a_side: int) -> int:
    return a_side if fighter.team == "A" else ALLIES + AXIS - a_side


def _places_r1(rng: Random, presence: _Presence, a_side: int, seconds: int) -> list[Place]:
    return [
        Place(f, _side_of(f, a_side), 0, seconds, knife_swings=3 if f is presence.refunded else rng.randrange(5))
        for f in presence.fighters
        if f is not presence.late
    ]


def _places_r2(rng: Random, presence: _Presence, a_side: int, seconds: int) -> list[Place]:
    places = []
    for f in presence.fighters:
        joined = _six(seconds * rng.uniform(0.2, 0.4)) if f in (presence.late, presence.reconnected) else 0
        left = _six(seconds * rng.uniform(0.6, 0.8)) if f is presence.leaver else seconds
        swings = -2 if f is presence.refunded else rng.randrange(4)
        places.append(Place(f, _side_of(f, a_side), joined, left, swings))
    return places


def _play_round(
    rng: Random, places: Sequence[Place], half: _Half, map_name: str, clock: datetime, *,
    limit_seconds: int, limit_text: str, rounds: int, first: SimRound | None = None, anew: Fighter | None = None,
) -> SimRound:  # fmt: skip
    """Plays one round after ``clock``. In a round 2 (``first`` given) the engine's counters go on, but for ``anew``."""
    number = 1 if first is None else 2
    winner = ALLIES if half.attackers_won else AXIS
    played = fight(rng, places, half.seconds, attackers=ALLIES, attackers_won=half.attackers_won)
    before = {guid: player for guid, player in first.players.items() if player.fighter is not anew} if first else {}
    lines = [
        player_line(own, before.get(own.guid), rounds if own.guid in before or first is None else 0) for own in played
    ]
    rng.shuffle(lines)  # the script's order is arbitrary
    real_ms = half.seconds * 1000 + half.extra_ms
    header = Header(
        server_name="^2Simulated^7 evening", map_name=map_name, config="legacy3" if len(places) < 7 else "legacy6",
        number=number, defender_side=AXIS, winner_side=winner,
        limit=limit_text, attack_time=clock_text(real_ms) if half.attackers_won else limit_text,
        playtime=str(real_ms + 2 * _FRAME),
    )  # fmt: skip
    return SimRound(
        map_name=map_name, number=number,
        ended_at=clock + timedelta(seconds=_INTERMISSION + rng.randint(30, 90) + half.seconds), zone=UTC,
        duration_seconds=half.seconds, limit_seconds=limit_seconds,
        defender_side=AXIS, winner_side=winner, surrender_side=ALLIES if half.surrendered else 0,
        players={own.guid: own for own in played}, stats=StatsFile(header, tuple(lines), NEWEST_LAYOUT),
    )  # fmt: skip
