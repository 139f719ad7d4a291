"""When whoever runs the server is told of something: one message per cause, from when it comes up until it is over."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.alarms import (
    REOPENS_WITHIN,
    SETTLES,
    TELL_EVERY,
    AlarmCause,
    Episode,
    Step,
    Symptom,
    next_step,
)
from slomix_pipeline_tests.building import EVENING

CAUSE = AlarmCause.QUARANTINED
SECOND = timedelta(seconds=1)
BAD = Symptom(CAUSE, "a.txt", "cut short", EVENING - SETTLES)
OPEN = Episode(1, CAUSE, EVENING - timedelta(hours=9), None, EVENING - SECOND, "1 file can't be read")
CLOSED = replace(OPEN, closed_at=EVENING - SECOND, told_at=EVENING)


@pytest.mark.parametrize(
    ("symptoms", "latest", "step"),
    [
        ([], None, None),
        ([BAD], None, Step.OPEN),
        ([replace(BAD, since=EVENING - SETTLES + SECOND)], None, None),  # it may mend itself
        ([BAD], OPEN, None),  # just said
        ([BAD], replace(OPEN, told_at=EVENING - TELL_EVERY), Step.TELL),
        ([BAD], replace(OPEN, told_at=None), Step.TELL),  # Discord did not take it
        ([], OPEN, Step.CLOSE),
        ([], CLOSED, None),
        ([], replace(CLOSED, told_at=EVENING - 2 * SECOND), Step.TELL),  # that it is over did not get through
        ([], replace(CLOSED, told_at=None), None),  # nobody heard of it
        ([BAD], CLOSED, Step.REOPEN),
        ([BAD], replace(CLOSED, closed_at=EVENING - REOPENS_WITHIN - SECOND), Step.OPEN),
    ],
)
def test_what_is_done_about_a_cause(symptoms: list[Symptom], latest: Episode | None, step: Step | None) -> None:
    assert next_step(symptoms, latest, EVENING) == step


@given(st.lists(st.booleans(), max_size=60), st.integers(5, 90))
def test_whatever_comes_and_goes_no_second_message_follows_within_an_hour_and_none_stays_open(
    wrong: list[bool], seconds: int
) -> None:
    """Looked at every few seconds, something is wrong or not; then it is over."""
    latest, opened, now = None, [], EVENING
    for is_wrong in [*wrong, False, False]:
        now += timedelta(seconds=seconds)
        step = next_step([replace(BAD, since=now - SETTLES)] if is_wrong else [], latest, now)
        if step is Step.OPEN:
            opened.append(now)
            latest = Episode(len(opened), CAUSE, now, None, now, "said")
        elif latest is not None and step is not None:
            closed_at = {Step.CLOSE: now, Step.REOPEN: None}.get(step, latest.closed_at)
            latest = replace(latest, closed_at=closed_at, told_at=now)
    assert latest is None or latest.closed_at is not None
    assert all(later - earlier > REOPENS_WITHIN for earlier, later in itertools.pairwise(opened))
