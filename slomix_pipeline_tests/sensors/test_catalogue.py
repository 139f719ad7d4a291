"""What commands made without a run of Dagster's is told to it: once, whole, whenever the telling is interrupted."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from slomix_pipeline.definitions import ASSETS
from slomix_pipeline.sensors import catalogue
from slomix_pipeline.sensors.catalogue import catalogue_sensor, report_waiting
from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import catalogue as stored
from slomix_pipeline.warehouse.check_results import CheckName, Outcome, store_outcomes
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key


@pytest.fixture
def keys(pipeline: Pipeline, tmp_path: Path) -> list[str]:
    """The rounds of an evening that was imported."""
    evening = play_evening(4, maps=1, ends_at=SOME_EVENING)
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    return list(map(round_key, evening.rounds))


def made(pipeline: Pipeline, group: str) -> dict[str, set[str]]:
    """The partitions that Dagster shows as made, by asset."""
    return {
        asset.key.to_user_string(): pipeline.instance.get_materialized_partitions(asset.key)
        for asset in ASSETS
        if {spec.group_name for spec in asset.specs} == {group}
    }


def evaluations(pipeline: Pipeline, asset: str, check: str) -> list[tuple[Any, bool]]:
    """Partition and outcome of every evaluation of a check."""
    records = pipeline.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey(asset), check), limit=10
    )
    return [
        (e.partition, e.passed)
        for record in records
        if record.event and (e := record.event.asset_check_evaluation) is not None
    ]


def test_what_was_imported_is_shown_as_made_and_failed_checks_as_failed(pipeline: Pipeline, keys: list[str]) -> None:
    assert list(pipeline.instance.get_dynamic_partitions("rounds")) == keys
    with pipeline.database.transaction() as conn:
        store_outcomes(conn, CheckName.PAIRING, {keys[0]: Outcome(False, {"what": "odd"})})
    assert report_waiting(pipeline.instance, pipeline.database, 60) == 4
    assert set(map(frozenset, made(pipeline, "rounds").values())) == {frozenset(keys)}
    (records,) = made(pipeline, "timings").values()
    assert len(records) == 2
    assert evaluations(pipeline, "round_stats", "pairing") == [(keys[0], False)]
    assert evaluations(pipeline, "raw_stats_file", "transfer") == []
    event = pipeline.instance.get_latest_materialization_event(dg.AssetKey("raw_stats_file"))
    assert event is not None and event.asset_materialization is not None
    assert len(str(event.asset_materialization.metadata["transfer: sha256"].value)) == 64
    assert report_waiting(pipeline.instance, pipeline.database, 60) == 0


def test_telling_that_is_interrupted_goes_on_where_it_was(
    pipeline: Pipeline, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "_AT_ONCE", 1)
    report = pipeline.instance.report_runless_asset_event
    told: list[Any] = []

    def killed(event: Any) -> None:
        told.append(event)
        if len(told) == 6:
            raise KeyboardInterrupt
        report(event)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pipeline.instance, "report_runless_asset_event", killed)
        report_waiting(pipeline.instance, pipeline.database, 60)
    assert 0 < len(pipeline.rows("select * from uncatalogued")) < 4
    report_waiting(pipeline.instance, pipeline.database, 60)
    assert set(map(frozenset, made(pipeline, "rounds").values())) == {frozenset(keys)}
    assert pipeline.rows("select * from uncatalogued") == []


def test_the_sensor_says_how_far_it_is_and_waits_for_runs(
    pipeline: Pipeline, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "_AT_ONCE", 1)
    monkeypatch.setattr(catalogue, "SECONDS_PER_TICK", 0.0)
    cursor = None

    def tick() -> str:
        nonlocal cursor
        with dg.build_sensor_context(
            instance=pipeline.instance, cursor=cursor, resources={"database": pipeline.database}
        ) as context:
            skipped = catalogue_sensor(context)
            cursor = context.cursor
        assert isinstance(skipped, dg.SkipReason) and skipped.skip_message
        return skipped.skip_message

    @dg.job
    def some_job() -> None: ...

    run = pipeline.instance.create_run_for_job(some_job, status=dg.DagsterRunStatus.STARTED)
    assert tick() == "4 partitions wait until no run is in flight"
    pipeline.instance.report_run_failed(run)
    assert [tick() for _ in range(5)] == [
        "1 of 4 partitions are told of",
        "2 of 4 partitions are told of",
        "3 of 4 partitions are told of",
        "4 of 4 partitions are told of",
        "Dagster knows of everything that was made",
    ]


def test_what_is_made_anew_while_it_is_told_is_told_again(pipeline: Pipeline, keys: list[str]) -> None:
    with pipeline.database.transaction() as conn:
        some = stored.next_ones(conn, 10)
        conn.execute("update uncatalogued set since = now() + interval '1 second' where key = %s", [keys[0]])
        stored.note_reported(conn, some)
    assert [row["key"] for row in pipeline.rows("select key from uncatalogued")] == [keys[0]]
