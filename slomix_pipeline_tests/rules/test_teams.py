"""Teams A and B of a session: they persist over every swap of sides, and a tie is never guessed.

Players are single letters; rounds are named by their place.
"""

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.rounds import work_out
from slomix_pipeline.rules.stats_files import accept_stats
from slomix_pipeline.rules.teams import (
    OPEN,
    Flag,
    FlagKind,
    Lineup,
    SessionTeams,
    TeamConfidence,
    assign_teams,
    flag_text,
    other_team,
    team_on_axis,
    team_on_side,
)
from slomix_pipeline.rules.values import FiledRound, other_side
from slomix_pipeline_tests.any_evening import Plan, examples, plans
from slomix_pipeline_tests.building import swapped


def lineup(axis: str, allies: str, number: int = 1, key: str = "r") -> Lineup:
    """Who stood where; players are single letters."""
    return Lineup(key, number, dict.fromkeys(axis, AXIS) | dict.fromkeys(allies, ALLIES))


def rosters(teams: SessionTeams) -> tuple[str, ...]:
    """The members of A and of B, in alphabetical order."""
    return tuple("".join(sorted(teams.members(team))) for team in "AB")


def teams_of(*lineups: Lineup) -> tuple[str, ...]:
    return rosters(assign_teams(lineups))


def played(*sides: str) -> list[Lineup]:
    """Rounds 1 and 2 by turns, from texts like ``abc xyz``: Axis and Allies."""
    texts = [text.split() for text in sides]
    return [lineup(axis, allies, 1 + i % 2, f"r{i}") for i, (axis, allies) in enumerate(texts)]


def flags_of(*sides: str) -> list[str]:
    """The flags in words, with their rounds."""
    return [f"{flag_text(flag, {})} [{' '.join(flag.rounds)}]" for flag in assign_teams(played(*sides)).flags]


def test_without_rounds_there_are_no_teams_and_nothing_is_sure() -> None:
    assert assign_teams([]) == SessionTeams({}, {}, TeamConfidence.LOW, ("no round counts",), ())


def test_team_a_stood_on_the_axis_side_in_the_earliest_round_1() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("xyz", "abc", 2)) == ("abc", "xyz")


def test_without_a_round_1_team_a_stood_on_the_allied_side_of_the_earliest_round_2() -> None:
    assert teams_of(lineup("xyz", "abc", 2), lineup("abc", "xyz", 2)) == ("abc", "xyz")


def test_teams_persist_over_swaps_of_sides() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("xyz", "abc"), lineup("abc", "xyz")) == ("abc", "xyz")


def test_a_newcomer_joins_the_team_that_holds_his_side() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("xyzn", "abc")) == ("abc", "nxyz")


def test_a_substitute_inherits_the_leavers_team() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("xyz", "abn")) == ("abcn", "xyz")


def test_a_new_clan_on_the_other_side_is_the_opposing_team() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("abc", "mnopq")) == ("abc", "mnopqxyz")


def test_a_player_who_changes_sides_keeps_his_first_team() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("abx", "yzc")) == ("abc", "xyz")


def test_a_newcomer_between_one_of_each_team_stays_open() -> None:
    assert teams_of(lineup("ab", "xy"), lineup("axn", "by")) == ("ab", "xy")


def test_a_tie_on_his_own_side_is_not_decided_by_the_other_side() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("axn", "byz")) == ("abc", "xyz")


def test_a_newcomer_among_strangers_opposite_of_a_mixed_side_stays_open() -> None:
    assert teams_of(lineup("ab", "xy"), lineup("mn", "ax")) == ("ab", "xy")


def test_the_majority_of_his_own_side_decides_over_the_other_side() -> None:
    assert teams_of(lineup("abcde", "xyz"), lineup("abxn", "cdeyz")) == ("abcden", "xyz")


def test_an_open_newcomer_is_decided_by_a_later_round() -> None:
    assert teams_of(lineup("ab", "xy"), lineup("axn", "by"), lineup("xyn", "ab")) == ("ab", "nxy")


def test_players_decided_late_help_to_decide_an_earlier_round() -> None:
    rounds = lineup("ab", "xy"), lineup("mn", "pq"), lineup("abm", "xyp")
    assert teams_of(*rounds) == ("abmn", "pqxy")


def test_who_stood_on_a_side_is_told_by_the_majority_of_known_players() -> None:
    teams = {"a": "A", "b": "A", "x": "B", "y": "B"}
    sides = lineup("xyb", "an").sides
    assert team_on_axis(sides, teams) == "B"
    assert (team_on_side(AXIS, sides, teams), team_on_side(ALLIES, sides, teams)) == ("B", "A")


def test_a_tie_or_a_round_of_strangers_tells_nothing() -> None:
    teams = {"a": "A", "b": "A", "x": "B", "y": "B"}
    assert team_on_axis(lineup("ax", "by").sides, teams) is None
    assert team_on_side(ALLIES, lineup("mn", "pq").sides, teams) is None


def test_a_round_1_in_which_nobody_stood_on_a_side_does_not_say_who_team_a_is() -> None:
    assert teams_of(Lineup("empty", 1, {}), lineup("abc", "xyz")) == ("abc", "xyz")


# --- what a person decided ---


def test_who_a_person_put_into_a_team_is_in_it_and_the_others_are_where_they_were() -> None:
    teams = assign_teams(played("abc xyz", "xyz abc"), {"a": "B"})
    assert rosters(teams) == ("bc", "axyz")
    assert "a person decided of 1 player" in teams.reasons


def test_who_a_person_put_into_a_team_decides_about_newcomers() -> None:
    tied = played("ab xy", "axn by")
    assert rosters(assign_teams(tied, {"x": "A"})) == ("abnx", "y")
    assert rosters(assign_teams(tied, {"n": "B"})) == ("ab", "nxy")


def test_a_whole_side_that_a_person_put_into_the_other_team_takes_the_opponents_along() -> None:
    assert rosters(assign_teams(played("abc xyz"), dict.fromkeys("abc", "B"))) == ("xyz", "abc")
    assert rosters(assign_teams(played("abc xyz"), dict.fromkeys("xy", "A"))) == ("xyz", "abc")


def test_to_put_both_sides_into_one_team_leaves_no_opponents_and_nothing_sure() -> None:
    teams = assign_teams(played("abc xyz"), dict.fromkeys("abxy", "A"))
    assert (rosters(teams), teams.confidence) == (("abcxyz", ""), TeamConfidence.LOW)
    assert teams.reasons[0] == "nobody is in team B"


def test_who_a_person_left_open_stays_open_and_is_no_doubt() -> None:
    teams = assign_teams(played("abc xyz", "xyz abc"), {"a": OPEN})
    assert rosters(teams) == ("bc", "xyz")
    assert teams.open == {"a": "a person decided that he stays open"}
    assert (teams.confidence, teams.flags) == (TeamConfidence.HIGH, ())


# --- what a person should know ---


def test_an_ordinary_evening_has_no_flags() -> None:
    assert flags_of("abc xyz", "xyz abc", "xyz abc", "abc xyz") == []


@pytest.mark.parametrize(
    ("rounds", "flags"),
    [
        (("abc xyz", "xyz abn"), ["substitution in team A: n for c [r1]"]),
        (
            ("abc xyz", "xyn abc", "abc xyn", "xyz abc"),
            ["substitution in team B: n for z [r1]", "substitution in team B: z for n [r3]"],
        ),
        (("abc xyz", "nmz abc"), ["substitution in team B: m, n for x, y [r1]"]),
        (("abc xyz", "xyzn ab"), []),  # one comes to B, one leaves A
        (("abc xyz", "xyz ab", "abc xyz"), []),  # away for a round
        (("abc xyz", "xyz abcn", "abn xyz"), ["substitution in team A: n for c [r2]"]),  # both lines in c's last round
        (("abc xyz", "mn xyz"), ["team A was replaced: m, n for a, b, c [r1]"]),
        (("abc xyz", "mnopq abc", "abc mnopq"), ["team B was replaced: m, n, o, p, q for x, y, z [r1]"]),
        (
            ("abc xyz", "xyz abc", "abc mno", "abc xyz"),
            ["team B was replaced: m, n, o for x, y, z [r2]", "substitution in team B: x, y, z for m, n, o [r3]"],
        ),
        (("a x", "a n"), ["substitution in team B: n for x [r1]"]),  # one player is no roster
    ],
)
def test_who_came_for_whom_is_told(rounds: tuple[str, ...], flags: list[str]) -> None:
    assert flags_of(*rounds) == flags


@pytest.mark.parametrize(
    ("rounds", "flags"),
    [
        (("abc xyz", "yz abcx", "abc xyz"), ["x changed sides and stood against team B, his own [r1]"]),
        (
            ("abcdef uvwxyz", "uvwxyf abcdez"),
            [
                "f changed sides and stood against team A, his own [r1]",
                "z changed sides and stood against team B, his own [r1]",
            ],
        ),
        (("abc xyz", "abx cyz", "cyz abx"), ["roster changed: c, x stood against their team [r1 r2]"]),
        (
            ("ab xy", "ax by"),
            [
                "roster changed: as many as not stood against their team [r1]",
                "which side was which team can't be told [r1]",
            ],
        ),
        (
            ("ab xy", "mn pq"),
            [
                "which side was which team can't be told [r1]",
                *(f"the team of {guid} stays open [r1]" for guid in "mnpq"),
            ],
        ),
    ],
)
def test_who_stood_against_his_team_is_told(rounds: tuple[str, ...], flags: list[str]) -> None:
    assert flags_of(*rounds) == flags


def test_of_who_stays_open_the_reason_is_told() -> None:
    teams = assign_teams(played("abc xyz", "axn byz"))
    assert teams.open == {"n": "as many of team A as of team B stood beside him"}
    assert Flag(FlagKind.OPEN_PLAYER, ("r1",), None, ("n",)) in teams.flags
    assert assign_teams(played("ab xy", "mn ax")).open == dict.fromkeys(
        "mn", "as many of team A as of team B stood against him"
    )
    assert assign_teams(played("ab xy", "m n")).open["m"] == "nobody he played with or against is in a team"


def test_names_stand_in_flags_where_they_are_known() -> None:
    (flag,) = assign_teams(played("abc xyz", "xyz abn")).flags
    assert flag_text(flag, {"n": "Nina", "c": ""}) == "substitution in team A: Nina for c"


# --- how sure it is ---


@pytest.mark.parametrize(
    ("rounds", "confidence", "why"),
    [
        (("abc xyz", "xyz abc"), "high", "everybody stands with his team in 2 of 2 rounds"),
        (("abc xyz", "xyz abc", "abc mno"), "high", "team B was replaced"),
        ((*["abc xyz"] * 7, *["abcx yz"] * 3), "high", "everybody stands with his team in 7 of 10 rounds"),
        ((*["abc xyz"] * 6, *["abcx yz"] * 4), "medium", "everybody stands with his team in 6 of 10 rounds"),
        (("abcde vwxyz", "abv cdwxyz"), "low", "the lobby was split anew in 1 round"),
        (("abc xyz", "xyz abn"), "high", "everybody's team can be told"),
        (("ab xy", "mn pq", "ab xy"), "low", "4 players can't be told"),
        (("abc xyz", "abx cyz"), "low", "the lobby was split anew in 1 round"),
        (("abc .",), "low", "nobody is in team B"),
    ],
)
def test_how_sure_the_teams_are_has_its_reason(rounds: tuple[str, ...], confidence: str, why: str) -> None:
    teams = assign_teams(
        [Lineup(r.key, r.number, {g: s for g, s in r.sides.items() if g != "."}) for r in played(*rounds)]
    )
    assert teams.confidence == confidence
    assert why in teams.reasons


def test_one_player_who_cannot_be_told_leaves_the_teams_half_sure() -> None:
    alone = Lineup("r4", 1, {"n": AXIS})
    teams = assign_teams([*played(*["abc xyz"] * 4), alone])
    assert (sorted(teams.open), teams.confidence) == (["n"], TeamConfidence.MEDIUM)
    assert teams.reasons[0] == "1 player can't be told"


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
