"""Timing records on their way into the database: looked for, unreadable, replaced, half written, imported."""

from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import dagster as dg
import pytest

from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.gameserver.source import GameServer, RemoteFile, TransientError
from slomix_pipeline.sensors.catalogue import report_waiting
from slomix_pipeline.sensors.folders import GAMETIMES
from slomix_pipeline.simulator.evening import place
from slomix_pipeline.simulator.serverfiles import timing_bytes
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key
from slomix_pipeline_tests.stages.timing_steps import (
    broken_link,
    check,
    evening_of,
    moved,
    play_rounds,
    put_record,
    rework,
    timing,
)


def test_a_record_that_no_sensor_saw_yet_is_fetched_by_its_round_itself(sftp_pipeline: Pipeline) -> None:
    pipeline, evening = sftp_pipeline, evening_of()
    write_evening(pipeline.folder, evening)
    pipeline.take_in()
    assert differences(as_exported(pipeline.export()), as_played(evening)) == []
    first = evening.rounds[0]
    assert pipeline.file(f"main:{first.timing_name.removesuffix('.json')}")["status"] == "ingested"
    assert pipeline.stale() == []


def test_what_the_round_fetched_itself_is_no_news_to_the_sensor_and_told_dagster_as_made(pipeline: Pipeline) -> None:
    evening = evening_of()
    write_evening(pipeline.folder, evening)
    pipeline.take_in()
    before = pipeline.contents()["check_result"]
    assert isinstance(pipeline.tick(GAMETIMES, seconds=1), dg.SkipReason)
    report_waiting(pipeline.instance, pipeline.database, 60)
    names = {f"main:{r.timing_name.removesuffix('.json')}" for r in evening.rounds}
    assert set(pipeline.instance.get_dynamic_partitions("timings")) == names
    assert pipeline.instance.get_materialized_partitions(dg.AssetKey("timing_record")) == names
    pipeline.work(sorted(names), job="ingest_timings")
    assert pipeline.contents()["check_result"] == before  # as by a run of its own
    assert pipeline.stale() == []


def test_a_record_that_changes_after_the_round_fetched_it_is_taken_by_the_sensor(pipeline: Pipeline) -> None:
    evening = evening_of()
    first = evening.rounds[0]
    write_evening(pipeline.folder, evening)
    pipeline.take_in()
    pipeline.put(first.timing_name, gametimes.dump(moved(first.timing, -600)))
    pipeline.take_in(GAMETIMES)
    assert rework(pipeline) == [round_key(first)]
    assert timing(pipeline, first)["link_class"] == "fuzzy"


class _NoTimings(GameServer):
    """A game server whose gametimes folder can't be had just now."""

    def __init__(self, real: GameServer) -> None:
        self.real = real
        self.asked = 0

    def describe(self) -> str:
        return self.real.describe()

    def folder_changed_at(self, folder: str) -> int:
        return self.real.folder_changed_at(folder)

    def list_folder(self, folder: str) -> list[RemoteFile]:
        if folder == GAMETIMES:
            self.asked += 1
            raise TransientError("connection lost")
        return self.real.list_folder(folder)

    def read(self, folder: str, name: str, limit: int) -> bytes:
        return self.real.read(folder, name, limit)

    def read_end(self, folder: str, name: str, limit: int) -> bytes:
        return self.real.read_end(folder, name, limit)

    def write(self, folder: str, name: str, data: bytes) -> None:
        raise AssertionError

    def close(self) -> None:
        self.real.close()


def test_a_look_that_fails_holds_no_round_up_and_the_record_mends_it_later(pipeline: Pipeline) -> None:
    evening = evening_of()
    write_evening(pipeline.folder, evening)
    real, pipeline.gameserver = pipeline.gameserver, _NoTimings(pipeline.gameserver)
    pipeline.take_in()
    assert pipeline.gameserver.asked == len(evening.rounds)  # once each
    assert {timing(pipeline, r)["timing_status"] for r in evening.rounds} == {"NO LUA DATA"}
    assert check(pipeline, evening.rounds[0], "timing_chain")["metadata"]["what is known"].endswith(
        "could not be listed: connection lost"
    )
    pipeline.gameserver = real
    pipeline.take_in(GAMETIMES)
    assert rework(pipeline) == [round_key(r) for r in evening.rounds]
    assert differences(as_exported(pipeline.export()), as_played(evening)) == []


def deeply_nested(record: TimingRecord) -> bytes:
    return gametimes.dump(record)[:-1] + b',"x":' + b"[" * 900 + b"]" * 900 + b"}"


def test_a_record_with_absurd_values_is_read_for_what_it_is_worth(pipeline: Pipeline) -> None:
    evening = evening_of()
    first, second = evening.rounds
    pipeline.put(first.timing_name, deeply_nested(first.timing))
    pipeline.put(second.timing_name, gametimes.dump(replace(second.timing, restarts=-1, warmup_seconds=99_999_999_999)))
    play_rounds(pipeline, evening)
    assert [timing(pipeline, one)["link_class"] for one in (first, second)] == ["exact_end", "exact_end"]


def test_a_file_that_turns_out_to_be_unreadable_is_told_so(pipeline: Pipeline) -> None:
    evening = evening_of()
    first = evening.rounds[0]
    play_rounds(pipeline, evening)
    pipeline.put(first.timing_name, b"{")
    pipeline.take_in(GAMETIMES)
    assert rework(pipeline) == [round_key(first)]
    assert broken_link(pipeline, first) == "file not parsed"


def test_a_record_whose_new_version_is_of_another_time_leaves_its_round(pipeline: Pipeline) -> None:
    evening = evening_of()
    first = evening.rounds[0]
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    pipeline.put(first.timing_name, gametimes.dump(moved(first.timing, -600)))
    pipeline.take_in(GAMETIMES)
    assert rework(pipeline) == [round_key(first)]
    assert timing(pipeline, first)["link_class"] == "fuzzy"


def test_a_record_whose_new_version_is_of_another_session_moves_there(pipeline: Pipeline) -> None:
    late = evening_of()
    early = place(evening_of(seed=42), late.rounds[0].stamp - timedelta(hours=2), UTC)
    for evening in (early, late):
        play_rounds(pipeline, evening)
    first, other = late.rounds[0], early.rounds[0]
    put_record(pipeline, first.timing)
    pipeline.take_in(GAMETIMES)
    rework(pipeline)
    assert timing(pipeline, first)["link_class"] == "exact_end"
    pipeline.put(first.timing_name, gametimes.dump(other.timing))
    pipeline.take_in(GAMETIMES)
    pipeline.work(round_key(other))
    assert timing(pipeline, other)["link_class"] == "exact_end"
    rework(pipeline)
    assert timing(pipeline, first)["link_class"] == "none"


def test_records_that_are_imported_later_than_the_rounds_mend_them(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = evening_of()
    play_rounds(pipeline, evening)
    archive = tmp_path / "archive"
    archive.mkdir()
    for sim_round in evening.rounds:
        (archive / sim_round.timing_name).write_bytes(timing_bytes(sim_round))
    assert pipeline.import_(archive).linked == 2
    assert differences(as_exported(pipeline.export()), as_played(evening)) == []


def test_an_import_with_the_wrong_zone_is_told_by_the_records_and_mended_by_the_right_one(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    write_evening(tmp_path / "archive", evening_of())
    wrong = pipeline.import_(tmp_path / "archive", timezone="Asia/Kolkata")
    assert (wrong.linked, wrong.zone_off_by) == (0, timedelta(hours=-5.5))
    right = pipeline.import_(tmp_path / "archive", timezone="UTC")
    assert (right.linked, right.zone_off_by) == (2, None)


def test_a_record_half_written_is_left_to_the_sensor(pipeline: Pipeline) -> None:
    evening = evening_of()
    first = evening.rounds[0]
    pipeline.put(first.timing_name, gametimes.dump(first.timing)[:-40])
    play_rounds(pipeline, evening)
    assert timing(pipeline, first)["timing_status"] == "NO LUA DATA"
    assert pipeline.rows("select * from file where kind = 'timing'") == []
    put_record(pipeline, first.timing)
    pipeline.take_in(GAMETIMES)
    assert rework(pipeline) == [round_key(first)]
    assert timing(pipeline, first)["link_class"] == "exact_end"


def test_the_servers_log_tells_what_the_script_did(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOMIX_CONSOLE_LOG", "etconsole.log")
    first, second = evening_of().rounds
    log = pipeline.folder / "etconsole.log"
    log.write_text("  33000 slomix_timing: version 2.0.0, server main, records in gametimes/, webhook off\n")
    pipeline.put_stats(first)
    pipeline.take_in()
    assert broken_link(pipeline, first) == "file not written"
    log.write_text(f"{log.read_text()}  99000 slomix_timing: wrote gametimes/{second.timing_name}\n")
    pipeline.put_stats(second)
    pipeline.take_in()
    assert broken_link(pipeline, second) == "file not fetched"
