"""Batches side by side: the same as one after the other, also when a live round falls into one."""

import multiprocessing.util
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # comes without types
import pytest

from slomix_pipeline.actions import import_batches
from slomix_pipeline.actions.import_batches import Ways
from slomix_pipeline.rules import batches
from slomix_pipeline.rules.batches import Batch
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import SimRound
from slomix_pipeline.simulator.writing import write_evening, write_round
from slomix_pipeline.stages.chain import NUMBERS_OF_A_ROUND, OF_A_ROUND, Progress, nobody_watches, run_stages
from slomix_pipeline.stages.common import NotAsPlanned, Stage, Tools
from slomix_pipeline.warehouse.database import Deadlocked, locked_server
from slomix_pipeline_tests.as_played import differences
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key

# Fresh enough for sensors, and far enough apart for batches of their own.
EVENINGS = [play_evening(30 + n, maps=1, ends_at=just_now() - timedelta(hours=8 * (1 - n))) for n in range(2)]
LIVE = EVENINGS[1].rounds[1]


@pytest.fixture(autouse=True)
def small_batches_of_which_nothing_is_told(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "ROUNDS_AT_ONCE", 1)
    pipeline.discord = None


def write(folder: Path, without: Sequence[SimRound] = ()) -> Path:
    for evening in EVENINGS:
        write_evening(folder, evening)
    for sim_round in without:
        for path in list(folder.rglob(f"{sim_round.stem}*")):
            path.unlink()
    return folder


def contents(pipeline: Pipeline) -> dict[str, list[str]]:
    """Everything but the ledger, which tells how a file came."""
    return {table: rows for table, rows in pipeline.contents().items() if table != "file"}


def one_thread(monkeypatch: pytest.MonkeyPatch) -> Callable[[Tools, Ways], AbstractContextManager[ThreadPoolExecutor]]:
    """A thread of this process in place of the workers."""

    @contextmanager
    def workers(tools: Tools, _: Ways) -> Iterator[ThreadPoolExecutor]:
        monkeypatch.setattr(import_batches, "_tools_here", tools, raising=False)
        with ThreadPoolExecutor(1) as pool:
            yield pool

    return workers


def forget(pipeline: Pipeline) -> None:
    with pipeline.database.transaction() as conn:
        conn.execute("truncate file, file_content, parsed_round, timing_record, session, check_result cascade")


def test_an_import_by_two_processes_is_as_live_runs_one_by_one(pipeline: Pipeline, tmp_path: Path) -> None:
    archive = write(tmp_path / "archive")
    summary = pipeline.import_(archive)
    assert (summary.ingested, len(summary.sessions)) == (12, 2)
    imported = contents(pipeline)
    forget(pipeline)
    for sim_round in (sim_round for evening in EVENINGS for sim_round in evening.rounds):
        write_round(pipeline.folder, sim_round)
        pipeline.take_in_all()
    for _ in range(2):
        run_stages(OF_A_ROUND, pipeline.stale(), pipeline.tools())
    assert pipeline.stale() == []
    assert differences(imported, contents(pipeline)) == []


def test_a_session_with_a_round_that_was_not_planned_is_left_to_who_works_alone(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    pipeline.import_(write(tmp_path / "archive"))
    first, *others = map(round_key, EVENINGS[1].rounds)
    run_stages(NUMBERS_OF_A_ROUND, [first], replace(pipeline.tools(), planned=frozenset([first, *others])))
    before = pipeline.contents()
    for stage in NUMBERS_OF_A_ROUND[2:]:
        with pytest.raises(NotAsPlanned, match="worked out without it"):
            stage([first], replace(pipeline.tools(), planned=frozenset([first, *others[:-1]])))
    assert differences(before, pipeline.contents()) == []


def test_who_works_alone_waits_for_who_share_and_they_for_nobody_among_them(pipeline: Pipeline) -> None:
    with pipeline.database.connect() as one, pipeline.database.connect() as other:
        for conn in (one, other):
            conn.execute("set lock_timeout = '50ms'")
            locked_server(conn, SERVER, shared=True)
        with pipeline.database.connect() as alone, pytest.raises(Exception, match="lock timeout"):
            alone.execute("set lock_timeout = '50ms'")
            locked_server(alone, SERVER)


def test_a_live_round_that_falls_into_a_batch_changes_nothing(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes when its batch is about to be worked out, in a run of its own."""
    pipeline.import_(write(tmp_path / "whole"))
    expected = contents(pipeline)
    forget(pipeline)
    archive = write(tmp_path / "archive", without=[LIVE])
    work_out = import_batches._work_out
    as_planned: list[bool] = []

    def live_run_first(batch: Batch) -> bool:
        if round_key(EVENINGS[1].rounds[0]) in batch.rounds:
            write_round(pipeline.folder, LIVE)
            pipeline.take_in_all()
        as_planned.append(work_out(batch))
        return as_planned[-1]

    monkeypatch.setattr(import_batches, "_work_out", live_run_first)
    monkeypatch.setattr(import_batches, "_workers", one_thread(monkeypatch))
    pipeline.import_(archive)
    assert as_planned == [True, False]
    run_stages(OF_A_ROUND, pipeline.stale(), pipeline.tools())
    assert differences(expected, contents(pipeline)) == []


def test_a_batch_that_the_database_refused_for_a_deadlock_is_worked_out_when_nobody_works_beside(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadlocked(stages: Sequence[Stage], keys: Sequence[str], tools: Tools, _: Progress = nobody_watches) -> None:
        if tools.planned is not None and round_key(EVENINGS[0].rounds[0]) in keys:
            raise Deadlocked
        run_stages(stages, keys, tools)

    monkeypatch.setattr(import_batches, "run_stages", deadlocked)
    monkeypatch.setattr(import_batches, "_workers", one_thread(monkeypatch))
    assert pipeline.import_(write(tmp_path / "archive")).ingested == 12
    assert pipeline.rows("select * from unfinished") == [] == pipeline.stale()


def test_ctrl_c_while_a_worker_starts_is_nothing_that_the_worker_speaks_of(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    resource_tracker.ensure_running()  # so that the next process to start is a worker
    start, workers = multiprocessing.util.spawnv_passfds, []

    def started(*args: Any) -> int:
        workers.append(psutil.Process(start(*args)))
        for process in (psutil.Process(), workers[-1]):  # as a terminal sends it to both
            process.send_signal(signal.SIGINT)
        return int(workers[-1].pid)

    monkeypatch.setattr(multiprocessing.util, "spawnv_passfds", started)
    with pytest.raises(KeyboardInterrupt):
        pipeline.import_(write(tmp_path / "archive"))
    assert workers
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    assert capfd.readouterr().err == ""
