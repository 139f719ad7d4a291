"""Evenings of any shape for property tests, and the comparison of what the rules say of them with what was played.

Belongs here: how many examples; which shapes can go together so that their files can be told apart, with the reasons.
Does not belong here: how they are played (``slomix_pipeline.simulator``), where the numbers come from.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from itertools import combinations
from zoneinfo import ZoneInfo

import hypothesis
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, SPECTATOR, WeaponCounts
from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.formats.tail import LAYOUTS, NEWEST_LAYOUT
from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.policy import COUNTERS, POLICY, Policy
from slomix_pipeline.rules.stamps import CLOCK_CHANGE, WITNESS_WITHIN
from slomix_pipeline.simulator.evening import MAX_BOTS, SOME_EVENING, play_courses
from slomix_pipeline.simulator.matches import STARTS_ANEW, Course, FalseStart, Files, Shape, Stay
from slomix_pipeline.simulator.values import STATS_DELAY, Evening, SimRound, TruePlayer
from slomix_pipeline.simulator.writers import Writer

MAPS = ("supply", "te_escape2", "et-under.the_sky+b1")
NAMES = ("^1new ^7name", "^^2^zx", " |_*` ", "ночь^:", "^7", "\x07bell", "caf\udce9")

# Whoever goes over to the enemy breaks the laws of sides: tests of his own play him.
STAYS = tuple(stay for stay in Stay if stay not in (Stay.GOES_OVER_R1, Stay.GOES_OVER_AND_BACK_R2))

WRITERS = st.one_of(
    st.builds(Writer, st.just(NEWEST_LAYOUT), st.just(9), st.sampled_from(("\n", "\r\n"))),
    st.builds(
        Writer,
        st.sampled_from(sorted(LAYOUTS)),
        st.just(8),
        st.sampled_from(("\n", "\r\n")),
        st.sampled_from((None, "0:00", "71:05")),
    ),
)

# Ends of an evening: some time, over midnight, in the hour that the autumn clock change repeats, after the spring one.
LJUBLJANA = ZoneInfo("Europe/Ljubljana")
MOMENTS: tuple[tuple[datetime, tzinfo], ...] = (
    (SOME_EVENING, UTC),
    (datetime(2025, 7, 1, 22, 10, tzinfo=UTC), LJUBLJANA),
    (datetime(2025, 10, 26, 1, 20, tzinfo=UTC), LJUBLJANA),
    (datetime(2026, 3, 29, 1, 15, tzinfo=UTC), LJUBLJANA),
)


def examples(count: int) -> hypothesis.settings:
    """How many examples a property test tries; ``FUZZ_EXAMPLES=200000 pytest …`` is for a long run."""
    return hypothesis.settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", count)))


def hours_can_be_told(evening: Evening) -> bool:
    """Whether no two rounds of one map and label ended an hour apart but for some seconds: in the hour that comes twice
    their records speak for both moments of either, and who imports a folder sees no file's own time."""
    too_near = WITNESS_WITHIN + STATS_DELAY
    return not any(
        (one.map_name, one.label) == (other.map_name, other.label)
        and abs(other.ended_at - one.ended_at - CLOCK_CHANGE) <= too_near
        for one, other in combinations(evening.rounds, 2)
    )


@dataclass(frozen=True)
class Plan:
    """An evening before it is played: what a failing test prints fits a screen."""

    seed: int
    per_team: int
    courses: tuple[Course, ...]
    ends_at: datetime = SOME_EVENING
    zone: tzinfo = UTC

    def play(self) -> Evening:
        return play_courses(
            self.seed, self.courses, players_per_team=self.per_team, ends_at=self.ends_at, zone=self.zone
        )


@st.composite
def plans(draw: st.DrawFn, max_matches: int = 3) -> Plan:
    """An evening of one or more matches, each of any shape that leaves files a reader can make sense of."""
    per_team = draw(st.sampled_from((3, 3, 4, 5, 6)))
    courses: list[Course] = []
    for _ in range(draw(st.integers(1, max_matches))):
        courses.append(_told_apart(draw(_courses(per_team)), courses[-1] if courses else None))
    ends_at, zone = draw(st.sampled_from(MOMENTS))
    return Plan(draw(st.integers(0, 9999)), per_team, tuple(courses), ends_at, zone)


@st.composite
def _courses(draw: st.DrawFn, per_team: int) -> Course:
    players = range(2 * per_team)
    through = {draw(st.integers(0, per_team - 1)), draw(st.integers(per_team, 2 * per_team - 1))}
    stays = draw(st.dictionaries(st.sampled_from(players), st.sampled_from(STAYS), max_size=per_team))
    return Course(
        map_name=draw(st.sampled_from(MAPS)),
        limit=draw(st.sampled_from((240, 600))),
        shape=draw(st.sampled_from(Shape)),
        stays={number: stay for number, stay in stays.items() if number not in through},
        renames=draw(st.dictionaries(st.sampled_from(players), st.sampled_from(NAMES), max_size=2)),
        bots=draw(st.sampled_from((0, 0, 0, 1, MAX_BOTS))),
        starts=draw(st.lists(st.sampled_from(FalseStart), max_size=2)),
        files=draw(st.sampled_from((Files.BOTH, *Files))),
        writers=(draw(WRITERS), draw(WRITERS)),
    )


def _told_apart(course: Course, before: Course | None) -> Course:
    """The course without what no reader of its files could tell from something else."""
    same_map = before is not None and before.map_name == course.map_name
    if before and same_map and before.files in (Files.ONLY_R1, Files.R2_ABORTED) and course.files is Files.ONLY_R2:
        # A round 1 without its round 2, then a round 2 without its round 1: they look like a pair.
        course, same_map = replace(course, map_name=next(m for m in MAPS if m != course.map_name)), False
    starts, (first, second) = list(course.starts), course.writers
    if course.files is Files.ONLY_R2:
        starts = [start for start in starts if start is not FalseStart.REPLAYED]  # the same
        if second.held_time == "71:05":
            second = replace(second, held_time=None)  # without a round 1 to go with it, so looks an aborted round 1
    if first.header_fields == 8 and FalseStart.ABORTED in starts:
        # Old scripts leave only "everybody's match began with it" to know an aborted round 1 by.
        starts = [] if same_map else sorted(starts, key=lambda start: start is FalseStart.REPLAYED)[:2]
    stays = course.stays
    if course.files is Files.R2_ABORTED and second.header_fields == 8:
        # And an aborted round 2 only by "everybody's counters go on".
        stays = {number: stay for number, stay in stays.items() if stay not in STARTS_ANEW}
    return replace(course, starts=starts, stays=stays, writers=(first, second))


# --- the truth about players ---


def name_of(player: RoundPlayer) -> str:
    """How a player is known in ``true_players``: by GUID, a bot or one without GUID by name."""
    return player.name if player.guid.startswith("BOT-") or "no_identity" in player.flags else player.guid


def true_players(sim_round: SimRound) -> dict[str, TruePlayer]:
    return {clean_name(p.name) if p.fighter.is_bot or not p.guid else p.guid: p for p in sim_round.players.values()}


def untrue_numbers(found: Iterable[RoundPlayer], sim_round: SimRound, partner: SimRound | None) -> list[str]:
    """What is not as it was played, one line each. ``partner``: the other round of a complete match."""
    players = {name_of(player): player for player in found}
    truth = true_players(sim_round)
    wrong = [f"{name} is missing" for name in truth.keys() - players.keys()]
    # Without round 1 nobody can tell a spectator who sat round 2 out from one who played it.
    idle = {
        line.guid for line in sim_round.stats.players if may_count_on(sim_round, partner) and line.side == SPECTATOR
    }
    wrong += [f"{name} was not there" for name in players.keys() - truth.keys() - idle]
    for name in truth.keys() & players.keys():
        expected = _expected(truth[name], sim_round, partner)
        shown = _shown(players[name])
        wrong += [
            f"{name}: {what} is {shown[what]}, was {value}"
            for what, value in expected.items()
            if shown[what] not in (value if isinstance(value, _AnyOf) else (value,))
        ]
    return wrong


class _AnyOf(tuple[object, ...]):
    """Values that are all true enough."""


_TOTALS = ("kills", "deaths", "headshots", "hits", "shots", "seconds_played")


def _shown(player: RoundPlayer) -> dict[str, object]:
    return {
        "name": player.name,
        "side": player.side,
        "weapons": player.weapons,
        "seconds_dead": player.seconds_dead,
        **{name: getattr(player, name) for name in _TOTALS},
        **player.counters,
    }


def _expected(own: TruePlayer, sim_round: SimRound, partner: SimRound | None) -> dict[str, object]:
    """What has to be shown of a player: None where his files can't tell."""
    written = sim_round.stats.tail_fields
    expected: dict[str, object] = {
        "name": clean_name(own.name),
        "side": own.side if _is_seen_on_a_side(own, sim_round, partner) else None,
        "weapons": _weapon_rows(own),
        **{name: getattr(own, name) for name in _TOTALS},
        **{name: value if name in LAYOUTS[written] else None for name, value in own.counters.items()},
    }
    old = {
        half.stats.tail_fields < NEWEST_LAYOUT
        for half in (sim_round, partner)
        if half and half.number <= sim_round.number
    }
    if written < NEWEST_LAYOUT:
        expected["bullets_fired"] = None
    elif True in old:
        expected["bullets_fired"] = _AnyOf((own.counters["bullets_fired"], None))  # known of who started anew
    if may_count_on(sim_round, partner):
        cumulative = {name for name in COUNTERS if POLICY[name] is Policy.CUMULATIVE}
        expected |= dict.fromkeys((*_TOTALS, "weapons", "seconds_dead", *cumulative))
    elif sim_round.stats.header.playtime is None:  # scripts that count the time dead over and over
        expected["seconds_dead"] = _AnyOf(range(own.seconds_played + 1))
    else:  # tenths of minutes
        expected["seconds_dead"] = _AnyOf(range(own.seconds_dead - 3, own.seconds_dead + 4))
    return expected


def may_count_on(sim_round: SimRound, partner: SimRound | None) -> bool:
    """Whether a file may hold the sums of two rounds, with nothing to subtract: then no cumulative number is known.

    Of an aborted round the label does not tell, only that everybody's match began with it.
    """
    begun_before = any(line.rounds for line in sim_round.stats.players)
    return partner is None and (sim_round.number == 2 or (sim_round.status == "aborted" and begun_before))


def _is_seen_on_a_side(own: TruePlayer, sim_round: SimRound, partner: SimRound | None) -> bool:
    halves = [half for half in (sim_round, partner) if half]
    lines = [
        line for half in halves for line in half.stats.players if (line.guid, own.fighter.is_bot) == (own.guid, False)
    ]
    return own.fighter.is_bot or any(line.side in (AXIS, ALLIES) for line in lines)


def _weapon_rows(own: TruePlayer) -> dict[str, WeaponCounts]:
    """Shots that the engine took back stop at 0 in a weapon's row; a row of nothing is none."""
    rows = {weapon: counts._replace(shots=max(0, counts.shots)) for weapon, counts in own.weapons.items()}
    return {weapon: counts for weapon, counts in rows.items() if counts != WeaponCounts(0, 0, 0, 0, 0)}


def partners(evening: Evening) -> dict[str, SimRound]:
    """The other round of every round of a complete match, by stem."""
    return {half.stem: other for m in evening.matches for half, other in ((m.r1, m.r2), (m.r2, m.r1))}
