"""What ``slomix import`` takes from nothing, start-up and new database included, and what Dagster's catalogue takes.

Imports evenings of 8 players made by the simulator (writing them is not counted): the stats files of 4,000 rounds and
of 20,000, and all files of the 4,000, or the folder given; and prints one table. The catalogue is measured on some of
the rounds and scaled, and so is its floor: Dagster's own cost of a run over as many partitions of the same assets and
checks that do nothing.

    .venv/bin/python benchmarks/bulk.py [--small] [folder]
"""

import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psutil

from slomix_pipeline.assets.rounds import BESIDE_THE_CHAIN, CHAIN
from slomix_pipeline.checks.layers import CHECKS, check_specs
from slomix_pipeline.partitions import range_tags, rounds
from slomix_pipeline.runtime.home import dagster_instance, open_database
from slomix_pipeline.sensors.catalogue import add_partitions, report_waiting
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.simulator.history import write_day
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.embedded import stop_embedded

ROUNDS, MANY_ROUNDS = 4_000, 20_000
ROUNDS_A_DAY = 14
SAMPLE = 100  # partitions of which catalogue and floor are measured


@dataclass(frozen=True)
class Imported:
    """An import from nothing. ``numbers``: seconds from the start of the command until the last number was stored;
    ``command``: until it ended; ``memory``: bytes of the command's processes at most, all together."""

    files: int
    rounds: int
    numbers: float
    command: float
    memory: int


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument != "--small"]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # the embedded server runs as another user when started by root
        if arguments:
            with imported(Path(arguments[0]), scratch / "home") as (found, settings, database):
                show_import("the folder", found)
                show_sizes(found, settings, database)
            return
        everything = simulated(scratch / "files", ROUNDS)
        with imported(everything, scratch / "home") as (found, settings, database):
            show_import(f"all files of {found.rounds:,} rounds", found)
            show_sizes(found, settings, database)
        with imported(everything / "gamestats", scratch / "fewer", stats_only=True) as (fewer, _, _):
            show_import(f"{fewer.rounds:,} stats files", fewer)
        if "--small" not in sys.argv:
            everything = simulated(everything, MANY_ROUNDS)
            with imported(everything / "gamestats", scratch / "many", stats_only=True) as (many, _, _):
                show_import(f"{many.rounds:,} stats files", many)
                show("times the seconds of the fewer", f"{many.numbers / fewer.numbers:.2f}")


def simulated(folder: Path, rounds: int) -> Path:
    """A folder with the files of at least so many rounds."""
    days = -(-rounds // ROUNDS_A_DAY)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        for _ in pool.map(write_day, [folder] * days, range(days), chunksize=4):
            pass
    return folder


@contextmanager
def imported(folder: Path, home: Path, *, stats_only: bool = False) -> Iterator[tuple[Imported, Settings, Database]]:
    """Imports a folder into a new home, and leaves its database running meanwhile."""
    if stats_only:
        for path in folder.glob("*-endstats.txt"):
            path.unlink()
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    environment = os.environ | {"SLOMIX_ENV_FILE": "", "SLOMIX_HOME": str(home)}
    began, at = time.monotonic(), time.time()
    command = [Path(sys.executable).parent / "python", "-c", "from slomix_pipeline.cli.main import main; main()"]
    process = subprocess.Popen([*command, "import", str(folder), "--json"], env=environment, stdout=subprocess.DEVNULL)
    memory = 0
    while process.poll() is None:
        memory = max(memory, memory_of(process.pid))
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"the import failed: {process.returncode}")
    ended = time.monotonic()
    os.environ["SLOMIX_ENV_FILE"] = ""
    settings = load_settings(home=home)
    database = open_database(settings)
    with database.connect() as conn:
        row = conn.execute(
            """select (select count(*) from parsed_round) as rounds,
                      (select extract(epoch from max(checked_at)) from check_result) as at"""
        ).fetchone()
    assert row is not None
    try:
        yield Imported(files, row["rounds"], float(row["at"]) - at, ended - began, memory), settings, database
    finally:
        stop_embedded(settings.postgres_dir)
        shutil.rmtree(home)


def memory_of(pid: int) -> int:
    """What a process and its children hold, in bytes; shared pages count once each."""
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += one.memory_info().rss
    return total


def show(what: str, value: str) -> None:
    print(f"{what:<62} {value:>14}", flush=True)


def show_import(what: str, found: Imported) -> None:
    show(f"{what}: seconds until the numbers are there", f"{found.numbers:.1f}")
    show(f"{what}: files a second", f"{found.files / found.numbers:.0f}")
    show(f"{what}: seconds of the command", f"{found.command:.1f}")
    show(f"{what}: memory of all its processes, MB at most", f"{found.memory / 1e6:.0f}")


def show_sizes(found: Imported, settings: Settings, database: Database) -> None:
    """The size of the database, and the catalogue with its floor."""
    show("database per 1,000 rounds: ours, MB", f"{size(database, 'public') / found.rounds / 1e3:.1f}")
    with dagster_instance(settings, database) as instance:
        add_partitions(instance, database)
        with database.connect() as conn:  # of a round a record, too
            conn.execute("delete from uncatalogued where kind = 'timings'")
            conn.execute(
                """delete from uncatalogued where key not in (select key from uncatalogued order by key limit %s)""",
                [SAMPLE],
            )
        before, began = size(database, "dagster"), time.monotonic()
        told = report_waiting(instance, database, 600)
        catalogue, grown = (time.monotonic() - began) / told, (size(database, "dagster") - before) / told
        show("database per 1,000 rounds: Dagster's, MB", f"{grown / 1e3:.1f}")
        show(f"catalogue: seconds for all {found.rounds:,} rounds", f"{catalogue * found.rounds:.0f}")
        floor = seconds_of_empty_run(instance, SAMPLE) / SAMPLE
    show("its floor: an empty run over as many partitions", f"{floor * found.rounds:.0f}")
    show("catalogue to floor", f"{catalogue / floor:.2f}")


def size(database: Database, schema: str) -> int:
    """Bytes of all tables of a schema with their indexes."""
    with database.connect() as conn:
        row = conn.execute(
            """select coalesce(sum(pg_total_relation_size(c.oid)), 0) as bytes
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname = %s and c.relkind in ('r', 'm')""",
            [schema],
        ).fetchone()
    assert row is not None
    return int(row["bytes"])


def seconds_of_empty_run(instance: dg.DagsterInstance, partitions: int) -> float:
    """How long a run over so many partitions of the assets of a round takes when they do nothing."""
    assets = [empty_asset(asset.key.to_user_string()) for asset in (*CHAIN, *BESIDE_THE_CHAIN)]
    job = dg.define_asset_job("nothing", selection=assets)
    keys = list(instance.get_dynamic_partitions(str(rounds.name)))[:partitions]
    definitions = dg.Definitions(assets=assets, jobs=[job], executor=dg.in_process_executor)
    began = time.monotonic()
    definitions.resolve_job_def("nothing").execute_in_process(
        instance=instance,
        tags=range_tags(keys[0], keys[-1]),
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    return time.monotonic() - began


def empty_asset(name: str) -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        partitions_def=rounds,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=check_specs(name),
    )
    def asset() -> dg.MaterializeResult:
        own = [check.name.value for check in CHECKS if check.asset == name]
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(check_name=c, passed=True) for c in own])

    return asset


if __name__ == "__main__":
    main()
