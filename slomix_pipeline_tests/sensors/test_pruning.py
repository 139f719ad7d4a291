"""What is taken away of Dagster's records, and that what it shows of partitions and checks stays as it was.

On Dagster's real tables, as the pinned version makes them, with runs of our jobs that are made old.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.partition_status_cache import build_failed_and_in_progress_partition_subset
from pydantic import SecretStr

from slomix_pipeline.checks.layers import CHECKS
from slomix_pipeline.definitions import ASSETS
from slomix_pipeline.runtime.home import dagster_instance
from slomix_pipeline.sensors import pruning
from slomix_pipeline.sensors.pruning import is_due, prune_for, pruning_sensor
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import dagster_records, roles
from slomix_pipeline.warehouse.dagster_records import Pruned, forget_ticks
from slomix_pipeline.warehouse.database import site_url
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, round_key
from slomix_pipeline_tests.spoilt_files import name_of, spoilt

NOW = datetime.now(UTC)


def played(pipeline: Pipeline) -> tuple[list[str], str]:
    """Two rounds that were run, one of them twice, and a file that fails its run. Returns the rounds' keys, and its."""
    evening = play_evening(4, maps=1, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.list_folders()
    keys = list(map(round_key, evening.rounds))
    pipeline.run(keys[0])
    return keys, pipeline.put_bytes_and_run(name_of(0), spoilt("one byte short"))


def make_older(pipeline: Pipeline, days: int, of_run: str = "%") -> None:
    """Moves all that Dagster wrote of runs into the past."""
    by = timedelta(days=days)
    with pipeline.database.transaction() as conn:
        conn.execute("update dagster.event_logs set timestamp = timestamp - %s where run_id like %s", [by, of_run])
        conn.execute(
            "update dagster.asset_check_executions set create_timestamp = create_timestamp - %s where run_id like %s",
            [by, of_run],
        )
        conn.execute(
            "update dagster.runs set update_timestamp = update_timestamp - %s where run_id like %s", [by, of_run]
        )


def shown(instance: dg.DagsterInstance) -> dict[str, Any]:
    """What Dagster shows of every asset and check: what is made and by which data, what failed."""
    log = instance.event_log_storage
    found: dict[str, Any] = {}
    for asset in ASSETS:
        if asset.partitions_def is None:
            continue
        last = instance.get_latest_materialization_event(asset.key)
        with partition_loading_context(dynamic_partitions_store=instance):
            failed, in_progress, _ = build_failed_and_in_progress_partition_subset(
                instance, asset.key, asset.partitions_def, last_planned_materialization_storage_id=1
            )
        made = log.get_latest_storage_id_by_partition(asset.key, dg.DagsterEventType.ASSET_MATERIALIZATION)
        found[asset.key.to_user_string()] = {
            "made": instance.get_materialized_partitions(asset.key),
            "by event": made,
            "metadata": {
                key: record.asset_materialization.metadata
                for key in made
                if (record := _materialisation(instance, asset.key, key)).asset_materialization
            },
            "versions": log.get_latest_tags_by_partition(
                asset.key, dg.DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
            ),
            "last": last and last.timestamp,
            "failed": set(failed.get_partition_keys()),
            "in progress": set(in_progress.get_partition_keys()),
        }
    for check in CHECKS:
        key = dg.AssetCheckKey(dg.AssetKey(check.asset), check.name.value)
        history = log.get_asset_check_execution_history(key, limit=100)
        ended = {r.partition: r for r in reversed(history) if r.status.value != "PLANNED"}
        failed_last = {partition for partition, record in ended.items() if record.status.value == "FAILED"}
        found[f"{check.asset}.{check.name}"] = {
            "now": {
                i.partition_key: i for i in log.get_asset_check_partition_info([key]) if i.partition_key in failed_last
            },
            "result": {partition: ended[partition].evaluation for partition in failed_last},
        }
    return found


def _materialisation(instance: dg.DagsterInstance, asset: dg.AssetKey, partition: str) -> dg.EventLogEntry:
    records = instance.fetch_materializations(dg.AssetRecordsFilter(asset, [partition]), limit=1).records
    return records[0].event_log_entry


def taken_away(pipeline: Pipeline) -> Pruned:
    taken, all_of_it = prune_for(pipeline.database, NOW, 60)
    assert all_of_it
    return taken


def counts(pipeline: Pipeline) -> list[int]:
    tables = ("runs", "run_tags", "event_logs", "asset_event_tags", "asset_check_executions")
    return [pipeline.rows(f"select count(*) as n from dagster.{table}")[0]["n"] for table in tables]


def test_old_runs_go_and_what_is_shown_of_partitions_and_checks_stays(stored_pipeline: Pipeline) -> None:
    keys, bad = played(stored_pipeline)
    before = shown(stored_pipeline.instance)
    assert before["match_score"]["made"] == set(keys)
    assert before["round_stats"]["failed"] == {bad}
    assert taken_away(stored_pipeline) == Pruned()

    make_older(stored_pipeline, 100)
    taken = taken_away(stored_pipeline)
    assert taken.runs > 2 and taken.events > 200 and taken.evaluations > 10
    assert shown(stored_pipeline.instance) == before
    # Only the run that failed is left, and of each of the others what is shown.
    assert [run.status for run in stored_pipeline.instance.get_runs()] == [dg.DagsterRunStatus.FAILURE]
    assert taken_away(stored_pipeline) == Pruned()


def test_what_is_made_anew_after_its_run_was_taken_away_is_kept_once(stored_pipeline: Pipeline) -> None:
    keys, _ = played(stored_pipeline)
    make_older(stored_pipeline, 100)
    taken_away(stored_pipeline)
    once = counts(stored_pipeline)
    stored_pipeline.run(keys[1])
    make_older(stored_pipeline, 100)
    before = shown(stored_pipeline.instance)
    taken_away(stored_pipeline)
    assert shown(stored_pipeline.instance) == before
    assert counts(stored_pipeline) == once


def test_checks_that_a_run_over_a_range_planned_go_with_it_and_failed_ones_stay(stored_pipeline: Pipeline) -> None:
    good = play_evening(4, maps=1, ends_at=just_now()).rounds[0]
    keys = [stored_pipeline.put_stats(good), stored_pipeline.put(name_of(0), spoilt("one byte short"))]
    stored_pipeline.tick(seconds=10)
    stored_pipeline.run(keys)
    make_older(stored_pipeline, 100)
    before = shown(stored_pipeline.instance)
    names = [asset.key.to_user_string() for asset in ASSETS if asset.partitions_def is not None]
    assert taken_away(stored_pipeline).evaluations > 20
    after = shown(stored_pipeline.instance)
    assert [after[name] for name in names] == [before[name] for name in names]
    parse = before["parsed_round.parse"]["result"]
    assert not parse[keys[1]].passed
    assert after["parsed_round.parse"]["result"] == parse
    assert stored_pipeline.rows("select * from dagster.asset_check_executions where execution_status = 'PLANNED'") == []


def test_a_failed_run_stays_for_longer_and_goes_when_its_rounds_were_tried_again(stored_pipeline: Pipeline) -> None:
    name = name_of(0)
    stored_pipeline.put_bytes_and_run(name, spoilt("one byte short"))
    make_older(stored_pipeline, 60)
    assert taken_away(stored_pipeline) == Pruned()
    make_older(stored_pipeline, 60)
    assert taken_away(stored_pipeline).runs == 0
    stored_pipeline.put_bytes_and_run(name, spoilt("empty"))
    before = shown(stored_pipeline.instance)
    assert taken_away(stored_pipeline).runs == 1
    assert shown(stored_pipeline.instance) == before


def test_runs_in_progress_are_left_alone_however_old(stored_pipeline: Pipeline) -> None:
    @dg.job
    def some_job() -> None: ...

    in_progress = set(dg.DagsterRunStatus) - set(FINISHED_STATUSES)
    for status in in_progress:
        run = stored_pipeline.instance.create_run_for_job(some_job)
        stored_pipeline.instance.report_engine_event("still at it", run)
        with stored_pipeline.database.transaction() as conn:
            conn.execute("update dagster.runs set status = %s where run_id = %s", [status.value, run.run_id])
    make_older(stored_pipeline, 1000)
    assert taken_away(stored_pipeline) == Pruned()
    left = stored_pipeline.rows("select status from dagster.runs join dagster.event_logs using (run_id)")
    assert sorted(row["status"] for row in left) == sorted(status.value for status in in_progress)


def test_what_was_told_without_a_run_goes_when_it_is_told_anew(stored_pipeline: Pipeline) -> None:
    stored_pipeline.instance.add_dynamic_partitions("rounds", ["main:a"])
    for _ in range(3):
        stored_pipeline.instance.report_runless_asset_event(dg.AssetMaterialization("parsed_round", partition="main:a"))
        stored_pipeline.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey("parsed_round"), check_name="parse", passed=False, partition="main:a"
            )
        )
    make_older(stored_pipeline, 31)
    before = shown(stored_pipeline.instance)
    assert taken_away(stored_pipeline) == Pruned(events=5)
    assert shown(stored_pipeline.instance) == before


def test_pruning_that_is_interrupted_goes_on_where_it_was(
    stored_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(stored_pipeline)
    make_older(stored_pipeline, 100)
    before = shown(stored_pipeline.instance)
    monkeypatch.setattr(dagster_records, "_RUNS_AT_ONCE", 2)
    monkeypatch.setattr(dagster_records, "_ROWS_AT_ONCE", 50)
    taken, all_of_it = prune_for(stored_pipeline.database, NOW, 0)
    assert (taken.runs, all_of_it) == (2, False)
    assert shown(stored_pipeline.instance) == before
    while not prune_for(stored_pipeline.database, NOW, 0)[1]:
        pass
    assert shown(stored_pipeline.instance) == before
    assert taken_away(stored_pipeline) == Pruned()


def test_ticks_that_found_nothing_go_after_an_hour_and_all_others_in_the_end(stored_pipeline: Pipeline) -> None:
    with stored_pipeline.database.transaction() as conn:
        conn.cursor().executemany(
            "insert into dagster.job_ticks (job_origin_id, status, type, timestamp) values ('gone', %s, %s, %s)",
            [
                (status, kind, NOW.replace(tzinfo=None) - age)
                for status, kind, age in (
                    ("SKIPPED", "SENSOR", timedelta(minutes=50)),
                    ("SKIPPED", "SENSOR", timedelta(minutes=70)),
                    ("STARTED", "SENSOR", timedelta(days=80)),
                    ("STARTED", "SENSOR", timedelta(days=91)),
                    ("SUCCESS", "SCHEDULE", timedelta(days=91)),
                )
            ],
        )
    assert forget_ticks(stored_pipeline.database, NOW) == 3
    left = stored_pipeline.rows("select status from dagster.job_ticks order by id")
    assert [row["status"] for row in left] == ["SKIPPED", "STARTED"]


def test_the_sensor_says_what_it_took_away_and_prunes_runs_once_a_day(
    stored_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(stored_pipeline)
    make_older(stored_pipeline, 100)
    with stored_pipeline.database.transaction() as conn:
        conn.execute("update session set worked_at = worked_at - interval '2 hours'")  # nobody plays any more
    cursor = None

    def tick() -> str:
        nonlocal cursor
        with dg.build_sensor_context(
            instance=stored_pipeline.instance, cursor=cursor, resources={"database": stored_pipeline.database}
        ) as context:
            skipped = pruning_sensor(context)
            cursor = context.cursor
        assert isinstance(skipped, dg.SkipReason) and skipped.skip_message
        return skipped.skip_message

    monkeypatch.setattr(pruning, "SECONDS_PER_TICK", 0.0)
    assert "runs" not in tick() and cursor is not None  # a day is counted from the first look on
    cursor = first = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert "more in an hour" in tick() and cursor == first
    monkeypatch.setattr(pruning, "SECONDS_PER_TICK", 60.0)
    assert "evaluations of checks; our tables are" in tick() and cursor != first
    assert tick().startswith("took away 0 ticks; our tables are")


def test_it_is_time_again_a_day_after_everything_was_taken_away() -> None:
    long_ago, just_now = NOW - timedelta(hours=1), NOW - timedelta(minutes=59)
    assert not is_due(NOW - timedelta(hours=23), long_ago, NOW)
    assert is_due(NOW - timedelta(hours=24), long_ago, NOW) and is_due(NOW - timedelta(hours=24), None, NOW)
    assert not is_due(NOW - timedelta(hours=47), just_now, NOW)
    assert is_due(NOW - timedelta(hours=48), just_now, NOW)


def test_nothing_is_done_where_dagster_keeps_its_records_elsewhere(pipeline: Pipeline) -> None:
    assert prune_for(pipeline.database, NOW, 60) == (Pruned(), True)
    assert forget_ticks(pipeline.database, NOW) == 0


def test_what_has_no_partitions_keeps_all_that_its_runs_made_for_the_plots(stored_pipeline: Pipeline) -> None:
    for _ in range(2):
        stored_pipeline.run_job("refit_insight")
    make_older(stored_pipeline, 100)
    taken_away(stored_pipeline)
    records = stored_pipeline.instance.fetch_materializations(dg.AssetKey("forecast_scores"), limit=10).records
    assert len(records) == 2 and stored_pipeline.instance.get_runs() == []


def test_who_owns_dagsters_records_gains_no_rights_by_what_it_puts_on_them(
    pipeline: Pipeline,
) -> None:
    own = SecretStr(site_url(pipeline.database.url, roles.DAGSTER))
    apart = pipeline.settings.model_copy(update={"dagster_postgres_url": own})
    with dagster_instance(apart, pipeline.database) as instance:
        with psycopg.connect(own.get_secret_value()) as conn:
            conn.execute(
                """create function dagster.plant() returns trigger language plpgsql as $$
                   begin
                       perform set_config('role', 'none', true);
                       execute format('comment on table %I.round is ''planted''', 'public');
                       return old;
                   end $$""",
            )
            conn.execute(
                """create function dagster.planted() returns text language plpgsql as $$
                   begin raise exception 'this ran as %', current_user; end $$"""
            )
            conn.execute("create trigger t after delete on dagster.job_ticks execute function dagster.plant()")
            conn.execute("drop table dagster.daemon_heartbeats")
            conn.execute(
                """create view dagster.daemon_heartbeats as
                   select dagster.planted() as daemon_type, localtimestamp as timestamp"""
            )
        context = dg.build_sensor_context(instance, resources={"database": pipeline.database})
        with context, pytest.raises(psycopg.errors.InsufficientPrivilege):
            pruning_sensor(context)
        with pipeline.database.connect() as conn:
            assert dagster_records.heartbeats(conn) == {}
            assert conn.execute("select site.watched_at() as at").fetchone() == {"at": None}
