"""Timing records and batches of rounds through the stages, on several cores.

Belongs here: the worker processes, and what happens when a batch is not as it was planned.
Does not belong here: how rounds are cut into batches (``rules.batches``), what is told of them (``importing``,
``rebuilding``).
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from typing import TypeVar

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.rules.batches import Batch
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import NUMBERS_OF_A_ROUND, OF_A_TIMING, Progress, nobody_watches, run_stages
from slomix_pipeline.stages.common import NotAsPlanned, Tools
from slomix_pipeline.warehouse.database import Database, Deadlocked

Part = TypeVar("Part")
Said = TypeVar("Said")

RECORDS_AT_ONCE = 400
WORKERS = 2  # each keeps a core busy, half of it PostgreSQL's; more of them would wait for each other


class WorkerEnded(SlomixError):
    """A worker process ended in the middle of its work; the text says what to do."""


class Collided(SlomixError):
    """Another process worked on the same rows at the same time, and PostgreSQL let that one go first."""


def _read_records(records: Sequence[str], tools: Tools, progress: Progress) -> None:
    run_stages(OF_A_TIMING, records, tools, progress)


def _work_out_rounds(batch: Batch, tools: Tools, progress: Progress) -> None:
    run_stages(NUMBERS_OF_A_ROUND, batch.rounds, tools, progress)


@dataclass(frozen=True)
class Ways:
    """How some timing records are read, and a batch is worked out: functions that a process can be told by name."""

    read: Callable[[Sequence[str], Tools, Progress], None] = _read_records
    work_out: Callable[[Batch, Tools, Progress], None] = _work_out_rounds


def work_out(
    records: Sequence[str], batches: Sequence[Batch], tools: Tools, progress: Progress, ways: Ways = Ways()
) -> Iterator[Sequence[str]]:
    """Reads the timing records, all before the first round: what is said of a round's timing tells of records hours
    away. Then works out the numbers of the batches, and gives the rounds of each back when they are done.

    Raises:
        WorkerEnded: a worker process was killed. Also raises what a stage raises.
    """
    if len(batches) < 2 and len(records) <= RECORDS_AT_ONCE:
        if records:
            ways.read(records, tools, progress)
        for batch in batches:
            ways.work_out(batch, tools, progress)
            yield batch.rounds
        return
    by_themselves = []
    with _workers(tools, ways) as pool:
        portions = [records[at : at + RECORDS_AT_ONCE] for at in range(0, len(records), RECORDS_AT_ONCE)]
        for number, reading in enumerate(_handed_over(pool, _read, portions)):
            progress("reading timing records", number * RECORDS_AT_ONCE, len(records))
            with _explained():
                reading.result()
        size, done = sum(len(batch.rounds) for batch in batches), 0
        submitted = _handed_over(pool, _work_out, batches)
        for number, (batch, working) in enumerate(zip(batches, submitted, strict=True)):
            progress("working out rounds", done, size)
            if number.bit_count() == 1:  # twice as much is there as the last time
                tools.database.learn_sizes()
            with _explained():
                as_planned = working.result()
            if as_planned:
                done += len(batch.rounds)
                yield batch.rounds
            else:
                by_themselves.append(batch)
    for batch in by_themselves:  # now that nobody works beside
        ways.work_out(batch, tools, nobody_watches)
        yield batch.rounds
    progress("working out rounds", size, size)


@contextmanager
def _explained() -> Iterator[None]:
    """What a worker's end means for who waits for it."""
    try:
        yield
    except BrokenProcessPool:
        raise WorkerEnded(
            "a worker process was ended from outside, perhaps for want of memory; give the same command again: "
            "it goes on from there"
        ) from None


@contextmanager
def _workers(tools: Tools, ways: Ways) -> Iterator[ProcessPoolExecutor]:
    """Processes with these tools. They end with this one, however it ends, and at once when something is raised here:
    what is cut off is gone through again."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        WORKERS,
        multiprocessing.get_context("spawn"),  # a fork would copy threads' locks and the use of the embedded server
        _begin,
        (tools.database.url, tools.settings, tools.tells_results, ways),
    )
    try:
        yield pool
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:
            worker.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _handed_over(pool: Executor, work: Callable[[Part], Said], parts: Sequence[Part]) -> list[Future[Said]]:
    """Gives the pool its work, with which its processes start: in a thread, as Ctrl-C only ever cuts off the main one.
    A process that was left without what it is to do would say so at length."""
    with ThreadPoolExecutor(1, initializer=_out_of_reach) as starter:
        return list(starter.map(lambda part: pool.submit(work, part), parts))


def _out_of_reach() -> None:
    """Keeps Ctrl-C from the processes that this thread starts, from their first moment on: who waits for them gets it
    too, and ends them."""
    resource_tracker.ensure_running()  # whoever starts that lets the signal through again
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


# --- in a worker ---

_tools_here: Tools
_ways_here = Ways()


def _begin(url: str, settings: Settings, tells_later: bool, ways: Ways) -> None:
    global _tools_here, _ways_here
    _ways_here = ways
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _tools_here = Tools(Database(url), settings, NoGameServer(), tells_later=tells_later)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _read(records: Sequence[str]) -> None:
    _ways_here.read(records, _tools_here, nobody_watches)


def _work_out(batch: Batch) -> bool:
    """Whether the batch went as planned; else it is to be worked out again, with nobody beside."""
    try:
        _ways_here.work_out(batch, replace(_tools_here, planned=batch.planned), nobody_watches)
    except (NotAsPlanned, Deadlocked):
        return False
    return True
