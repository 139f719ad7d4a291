"""Dagster's records in PostgreSQL, where ours differ from Dagster's own."""

import dagster as dg

from slomix_pipeline_tests.pipeline_fixtures import Pipeline


def test_a_check_can_be_told_of_again_without_a_run(stored_pipeline: Pipeline) -> None:
    stored_pipeline.instance.add_dynamic_partitions("rounds", ["main:a", "main:b"])
    key = dg.AssetCheckKey(dg.AssetKey("parsed_round"), "parse")
    for partition, passed in (("main:a", False), ("main:b", False), ("main:a", True), ("main:b", False)):
        stored_pipeline.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=key.asset_key, check_name=key.name, passed=passed, partition=partition, metadata={}
            )
        )
    history = stored_pipeline.instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    assert [(record.partition, record.status.value) for record in history] == [
        ("main:b", "FAILED"),
        ("main:a", "SUCCEEDED"),
    ]
