"""Gaming sessions: a hole of more than an hour opens a new one, and the order of arrival never matters."""

from datetime import timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.sessions import DEFAULT_GAP, Stamped, group_into_sessions
from slomix_pipeline_tests.building import at

stamps = st.lists(st.integers(0, 600), max_size=30).map(
    lambda minutes: [Stamped(f"round {i}", at(m)) for i, m in enumerate(minutes)]
)
gaps = st.integers(1, 120).map(lambda minutes: timedelta(minutes=minutes))


def keys(rounds: list[Stamped]) -> list[list[str]]:
    return [[entry.key for entry in session] for session in group_into_sessions(rounds)]


def test_no_rounds_are_no_session() -> None:
    assert group_into_sessions([]) == []


def test_stamps_exactly_an_hour_apart_are_one_session() -> None:
    assert keys([Stamped("a", at(0)), Stamped("b", at(60))]) == [["a", "b"]]


def test_one_second_more_than_an_hour_opens_a_new_session() -> None:
    assert keys([Stamped("a", at(0)), Stamped("b", at(60) + timedelta(seconds=1))]) == [["a"], ["b"]]


def test_midnight_does_not_end_a_session() -> None:
    midnight = at(0).replace(hour=0) + timedelta(days=1)
    before, after = (Stamped(k, midnight + timedelta(minutes=m)) for k, m in (("a", -7), ("b", 1)))
    assert keys([before, after]) == [["a", "b"]]


def test_a_session_may_last_far_longer_than_the_gap() -> None:
    assert len(keys([Stamped(str(m), at(m)) for m in range(0, 600, 15)])) == 1


def test_a_file_placed_into_the_hole_merges_two_sessions_and_its_removal_splits_them() -> None:
    apart = [Stamped("a", at(0)), Stamped("b", at(69))]
    assert keys(apart) == [["a"], ["b"]]
    assert keys([*apart, Stamped("late", at(30))]) == [["a", "late", "b"]]


@given(stamps, gaps, st.randoms())
def test_any_order_of_arrival_gives_the_same_sessions(rounds: list[Stamped], gap: timedelta, random: Random) -> None:
    shuffled = random.sample(rounds, len(rounds))
    assert group_into_sessions(shuffled, gap) == group_into_sessions(rounds, gap)


@given(stamps, gaps)
def test_the_sessions_in_a_row_are_the_rounds_in_order(rounds: list[Stamped], gap: timedelta) -> None:
    flat = [entry for session in group_into_sessions(rounds, gap) for entry in session]
    assert flat == sorted(rounds, key=lambda entry: (entry.stamp, entry.key))


@given(stamps, gaps)
def test_every_hole_inside_a_session_is_within_the_gap_and_every_hole_between_two_is_longer(
    rounds: list[Stamped], gap: timedelta
) -> None:
    sessions = group_into_sessions(rounds, gap)
    for session in sessions:
        assert all(b.stamp - a.stamp <= gap for a, b in pairwise(session))
    for before, after in pairwise(sessions):
        assert after[0].stamp - before[-1].stamp > gap


def test_the_gap_is_an_hour_by_default() -> None:
    assert timedelta(minutes=60) == DEFAULT_GAP


def test_two_rounds_of_the_second_in_which_a_session_begins_stay_together_whatever_somebody_decided() -> None:
    rounds = [Stamped("a", at(0)), Stamped("b", at(0)), Stamped("c", at(5)), Stamped("d", at(5))]
    sessions = group_into_sessions(rounds, begins={"b": True, "d": True})
    assert [[entry.key for entry in session] for session in sessions] == [["a", "b", "c"], ["d"]]
