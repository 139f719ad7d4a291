"""A believable evening of stopwatch matches, the same for the same seed, and the truth about it.

Belongs here: who plays, which match goes how, when. How a match is played is in ``matches``.
Does not belong here: writing files (``writing``), a clock: the evening is put where the caller says.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from random import Random

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.simulator.matches import Course, Files, Shape, Stay, play_match
from slomix_pipeline.simulator.values import BOT_GUID, Evening, Fighter, Kit, SimMatch, SimRound, Team

SOME_EVENING = datetime(2026, 3, 14, 22, 30, tzinfo=UTC)  # where an evening ends when nobody says
MIN_TEAM, MAX_TEAM = 3, 6

# Time limits in seconds, as servers set them. The Axis defend all of these.
MAPS = {
    "supply": 720,
    "te_escape2": 600,
    "etl_adlernest": 600,
    "sw_goldrush_te": 720,
    "et_brewdog": 600,
    "etl_frostbite": 600,
    "erdenberg_t2": 720,
    "braundorf_b4": 600,
    "etl_sp_delivery": 720,
}
_USUAL_LIMIT = 600

# Invented people with everything in their names that trips formatting and escaping.
_CLANS: dict[Team, tuple[str, ...]] = {
    "A": (
        "^1fox^7|marten",
        "^1fox^7|^2sab^alle_",
        "^1fox^7|*vixen*",
        "^1fox^7|^/Lis^?jak ž",
        "^1fox^7|kit__kat",
        "^1fox^7|^zr^xe^yd",
        "^1fox^7|~~tod~~",
    ),
    "B": (
        "^5.owl ^7hoot*",
        "^5.owl ^7_barn_",
        "^5.owl ^7str^>ï^:x",
        "^5.owl ^7taw||ny",
        "^5.owl ^7snow`y",
        "^5.owl ^7@here",
        "^5.owl ^7ура^4льская",
    ),
}
_KITS: tuple[Kit, ...] = ("medic", "engineer", "fieldops", "medic", "covert", "soldier")
_BOTS = ("Brecht", "Cole", "Dorn", "Eddy")
MAX_BOTS = len(_BOTS)

_SHAPES = (*Shape, Shape.BEATEN)  # in some order
_REPEATED, _LATE_JOIN, _LEFT, _RECONNECTED, _REFUNDED = 4, 1, 2, 3, 0  # matches (from 0) where it happens


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
    last = len(names) - 1

    def courses() -> Iterator[Course]:
        shapes = rng.sample(_SHAPES, len(_SHAPES))
        late = min(_LATE_JOIN, last)
        for index, map_name in enumerate(names):
            stays: dict[int, Stay] = {}
            if index <= late:
                stays[2 * players_per_team - 1] = Stay.JOINS_R2 if index == late else Stay.AWAY
            if index == _REFUNDED:
                stays[0] = Stay.REFUNDED
            if leaver and index == min(_LEFT, last):
                stays[players_per_team - 1] = Stay.LEAVES_R2
            if reconnect and index == min(_RECONNECTED, last):
                stays[players_per_team] = Stay.RECONNECTS
            shape = shapes[index] if index < len(shapes) else rng.choice((Shape.BEATEN, Shape.HELD))
            yield Course(map_name, MAPS.get(map_name, _USUAL_LIMIT), shape, stays)

    return place(_play(rng, courses(), team_a, team_b, first_side_of_a=AXIS), ends_at, zone)


def play_courses(
    seed: int,
    courses: Sequence[Course],
    *,
    players_per_team: int = 4,
    ends_at: datetime = SOME_EVENING,
    zone: tzinfo = UTC,
) -> Evening:
    """Plays an evening of matches that go as told; the rest as in ``play_evening``.

    After a match whose round 2 was lost or aborted, nothing on the same map can be told apart but a whole new match.
    """
    rng = Random(seed)
    team_a, team_b = _line_up(rng, "A", players_per_team), _line_up(rng, "B", players_per_team)
    counting = [index for index, course in enumerate(courses) if _has_a_valid_round_1(courses, index)]
    first_side_of_a = ALLIES if counting and counting[0] % 2 else AXIS
    return place(_play(rng, courses, team_a, team_b, first_side_of_a), ends_at, zone)


def _has_a_valid_round_1(courses: Sequence[Course], index: int) -> bool:
    course = courses[index]
    played_again = index + 1 < len(courses) and _is_played_again(course, courses[index + 1])
    return not course.bots and course.files is not Files.ONLY_R2 and not played_again


def _is_played_again(course: Course, following: Course) -> bool:
    """Whether a match without a round 2 looks like a false start of the next."""
    return course.files in (Files.ONLY_R1, Files.R2_ABORTED) and course.map_name == following.map_name


def _play(
    rng: Random, courses: Iterable[Course], team_a: Sequence[Fighter], team_b: Sequence[Fighter], first_side_of_a: int
) -> Evening:
    matches: list[SimMatch] = []
    others: list[SimRound] = []
    restarted: list[SimRound] = []
    clock, a_side = datetime(2000, 1, 1, tzinfo=UTC), first_side_of_a
    before: Course | None = None
    for course in courses:
        if before and _is_played_again(before, course):
            others = [replace(r, status="superseded") if r is _open_round_1(others) else r for r in others]
        replayed = before is not None and before.map_name == course.map_name
        if course.a_attacks_first is not None:  # the Axis defend
            a_side = ALLIES if course.a_attacks_first else AXIS
        fighters = [*team_a, *team_b, *_bots(course.bots)]
        played = play_match(rng, course, fighters, clock, a_side=a_side, replayed=replayed)
        others += played.others
        restarted += played.restarted
        matches += [played.match] if played.match else []
        clock = max(r.ended_at for r in ([played.match.r2] if played.match else played.others))
        before, a_side = course, ALLIES + AXIS - a_side
    guids_a, guids_b = (frozenset(f.guid for f in team) for team in (team_a, team_b))
    return Evening(tuple(matches), guids_a, guids_b, tuple(others), tuple(restarted))


def _open_round_1(others: Sequence[SimRound]) -> SimRound:
    return next(r for r in reversed(others) if r.status == "r1_only")


def _bots(count: int) -> list[Fighter]:
    """Bots for both teams, who all have slots below 10 and so the same first 8 characters."""
    teams: Sequence[Team] = ("A", "B")
    return [
        Fighter(f"{BOT_GUID}{slot:02d}{'0' * 23}", f"[BOT]^3{name}", teams[slot % 2], "soldier", skill=0.7, aim=0.3)
        for slot, name in enumerate(_BOTS[:count])
    ]


def place(evening: Evening, last_round_ends_at: datetime, zone: tzinfo) -> Evening:
    """The same evening at another time (aware; fractions of a second are cut off) and in another time zone."""
    shift = last_round_ends_at.astimezone(UTC).replace(microsecond=0) - evening.ended_at

    def moved(half: SimRound) -> SimRound:
        return replace(half, ended_at=half.ended_at + shift, zone=zone)

    matches = tuple(replace(m, r1=moved(m.r1), r2=moved(m.r2)) for m in evening.matches)
    others, restarted = tuple(map(moved, evening.others)), tuple(map(moved, evening.restarted))
    return replace(evening, matches=matches, others=others, restarted=restarted)


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
