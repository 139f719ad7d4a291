"""The stopwatch score: the faster attack wins the map, one point per map."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, Header
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.scoring import (
    DRAW,
    FIRST,
    SECOND,
    Half,
    MatchResult,
    score_match,
    score_session,
    winner_by_header,
    winner_by_time,
)
from slomix_pipeline.rules.teams import other_team, swapped
from slomix_pipeline.rules.values import Status, other_side
from slomix_pipeline_tests.building import make_header

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


def score(first: Header, second: Header, sides: dict[str, int] = A_ON_ALLIES) -> MatchResult:
    """``sides`` in round 1; by default team A attacks first."""
    return score_match(first, second, sides, swapped(sides), TEAMS)


# --- by time ---


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [(300, 420, FIRST), (480, 300, SECOND), (360, 360, FIRST), (600, 510, SECOND), (600, 600, DRAW), (510, 600, FIRST)],
)
def test_the_faster_attack_wins_and_a_time_equal_to_the_limit_is_a_full_hold(
    first: int, second: int, winner: str
) -> None:
    assert winner_by_time(600, first, second) == winner


def test_a_time_above_the_limit_or_of_zero_is_no_completion() -> None:
    assert winner_by_time(720, 4265, 500) == SECOND
    assert winner_by_time(720, 500, 0) == FIRST


@pytest.mark.parametrize("limit", [None, 0])
def test_without_a_limit_any_positive_time_completes(limit: int | None) -> None:
    assert winner_by_time(limit, 900, 800) == SECOND
    assert winner_by_time(limit, 900, 0) == FIRST


@pytest.mark.parametrize(("first", "second"), [(None, 300), (300, None), (None, None)])
def test_an_unknown_time_decides_nothing(first: int | None, second: int | None) -> None:
    assert winner_by_time(600, first, second) is None


# --- by header ---


@pytest.mark.parametrize("defender", [AXIS, ALLIES])
@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [(300, 240, SECOND), (None, 240, SECOND), (300, None, FIRST), (None, None, DRAW)],
)
def test_who_completes_round_2_was_faster(first: int | None, second: int | None, winner: str, defender: int) -> None:
    assert winner_by_header(*headers(600, first, second, defender)) == winner


def test_an_attack_that_succeeded_in_round_2_decides_even_if_round_1_is_unknown() -> None:
    assert winner_by_header(make_header(1, winner=0), make_header(2, winner=ALLIES)) == SECOND


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
    assert result == MatchResult("A", "header", "round 1 set 5:00, round 2 did not beat it", attackers_first="A")


def test_the_attackers_of_round_2_win_when_they_are_faster() -> None:
    result = score(*headers(600, 300, 240))
    assert result == MatchResult("B", "header", "round 2 beat 5:00 with 4:00", attackers_first="A")


def test_the_attackers_of_round_2_win_after_a_hold() -> None:
    assert score(*headers(600, None, 570)) == MatchResult(
        "B", "header", "round 1 was held, round 2 completed in 9:30", attackers_first="A"
    )


def test_a_double_full_hold_is_a_draw() -> None:
    assert score(*headers(600, None, None)).winner == DRAW


def test_a_map_defended_by_the_allies_is_attacked_by_the_axis() -> None:
    first, second = headers(600, 300, None, defender=ALLIES)
    assert (score(first, second, A_ON_AXIS).winner, score(first, second, A_ON_ALLIES).winner) == ("A", "B")


def test_attackers_who_gave_up_in_round_2_lose_although_their_time_reads_like_the_target() -> None:
    first = make_header(1, winner=ALLIES, limit="12:00", attack_time="8:26")
    second = make_header(2, winner=AXIS, limit="8:26", attack_time="8:26")
    assert score(first, second).winner == "A"


def test_when_the_headers_name_no_winner_the_times_decide() -> None:
    first, second = (make_header(n, winner=0, limit="10:00", attack_time=t) for n, t in ((1, "8:00"), (2, "5:00")))
    assert (score(first, second).winner, score(first, second).source) == ("B", "time")


def test_when_header_and_time_disagree_the_header_wins() -> None:
    first = make_header(1, winner=AXIS, limit="10:00", attack_time="5:00")
    second = make_header(2, winner=ALLIES, limit="10:00", attack_time="7:00")
    assert (score(first, second).winner, score(first, second).source) == ("B", "header")


def test_what_cannot_be_decided_is_not_counted_which_is_not_a_draw() -> None:
    result = score(make_header(1, winner=0), make_header(2, winner=0, attack_time="?"))
    assert (result.winner, result.source) == (None, None)
    assert result.reason == "neither the headers nor the times tell who won"


def test_without_a_defending_side_nobody_knows_who_attacked() -> None:
    first, second = (make_header(n, defender=None, attack_time=t) for n, t in ((1, "8:00"), (2, "5:00")))
    assert score(first, second).reason == "the headers do not tell which side attacked"
    assert score(first, second).winner is None


def test_the_defending_side_of_round_2_serves_as_well() -> None:
    first = make_header(1, defender=9, attack_time="8:00")
    second = make_header(2, winner=ALLIES, limit="8:00", attack_time="5:00")
    assert score(first, second).winner == "B"


def test_when_round_1_cannot_tell_the_teams_apart_round_2_does() -> None:
    strangers = {"m": AXIS, "n": ALLIES}
    result = score_match(*headers(600, 300, None), strangers, A_ON_AXIS, TEAMS)
    assert (result.winner, result.attackers_first) == ("A", "A")


def test_a_map_after_the_teams_mixed_is_not_counted() -> None:
    mixed = {"a": AXIS, "x": AXIS, "b": ALLIES, "y": ALLIES}
    result = score(*headers(600, 300, None), mixed)
    assert (result.winner, result.reason) == (None, "roster changed: the sides can't be told apart as teams")


def test_a_double_full_hold_is_a_draw_even_after_the_teams_mixed() -> None:
    mixed = {"a": AXIS, "x": AXIS, "b": ALLIES, "y": ALLIES}
    assert score(*headers(600, None, None), mixed).winner == DRAW


def test_a_newcomer_without_a_team_has_no_say() -> None:
    assert score(*headers(600, 300, None), A_ON_ALLIES | {"new": ALLIES}).winner == "A"


# --- a known evening, with invented times ---


def test_the_known_evening_of_2026_02_02_ends_7_to_4_for_team_b() -> None:
    known = "BABBBAABABB"
    winners = []
    for order, winner in enumerate(known):
        a_attacks_first = order % 2 == 1  # on the first map team A, on the Axis side, defends first
        second = None if (winner == "A") == a_attacks_first else 350
        sides = A_ON_ALLIES if a_attacks_first else A_ON_AXIS
        winners.append(score(*headers(720, 400, second), sides).winner)
    assert winners == list(known)
    assert (winners.count("A"), winners.count("B")) == (4, 7)


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


def test_half_a_match_is_not_counted_for_the_reason_of_its_place_and_says_who_attacked() -> None:
    (match,) = score_session(a_match(Status.R1_ONLY), TEAMS)
    assert match.result == MatchResult(None, None, "as it was played", "A")


def test_a_match_of_a_round_that_can_not_count_is_not_counted() -> None:
    (match,) = score_session(a_match(unscored="bots took part"), TEAMS)
    assert match.result == MatchResult(None, None, "bots took part")


# --- laws ---

times = st.none() | st.integers(1, 599)


@given(times, times, st.booleans())
def test_exchanging_the_teams_exchanges_the_winner(first: int | None, second: int | None, on_axis: bool) -> None:
    one, two = headers(600, first, second)
    sides = A_ON_AXIS if on_axis else A_ON_ALLIES
    mine, theirs = score(one, two, sides).winner, score(one, two, swapped(sides)).winner
    assert mine is not None and theirs == (DRAW if mine == DRAW else other_team(mine))
