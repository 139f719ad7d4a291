"""Who is in which team: round by round, with newcomers, substitutes and decisions; what is odd, and how sure it is."""

import pytest

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.rules.teams import (
    OPEN,
    Flag,
    FlagKind,
    Lineup,
    SessionTeams,
    TeamConfidence,
    assign_teams,
    flag_text,
    team_on_axis,
    team_on_side,
)
from slomix_pipeline_tests.rules.teams_steps import flags_of, lineup, played, rosters, teams_of


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
