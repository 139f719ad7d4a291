"""Files cut into batches: whole sessions, in order of play, none that has to do with another."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules import batches
from slomix_pipeline.rules.batches import apart, cut_into_batches
from slomix_pipeline.rules.sessions import DEFAULT_GAP
from slomix_pipeline.simulator.evening import SOME_EVENING

minutes = st.lists(st.integers(0, 5000), unique=True, max_size=40)


def at(minute: int) -> datetime:
    return SOME_EVENING + timedelta(minutes=minute)


def keyed(given: list[int]) -> dict[str, datetime]:
    return {f"main:round{minute:05}": at(minute) for minute in given}


@given(minutes, st.integers(1, 30))
def test_everything_is_in_one_batch_in_order_and_nothing_near_is_in_another(rounds: list[int], most: int) -> None:
    all_rounds = keyed(rounds)
    before = batches.ROUNDS_AT_ONCE
    batches.ROUNDS_AT_ONCE = most
    try:
        found = cut_into_batches(all_rounds, all_rounds, DEFAULT_GAP)
    finally:
        batches.ROUNDS_AT_ONCE = before
    assert [key for batch in found for key in batch.rounds] == sorted(all_rounds)
    batch_of = {key: number for number, batch in enumerate(found) for key in batch.planned}
    for key, stamp in all_rounds.items():
        near = [other for other, its in all_rounds.items() if abs(its - stamp) <= apart(DEFAULT_GAP)]
        assert {batch_of[other] for other in near} == {batch_of[key]}


def test_rounds_that_are_known_are_planned_for_and_not_worked_out() -> None:
    rounds = keyed([0, 10, 1000])
    todo = ["main:round00010"]
    (batch,) = cut_into_batches(rounds, todo, DEFAULT_GAP)
    assert batch.rounds == todo and batch.planned == {"main:round00000", "main:round00010"}


def test_a_round_that_somebody_joined_is_in_the_batch_of_the_round_before() -> None:
    rounds = keyed([0, 1000])
    (batch,) = cut_into_batches(rounds, ["main:round00000"], DEFAULT_GAP, joined=["main:round01000"])
    assert batch.planned == set(rounds)
