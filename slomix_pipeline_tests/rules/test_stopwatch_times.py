"""Who was faster, by the times and by the headers: what is a time, what is a limit, what is none."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.scoring import (
    Clock,
    Confidence,
    Faster,
    Winner,
    winner_by_header,
    winner_by_time,
)
from slomix_pipeline_tests.building import make_header
from slomix_pipeline_tests.rules.scoring_steps import headers, score, told

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
