"""Imports that are interrupted: what the next one finishes, and what it says."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import psutil  # type: ignore[import-untyped]  # comes without types
import pytest

from slomix_pipeline.actions import import_batches, importing
from slomix_pipeline.definitions import build_defs
from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import round_files, write_evening
from slomix_pipeline.stages.chain import NUMBERS_OF_A_ROUND, OF_A_ROUND, Progress, nobody_watches, run_stages
from slomix_pipeline.stages.common import Done, Stage, Tools, perform
from slomix_pipeline.warehouse import unfinished
from slomix_pipeline.warehouse.database import Database, locked_server
from slomix_pipeline.warehouse.rework import stale_rounds
from slomix_pipeline.warehouse.unfinished import ROUND_ENDS
from slomix_pipeline_tests.as_played import differences
from slomix_pipeline_tests.pipeline_fixtures import SERVER, SLOMIX, Pipeline, just_now, round_key

# What an import has made so far: it only ever grows.
_DONE = """select (select count(*) from file) + (select count(*) from timing_record)
                  + (select count(*) from parsed_round) + (select count(*) from round_timing)
                  + (select count(*) from session_round) + (select count(*) from round_endstats)
                  + (select count(*) from check_result where check_name = 'told_once') as n"""
_KILLS = 10
# As a process of its own, which cuts evenings into many batches.
_SMALL_BATCHES = f"from slomix_pipeline.rules import batches; batches.ROUNDS_AT_ONCE = 1; {SLOMIX[-1]}"


def write_archive(folder: Path) -> Evening:
    """Three evenings, a copy of one of their files under another name, and a file that can't be read."""
    evening = play_evening(2, maps=2, ends_at=SOME_EVENING)
    for day in (1, 2):
        write_evening(folder, play_evening(2 + day, maps=1, ends_at=SOME_EVENING + timedelta(days=day)))
    write_evening(folder, evening)
    copy = evening.rounds[0].stats_name.replace(evening.rounds[0].stats_name[:17], "2020-01-01-200000")
    (folder / "gamestats" / copy).write_bytes(evening.rounds[0].stats_bytes)
    (folder / "gamestats" / "2025-01-01-200000-supply-round-1.txt").write_bytes(b"^1Server\\supply\\cut")
    return evening


def start_import(archive: Path, home: Path, database: Database) -> "subprocess.Popen[str]":
    environment = os.environ | {"SLOMIX_HOME": str(home), "SLOMIX_POSTGRES_URL": database.url}
    return subprocess.Popen(
        [*SLOMIX[:-1], _SMALL_BATCHES, "import", str(archive)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(database: Database, moment: str, process: "subprocess.Popen[str]") -> None:
    with database.connect() as conn:
        conn.autocommit = True
        while not next(iter((conn.execute(moment).fetchone() or {}).values())):
            assert process.poll() is None, process.communicate()
            time.sleep(0.005)


@pytest.mark.timeout(900)
def test_an_import_killed_again_and_again_comes_to_the_same_end(pipeline: Pipeline, tmp_path: Path) -> None:
    archive, home = tmp_path / "archive", tmp_path / "home"
    write_archive(archive)
    rounds = len(list(archive.rglob("*-round-?.txt")))
    random = Random(7)
    for done in sorted(random.sample(range(1, 7 * rounds), _KILLS)):
        importing = start_import(archive, home, pipeline.database)
        wait_for(pipeline.database, f"select n >= {done} from ({_DONE}) made", importing)
        time.sleep(random.uniform(0, 0.1))
        workers = psutil.Process(importing.pid).children(recursive=True)
        victim = random.choice([importing, *workers])
        victim.kill()
        _, trouble = importing.communicate(timeout=60)
        if victim is not importing and importing.returncode:
            assert "a worker process was ended from outside" in trouble or importing.returncode == 0
        assert psutil.wait_procs(workers, timeout=30)[1] == []
    last = start_import(archive, home, pipeline.database)
    _, trouble = last.communicate()
    assert last.returncode == 0, trouble
    after = pipeline.contents()
    forget(pipeline)
    pipeline.import_(archive)
    assert differences(after, pipeline.contents()) == []
    assert after["unfinished"] == []


def forget(pipeline: Pipeline) -> None:
    """Takes away all that came by files, as if nothing had been imported."""
    with pipeline.database.transaction() as conn:
        conn.execute("truncate file, file_content, parsed_round, timing_record, session, check_result cascade")


@pytest.mark.timeout(300)
def test_ctrl_c_is_one_clear_line_and_the_next_import_goes_on(pipeline: Pipeline, tmp_path: Path) -> None:
    archive, home = tmp_path / "archive", tmp_path / "home"
    write_archive(archive)
    with pipeline.database.transaction() as conn:
        locked_server(conn, SERVER)  # as a live run holds it, so that the import does not get to its end
        stopped = start_import(archive, home, pipeline.database)
        wait_for(pipeline.database, "select count(*) > 0 from parsed_round", stopped)
        stopped.send_signal(signal.SIGINT)
        said, trouble = stopped.communicate()
    assert (stopped.returncode, said) == (130, "")
    assert len(trouble.strip().splitlines()) == 1, trouble
    found = re.fullmatch(
        r"Stopped: (\d+) of 26 files are through[.] The next import of (.*) goes on from there[.]", trouble.strip()
    )
    assert found is not None and found[2] == str(archive)
    summary = pipeline.import_(archive)
    assert (summary.found, len(summary.quarantined)) == (26, 1)
    assert summary.known - int(found[1]) in (0, 1)  # perhaps now the round that the copy stands for
    assert pipeline.import_(archive).ingested == 0


# --- in one process: what is left where a stage ends the import ---


def interrupted_at(
    pipeline: Pipeline,
    archive: Path,
    monkeypatch: pytest.MonkeyPatch,
    stages: Sequence[Stage],
    call: int,
    publish: str | None = None,
) -> None:
    """An import that ends before it runs these stages for the ``call``-th time."""
    calls = 0

    def run(asked: Sequence[Stage], keys: Sequence[str], tools: Tools, progress: Progress = nobody_watches) -> None:
        nonlocal calls
        calls += asked == stages
        if asked == stages and calls == call:
            raise KeyboardInterrupt
        run_stages(asked, keys, tools, progress)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(import_batches, "run_stages", run)
        pipeline.import_(archive, publish)


def test_awards_and_records_that_came_later_are_read_though_their_import_ended_before(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = play_evening(4, maps=2, ends_at=SOME_EVENING)
    archive = tmp_path / "archive"
    written = [item for sim_round in evening.rounds for item in round_files(sim_round).items()]
    for late in (False, True):
        for name, content in written:
            if ("endstats" in name or "gametimes" in name) is late:
                (archive / name).parent.mkdir(parents=True, exist_ok=True)
                (archive / name).write_bytes(content)
        if not late:
            pipeline.import_(archive)
    interrupted_at(pipeline, archive, monkeypatch, NUMBERS_OF_A_ROUND, 1)
    summary = pipeline.import_(archive)
    assert (summary.renewed, summary.linked) == (4, 4)
    assert len(pipeline.rows("select * from endstats_file")) == 4
    again = pipeline.import_(archive)
    assert (again.ingested, again.known, again.renewed, again.resumed) == (0, 12, 0, 0)


def test_a_published_import_that_ended_before_its_sessions_were_told_tells_them_the_next_time(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "archive"
    write_evening(archive, play_evening(4, maps=1, ends_at=SOME_EVENING))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(importing, "_conclude", _killed)
        pipeline.import_(archive, publish="asked")
    told = len(pipeline.titles())
    assert pipeline.stale() == []  # that is for who asked for it
    pipeline.import_(archive, publish="asked")
    assert len(pipeline.titles()) == told + 1
    assert pipeline.rows("select * from unfinished") == []


def test_a_published_import_that_is_finished_without_publishing_says_what_is_not_announced(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "archive"
    write_evening(archive, play_evening(4, maps=1, ends_at=SOME_EVENING))
    interrupted_at(pipeline, archive, monkeypatch, NUMBERS_OF_A_ROUND, 1, publish="asked")
    assert [pipeline.import_(archive).unannounced for _ in range(2)] == [2, 0]
    assert pipeline.titles() == [] and pipeline.rows("select * from unfinished") == []


def test_what_is_announced_are_the_rounds_of_the_folder_known_ones_too_and_no_others(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    rounds, awards = tmp_path / "rounds", tmp_path / "awards"
    for sim_round in play_evening(4, maps=1, ends_at=SOME_EVENING).rounds:
        for name, content in round_files(sim_round).items():
            path = (awards if "endstats" in name else rounds) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    pipeline.import_(rounds)
    summary = pipeline.import_(awards, publish="asked")
    assert (summary.ingested, summary.renewed, pipeline.titles()) == (2, 2, [])
    summary = pipeline.import_(rounds, publish="asked")
    assert (summary.known, summary.ingested, len(summary.sessions)) == (4, 0, 1)
    told = pipeline.titles()
    assert len(told) == 2  # the match and the session
    pipeline.import_(rounds, publish="asked")
    assert pipeline.titles() == told


def test_a_stamped_timing_file_beside_one_that_has_unix_seconds_stops_no_import(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    write_evening(archive, play_evening(4, maps=1, ends_at=SOME_EVENING))
    stamped = archive / "gamestats" / f"{SOME_EVENING:%Y-%m-%d-%H%M%S}-supply-round-1-timing.txt"
    stamped.write_text("no record")
    summary = pipeline.import_(archive)
    assert summary.ingested == 6 and [name for name, _ in summary.quarantined] == [stamped.name]


def test_a_folder_of_which_nothing_could_be_ingested_is_a_failure_though_its_files_may_wait(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    write_evening(archive, play_evening(4, maps=1, ends_at=SOME_EVENING))
    awards = tmp_path / "awards"
    awards.mkdir()
    for path in archive.rglob("*-endstats.txt"):
        path.rename(awards / path.name)
    home = {"SLOMIX_HOME": str(tmp_path / "home")}
    waits = pipeline.slomix("import", str(awards), **home)
    assert (waits.exit_code, "waiting for their round 2" in waits.output) == (1, True)
    assert pipeline.slomix("import", str(archive), **home).exit_code == 0
    assert pipeline.slomix("import", str(awards), **home).exit_code == 0


def test_a_stage_that_ends_leaves_what_was_begun_anew_while_it_worked(database: Database) -> None:
    stage = unfinished.Stage.MATCH_POST
    with database.connect() as conn:
        conn.autocommit = True
        unfinished.note_begun(conn, ["main:a", "main:b"], [stage])
        older = unfinished.begun(conn, ["main:a", "main:b", "main:c"], stage)
        unfinished.note_begun(conn, ["main:b", "main:c"], [stage])
        unfinished.note_done(conn, older)
        assert unfinished.stages_left(conn, "main") == {"main:b": {stage}, "main:c": {stage}}
        unfinished.note_done(conn, unfinished.begun(conn, ["main:b"], stage).only(["main:b", "main:c"]))
        assert unfinished.stages_left(conn, "main") == {"main:c": {stage}}


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def _killed_after(name: str) -> Callable[[Stage, Sequence[str], Tools], Done]:
    """What runs a stage, ended before it keeps what the checks of the stage ``name`` found."""

    def run(stage: Stage, keys: Sequence[str], tools: Tools) -> Done:
        if stage.__name__ != name:
            return perform(stage, keys, tools)
        stage(keys, tools)
        raise KeyboardInterrupt

    return run


def test_a_round_whose_run_ended_at_any_stage_is_asked_for_again(pipeline: Pipeline) -> None:
    evening = play_evening(5, maps=1, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    first, second = map(round_key, evening.rounds)
    before = pipeline.contents()
    assert pipeline.stale() == []
    for stage in ENDING:
        # Runs and what works without one call stages alike, so one run will do.
        caller, again = ("assets.common", pipeline.run) if stage == ENDING[0] else ("stages.chain", pipeline.work)
        with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(f"slomix_pipeline.{caller}.perform", _killed_after(stage))
            again(second)
        # By the session's first round what was told is compared with new results, where it was not yet.
        assert set(pipeline.stale()) - {first} == {second}, stage
        again(second)
        assert pipeline.stale() == [], stage
        assert differences(pipeline.contents(), before) == [], stage


def test_after_a_change_of_the_rules_the_newest_rounds_come_first_and_each_lot_in_order_of_play(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    evening = play_evening(4, maps=2, ends_at=SOME_EVENING)
    write_evening(tmp_path, evening)
    pipeline.import_(tmp_path)
    with pipeline.database.transaction() as conn:
        conn.execute("update round set rules = 'of long ago'")
    with pipeline.database.connect() as conn:
        stale = stale_rounds(conn, pipeline.settings, newest=3)
    assert [found.round_key for found in stale] == [round_key(sim_round) for sim_round in evening.rounds[-3:]]


# Every stage after the parsing that has checks to report when it is done.
ENDING = ("round_stats", "round_timing", "session_teams", "match_score", *ROUND_ENDS)


def test_a_run_is_through_when_the_stages_are_that_nothing_comes_after() -> None:
    graph = build_defs().resolve_asset_graph()
    rounds = {key for key in graph.materializable_asset_keys if graph.get(key).partitions_def is not None}
    job = {stage.__name__ for stage in OF_A_ROUND}
    ends = {
        key.to_user_string()
        for key in rounds
        if key.to_user_string() in job and not {child.to_user_string() for child in graph.get(key).child_keys} & job
    }
    assert ends == set(ROUND_ENDS)


@pytest.mark.parametrize("minutes", [0, 61])
def test_a_quarantined_file_is_tried_again_and_leaves_nothing_behind(
    pipeline: Pipeline, tmp_path: Path, minutes: int
) -> None:
    broken = tmp_path / "archive" / f"{SOME_EVENING + timedelta(minutes=minutes):%Y-%m-%d-%H%M%S}-supply-round-1.txt"
    broken.parent.mkdir()
    broken.write_bytes(b"^1Server\\supply\\cut")
    for _ in range(2):
        summary = pipeline.import_(broken.parent)
        assert [name for name, _ in summary.quarantined] == [broken.name]
        assert pipeline.rows("select * from unfinished") == []
