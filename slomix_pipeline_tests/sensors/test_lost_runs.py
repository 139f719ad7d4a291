"""Runs that were created and never submitted, as when the database refuses for a moment: Dagster alone deals with them."""

import logging
from collections.abc import Iterator

import dagster as dg
import pytest
import yaml
from dagster._daemon.monitoring.run_monitoring import monitor_starting_run

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.launching import Launcher
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


def test_a_run_that_was_never_submitted_is_failed_by_dagster_and_waited_for_no_more(
    created: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dg.DagsterInstance, "run_monitoring_start_timeout_seconds", 0)
    monitor_starting_run(created, created.get_run_records()[0], logging.getLogger())
    assert not is_busy(created)
    assert keys_in_flight(created, "report_sessions") == set()


@pytest.mark.parametrize("launcher", Launcher)
def test_however_runs_are_started_those_that_never_were_are_found(launcher: Launcher) -> None:
    own = yaml.safe_load((bundled_folder("deploy") / "launchers" / f"{launcher}.yaml").read_text())["run_monitoring"]
    assert own["enabled"] and own["start_timeout_seconds"] > 0 and own["poll_interval_seconds"] <= 30
