"""Who won a match, by what and how sure that is, and the points it gives under each policy."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, Header
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.rounds import work_out
from slomix_pipeline.rules.score_policies import DEFAULT_POLICY, POLICIES, Points, points
from slomix_pipeline.rules.scoring import (
    NO_CLOCK,
    Clock,
    Confidence,
    Faster,
    Half,
    MatchResult,
    Source,
    Winner,
    score_match,
    score_session,
    winner_by_header,
    winner_by_time,
)
from slomix_pipeline.rules.stats_files import accept_stats
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.rules.values import FiledRound, Status, other_side
from slomix_pipeline.simulator.values import Evening, SimMatch
from slomix_pipeline_tests.any_evening import Plan, examples, plans
from slomix_pipeline_tests.building import make_header, swapped

TEAMS = {"a": "A", "b": "A", "x": "B", "y": "B"}
A_ON_AXIS = {"a": AXIS, "b": AXIS, "x": ALLIES, "y": ALLIES}
A_ON_ALLIES = swapped(A_ON_AXIS)


def headers(limit: int, first: int | None, second: int | None, defender: int = AXIS) -> tuple[Header, Header]:
    """Both headers as the game prints them; None is an attack that was held."""
    first_winner, second_winner = (defender if time is None else other_side(defender) for time in (first, second))
    target = format_time(limit if first is None else first)
    time = target if second is None else format_time(second)
    return (
        make_header(1, winner=first_winner, defender=defender, limit=format_time(limit), attack_time=target),
        make_header(2, winner=second_winner, defender=defender, limit=target, attack_time=time),
    )


def score(
    first: Header,
    second: Header,
    sides: dict[str, int] = A_ON_ALLIES,
    first_clock: Clock = NO_CLOCK,
    second_clock: Clock = NO_CLOCK,
) -> MatchResult:
    """``sides`` in round 1; by default team A attacks first."""
    return score_match(first, second, sides, swapped(sides), TEAMS, first_clock, second_clock)


def told(result: MatchResult) -> tuple[str | None, str | None, str]:
    return result.winner, result.source, result.reason


def given_points(result: MatchResult, policy: str) -> Points | None:
    return points(policy, result.winner, result.both_completed)


# --- by time ---


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        (300, 420, Faster.FIRST),
        (480, 300, Faster.SECOND),
        (360, 360, Faster.FIRST),
        (600, 510, Faster.SECOND),
        (600, 600, Faster.DRAW),
        (510, 600, Faster.FIRST),
    ],
)
def test_the_faster_attack_wins_and_a_time_equal_to_the_limit_is_a_full_hold(
    first: int, second: int, winner: str
) -> None:
    assert winner_by_time(600, first, second) == winner


def test_a_time_above_the_limit_or_of_zero_is_no_completion() -> None:
    assert winner_by_time(720, 4265, 500) == Faster.SECOND
    assert winner_by_time(720, 500, 0) == Faster.FIRST


@pytest.mark.parametrize("limit", [None, 0])
def test_without_a_limit_any_positive_time_completes(limit: int | None) -> None:
    assert winner_by_time(limit, 900, 800) == Faster.SECOND
    assert winner_by_time(limit, 900, 0) == Faster.FIRST


@pytest.mark.parametrize(("first", "second"), [(None, 300), (300, None), (None, None)])
def test_an_unknown_time_decides_nothing(first: int | None, second: int | None) -> None:
    assert winner_by_time(600, first, second) is None


# --- by header ---


@pytest.mark.parametrize("defender", [AXIS, ALLIES])
@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [(300, 240, Faster.SECOND), (None, 240, Faster.SECOND), (300, None, Faster.FIRST), (None, None, Faster.DRAW)],
)
def test_who_completes_round_2_was_faster(first: int | None, second: int | None, winner: str, defender: int) -> None:
    assert winner_by_header(*headers(600, first, second, defender)) == winner


def test_an_attack_that_succeeded_in_round_2_decides_even_if_round_1_is_unknown() -> None:
    assert winner_by_header(make_header(1, winner=0), make_header(2, winner=ALLIES)) == Faster.SECOND


@pytest.mark.parametrize(("first", "second"), [(0, AXIS), (ALLIES, 0), (None, AXIS), (ALLIES, 5)])
def test_nobody_known_to_have_won_is_not_a_win_of_the_attackers(first: int | None, second: int | None) -> None:
    assert winner_by_header(make_header(1, winner=first), make_header(2, winner=second)) is None


@given(st.integers(60, 1800), st.data())
def test_header_and_time_agree_on_what_the_game_prints(limit: int, data: st.DataObject) -> None:
    first = data.draw(st.none() | st.integers(1, limit - 1))
    second = data.draw(st.none() | st.integers(1, (first or limit) - 1)) if first != 1 else None
    one, two = headers(limit, first, second)
    assert winner_by_header(one, two) == winner_by_time(one.limit_seconds, one.attack_seconds, two.attack_seconds)


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


# --- a time is exact to the second that is printed, and held is who played to the round's own limit ---


@pytest.mark.parametrize("limit", ["7:40", "7:10"])
def test_an_attack_that_beat_its_limit_within_the_printed_second_contradicts_nothing(limit: str) -> None:
    first = make_header(1, limit="12:00", attack_time="7:40")
    result = score(first, make_header(2, limit=limit, attack_time=limit))
    assert (result.winner, result.by_header, result.confidence) == ("B", Faster.SECOND, Confidence.VERIFIED_HEADER)
    how = "by less than a second" if limit == "7:40" else "with 7:10"
    assert result.reason == f"round 2 beat 7:40 {how}"


@pytest.mark.parametrize("winner", [AXIS, 0, None])
@pytest.mark.parametrize("limit", ["7:59", "7:30", "5:00"])
def test_a_round_2_that_lasted_to_its_own_limit_was_held_also_when_a_script_shortened_it(
    limit: str, winner: int | None
) -> None:
    set_by = make_header(1, limit="12:00", attack_time="8:00", winner=winner and ALLIES)
    result = score(set_by, make_header(2, limit=limit, attack_time=limit, winner=winner))
    assert (result.winner, result.by_time, result.second.completed) == ("A", Faster.FIRST, False)
    assert result.confidence is (Confidence.VERIFIED_HEADER if winner else Confidence.TIME_FALLBACK)
    held = make_header(1, limit="12:00", attack_time="12:00", winner=winner)
    draw = score(held, make_header(2, limit=limit, attack_time=limit, winner=winner))
    assert (draw.winner, draw.by_time) == (Winner.DRAW, Faster.DRAW)


@pytest.mark.parametrize("shown", ["75:25", "0:00", "?"])
def test_what_is_no_time_is_replaced_by_what_else_is_known_and_never_told(shown: str) -> None:
    first, second = make_header(1, attack_time="7:40"), make_header(2, limit="7:40", attack_time=shown)
    known = score(first, second, second_clock=Clock(None, 300.05))
    assert (known.winner, known.by_time, known.second.seconds) == ("B", Faster.SECOND, 300)
    assert told(known)[2] == "round 2 beat 7:40 with 5:00"
    unknown = score(first, second)
    assert (unknown.winner, unknown.by_time, unknown.second.seconds) == ("B", None, None)
    assert told(unknown)[2] == "round 2 beat 7:40 with an unknown time"
    assert {known.confidence, unknown.confidence} == {Confidence.VERIFIED_HEADER}


@pytest.mark.parametrize(("lasted", "winner"), [(459.0, "A"), (448.0, "A"), (300.0, None), (None, None)])
def test_without_a_winner_and_a_time_only_what_lasted_to_its_limit_is_known_to_be_held(
    lasted: float | None, winner: str | None
) -> None:
    first, second = make_header(1, attack_time="7:40"), make_header(2, winner=0, limit="7:40", attack_time="0:00")
    assert score(first, second, second_clock=Clock(None, lasted)).winner == winner


@given(st.integers(60, 1800), st.data())
def test_a_limit_that_a_script_shortened_changes_no_winner_that_the_header_names(
    limit: int, data: st.DataObject
) -> None:
    first = data.draw(st.none() | st.integers(30, limit - 1))
    shortened = data.draw(st.integers(20, (first or limit) - 1))
    second = data.draw(st.none() | st.integers(1, shortened))
    one, two = headers(limit, first, second)
    text = format_time(shortened)
    result = score(one, replace(two, limit=text, attack_time=two.attack_time if second else text))
    assert result.winner == (Winner.DRAW if (first, second) == (None, None) else "B" if second else "A")
    assert result.confidence is Confidence.VERIFIED_HEADER
    assert result.by_time in (None, result.by_header)


# --- a limit above the time that was set is none, nor is 0:00 ---


@pytest.mark.parametrize("limit", ["0:00", "75:25", "12:00", "?"])
@pytest.mark.parametrize("shown", ["as the limit", "7:40"])
def test_a_round_2_is_played_for_the_time_that_was_set_whatever_stands_as_its_limit(limit: str, shown: str) -> None:
    first = make_header(1, limit="12:00", attack_time="7:40")
    second = make_header(2, winner=AXIS, limit=limit, attack_time=limit if shown == "as the limit" else shown)
    held = score(first, second, second_clock=Clock(None, 460.05))
    assert (held.winner, held.second) == ("A", ("B", 460, False))
    unsure = limit in ("75:25", "12:00")
    assert held.confidence is (Confidence.AMBIGUOUS if unsure else Confidence.VERIFIED_HEADER)
    nobody = score(first, replace(second, winner_side=0), second_clock=Clock(None, 300.05))
    assert (nobody.winner, nobody.by_time) == (None, None)


def test_a_limit_that_is_none_says_nothing_of_round_1_either() -> None:
    first = make_header(1, winner=AXIS, limit="0:00", attack_time="0:00")
    result = score(first, make_header(2, winner=AXIS, limit="12:00", attack_time="12:00"))
    assert (result.winner, result.first, result.second) == (Winner.DRAW, ("A", None, False), ("B", 720, False))


@pytest.mark.parametrize("winner", [0, None])
def test_without_a_winner_a_stopwatch_at_the_limit_of_a_round_that_ended_sooner_tells_nothing(
    winner: int | None,
) -> None:
    first, second = make_header(1, attack_time="7:40"), make_header(2, winner=winner, limit="7:40", attack_time="7:40")
    assert score(first, second, second_clock=Clock(None, 459.0)).winner == "A"
    for header, lasted in ((second, 150.0), (replace(second, playtime="150050"), None)):
        assert score(first, header, second_clock=Clock(None, lasted)).winner is None


def test_an_attack_won_at_the_limit_of_a_round_that_ended_sooner_has_no_time() -> None:
    first = make_header(1, winner=ALLIES, limit="12:00", attack_time="12:00")
    result = score(
        first, make_header(2, winner=AXIS, limit="12:00", attack_time="12:00"), first_clock=Clock(None, 26.0)
    )
    assert (result.winner, result.first, result.by_time) == ("A", ("A", None, True), None)


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


MIXED = {"a": AXIS, "x": AXIS, "b": ALLIES, "y": ALLIES}


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


# --- points ---


@pytest.mark.parametrize(
    ("first", "second", "map_wins", "per_round", "two_point"),
    [
        (300, None, (1, 0), (2, 0), (2, 0)),  # A sets a time, B does not beat it
        (300, 240, (0, 1), (1, 1), (0, 2)),  # A sets a time, B beats it
        (None, 570, (0, 1), (0, 2), (0, 2)),  # A is held, B completes
        (None, None, (0, 0), (1, 1), (1, 1)),  # both are held
    ],
)
def test_what_a_match_gives_under_each_policy(
    first: int | None,
    second: int | None,
    map_wins: tuple[int, int],
    per_round: tuple[int, int],
    two_point: tuple[int, int],
) -> None:
    result = score(*headers(600, first, second))
    expected = {"map-wins/1": map_wins, "per-round/1": per_round, "two-point/1": two_point}
    assert {policy: given_points(result, policy) for policy in POLICIES} == expected


def test_what_is_not_counted_gives_no_points_under_any_policy() -> None:
    assert [points(policy, None, False) for policy in POLICIES] == [None, None, None]


def test_points_that_hang_on_what_nobody_knows_are_unknown() -> None:
    result = score(make_header(1, winner=0, attack_time="?"), make_header(2, winner=ALLIES, attack_time="5:00"))
    assert (result.winner, result.first.completed) == ("B", None)
    assert [given_points(result, policy) for policy in POLICIES] == [(0, 1), None, (0, 2)]


def test_the_default_is_one_point_per_map() -> None:
    assert DEFAULT_POLICY == "map-wins/1" and DEFAULT_POLICY in POLICIES


# --- a known evening, with invented times ---

KNOWN_WINNERS = "BABBBAABABB"


def known_evening(won_in_round_1: set[int]) -> list[MatchResult]:
    """The community's evening of 2026-02-02; ``won_in_round_1``: matches, from 1 on, whose round 2 beat nothing."""
    results = []
    for number, winner in enumerate(KNOWN_WINNERS, start=1):
        held = number in won_in_round_1
        a_attacks_first = (winner == "A") == held
        sides = A_ON_ALLIES if a_attacks_first else A_ON_AXIS
        results.append(score(*headers(720, 400, None if held else 350), sides))
    return results


def total(results: list[MatchResult], policy: str) -> tuple[int, int]:
    given = [given_points(result, policy) or Points(0, 0) for result in results]
    return sum(p.a for p in given), sum(p.b for p in given)


def test_the_known_evening_ends_7_to_4_for_team_b_while_its_rounds_alone_would_have_made_it_11_to_11() -> None:
    results = known_evening(won_in_round_1={1, 2, 5, 9})  # two of each team
    assert "".join(str(result.winner) for result in results) == KNOWN_WINNERS
    assert {policy: total(results, policy) for policy in POLICIES} == {
        "map-wins/1": (4, 7),
        "per-round/1": (11, 11),
        "two-point/1": (8, 14),
    }


# --- a session's matches ---


def a_match(status: Status = Status.COMPLETE, unscored: str | None = None, number: int = 1) -> list[Half]:
    """Both halves of a match that team A, who attacked first, won; of another status only the first."""
    one, two = headers(600, 300, None)
    first = Half(f"m{number}r1", f"m{number}r2", f"m{number}r1", 1, status, None, None, "supply", one, A_ON_ALLIES)
    if status is not Status.COMPLETE:
        return [replace(first, partner=None, reason="as it was played")]
    second = replace(
        first, key=f"m{number}r2", partner=first.key, number=2, header=two, sides=A_ON_AXIS, unscored_reason=unscored
    )
    return [first, second]


def test_the_matches_of_a_session_come_in_order_of_play_each_with_both_halves() -> None:
    matches = score_session([*a_match(number=1), *a_match(number=2)], TEAMS)
    assert [(m.first.key, m.second and m.second.key) for m in matches] == [("m1r1", "m1r2"), ("m2r1", "m2r2")]
    assert [m.result.winner for m in matches] == ["A", "A"]


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.COMPLETE])
def test_half_a_match_is_not_counted_for_the_reason_of_its_place(status: Status) -> None:
    (match,) = score_session(a_match(status), TEAMS)
    assert told(match.result) == (None, None, "as it was played")
    assert match.result.confidence is (Confidence.AMBIGUOUS if status is Status.AMBIGUOUS else Confidence.MISSING)


def test_round_1_alone_tells_who_attacked_and_how_that_went() -> None:
    (match,) = score_session(a_match(Status.R1_ONLY), TEAMS)
    assert (match.result.first, match.result.second) == (("A", 300, True), (None, None, None))


def test_round_2_alone_tells_who_attacked_in_round_2() -> None:
    half = replace(a_match(Status.R2_ONLY)[0], number=2)
    (match,) = score_session([half], TEAMS)
    assert (match.result.first.team, match.result.second.team) == (None, "A")


def test_an_aborted_round_has_neither_a_time_nor_an_end() -> None:
    (match,) = score_session(a_match(Status.ABORTED), TEAMS)
    assert match.result.first == ("A", None, None)


def test_a_match_of_a_round_that_can_not_count_is_not_counted() -> None:
    (match,) = score_session(a_match(unscored="bots took part"), TEAMS)
    assert told(match.result) == (None, None, "bots took part")
    assert match.result.confidence is Confidence.MISSING


def test_the_same_map_again_is_another_match() -> None:
    again = [*a_match(number=1), *a_match(number=2), *a_match(number=3)]
    assert [m.first.match_key for m in score_session(again, TEAMS)] == ["m1r1", "m2r1", "m3r1"]


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


# --- laws ---

times = st.none() | st.integers(1, 599)


@given(times, times, st.booleans())
def test_exchanging_the_teams_exchanges_the_winner(first: int | None, second: int | None, on_axis: bool) -> None:
    one, two = headers(600, first, second)
    sides = A_ON_AXIS if on_axis else A_ON_ALLIES
    mine, theirs = score(one, two, sides).winner, score(one, two, swapped(sides)).winner
    assert mine is not None and theirs == (Winner.DRAW if mine == Winner.DRAW else other_team(mine))


FIELD = st.sampled_from([0, 1, 2, 3, None])
SHOWN = st.sampled_from(["", "?", "0:00", "5:00", "8:00", "10:00", "71:05"])
HEADERS = st.builds(make_header, st.just(1), winner=FIELD, defender=FIELD, limit=SHOWN, attack_time=SHOWN)
CLOCKS = st.builds(Clock, st.sampled_from([None, 0, 1, 2]), st.none() | st.floats(0, 900))


@given(HEADERS, HEADERS, CLOCKS, CLOCKS, st.sampled_from([A_ON_AXIS, A_ON_ALLIES, MIXED, {}]))
def test_whatever_the_headers_say_a_result_has_its_source_and_never_contradicts_its_own_rounds(
    first: Header, second: Header, first_clock: Clock, second_clock: Clock, sides: dict[str, int]
) -> None:
    result = score(first, second, sides, first_clock, second_clock)
    assert (result.winner is None) == (result.source is None)
    assert result.reason
    done = {result.first.team: result.first.completed, result.second.team: result.second.completed}
    if result.winner == Winner.DRAW:
        assert True not in done.values()
    elif result.winner:
        assert done[Team(result.winner)] is True
    if result.source is Source.TIME:
        assert result.confidence is Confidence.TIME_FALLBACK and result.by_header is None
    if result.confidence is Confidence.VERIFIED_HEADER:
        assert result.by_time in (None, result.by_header)


# --- whole evenings ---


def played_halves(evening: Evening) -> list[Half]:
    """The rounds of a simulated evening as the rules place them."""
    rounds = {r.stem: FiledRound(r.stem, r.stamp, r.label, accept_stats(r.stats_bytes)) for r in evening.rounds}
    found = work_out(list(rounds.values()), DEFAULT_WINDOW, ())
    return [
        Half(
            key,
            place.partner,
            place.match_key,
            place.number,
            place.status,
            place.reason,
            found.validities[key].unscored_reason,
            entry.map_name,
            entry.stats.header,
            {p.guid: p.side for p in found.players[key] if p.side},
        )
        for key, entry in rounds.items()
        for place in [found.placed[key]]
    ]


def truth_per_round(match: SimMatch) -> Points:
    """A point for whoever had the better of each round."""
    better = [half.team_on(half.winner_side) for half in (match.r1, match.r2)]
    return Points(better.count("A"), better.count("B"))


@examples(80)
@given(plans())
def test_the_score_of_any_evening_is_as_it_was_played_under_every_policy(plan: Plan) -> None:
    evening = plan.play()
    teams = dict.fromkeys(evening.team_a, "A") | dict.fromkeys(evening.team_b, "B")
    counting = {m.r1.stem: m for m in evening.matches if m.r1.valid and m.r2.valid}
    for match in score_session(played_halves(evening), teams):
        result, played = match.result, counting.get(match.first.key)
        assert result.winner == (played.winner if played else None), match
        given = {policy: given_points(result, policy) for policy in POLICIES}
        if played is None:
            assert set(given.values()) == {None}
            continue
        assert (result.source, result.confidence) == ("header", Confidence.VERIFIED_HEADER)
        assert [result.first.completed, result.second.completed] == [time is not None for time in played.times]
        assert given["per-round/1"] == truth_per_round(played) and sum(given["per-round/1"] or ()) == 2
        assert sum(given["two-point/1"] or ()) == 2
        assert sum(given["map-wins/1"] or ()) == (0 if played.winner == "draw" else 1)
