"""The nightly report: files add up, what nobody looked at is told with since when, and it is posted once a day."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from slomix_pipeline.definitions import build_defs
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.reports.pipeline_report import PipelineReport, gather, headline, numbers, sections
from slomix_pipeline.rules.backups import BackupKind, Verdict
from slomix_pipeline.rules.things import ThingKind
from slomix_pipeline.schedules import request_for, schedules_of
from slomix_pipeline.settings import load_settings
from slomix_pipeline.stages.outbox import TELLERS
from slomix_pipeline.warehouse import backup_files
from slomix_pipeline.warehouse.backup_files import Described
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.discord.telling_steps import posts
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key
from slomix_pipeline_tests.site_fixtures import Shown


def report_of(pipeline: Pipeline, changes: str = "", later: timedelta = timedelta()) -> PipelineReport:
    """The report as it is after some changes, which are taken back."""
    with pipeline.database.connect() as conn:
        conn.execute(changes.encode())
        made = gather(conn, load_settings(), datetime.now(UTC) + later)
        conn.rollback()
    return made


def lines_of(report: PipelineReport) -> dict[str, tuple[str, ...]]:
    return {section.title: section.lines for section in sections(report)}


def file_that(kind: str, status: str, name: str = "lost", **more: str) -> str:
    """A row of the ledger, and nothing behind it."""
    columns = {"server": "main", "name": name, "kind": kind, "partition_key": f"main:{name}", "status": status} | more
    return f"insert into file ({', '.join(columns)}) values ({', '.join(map(repr, columns.values()))});"


def test_every_file_that_was_seen_is_one_of_what_became_of_it(shown: Shown) -> None:
    made = report_of(
        shown.pipeline,
        file_that("stats", "quarantined", reason="it is none")
        + file_that("stats", "requested", "asked")
        + file_that("ws", "listed", "weapons"),
    )
    found = numbers(made)
    parts = ("ingested", "known", "quarantined", "waiting", "noted")
    assert found["files_seen"] == sum(found[f"files_{part}"] for part in parts)
    assert found["files_ingested"] >= 8 and found["files_unaccounted"] == 0
    told = f"main: {found['files_seen']} seen = {found['files_ingested']} ingested + 1 quarantined + 1 waiting + "
    assert lines_of(made)["Files"] == (f"{told}{found['files_noted']} noted",)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("stats", "ingested"), ("timing", "ingested"), ("endstats", "ingested"), ("stats", "known"), ("ws", "ingested")],
)
def test_a_file_of_which_nothing_is_there_is_unaccounted_for_and_named(shown: Shown, kind: str, status: str) -> None:
    made = report_of(shown.pipeline, file_that(kind, status))
    assert numbers(made)["files_unaccounted"] == 1 and headline(made) == "1 file unaccounted for"
    assert lines_of(made)["Files"][0].endswith("; unaccounted: 1")
    assert lines_of(made)["To look at"][0].startswith(f"main: 1 {kind} file {status}, and nothing shows it: lost (")


def test_what_nobody_looked_at_is_told_with_since_when_and_the_rest_is_silent(shown: Shown) -> None:
    assert "To look at" not in lines_of(report_of(shown.pipeline))
    made = report_of(
        shown.pipeline,
        file_that("stats", "quarantined", reason="it is none", by_sensor="yes", finished_at=f"{datetime.now(UTC)}")
        + file_that("stats", "quarantined", "old", reason="it is none", by_sensor="yes", finished_at="2026-01-02")
        + """insert into link_request values ('80351110224678913', 'x', 'y', '2026-01-03');
             insert into alarm (cause, opened_at) values ('messages', '2026-01-04');
             update folder_look set looked_at = now() - interval '3 hours' where folder = 'gametimes'""",
    )
    assert lines_of(made)["To look at"] == (
        "main: gametimes was not listed for 3 h (slomix doctor)",
        "1 file that can't be read in the last 7 days (slomix files --status quarantined)",
        "1 link request, the oldest since 2026-01-03 (slomix identity requests)",
        "1 open alarm, the oldest since 2026-01-04 (the admin channel has it)",
    )
    assert numbers(made)["files_quarantined"] == 2


def test_only_folders_that_the_settings_name_are_told_of_also_when_they_were_never_listed(shown: Shown) -> None:
    settings = load_settings(servers="main,b", b_gameserver_dir="/srv/b", main_gameserver_dir="/srv/main")
    with shown.pipeline.database.connect() as conn:
        conn.execute("insert into folder_look values ('retired', 'gamestats', now() - interval '200 days')")
        made = gather(conn, settings, datetime.now(UTC))
        conn.rollback()
    never = tuple(f"b: {folder} was not listed so far (slomix doctor)" for folder in ("gamestats", "gametimes"))
    assert lines_of(made)["To look at"] == never and "retired" not in str(lines_of(made)["Folders"])


def test_a_report_that_is_late_is_nothing_to_look_at(shown: Shown) -> None:
    late = """insert into post (thing, kind, partition_key, state, claimed_at)
              values ('report:x', 'report', 'x', 'refused', now())"""
    assert headline(report_of(shown.pipeline, late)) == "Nothing to look at"


def test_while_everything_is_taken_in_anew_nothing_is_unaccounted_for(shown: Shown) -> None:
    made = report_of(
        shown.pipeline, file_that("stats", "ingested") + "insert into rebuild (what) values ('from scratch')"
    )
    assert headline(made) == "Nothing to look at" and "a rebuild is under way" in lines_of(made)["Files"][0]


def test_records_of_dagster_that_are_kept_elsewhere_are_not_said_to_be_none(shown: Shown) -> None:
    made = report_of(shown.pipeline)  # no schema of Dagster's is here
    assert "runs_failed_of_the_last_day" not in numbers(made)
    assert "Dagster's records kept elsewhere" in lines_of(made)["Machine"][-1]


def test_coverage_is_of_the_rounds_of_lately(shown: Shown) -> None:
    found = numbers(report_of(shown.pipeline))
    assert found["timing_percent_of_7_days"] == found["endstats_percent_of_30_days"] == 100
    lost = "update round_timing set record_key = null, link_class = 'none'"
    assert numbers(report_of(shown.pipeline, lost))["timing_percent_of_7_days"] == 0
    later = numbers(report_of(shown.pipeline, later=timedelta(days=8)))
    assert later["rounds_of_7_days"] == 0 < later["rounds_of_30_days"]
    assert "timing_percent_of_7_days" not in later


def test_the_oldest_round_without_its_other_is_named(shown: Shown) -> None:
    lonely = "update round set status = 'r2_only' where round_key in (select r2_key from match)"
    (line,) = (line for line in lines_of(report_of(shown.pipeline, lonely))["Rounds"] if "other" in line)
    oldest = min((own for own in shown.evening.rounds if own.number == 2), key=lambda own: own.stamp)
    assert line.startswith(f"without their other round: 2; the oldest {round_key(oldest)}, ")


def a_backup(folder: Path, made_at: datetime, verdict: Verdict | None = None) -> None:
    """A backup as it lies in its folder."""
    backup_files.prepare(folder)
    path = backup_files.path_for(folder, BackupKind.NIGHTLY, made_at)
    path.write_bytes(b"x")
    described = Described(BackupKind.NIGHTLY, made_at, 48, 4, "0.1.0", "18", 1, "a" * 64, 1.0, {}, verdict)
    backup_files.describe(path, described)


def test_the_age_of_backups_is_told_and_one_that_is_missing(shown: Shown, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    settings = load_settings(backup_folder=tmp_path / "backups", backup_at="off")
    a_backup(settings.backups, now - timedelta(days=3), Verdict.SAME)
    a_backup(settings.backups, now - timedelta(hours=5))
    with shown.pipeline.database.connect() as conn:
        made = gather(conn, settings, now)
        overdue = gather(conn, settings.model_copy(update={"backup_at": "04:30"}), now + timedelta(days=9))
    assert lines_of(made)["Machine"][0] == "2 backups, the newest 5 h old, the newest that was compared 3 days"
    assert (numbers(made)["backups"], numbers(made)["hours_since_a_backup"]) == (2, 5)
    assert "To look at" not in lines_of(made)
    assert any(line.startswith("backup overdue: the last one is of ") for line in lines_of(overdue)["To look at"])


def test_nothing_at_all_has_a_report_too(database: Database) -> None:
    with database.snapshot() as conn:
        made = gather(conn, load_settings(gameserver_dir=None), datetime.now(UTC))
    assert headline(made) == "Nothing to look at"
    assert [section.title for section in sections(made)] == ["Machine"]


def test_the_command_says_the_same_to_people_and_to_programs(shown: Shown) -> None:
    text, program = shown.pipeline.slomix("report"), shown.pipeline.slomix("report", "--json")
    assert (text.exit_code, program.exit_code) == (0, 0)
    told = json.loads(program.stdout)
    assert told["schema"] == "slomix.report/1" and told["headline"] in text.stdout
    for section in told["sections"]:
        assert section["title"] in text.stdout
        assert section["title"] not in ("Files", "Rounds") or all(line in text.stdout for line in section["lines"])
    assert told["numbers"]["sessions"] == 1


# --- the job ---


def launch(pipeline: Pipeline, day: str = "2026-11-30") -> dict[str, Any]:
    """One run of the job. Returns its metadata."""
    defs = build_defs(**pipeline.resources)
    config = {
        "ops": {"nightly_report": {"config": {"day": day}}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    done = defs.resolve_job_def("pipeline_report").execute_in_process(instance=pipeline.instance, run_config=config)
    (output,) = [event for event in done.all_events if event.event_type_value == "STEP_OUTPUT"]
    return {name: own.value for name, own in output.step_output_data.metadata.items()}


def reports(pipeline: Pipeline) -> list[str]:
    embeds = (message["embeds"][0] for message in pipeline.page.messages())
    return [embed["title"] for embed in embeds if embed["footer"]["text"] == "slomix report"]


def test_the_report_is_one_message_a_day_in_the_admin_channel_brought_up_to_date(pipeline: Pipeline) -> None:
    with pipeline.database.transaction() as conn:
        conn.execute("insert into folder_look values ('main', 'gamestats', now()), ('main', 'gametimes', now())")
    assert launch(pipeline)["files_seen"] == 0  # kept as metadata, where no channel is told
    assert reports(pipeline) == [] == pipeline.rows("select from due")
    pipeline.discord, pipeline.admin = None, pipeline.discord
    pipeline.page.misbehave(Fault.RATE_LIMITED)
    launch(pipeline)
    assert (reports(pipeline), posts(pipeline)) == ([], {"report:2026-11-30": "failed"})
    for _ in range(2):  # as the outbox does
        TELLERS[ThingKind.REPORT](["2026-11-30"], pipeline.tools())
    assert reports(pipeline) == ["Nothing to look at"]
    with pipeline.database.transaction() as conn:
        conn.execute(file_that("stats", "ingested", "[/b]**x**").encode())
    assert launch(pipeline)["files_unaccounted"] == 1
    launch(pipeline, "2026-12-01")
    assert reports(pipeline) == ["1 file unaccounted for"] * 2
    assert posts(pipeline) == {"report:2026-11-30": "sent", "report:2026-12-01": "sent"}
    assert "**x**" not in str(pipeline.page.messages())


def test_the_schedule_is_there_with_its_setting_and_asks_for_its_day() -> None:
    settings = load_settings(nightly_report_at="6:30", timezone="Europe/Ljubljana")
    (own,) = (each for each in schedules_of(settings) if each.name == "nightly_report")
    assert (own.name, own.cron_schedule, own.execution_timezone) == ("nightly_report", "30 6 * * *", "Europe/Ljubljana")
    at = datetime(2026, 11, 30, 5, 30, tzinfo=UTC)
    request = request_for(own.name, at, at, settings, "pipeline_report")
    assert isinstance(request, dg.RunRequest) and request.run_key == "nightly_report:2026-11-30"
    dg.validate_run_config(build_defs(settings=settings).resolve_job_def("pipeline_report"), request.run_config)
