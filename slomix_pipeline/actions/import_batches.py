"""Batches of files through the stages, on several cores.

Belongs here: the worker processes, and what happens when a batch is not as it was planned.
Does not belong here: how files are cut into batches (``rules.batches``), what is told of them (``importing``).
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.rules.batches import Batch
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import NUMBERS_OF_A_ROUND, OF_A_TIMING, Progress, nobody_watches, run_stages
from slomix_pipeline.stages.common import NotAsPlanned, Tools
from slomix_pipeline.warehouse.database import Database

WORKERS = 2  # each keeps a core busy, half of it PostgreSQL's; more of them would wait for each other


class WorkerEnded(SlomixError):
    """A worker process ended in the middle of its work; the text says what to do."""


def work_out(batches: Sequence[Batch], tools: Tools, progress: Progress) -> Iterator[Batch]:
    """Works out the numbers of batches, and gives each back when it and all before it are done.

    Raises:
        WorkerEnded: a worker process was killed. Also raises what a stage raises.
    """
    if len(batches) < 2:
        for batch in batches:
            _numbers(batch, tools, progress)
            yield batch
        return
    size, done = sum(map(_size, batches)), 0
    with _workers(tools) as pool:
        results = [pool.submit(_in_worker, batch) for batch in batches]
        for batch, result in zip(batches, results, strict=True):
            progress("working out rounds", done, size)
            try:
                as_planned = result.result()
            except BrokenProcessPool:
                raise WorkerEnded(
                    "a worker process was ended from outside, perhaps for want of memory; import the folder again: "
                    "it goes on from there"
                ) from None
            if not as_planned:
                _numbers(batch, tools, nobody_watches)
            done += _size(batch)
            yield batch
    progress("working out rounds", done, size)


def _size(batch: Batch) -> int:
    return len(batch.records) + len(batch.rounds)


def _numbers(batch: Batch, tools: Tools, progress: Progress) -> None:
    run_stages(OF_A_TIMING, batch.records, tools, progress)
    run_stages(NUMBERS_OF_A_ROUND, batch.rounds, tools, progress)


@contextmanager
def _workers(tools: Tools) -> Iterator[ProcessPoolExecutor]:
    """Processes with these tools. They end with this one, however it ends, and at once when something is raised here:
    what is cut off is gone through again."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        WORKERS,
        multiprocessing.get_context("spawn"),  # a fork would copy threads' locks and the use of the embedded server
        _begin,
        (tools.database.url, tools.settings, tools.tells_results),
    )
    try:
        yield pool
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:
            worker.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


# --- in a worker ---

_tools_here: Tools


def _begin(url: str, settings: Settings, tells_later: bool) -> None:
    global _tools_here
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _tools_here = Tools(Database(url), settings, NoGameServer(), tells_later=tells_later)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _in_worker(batch: Batch) -> bool:
    """Whether the batch was as planned; else it is to be worked out again, with nobody beside."""
    try:
        _numbers(batch, replace(_tools_here, planned=batch.planned), nobody_watches)
    except NotAsPlanned:
        return False
    return True
