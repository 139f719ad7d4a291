"""Laws that the teams of any session keep, and evenings of any shape whose teams are known."""

from dataclasses import dataclass
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.rounds import work_out
from slomix_pipeline.rules.stats_files import accept_stats
from slomix_pipeline.rules.teams import (
    OPEN,
    FlagKind,
    Lineup,
    TeamConfidence,
    assign_teams,
    flag_text,
    other_team,
    team_on_side,
)
from slomix_pipeline.rules.values import FiledRound, other_side
from slomix_pipeline_tests.any_evening import Plan, examples, plans
from slomix_pipeline_tests.building import swapped

# --- laws ---

PLAYERS = "abcdefgh"
sides = st.dictionaries(st.sampled_from(PLAYERS), st.sampled_from((AXIS, ALLIES)), max_size=8)
sessions = st.lists(st.tuples(st.sampled_from((1, 2)), sides), max_size=8).map(
    lambda rounds: [Lineup(f"round {i}", number, who) for i, (number, who) in enumerate(rounds)]
)


@given(sessions, st.randoms())
def test_the_order_of_the_players_within_a_round_is_irrelevant(lineups: list[Lineup], random: Random) -> None:
    shuffled = [Lineup(r.key, r.number, dict(random.sample(list(r.sides.items()), len(r.sides)))) for r in lineups]
    assert assign_teams(shuffled) == assign_teams(lineups)


@given(sessions, st.permutations(PLAYERS))
def test_guids_are_only_names(lineups: list[Lineup], others: list[str]) -> None:
    renamed = dict(zip(PLAYERS, others, strict=True))
    changed = [Lineup(r.key, r.number, {renamed[g]: side for g, side in r.sides.items()}) for r in lineups]
    before, after = assign_teams(lineups), assign_teams(changed)
    assert after.team_of == {renamed[guid]: team for guid, team in before.team_of.items()}
    assert after.open == {renamed[guid]: why for guid, why in before.open.items()}
    assert (after.confidence, after.reasons) == (before.confidence, before.reasons)
    assert len(after.flags) == len(before.flags)


@given(sessions)
def test_nobody_is_in_two_teams_and_only_players_are_in_one(lineups: list[Lineup]) -> None:
    teams = assign_teams(lineups)
    players = {guid for r in lineups for guid in r.sides}
    assert set(teams.team_of.values()) <= {"A", "B"}
    assert teams.team_of.keys() | teams.open.keys() == players
    assert teams.team_of.keys() & teams.open.keys() == set()


@given(sessions)
def test_a_swap_of_all_sides_in_all_rounds_exchanges_the_teams(lineups: list[Lineup]) -> None:
    changed = [Lineup(r.key, r.number, swapped(r.sides)) for r in lineups]
    before, after = assign_teams(lineups), assign_teams(changed)
    assert after.team_of == {guid: other_team(team) for guid, team in before.team_of.items()}
    assert (after.confidence, after.open) == (before.confidence, before.open)


@given(sessions)
def test_a_swap_of_all_sides_in_a_later_round_changes_nothing(lineups: list[Lineup]) -> None:
    with_players = [r for r in lineups if r.sides]
    first = next((r for r in with_players if r.number == 1), with_players[0] if with_players else None)
    changed = [r if r is first else Lineup(r.key, r.number, swapped(r.sides)) for r in lineups]
    assert assign_teams(changed) == assign_teams(lineups)


@given(sides, st.dictionaries(st.sampled_from(PLAYERS), st.sampled_from(("A", "B"))))
def test_the_two_sides_never_hold_the_same_team(who: dict[str, int], teams: dict[str, str]) -> None:
    on_axis, on_allies = (team_on_side(side, who, teams) for side in (AXIS, ALLIES))
    assert (on_axis is None and on_allies is None) or {on_axis, on_allies} == {"A", "B"}


def test_swapping_twice_changes_nothing() -> None:
    assert other_side(other_side(AXIS)) == AXIS
    assert other_team(other_team("A")) == "A"


@given(sessions, st.dictionaries(st.sampled_from(PLAYERS), st.sampled_from(("A", "B", OPEN))))
def test_what_a_person_decided_stands(lineups: list[Lineup], fixed: dict[str, str]) -> None:
    teams = assign_teams(lineups, fixed)
    assert {guid: teams.team_of.get(guid, OPEN) for guid in fixed} == fixed


@given(sessions)
def test_to_decide_what_the_rules_say_changes_no_team(lineups: list[Lineup]) -> None:
    told = assign_teams(lineups).team_of
    assert assign_teams(lineups, told).team_of == told


@given(sessions)
def test_flags_name_rounds_and_players_of_the_session(lineups: list[Lineup]) -> None:
    order = [r.key for r in lineups]
    for flag in assign_teams(lineups).flags:
        assert flag.rounds and list(flag.rounds) == sorted(flag.rounds, key=order.index)
        assert {*flag.players, *flag.gone} <= set(PLAYERS)
        assert flag_text(flag, {})


@given(sessions)
def test_only_teams_without_doubt_are_sure(lineups: list[Lineup]) -> None:
    teams = assign_teams(lineups)
    if teams.confidence is TeamConfidence.HIGH:
        kinds = {flag.kind for flag in teams.flags}
        assert not teams.open and not kinds & {FlagKind.OPEN_PLAYER, FlagKind.ROSTER_CHANGED}
        assert all(teams.members(team) for team in "AB")


# --- evenings whose truth is known ---


@dataclass(frozen=True)
class Evening:
    """Rounds in which everybody stands with his team; both teams are there, 3 to 6 of each, and seldom the same ones."""

    lineups: list[Lineup]
    truth: dict[str, str]


@st.composite
def evenings(draw: st.DrawFn) -> Evening:
    """Teams of up to nine, of whom some play each round: substitutes, latecomers, odd counts."""
    squads = {team: [f"{team}{i}" for i in range(9)] for team in "AB"}
    lineups = []
    for i in range(draw(st.integers(1, 10))):
        axis = draw(st.sampled_from("AB")) if i else "A"
        on_axis, on_allies = (
            draw(st.lists(st.sampled_from(squads[team]), min_size=3, max_size=6, unique=True))
            for team in (axis, other_team(axis))
        )
        lineups.append(Lineup(f"r{i}", 1 + i % 2, dict.fromkeys(on_axis, AXIS) | dict.fromkeys(on_allies, ALLIES)))
    return Evening(lineups, {guid: team for team, squad in squads.items() for guid in squad})


@given(evenings())
def test_nobody_is_put_into_a_team_that_he_was_not_in(evening: Evening) -> None:
    teams = assign_teams(evening.lineups)
    assert teams.team_of == {guid: evening.truth[guid] for guid in teams.team_of}
    assert not {flag.kind for flag in teams.flags} & {FlagKind.CHANGED_SIDES, FlagKind.ROSTER_CHANGED}


@given(evenings(), st.randoms())
def test_the_order_of_the_rounds_after_the_first_is_irrelevant_for_who_is_in_which_team(
    evening: Evening, random: Random
) -> None:
    first, *rest = evening.lineups
    shuffled = assign_teams([first, *random.sample(rest, len(rest))])
    teams = assign_teams(evening.lineups)
    assert (shuffled.team_of, shuffled.open.keys()) == (teams.team_of, teams.open.keys())


@given(evenings())
def test_everybody_is_told_when_somebody_of_either_team_is_always_there(evening: Evening) -> None:
    always = {"A0": "A", "B0": "B"}
    lineups = [
        Lineup(r.key, r.number, {**r.sides, **{guid: _side_of(r, team, evening) for guid, team in always.items()}})
        for r in evening.lineups
    ]
    teams = assign_teams(lineups)
    assert (teams.open, teams.confidence) == ({}, TeamConfidence.HIGH)


def _side_of(round_: Lineup, team: str, evening: Evening) -> int:
    return next(side for guid, side in round_.sides.items() if evening.truth[guid] == team)


@given(evenings(), st.integers(3, 6))
def test_a_replaced_team_is_noticed_once_and_stays_the_same_team(evening: Evening, size: int) -> None:
    team_a = [guid for guid, side in evening.lineups[0].sides.items() if side == AXIS]
    new = [f"N{i}" for i in range(size)]
    n = len(evening.lineups)
    after = [
        Lineup(f"r{n + i}", 1 + (n + i) % 2, dict.fromkeys(team_a, side) | dict.fromkeys(new, other_side(side)))
        for i, side in enumerate((AXIS, ALLIES, AXIS))
    ]
    first = evening.lineups[0]
    teams = assign_teams([first, *after])
    assert {teams.team_of[guid] for guid in new} == {"B"}
    replaced = [flag for flag in teams.flags if flag.kind is FlagKind.TEAM_REPLACED]
    assert [(flag.team, flag.rounds, set(flag.players)) for flag in replaced] == [("B", (f"r{n}",), set(new))]
    assert set(replaced[0].gone) == {guid for guid, side in first.sides.items() if side == ALLIES}


@examples(60)
@given(plans())
def test_of_any_simulated_evening_nobody_is_in_a_wrong_team_and_bots_are_in_none(plan: Plan) -> None:
    evening = plan.play()
    rounds = [FiledRound(r.stem, r.stamp, r.label, accept_stats(r.stats_bytes)) for r in evening.rounds]
    found = work_out(rounds, DEFAULT_WINDOW, ())
    counting = [r.key for r in rounds if found.validities[r.key].unscored_reason is None]
    lineups = [
        Lineup(key, found.placed[key].number, {p.guid: p.side for p in found.players[key] if p.side})
        for key in counting
    ]
    teams = assign_teams(lineups)
    truth = dict.fromkeys(evening.team_a, "A") | dict.fromkeys(evening.team_b, "B")
    assert teams.team_of == {guid: truth[guid] for guid in teams.team_of}
    assert teams.open.keys() <= truth.keys()
    assert not {flag.kind for flag in teams.flags} & {FlagKind.CHANGED_SIDES, FlagKind.ROSTER_CHANGED}
