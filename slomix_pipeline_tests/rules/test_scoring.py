"""The winner of a match, what decided it and how sure that is: holds, surrenders, contradictions, decisions."""

from dataclasses import replace
from typing import Any

import pytest

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.rules.score_policies import POLICIES
from slomix_pipeline.rules.scoring import (
    Clock,
    Confidence,
    Faster,
    Source,
    Winner,
    score_match,
    score_session,
)
from slomix_pipeline.rules.teams import other_team
from slomix_pipeline.rules.values import Status, other_side
from slomix_pipeline_tests.building import make_header
from slomix_pipeline_tests.rules.scoring_steps import (
    A_ON_ALLIES,
    A_ON_AXIS,
    MIXED,
    TEAMS,
    a_match,
    given_points,
    headers,
    score,
    told,
)

# --- a match ---


def test_the_attackers_of_round_1_win_with_the_time_nobody_beat() -> None:
    result = score(*headers(600, 300, None))
    assert told(result) == ("A", "header", "round 1 set 5:00, round 2 did not beat it")
    assert result.confidence is Confidence.VERIFIED_HEADER


def test_the_attackers_of_round_2_win_when_they_are_faster() -> None:
    assert told(score(*headers(600, 300, 240))) == ("B", "header", "round 2 beat 5:00 with 4:00")


def test_the_attackers_of_round_2_win_after_a_hold() -> None:
    assert told(score(*headers(600, None, 570))) == ("B", "header", "round 1 was held, round 2 completed in 9:30")


def test_a_double_full_hold_is_a_draw() -> None:
    result = score(*headers(600, None, None))
    assert told(result) == ("draw", "header", "nobody completed the map")
    assert result.confidence is Confidence.VERIFIED_HEADER


@pytest.mark.parametrize("sides", [A_ON_ALLIES, A_ON_AXIS])
@pytest.mark.parametrize("defender", [AXIS, ALLIES])
def test_of_each_round_it_is_told_who_attacked_from_which_side_how_long_and_whether_it_was_completed(
    sides: dict[str, int], defender: int
) -> None:
    result = score(*headers(600, None, 570, defender), sides)
    team = "A" if sides["a"] == other_side(defender) else "B"
    assert result.attackers_side == other_side(defender)
    assert result.first == (team, 600, False)
    assert result.second == (other_team(team), 570, True)


def test_a_map_defended_by_the_allies_is_attacked_by_the_axis() -> None:
    first, second = headers(600, 300, None, defender=ALLIES)
    assert (score(first, second, A_ON_AXIS).winner, score(first, second, A_ON_ALLIES).winner) == ("A", "B")


@pytest.mark.parametrize("held_time", ["12:00", "0:00", "71:05"])
def test_what_scripts_print_for_a_hold_is_never_taken_for_a_time(held_time: str) -> None:
    held: dict[str, Any] = {"winner": AXIS, "limit": "12:00", "attack_time": held_time}
    draw = score(make_header(1, **held), make_header(2, **held))
    assert (draw.winner, draw.by_time) == (Winner.DRAW, Faster.DRAW)
    won = score(make_header(1, **held), make_header(2, winner=ALLIES, limit="12:00", attack_time="8:00"))
    assert (won.winner, won.by_time) == ("B", Faster.SECOND)
    assert {draw.confidence, won.confidence} == {Confidence.VERIFIED_HEADER}


# --- who gave up ---

GAVE_UP_AXIS, GAVE_UP_ALLIES = Clock(AXIS, 180.4), Clock(ALLIES, 180.4)


def test_attackers_who_gave_up_in_round_2_lose_although_their_time_reads_like_the_target() -> None:
    first = make_header(1, winner=ALLIES, limit="12:00", attack_time="8:26")
    second = make_header(2, winner=AXIS, limit="8:26", attack_time="8:26")
    assert score(first, second).winner == "A"


def test_attackers_who_gave_up_did_not_complete_the_map_however_early_it_ended() -> None:
    first = make_header(1, winner=AXIS, limit="12:00", attack_time="3:00")  # a script that shows when they gave up
    second = make_header(2, winner=ALLIES, limit="12:00", attack_time="9:00")
    result = score(first, second, first_clock=GAVE_UP_ALLIES)
    assert (result.winner, result.by_time, result.confidence) == ("B", Faster.SECOND, Confidence.VERIFIED_HEADER)
    assert result.first == ("A", 180, False)


def test_both_attackers_who_gave_up_make_a_draw() -> None:
    held: dict[str, Any] = {"winner": AXIS, "limit": "12:00", "attack_time": "12:00"}
    result = score(
        make_header(1, **held), make_header(2, **held), first_clock=GAVE_UP_ALLIES, second_clock=GAVE_UP_ALLIES
    )
    assert (result.winner, result.by_time) == (Winner.DRAW, Faster.DRAW)


def test_defenders_who_gave_up_lose_the_round_at_that_time_and_it_can_still_be_beaten() -> None:
    first, beaten = headers(600, 180, 150)
    held = headers(600, 180, None)[1]
    assert told(score(first, beaten, first_clock=GAVE_UP_AXIS))[:2] == ("B", "header")
    assert told(score(first, held, first_clock=GAVE_UP_AXIS)) == (
        "A",
        "header",
        "round 1 set 3:00, round 2 did not beat it",
    )


def test_when_defenders_gave_up_in_round_2_the_length_of_the_round_is_the_time_also_at_the_limit() -> None:
    first, second = make_header(1, attack_time="7:40"), make_header(2, limit="7:40", attack_time="7:40")
    for header in (second, replace(second, playtime="180400")):
        result = score(first, header, second_clock=GAVE_UP_AXIS)
        assert told(result) == ("B", "header", "round 2 beat 7:40 with 3:00")
        assert (result.by_time, result.confidence) == (Faster.SECOND, Confidence.VERIFIED_HEADER)


@pytest.mark.parametrize(("second", "winner"), [("2:50", "B"), ("3:10", "A")])
def test_without_a_winner_in_the_headers_defenders_who_gave_up_have_let_the_attack_through_at_that_time(
    second: str, winner: str
) -> None:
    first = make_header(1, winner=0, limit="10:00", attack_time="10:00")
    result = score(first, make_header(2, winner=0, limit="10:00", attack_time=second), first_clock=GAVE_UP_AXIS)
    assert (result.winner, result.source, result.first) == (winner, "time", ("A", 180, True))


def test_without_a_winner_in_the_headers_attackers_who_gave_up_have_not_completed_the_map() -> None:
    first, second = (make_header(n, winner=0, limit="10:00", attack_time=t) for n, t in ((1, "3:00"), (2, "8:00")))
    assert score(first, second).winner == "A"
    assert score(first, second, first_clock=GAVE_UP_ALLIES).winner == "B"


def test_a_header_that_says_who_won_stands_above_a_recorded_surrender() -> None:
    first = make_header(1, winner=AXIS, defender=ALLIES, limit="12:00", attack_time="8:26")
    second = make_header(2, winner=AXIS, defender=AXIS, limit="8:26", attack_time="6:10")
    result = score(first, second, A_ON_AXIS, second_clock=Clock(ALLIES, 370.0))
    assert (result.winner, given_points(result, "two-point/1")) == ("A", (2, 0))


# --- what does not agree, or is not known ---


def test_when_the_headers_name_no_winner_the_times_decide() -> None:
    first, second = (make_header(n, winner=0, limit="10:00", attack_time=t) for n, t in ((1, "8:00"), (2, "5:00")))
    result = score(first, second)
    assert told(result) == ("B", "time", "round 2 beat 8:00 with 5:00")
    assert (result.by_header, result.by_time, result.confidence) == (None, Faster.SECOND, Confidence.TIME_FALLBACK)


def test_when_both_attacks_may_have_succeeded_the_faster_one_wins_and_equal_times_are_those_of_who_set_them() -> None:
    for second, winner in (("4:59", "B"), ("5:00", "A"), ("5:01", "A")):
        one, two = (make_header(n, winner=0, limit="10:00", attack_time=t) for n, t in ((1, "5:00"), (2, second)))
        assert score(one, two).winner == winner


def test_a_time_equal_to_the_limit_is_a_hold_also_where_only_times_tell() -> None:
    first, second = (make_header(n, winner=0, limit="10:00", attack_time=t) for n, t in ((1, "10:00"), (2, "8:30")))
    assert told(score(first, second)) == ("B", "time", "round 1 was held, round 2 completed in 8:30")
    assert score(first, replace(second, attack_time="10:00")).winner == Winner.DRAW


def test_when_header_and_time_disagree_the_header_wins_and_both_are_told() -> None:
    first = make_header(1, winner=ALLIES, limit="10:00", attack_time="5:00")
    second = make_header(2, winner=AXIS, limit="5:00", attack_time="4:00")
    result = score(first, second)
    assert (result.winner, result.source) == ("A", "header")
    assert (result.by_header, result.by_time, result.confidence) == (Faster.FIRST, Faster.SECOND, Confidence.AMBIGUOUS)


def test_headers_with_different_defenders_are_no_sure_source() -> None:
    first, second = make_header(1, limit="10:00"), make_header(2, winner=ALLIES, defender=ALLIES, limit="8:00")
    assert score(first, second).confidence is Confidence.AMBIGUOUS


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"winner": AXIS, "attack_time": "5:00"}, {"winner": 0, "attack_time": "7:00"}),
        ({"winner": ALLIES, "attack_time": "10:00"}, {"winner": 0, "attack_time": "10:00"}),
        ({"winner": 0, "attack_time": "8:00"}, {"winner": AXIS, "attack_time": "5:00"}),
    ],
)
def test_times_that_contradict_the_one_header_that_tells_decide_nothing(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    result = score(make_header(1, limit="10:00", **first), make_header(2, limit="10:00", **second))
    assert told(result) == (None, None, "what the headers tell and the times contradict each other")
    assert result.confidence is Confidence.AMBIGUOUS


def test_what_cannot_be_decided_is_not_counted_which_is_not_a_draw() -> None:
    result = score(make_header(1, winner=0), make_header(2, winner=0, attack_time="?"))
    assert told(result) == (None, None, "neither the headers nor the times tell who won")
    assert result.confidence is Confidence.MISSING


def test_without_a_defending_side_nobody_knows_who_attacked() -> None:
    first, second = (make_header(n, defender=None, attack_time=t) for n, t in ((1, "8:00"), (2, "5:00")))
    assert told(score(first, second)) == (None, None, "the headers do not tell which side attacked")


def test_the_defending_side_of_round_2_serves_as_well() -> None:
    first = make_header(1, defender=9, attack_time="8:00")
    second = make_header(2, winner=ALLIES, limit="8:00", attack_time="5:00")
    assert score(first, second).winner == "B"


def test_when_round_1_cannot_tell_the_teams_apart_round_2_does() -> None:
    strangers = {"m": AXIS, "n": ALLIES}
    result = score_match(*headers(600, 300, None), strangers, A_ON_AXIS, TEAMS)
    assert (result.winner, result.first.team, result.second.team) == ("A", "A", "B")


def test_a_map_after_the_teams_mixed_is_not_counted() -> None:
    result = score(*headers(600, 300, None), MIXED)
    assert told(result) == (None, None, "roster changed: the sides can't be told apart as teams")
    assert result.confidence is Confidence.AMBIGUOUS


def test_a_map_that_one_team_would_have_attacked_twice_is_not_counted() -> None:
    result = score_match(*headers(600, 300, 240), A_ON_ALLIES, A_ON_ALLIES, TEAMS)
    assert told(result) == (None, None, "roster changed: by their players the same team attacked in both rounds")
    assert result.confidence is Confidence.AMBIGUOUS


def test_a_double_full_hold_is_a_draw_even_after_the_teams_mixed() -> None:
    result = score(*headers(600, None, None), MIXED)
    assert result.winner == Winner.DRAW
    assert [given_points(result, policy) for policy in POLICIES] == [(0, 0), (1, 1), (1, 1)]


def test_a_newcomer_without_a_team_has_no_say() -> None:
    assert score(*headers(600, 300, None), A_ON_ALLIES | {"new": ALLIES}).winner == "A"


# --- what a person decided ---


@pytest.mark.parametrize("winner", [*Winner, None])
def test_what_a_person_decided_stands_above_the_files_which_are_still_told(winner: Winner | None) -> None:
    (match,) = score_session(a_match(), TEAMS, {"m1r1": (winner, "decided by the admin: he saw it")})
    assert told(match.result) == (winner, Source.OVERRIDE, "decided by the admin: he saw it")
    assert (match.result.by_header, match.result.confidence) == (Faster.FIRST, Confidence.VERIFIED_HEADER)


def test_a_person_can_decide_a_match_that_lacks_a_round() -> None:
    (match,) = score_session(a_match(Status.R1_ONLY), TEAMS, {"m1r1": (Winner.B, "decided by the admin: a screenshot")})
    assert (match.result.winner, match.result.source) == ("B", "override")
    assert [given_points(match.result, policy) for policy in POLICIES] == [(0, 1), None, (0, 2)]


def test_a_decision_about_another_match_changes_nothing() -> None:
    assert score_session(a_match(), TEAMS, {"m9r1": (Winner.B, "why")}) == score_session(a_match(), TEAMS)
