"""Runs that were created and never submitted, as when the database refuses for a moment: nothing waits for them."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from slomix_pipeline.sensors import requests
from slomix_pipeline.sensors.busy import is_busy
from slomix_pipeline.sensors.requests import keys_in_flight
from slomix_pipeline_tests.kept import empty_instance


@dg.op
def nothing() -> None: ...


@dg.job(name="report_sessions")
def reports() -> None:
    nothing()


@pytest.fixture
def created() -> Iterator[dg.DagsterInstance]:
    """An instance with a run that nobody has submitted so far."""
    with empty_instance() as instance:
        instance.create_run_for_job(reports, tags={"dagster/partition": "main:2026-02-02-211352"})
        yield instance


def test_a_run_that_is_created_is_waited_for(created: dg.DagsterInstance) -> None:
    assert is_busy(created)
    assert keys_in_flight(created, "report_sessions") == {"main:2026-02-02-211352"}


def test_a_run_that_was_never_submitted_is_waited_for_by_nobody(
    created: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "LOST_AFTER", timedelta())
    assert not is_busy(created)
    assert keys_in_flight(created, "report_sessions") == set()


def test_a_round_whose_run_was_never_submitted_waits_for_minutes_only() -> None:
    assert timedelta(minutes=2) >= requests.LOST_AFTER > timedelta()
