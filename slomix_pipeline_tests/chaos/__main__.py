"""``make chaos``: nights that go wrong, one seed after the other, until the minutes are over.

Each prints its seed, what was done when, what came back after how many seconds, and what is not as it has to be. The
folder of a night that failed is kept.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.embedded import start_embedded, stop_embedded
from slomix_pipeline_tests.chaos.harms import CLOCK_STEPS, Harm, Machine, Plan, plan_night
from slomix_pipeline_tests.chaos.night import can_fill_disk, can_move_clock, play_night, report, stage
from slomix_pipeline_tests.chaos.verdict import (
    calm_messages,
    left_behind,
    never_back,
    secrets_kept,
    secrets_told,
    unsettled,
    wrong_messages,
)

_SETTLES_WITHIN = 300.0  # seconds
_LOOK_EVERY = 1.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=Random().randrange(1, 1_000_000))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--without", nargs="*", default=[], choices=[one.name for one in Machine], help="left out")
    given = parser.parse_args()
    ends, seed, failed = time.monotonic() + given.minutes * 60, given.seed, []
    while seed == given.seed or time.monotonic() < ends:
        if not _is_well(seed, {Machine[name] for name in given.without}):
            failed.append(seed)
        seed += 1
    print(f"Nights: {seed - given.seed}; failed: {failed or 'none'}", flush=True)
    sys.exit(1 if failed else 0)


def _is_well(seed: int, unwanted: set[Machine]) -> bool:
    folder = Path(tempfile.mkdtemp(prefix=f"slomix-chaos-{seed}-"))
    folder.chmod(0o755)  # the database's account has to come through
    rng = Random(seed)
    maps, every = rng.choice((2, 3, 4)), rng.choice((5, 7, 10))
    can_not = {"disk": can_fill_disk(folder), "clock": can_move_clock()}
    left_out: set[Harm] = {Machine.DISK_FULL} if can_not["disk"] else set()
    left_out |= CLOCK_STEPS.keys() if can_not["clock"] else set()
    left_out |= unwanted
    plan = plan_night(seed, 2 * maps * every + 10.0, 2 * maps, left_out)
    print(f"--- seed {seed}: {maps} maps, a round every {every} s", flush=True)
    for why in filter(None, can_not.values()):
        print(f"  left out: {why}", flush=True)
    complaints = _play(folder, plan, maps, every)
    for complaint in complaints:
        print(f"  WRONG: {complaint}", flush=True)
    if complaints:
        print(f"  kept: {folder}", flush=True)
    else:
        shutil.rmtree(folder)
    return not complaints


def _play(folder: Path, plan: Plan, maps: int, every: int) -> list[str]:
    has = {one.harm for one in plan.harms}
    # A disk or clock of its own only where one is harmed: all else is as it usually is.
    with stage(folder, own_disk=Machine.DISK_FULL in has, own_clock=bool(has & CLOCK_STEPS.keys())) as made:
        try:
            evening = play_night(made, plan, maps=maps, every=timedelta(seconds=every))
            with _database(made.settings.postgres_dir) as database:
                begun = time.monotonic()
                print("  played; now it settles", flush=True)
                while (wrong := unsettled(made, database, evening)) and time.monotonic() - begun < _SETTLES_WITHIN:
                    time.sleep(_LOOK_EVERY)
                settled = time.monotonic() - begun
                wrong += never_back(made)
                code = made.pipeline.end()
                start_embedded(made.settings.postgres_dir)
                wrong += wrong_messages(made, database, evening, calm_messages(made, database))
                wrong += secrets_kept(database, made.page)
        finally:
            for line in report(made.done):
                print(line, flush=True)
            print("  writings: " + ", ".join(one.name.lower() for one in plan.writings), flush=True)
            if folder.exists():
                shutil.copytree(made.settings.home / "logs", folder / "logs", dirs_exist_ok=True)
        print(f"  settled after {settled:.0f} s; exit codes {[*made.pipeline.ends]}", flush=True)
        wrong += [] if code == 0 else [f"slomix run ended with {code} when it was asked to end"]
        return [*wrong, *secrets_told(made), *left_behind(made)]


@contextmanager
def _database(directory: Path) -> Iterator[Database]:
    database = Database(start_embedded(directory))
    try:
        yield database
    finally:
        stop_embedded(directory)


if __name__ == "__main__":
    main()
