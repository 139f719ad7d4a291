"""Years of evenings, for benchmarks: day by day, so that however many files there are, one evening is held in memory.

Belongs here: which evening is played on which day. Does not belong here: playing it (``evening``).
"""

from datetime import timedelta
from pathlib import Path

from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.writing import write_evening


def write_day(directory: Path, day: int) -> None:
    """Writes the files of the evening ``day`` days before some evening: 8 players, 7 maps, about 42 files. The same day
    has the same files; files that are there already are written again."""
    write_evening(directory, play_evening(day, ends_at=SOME_EVENING - timedelta(days=day)))
