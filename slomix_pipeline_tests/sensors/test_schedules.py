"""What is posted by itself or from the launchpad: each tick once, whatever is run again; silent when there is nothing;
what can't be meant fails clearly."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from slomix_pipeline import maintenance_jobs
from slomix_pipeline.definitions import build_defs
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.post_jobs import JOBS, key_of
from slomix_pipeline.rules.asked import RecordsAsked
from slomix_pipeline.schedules import request_for, schedules_of
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages.asked_posts import tell_asked
from slomix_pipeline.stages.usual import learn_usual
from slomix_pipeline.team_jobs import suggest_teams
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.discord.telling_steps import posts
from slomix_pipeline_tests.pipeline_fixtures import Pipeline

ALL_ON = {"weekly_boards_at": "Mon 18:00", "on_this_day_at": "12:00", "morning_digest_at": "9:00"}
PLAYED = datetime(2025, 5, 5, 22, tzinfo=UTC)  # a Monday's evening
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def played(pipeline: Pipeline, tmp_path: Path) -> Pipeline:
    """An evening of two maps, of which nobody was told."""
    write_evening(tmp_path / "archive", play_evening(57, maps=["supply", "te_escape2"], ends_at=PLAYED))
    pipeline.import_(tmp_path / "archive")
    return pipeline


def schedule(name: str, **more: Any) -> dg.ScheduleDefinition:
    (found,) = [own for own in schedules_of(load_settings(**(ALL_ON | more))) if own.name == name]
    return found


def launch(pipeline: Pipeline, job: str, config: dict[str, Any], **tags: str) -> dg.ExecuteInProcessResult:
    """A run from the launchpad."""
    return (
        build_defs(**pipeline.resources)
        .resolve_job_def(job)
        .execute_in_process(instance=pipeline.instance, run_config=config | QUIET, tags=tags, raise_on_error=False)
    )


def tick(pipeline: Pipeline, name: str, at: datetime) -> None:
    """A tick of a schedule in time, and the run it asks for."""
    request = request_for(name, at, at, pipeline.settings, f"post_{name}")
    assert isinstance(request, dg.RunRequest)
    assert launch(pipeline, f"post_{name}", dict(request.run_config)).success


def failure(result: dg.ExecuteInProcessResult) -> str:
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    return str(failed.step_failure_data.user_failure_data.description)  # type: ignore[union-attr]


def titles(pipeline: Pipeline) -> list[str]:
    return [message["embeds"][0]["title"] for message in pipeline.page.messages()]


# --- when ---


def test_without_its_setting_nothing_is_posted_by_itself() -> None:
    assert [own.name for own in schedules_of(load_settings())] == ["nightly_backup"]
    assert schedules_of(load_settings(backup_at="Off")) == []


def test_schedules_run_when_their_settings_say_in_the_zone_of_the_server() -> None:
    found = schedules_of(load_settings(timezone="Europe/Ljubljana", **ALL_ON))
    assert {own.name: own.cron_schedule for own in found} == {
        "weekly_boards": "0 18 * * 1",
        "on_this_day": "0 12 * * *",
        "morning_digest": "0 9 * * *",
        "nightly_backup": "30 4 * * *",
    }
    for own in found:
        assert own.execution_timezone == "Europe/Ljubljana" and own.description
        assert own.default_status is dg.DefaultScheduleStatus.RUNNING
    dg.Definitions.validate_loadable(build_defs(settings=load_settings(**ALL_ON)))


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("weekly_boards_at", "18:00", "does not begin with a weekday"),
        ("weekly_boards_at", "mon 25:00", "is no time"),
        ("on_this_day_at", "noon", "is no time; write for example 09:00"),
        ("weekly_boards", "dpm,kill", "weekly_boards"),
    ],
)
def test_a_time_or_board_that_is_none_is_refused(setting: str, value: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        load_settings(**{setting: value})


def test_a_tick_asks_for_the_day_that_it_is_at_the_server() -> None:
    night = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)  # half past twelve there
    request = request_for("on_this_day", night, night, load_settings(timezone="Europe/Ljubljana"), "post_on_this_day")
    assert isinstance(request, dg.RunRequest) and request.run_key == "on_this_day:2026-11-29"
    skipped = request_for("on_this_day", night, night, load_settings(), "post_on_this_day", silent_before=night)
    assert isinstance(skipped, dg.SkipReason) and "brought back" in str(skipped.skip_message)


@pytest.mark.parametrize(("late", "asks"), [(timedelta(hours=5), True), (timedelta(hours=7), False)])
def test_a_tick_that_comes_too_late_asks_for_nothing_and_says_so(
    late: timedelta, asks: bool, database: Database
) -> None:
    at = datetime.now(UTC) - late
    context = dg.build_schedule_context(scheduled_execution_time=at, resources={"database": database})
    outcome = schedule("morning_digest").evaluate_tick(context)
    assert len(outcome.run_requests or []) == asks
    assert ("missed by more than SLOMIX_PUBLISH_MAX_AGE" in (outcome.skip_message or "")) is not asks


# --- what, once ---


@pytest.fixture
def boards(played: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """The evening is enough for the boards, which end their weeks an hour after it began."""
    monkeypatch.setenv("SLOMIX_WEEKLY_BOARDS", "rounds,kills")
    (began,) = played.rows("select started_at + interval '1 hour' as at from session")
    monkeypatch.setenv("SLOMIX_WEEKLY_BOARDS_AT", f"mon {began['at'].astimezone(UTC):%H:%M}")
    with played.database.transaction() as conn:
        conn.execute("update player_session_fact set rounds = 10")
    played.facts_hold = False
    return played


def test_boards_of_the_week_are_posted_once_a_week_and_a_session_is_of_one(boards: Pipeline) -> None:
    for week in (1, 0, 2, 0, 1):  # in any order, and again
        tick(boards, "weekly_boards", PLAYED + timedelta(weeks=week))
    assert posts(boards) == {"asked:weekly-2025-W19-rounds": "sent", "asked:weekly-2025-W19-kills": "sent"}
    assert titles(boards) == ["Rounds", "Kills"]
    heading = boards.page.messages()[0]["embeds"][0]["description"].replace("\\", "")
    assert "sessions from 2025-04-28 " in heading and " to 2025-05-05 " in heading


def test_boards_that_nobody_names_a_day_for_are_of_the_week_that_ended_last(boards: Pipeline) -> None:
    assert launch(boards, "post_weekly_boards", {}).success
    (asked, _) = boards.rows("select arguments from asked_post order by id")
    until = date.fromisoformat(asked["arguments"]["until"])
    assert until.weekday() == 0 and timedelta(0) <= datetime.now(UTC).date() - until <= timedelta(days=7)


def test_a_week_without_play_is_silent(played: Pipeline) -> None:
    tick(played, "weekly_boards", PLAYED + timedelta(days=30))
    assert titles(played) == []


def test_on_this_day_tells_what_was_played_then_once(played: Pipeline) -> None:
    for _ in range(2):
        tick(played, "on_this_day", PLAYED.replace(year=2027, hour=12))
    assert titles(played) == ["On this day, 5 May"]
    played_then, *standing = played.page.messages()[0]["embeds"][0]["fields"]
    assert played_then["name"] == "Played" and standing[0]["name"] == "Records that still stand"
    assert "MVP of" in played_then["value"] and "2 matches" in played_then["value"]
    assert any("damage given in a session **" in field["value"] for field in standing)


@pytest.mark.parametrize("later", [timedelta(days=366), timedelta(0)])
def test_on_any_other_day_and_in_its_own_year_it_is_silent(played: Pipeline, later: timedelta) -> None:
    tick(played, "on_this_day", PLAYED + later)
    assert titles(played) == []
    (row,) = played.rows("select struck_out from asked_post")
    assert "nothing that counts was played" in row["struck_out"]


def test_the_digest_tells_an_evening_on_one_morning(played: Pipeline) -> None:
    for day in range(-1, 4):
        for _ in range(2):
            tick(played, "morning_digest", PLAYED.replace(hour=9) + timedelta(days=day))
    assert titles(played) == ["Since the last morning"]
    assert posts(played) == {"asked:digest-2025-05-06": "sent"}


def test_what_a_tick_could_not_post_waits_and_is_delivered_once(played: Pipeline) -> None:
    played.page.misbehave(Fault.RATE_LIMITED)
    tick(played, "on_this_day", PLAYED.replace(year=2027))
    assert titles(played) == []
    for _ in range(2):
        tell_asked(["on-this-day-2027-05-05"], played.tools())
    assert len(titles(played)) == 1


# --- the launchpad ---


def test_every_job_posts_what_is_asked_for(played: Pipeline) -> None:
    one, other, *_ = (row["guid"] for row in played.rows("select distinct guid from player_round_fact order by guid"))
    for name, config in (
        ("board", {"board": "KILLS", "map": "suppl", "since": "2025-01-01", "min_rounds": 1}),
        ("player", {"who": one}),
        ("compare", {"one": one, "other": other}),
        ("records", {}),
        ("map", {"map": "suppl"}),
    ):
        result = launch(played, f"post_{name}", {"ops": {name: {"config": config}}})
        assert result.success, name
    assert len(titles(played)) == 5 and set(posts(played).values()) == {"sent"}
    assert titles(played)[0] == "Kills · supply" and titles(played)[-1] == "supply"


@pytest.mark.parametrize(
    ("job", "config", "said"),
    [
        ("player", {"who": "nobody-of-that-name"}, "nobody who played in a round that counts is called"),
        ("map", {"map": "p"}, "2 maps are meant by 'p'; give a longer part of the name\nsupply\nte_escape2"),
        ("board", {"board": "KD", "since": "yesterday"}, "'yesterday' is no day; write it as 2026-11-29"),
    ],
)
def test_what_can_not_be_meant_fails_with_what_may_be(
    played: Pipeline, job: str, config: dict[str, Any], said: str
) -> None:
    result = launch(played, f"post_{job}", {"ops": {job: {"config": config}}})
    assert not result.success and said in failure(result)
    assert (titles(played), played.rows("select from asked_post")) == ([], [])


def test_without_a_webhook_a_job_says_so(played: Pipeline) -> None:
    played.discord = None
    assert "SLOMIX_DISCORD_WEBHOOK" in failure(launch(played, "post_records", {}))


def test_a_run_that_is_executed_again_asks_for_the_same_and_a_new_one_for_something_new() -> None:
    first, again, new = (
        dg.DagsterRun("post_records", run_id=own, root_run_id=root, parent_run_id=root)
        for own, root in (("a1-b2", None), ("c3-d4", "a1-b2"), ("e5-f6", None))
    )
    keys = [key_of(run, RecordsAsked()) for run in (first, again, new)]
    assert keys == ["records-run-a1b2", "records-run-a1b2", "records-run-e5f6"]


def test_teams_are_suggested_from_the_launchpad_and_posted_nowhere(played: Pipeline) -> None:
    ops = "even_teams"
    guids = [row["guid"] for row in played.rows("select distinct guid from board_person order by 1 limit 4")]
    config = {"ops": {ops: {"config": {"players": guids, "together": [guids[:2]]}}}}
    assert "not known yet" in failure(launch(played, "suggest_teams", config))
    learn_usual(played.database)
    done = launch(played, "suggest_teams", config)
    (output,) = [event for event in done.all_events if event.event_type_value == "STEP_OUTPUT"]
    said = str(output.step_output_data.metadata["teams"].value)
    assert done.success and said.startswith("As even as we can tell") and "\n1. " in said and "\n2. " not in said
    config["ops"][ops]["config"]["players"] = [".owl", *guids]
    assert "players are meant" in failure(launch(played, "suggest_teams", config))
    assert titles(played) == []


def test_every_field_of_the_launchpad_explains_itself() -> None:
    for job in (*JOBS, *maintenance_jobs.JOBS, suggest_teams):
        (op,) = job.graph.node_defs
        assert isinstance(op, dg.OpDefinition) and op.description and job.description == op.description
        for name, field in op.config_field.config_type.fields.items():  # type: ignore[union-attr]
            assert field.description, (job.name, name)
