"""The files of an evening, round by round, as game servers and the people who run them should not write them.

Does not belong here: which round's files appear how (``harms``), what is in them (``slomix_pipeline.simulator``).
"""

import os
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from slomix_pipeline.simulator.values import Evening, SimRound
from slomix_pipeline.simulator.writing import GAMESTATS, GAMETIMES, write_round
from slomix_pipeline_tests.chaos.harms import Writing

_HALF_FOR = 1.2  # seconds that half a file is there: longer than a sensor waits for it to hold still
_REPLACED_AFTER = 4.0
_LATE_BY = 12.0


def play(evening: Evening, server: Path, every: timedelta, writings: Sequence[Writing], stop: threading.Event) -> None:
    """Writes a round each ``every``, the first at once; returns when all files are there, or ``stop`` is set."""
    late: list[threading.Thread] = []
    for number, (sim_round, writing) in enumerate(zip(evening.rounds, writings, strict=True)):
        if stop.wait(every.total_seconds() if number else 0):
            return
        one = threading.Thread(target=_write, args=(sim_round, server, writing, stop))
        one.start()
        late.append(one)
    for one in late:
        one.join()


def _write(sim_round: SimRound, server: Path, writing: Writing, stop: threading.Event) -> None:
    if writing is Writing.GROWING:
        write_round(server, sim_round, halfway=lambda: stop.wait(_HALF_FOR))
        return
    aside = server / ".aside" / sim_round.stem  # the same file system: a move is one step
    write_round(aside, sim_round)
    record = aside / GAMETIMES / sim_round.timing_name
    if writing is not Writing.LATE_RECORD:
        _move(record, server / GAMETIMES)
        stop.wait(0.5)
    stats = aside / GAMESTATS / sim_round.stats_name
    if writing is Writing.REPLACED:
        half = server / GAMESTATS / sim_round.stats_name
        half.write_bytes(sim_round.stats_bytes[: len(sim_round.stats_bytes) // 2])
        os.utime(half, (stats.stat().st_mtime - 1,) * 2)
        stop.wait(_REPLACED_AFTER)
    for path in sorted((aside / GAMESTATS).iterdir()):
        _move(path, server / GAMESTATS)
    if writing is Writing.LATE_RECORD:
        stop.wait(_LATE_BY)
        _move(record, server / GAMETIMES)


def _move(path: Path, folder: Path) -> None:
    path.replace(folder / path.name)
