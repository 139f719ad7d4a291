"""Runs of Dagster's: a whole evening, what fails a run and what only warns, what a run shows."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from slomix_pipeline.formats import gamestats
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.sensors.folders import GAMETIMES
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse.files import list_files
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.building import on_the_other_side
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key
from slomix_pipeline_tests.spoilt_files import CASES, good_evening, name_of, spoilt


def failed_checks(result: dg.ExecuteInProcessResult) -> list[tuple[str, dg.AssetCheckSeverity]]:
    return [(e.check_name, e.severity) for e in result.get_asset_check_evaluations() if not e.passed]


# --- a whole evening ---


def test_an_evening_over_sftp_comes_out_as_it_was_played(sftp_pipeline: Pipeline) -> None:
    evening = play_evening(4, players_per_team=6, ends_at=just_now(), leaver=True, reconnect=True)
    write_evening(sftp_pipeline.folder, evening)
    sftp_pipeline.list_folders()
    assert differences(as_exported(sftp_pipeline.export()), as_played(evening)) == []


def test_running_an_evening_again_changes_nothing(pipeline: Pipeline) -> None:
    evening = play_evening(13, maps=2, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.list_folders()
    before = pipeline.contents()
    pipeline.run([round_key(r) for r in evening.rounds])
    pipeline.run(round_key(evening.rounds[3]))
    assert differences(pipeline.contents(), before) == []


# --- bad files ---


@pytest.mark.parametrize("name", ["empty", "one byte short", "a file of 20 MB"])
def test_the_run_of_a_bad_file_alone_fails_at_one_check(pipeline: Pipeline, name: str) -> None:
    key = pipeline.put(name_of(0), spoilt(name))
    (result,) = pipeline.list_folder(raise_on_error=False)
    assert not result.success
    (failed,) = failed_checks(result)
    assert failed[0] in ("transfer", "parse") and failed[1] is dg.AssetCheckSeverity.ERROR
    assert pipeline.file(key)["status"] == "quarantined"
    assert pipeline.rows("select * from parsed_round") == []
    assert pipeline.page.messages() == []


def test_the_run_of_a_file_with_an_odd_line_succeeds_and_its_checks_only_warn(pipeline: Pipeline) -> None:
    pipeline.put(name_of(0), spoilt("a player twice"))
    (result,) = pipeline.list_folder()
    assert result.success
    assert {severity for _, severity in failed_checks(result)} == {dg.AssetCheckSeverity.WARN}
    assert len(pipeline.page.messages()) == 1


def test_bad_files_in_a_batch_leave_their_neighbours_alone(pipeline: Pipeline) -> None:
    later = {
        f"{datetime.now(UTC) - timedelta(hours=8, minutes=2 * n):%Y-%m-%d-%H%M%S}-radar-round-1.txt": name
        for n, name in enumerate(CASES)
    }
    keys = {name: pipeline.put(file, spoilt(name)) for file, name in later.items()}
    write_evening(pipeline.folder, good_evening())
    pipeline.list_folder(GAMETIMES)
    (result,) = pipeline.list_folder()

    assert result.success
    assert differences(as_exported(pipeline.export()), as_played(good_evening())) == []
    statuses = {name: pipeline.file(key)["status"] for name, key in keys.items()}
    assert statuses == {name: case.status for name, case in CASES.items()}
    assert not any(row["status"] == "requested" for row in pipeline.rows("select status from file"))

    bad = {keys[name] for name, case in CASES.items() if case.status == "quarantined"}
    evaluations = result.get_asset_check_evaluations()
    blocking = [e for e in evaluations if not e.passed and e.check_name in ("transfer", "parse") and not e.partition]
    assert {e.severity for e in blocking} == {dg.AssetCheckSeverity.WARN}
    listed = "".join(str(e.metadata["which"].value) for e in blocking)
    assert {key for key in bad if f"`{key}`" in listed} == bad
    by_round = {
        e.partition for e in evaluations if e.partition and e.check_name in ("transfer", "parse") and not e.passed
    }
    assert by_round == bad | {keys[name] for name, case in CASES.items() if case.warns}
    with pipeline.database.connect() as conn:
        assert {row.partition_key for row in list_files(conn, FileStatus.QUARANTINED)} == bad


def test_a_key_without_any_file_fails_its_run_and_says_why(pipeline: Pipeline) -> None:
    result = pipeline.run("main:2031-01-01-000000-supply-round-1", raise_on_error=False)
    assert failed_checks(result) == [("transfer", dg.AssetCheckSeverity.ERROR)]


# --- what a run shows of teams ---


def test_a_lobby_that_was_split_anew_makes_the_check_of_its_runs_warn(pipeline: Pipeline) -> None:
    evening = play_evening(63, maps=2, players_per_team=3, ends_at=just_now())
    first, second = evening.matches
    moved = {min(evening.team_a), min(evening.team_b)}
    for half in (first.r1, first.r2):
        pipeline.put_stats(half)
    for half in (second.r1, second.r2):
        pipeline.put(half.stats_name, gamestats.dump(on_the_other_side(half.stats, moved)))
    (result,) = pipeline.list_folder()
    (evaluation,) = (e for e in result.get_asset_check_evaluations() if e.check_name == "teams" and e.partition is None)
    assert not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.WARN


def test_the_run_shows_both_rosters_side_by_side(pipeline: Pipeline) -> None:
    evening = play_evening(67, maps=1, players_per_team=3, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.list_folders()
    result = pipeline.run(round_key(evening.rounds[-1]))
    event = result.asset_materializations_for_node("session_teams")[-1]
    shown = {name: value.value for name, value in event.metadata.items()}
    assert (shown["players"], shown["open"], shown["confidence"]) == (6, 0, "high 1")
    table = str(shown["rosters"]).splitlines()
    assert table[0] == f"`{SERVER}:{evening.rounds[0].stem[:17]}`"
    assert table[2] == "| fox (A) | owl (B) |"
    assert len(table) == 4 + 3
    assert all(guid in str(shown["rosters"]) for guid in evening.team_a | evening.team_b)
