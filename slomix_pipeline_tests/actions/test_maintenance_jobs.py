"""The jobs for admins: they do what the commands do, explain what they take, and fail with words."""

from typing import Any

import dagster as dg
import pytest

from slomix_pipeline import maintenance_jobs
from slomix_pipeline.actions import syncing
from slomix_pipeline.backup_jobs import nightly_backup
from slomix_pipeline.definitions import build_defs
from slomix_pipeline.jobs import ADMINS_RUN
from slomix_pipeline.runtime.home import working_alone
from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key

QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def launch(pipeline: Pipeline, job: str, **config: Any) -> dg.ExecuteInProcessResult:
    return (
        build_defs(**pipeline.resources)
        .resolve_job_def(job)
        .execute_in_process(
            instance=pipeline.instance,
            run_config=QUIET | ({"ops": {f"{job}_op": {"config": config}}} if config else {}),
            raise_on_error=False,
        )
    )


def said(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    assert result.success, [failure(result)]
    (event,) = result.filter_events(lambda event: event.event_type_value == "STEP_OUTPUT")
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = result.filter_events(lambda event: event.event_type_value == "STEP_FAILURE")
    data = event.step_failure_data
    return str(data.user_failure_data.description if data.user_failure_data else data.error)


def test_history_is_synced_validated_and_made_anew_by_jobs(
    sftp_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "HELD_STILL", 0.0)
    evening = play_evening(2, maps=1, ends_at=SOME_EVENING)
    write_evening(sftp_pipeline.folder, evening)
    assert said(launch(sftp_pipeline, "sync"))["main"]["ingested"] == 0  # older than the look-back
    assert said(launch(sftp_pipeline, "sync", everything=True))["main"]["ingested"] == 6
    assert round_key(evening.rounds[0]) in sftp_pipeline.instance.get_dynamic_partitions("rounds")
    assert said(launch(sftp_pipeline, "validate"))["found"]["fine"]
    (key,) = said(launch(sftp_pipeline, "rebuild_sessions", sessions=["latest"]))["sessions"]
    assert key.startswith("main:")
    assert said(launch(sftp_pipeline, "rebuild_everything"))["rounds"] == 2
    refused = failure(launch(sftp_pipeline, "rebuild_from_scratch"))
    name = refused.rsplit(" ", 1)[1]
    assert "Nothing was done" in refused
    with sftp_pipeline.database.transaction() as conn:
        conn.execute("update round_player set kills = kills + 1")
    assert "differ from what the stored files give now" in failure(launch(sftp_pipeline, "validate"))
    assert "round_player" in failure(launch(sftp_pipeline, "rebuild_from_scratch", confirm=name))
    assert said(launch(sftp_pipeline, "rebuild_from_scratch", confirm=name))["equal"]
    assert sftp_pipeline.titles() == []


def test_what_can_not_be_meant_is_said_in_words(pipeline: Pipeline) -> None:
    assert "there is no session '\\x1b'" in failure(launch(pipeline, "validate", sessions=["\x1b"]))
    assert "write it as 2026-11-29" in failure(launch(pipeline, "sync", since="tomorrow"))
    assert "name sessions" in failure(launch(pipeline, "rebuild_sessions"))
    assert "there is main" in failure(launch(pipeline, "sync", server="other"))
    assert "the ledger has no 'result:x'" in failure(launch(pipeline, "post_again", thing="result:x"))


def test_a_run_waits_for_no_command_and_leaves_room_for_rounds(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance_jobs, "IN_A_RUN", 0.1)
    with working_alone(pipeline.database):
        for name in ("rebuild_everything", "rebuild_sessions"):
            config = {"everything": True} if name == "rebuild_sessions" else {}
            assert "another command or job works rounds out here" in failure(launch(pipeline, name, **config))
    for job in [*maintenance_jobs.JOBS, nightly_backup]:
        assert job.tags.items() >= ADMINS_RUN.items() and "dagster/max_runtime" in job.tags


def test_a_message_that_is_in_doubt_is_settled_by_a_job(pipeline: Pipeline) -> None:
    evening = play_evening(2, maps=1, ends_at=SOME_EVENING)
    write_evening(pipeline.folder, evening)
    pipeline.import_(pipeline.folder, publish="asked")
    thing = f"result:{round_key(evening.rounds[1])}"
    with pipeline.database.transaction() as conn:
        conn.execute("update post set state = 'in_doubt', message_id = null where thing = %s", [thing])
    assert "noted as told" in said(launch(pipeline, "post_again", thing=thing, how="IT_IS_THERE"))["outcome"]
