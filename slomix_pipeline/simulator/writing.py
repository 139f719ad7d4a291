"""The files of a simulated evening, written as a game server would: at once, or round by round as it goes.

Belongs here: bytes into folders, and when. Does not belong here: what is in them (``serverfiles``, ``awards``).
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from slomix_pipeline.simulator.awards import ENDSTATS_DELAY, endstats_bytes, endstats_name
from slomix_pipeline.simulator.evening import place
from slomix_pipeline.simulator.serverfiles import timing_bytes
from slomix_pipeline.simulator.values import STATS_DELAY, Evening, SimRound

GAMESTATS, GAMETIMES = "gamestats", "gametimes"


def round_files(sim_round: SimRound) -> dict[str, bytes]:
    """Contents by ``folder/name``, in the order the game server writes them: the timing record comes first."""
    files = {f"{GAMETIMES}/{sim_round.timing_name}": timing_bytes(sim_round)}
    if sim_round.status != "aborted":  # the script waits for the end of the round
        files[f"{GAMESTATS}/{endstats_name(sim_round)}"] = endstats_bytes(sim_round)
    return files | {f"{GAMESTATS}/{sim_round.stats_name}": sim_round.stats_bytes}


def write_round(
    directory: Path,
    sim_round: SimRound,
    *,
    between: Callable[[], object] | None = None,
    halfway: Callable[[], object] | None = None,
) -> None:
    """Writes a round's files below ``directory``: the timing record, then the endstats and the stats file.

    Both callbacks are there to wait or to look: ``between`` runs when only the timing record is there. A file
    appears whole; with ``halfway`` it is seen growing instead, and the callback runs while half of it is there.
    Modification times are those the files would have on the game server.
    """
    moments = {
        sim_round.timing_name: sim_round.ended_at,
        endstats_name(sim_round): sim_round.ended_at + ENDSTATS_DELAY,
        sim_round.stats_name: sim_round.stamp,
    }
    for index, (name, content) in enumerate(round_files(sim_round).items()):
        if between and index == 1:
            between()
        path = directory / name
        written_at = moments[path.name]
        path.parent.mkdir(parents=True, exist_ok=True)
        if halfway:
            _write_in_halves(path, content, halfway)
        else:
            partial = directory / f".{path.name}.partial"  # beside the folders that are watched
            partial.write_bytes(content)
            partial.replace(path)
        os.utime(path, (written_at.timestamp(), written_at.timestamp()))


def _write_in_halves(path: Path, content: bytes, halfway: Callable[[], object]) -> None:
    middle = len(content) // 2
    with path.open("wb") as file:
        file.write(content[:middle])
        file.flush()
        halfway()
        file.write(content[middle:])


def write_evening(directory: Path, evening: Evening) -> None:
    """Writes all files of an evening at once."""
    for sim_round in evening.rounds:
        write_round(directory, sim_round)


def place_for_live(evening: Evening, starts_at: datetime, every: timedelta) -> Evening:
    """Puts the evening so that, written one round each ``every`` from ``starts_at``, no stamp is in the future.

    The last round's stamp is when it is written; earlier ones lie further back when rounds really took longer than
    ``every``. When they took less, the evening moves back by as much as its earliest rounds need.
    """
    slack = min(starts_at + index * every - sim_round.stamp for index, sim_round in enumerate(evening.rounds))
    return place(evening, evening.ended_at + slack, evening.rounds[-1].zone)


def play_live(
    evening: Evening, directory: Path, every: timedelta, stop: Event, on_round: Callable[[SimRound], None] | None = None
) -> Evening:
    """Writes a round each ``every``, the first at once, until the last one or until ``stop`` is set.

    Returns the evening as placed (``place_for_live``); ``on_round`` is told of each round once its files are there.
    """
    evening = place_for_live(evening, datetime.now(UTC), every)
    between = min(STATS_DELAY, every / 4).total_seconds()
    for index, sim_round in enumerate(evening.rounds):
        if stop.wait(every.total_seconds() - between if index else 0):
            break
        write_round(directory, sim_round, between=lambda: stop.wait(between))
        if on_round:
            on_round(sim_round)
    return evening
