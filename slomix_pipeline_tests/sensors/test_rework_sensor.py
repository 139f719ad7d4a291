"""What the rework sensor asks of Dagster, on a database: nothing that a command is at, and also what Dagster lacks."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from slomix_pipeline.actions import importing
from slomix_pipeline.runtime.home import working_alone
from slomix_pipeline.sensors import rework
from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key


def asked_for(pipeline: Pipeline) -> list[str | None]:
    """The rounds that a tick of the sensor asks for."""
    context = dg.build_sensor_context(instance=pipeline.instance)
    outcome = rework.rework_sensor(context, settings=pipeline.settings, database=pipeline.database)
    return (
        [request.partition_key for request in outcome.run_requests or ()]
        if isinstance(outcome, dg.SensorResult)
        else []
    )


@pytest.fixture
def left(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rounds of an import that was killed when it had their numbers, of which Dagster never heard."""
    monkeypatch.setattr(rework, "SETTLE", timedelta())
    evening = play_evening(4, maps=1, ends_at=SOME_EVENING)
    write_evening(tmp_path / "archive", evening)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(importing.Telling, "tell", killed)
        pipeline.import_(tmp_path / "archive")
    assert pipeline.instance.get_dynamic_partitions("rounds") == []
    return list(map(round_key, evening.rounds))


def test_what_a_killed_import_left_is_asked_for_though_dagster_never_heard_of_it(
    pipeline: Pipeline, left: list[str]
) -> None:
    assert asked_for(pipeline) == left
    assert pipeline.instance.get_dynamic_partitions("rounds") == left


def test_what_a_command_is_taking_through_is_not_asked_for(pipeline: Pipeline, left: list[str]) -> None:
    with working_alone(pipeline.database):
        assert asked_for(pipeline) == []
    assert asked_for(pipeline) == left
