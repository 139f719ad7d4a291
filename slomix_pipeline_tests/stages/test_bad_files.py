"""Bad stats files: each ends as ingested or quarantined with a reason, and its neighbours never notice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from slomix_pipeline.formats import gamestats
from slomix_pipeline.sensors.folders import GAMESTATS
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.spoilt_files import CASES, good_bytes, good_evening, name_of, spoilt, subject


def failed_checks(pipeline: Pipeline) -> set[tuple[str, str]]:
    rows = pipeline.rows("select check_name, severity from check_result where not passed")
    return {(row["check_name"], row["severity"]) for row in rows}


# --- alone ---


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_alone_gets_its_status_and_reason(pipeline: Pipeline, name: str) -> None:
    case = CASES[name]
    key = pipeline.put(name_of(0), spoilt(name))
    pipeline.take_in()
    file = pipeline.file(key)
    assert file["status"] == case.status, file["reason"]
    if case.status == "quarantined":
        assert case.reason and case.reason in file["reason"]
        assert failed_checks(pipeline) and failed_checks(pipeline) <= {("transfer", "ERROR"), ("parse", "ERROR")}
        assert pipeline.rows("select * from parsed_round") == []
        assert pipeline.page.messages() == []
    else:
        assert file["reason"] is None
        assert {severity for _, severity in failed_checks(pipeline)} <= {"WARN"}
        (exported,) = pipeline.export()["rounds"]
        assert [len(exported["players"]), exported["status"]] == [len(subject().players) + case.more_players, "r1_only"]
        assert len(pipeline.page.messages()) == 1
    if len(spoilt(name)) < 16 << 20:
        (kept,) = pipeline.rows("select bytes from file join file_content using (sha256) where partition_key = %s", key)
        assert bytes(kept["bytes"]) == spoilt(name)


# --- among good neighbours ---


def test_bad_files_in_an_import_leave_their_neighbours_alone(pipeline: Pipeline, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    write_evening(archive, good_evening())
    small = {name: data for name in CASES if len(data := spoilt(name)) < 16 << 20}
    for n, (_, data) in enumerate(small.items()):
        (archive / "bad").mkdir(exist_ok=True)
        (archive / "bad" / name_of(100 + n)).write_bytes(data)
    summary = pipeline.import_(archive)
    good = [name for name in small if CASES[name].status == "ingested"]
    assert summary.ingested == 12 + len(good)
    assert len(summary.quarantined) == len(small) - len(good)
    assert all(reason for _, reason in summary.quarantined)
    assert differences(as_exported(pipeline.export()), as_played(good_evening())) == []
    again = pipeline.import_(archive)  # nothing became worse, and what was quarantined is tried again
    assert (again.ingested, again.known) == (0, summary.ingested)
    assert again.quarantined == summary.quarantined


# --- clocks, gaps, names ---


def test_a_stamp_in_the_future_is_ingested_with_a_warning(pipeline: Pipeline) -> None:
    stamp = datetime.now(UTC) + timedelta(hours=3)
    name = f"{stamp:%Y-%m-%d-%H%M%S}-radar-round-1.txt"
    key = pipeline.put_and_take_in(name, good_bytes())
    assert pipeline.file(key)["status"] == "ingested"
    (check,) = pipeline.rows("select * from check_result where check_name = 'parse'")
    assert not check["passed"] and check["severity"] == "WARN"
    assert "future" in check["metadata"]["warnings"]


def test_a_name_with_dots_does_not_stop_the_others(pipeline: Pipeline) -> None:
    pipeline.put(name_of(0).replace("radar", "ra...dar"), good_bytes())
    write_evening(pipeline.folder, good_evening())
    pipeline.take_in()
    assert len(pipeline.rows("select * from round")) >= len(good_evening().rounds)


def test_a_file_that_is_gone_before_it_is_fetched_is_quarantined_and_comes_back(pipeline: Pipeline) -> None:
    name = name_of(0)
    key = pipeline.put(name, good_bytes())
    outcome = pipeline.tick(seconds=10)
    (pipeline.folder / GAMESTATS / name).unlink()
    pipeline.work_off(outcome, "ingest_rounds")
    assert "gone from the game server" in pipeline.file(key)["reason"]
    pipeline.put_and_take_in(name, good_bytes())
    assert pipeline.file(key)["status"] == "ingested"


def test_a_quarantined_round_two_leaves_its_round_one_standing_and_is_shown(pipeline: Pipeline) -> None:
    for sim_round in good_evening().rounds:
        data = gamestats.dump(sim_round.stats)
        pipeline.put(sim_round.stats_name, data[:-9] if sim_round is good_evening().rounds[1] else data)
    pipeline.take_in()
    session = pipeline.export()
    assert [m["status"] for m in session["matches"]] == ["r1_only", "complete"]
    assert [r["status"] for r in session["rounds"]] == ["r1_only", "quarantined", "complete", "complete"]
