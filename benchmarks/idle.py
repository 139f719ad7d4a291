"""What ``slomix run`` costs while nobody plays: CPU and memory of its processes, without a history and with one.

Starts ``slomix run`` on a real SFTP server of its own, waits until it has come to rest and measures for some minutes.
Prints a table of processes for each home: percent of one core, and MB (PSS, shared pages counted once in all).

    .venv/bin/python benchmarks/idle.py [--minutes 2] [--rounds 4000] [--home HOME]

``--home``: one that has the history already, instead of one into which so many simulated rounds are imported first.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil
from bulk import simulated
from live import SLOMIX, running, settings_for

from slomix_pipeline.checks.catalogue import add_partitions
from slomix_pipeline.runtime.home import dagster_instance, open_database
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline.warehouse.embedded import stop_embedded

REST = 75.0  # seconds after the start: each sensor has asked what it asks once a minute


@dataclass(frozen=True)
class Cost:
    """What the processes of one kind took: seconds of CPU, and bytes (PSS) at the end."""

    cpu: float
    memory: int


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=4_000)
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # the embedded server runs as another user when started by root
        show("with no history", idle(scratch / "empty", scratch / "server", arguments.minutes), arguments.minutes)
        home = arguments.home or imported(scratch, arguments.rounds)
        rounds = at_rest(home)
        show(f"with {rounds:,} rounds", idle(home, scratch / "server", arguments.minutes), arguments.minutes)


def imported(scratch: Path, rounds: int) -> Path:
    """A home with so many rounds."""
    home = scratch / "home"
    environment = os.environ | {"SLOMIX_ENV_FILE": "", "SLOMIX_HOME": str(home)}
    command = [*SLOMIX, "import", str(simulated(scratch / "files", rounds)), "--json"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return home


def at_rest(home: Path) -> int:
    """As if Dagster had been told of all partitions, and every session been reported. Returns how many rounds there
    are."""
    os.environ["SLOMIX_ENV_FILE"] = ""
    settings = load_settings(home=home)
    database = open_database(settings)
    try:
        with dagster_instance(settings, database) as instance:
            add_partitions(instance, database)
        with database.transaction() as conn:
            conn.execute("delete from uncatalogued")
            conn.execute(
                """insert into session_report (session_key, fingerprint) select session_key, '' from session
                   on conflict do nothing"""
            )
            row = conn.execute("select count(*) as rounds from parsed_round").fetchone()
        database.learn_sizes()
    finally:
        stop_embedded(settings.postgres_dir)
    assert row is not None
    return int(row["rounds"])


def idle(home: Path, server: Path, minutes: float) -> dict[str, Cost]:
    """What each kind of process takes while nothing is played."""
    for kind in ("gamestats", "gametimes"):
        (server / kind).mkdir(parents=True, exist_ok=True)
    with SftpServer(server, "bench", "bench") as sftp, running(settings_for(home, sftp)) as process:
        postgres = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
        roots = [psutil.Process(process.pid), psutil.Process(postgres)]
        time.sleep(REST)
        before = cpu_by_kind(roots)
        time.sleep(minutes * 60)
        after, memory = cpu_by_kind(roots), pss_by_kind(roots)
    return {kind: Cost(after[kind] - before[kind], memory[kind]) for kind in after}


def cpu_by_kind(roots: list[psutil.Process]) -> defaultdict[str, float]:
    """Seconds of CPU so far, children that ended included, by kind of process."""
    found: defaultdict[str, float] = defaultdict(float)
    for process in members(roots):
        times = process.cpu_times()
        found[kind_of(process)] += times.user + times.system + times.children_user + times.children_system
    return found


def pss_by_kind(roots: list[psutil.Process]) -> defaultdict[str, int]:
    found: defaultdict[str, int] = defaultdict(int)
    for process in members(roots):
        found[kind_of(process)] += process.memory_full_info().pss
    return found


def members(roots: list[psutil.Process]) -> list[psutil.Process]:
    return [member for root in roots for member in (root, *root.children(recursive=True)) if member.is_running()]


def kind_of(process: psutil.Process) -> str:
    """What a process is, by its name."""
    return KINDS.get(process.name(), "PostgreSQL" if "postgres" in process.name() else "other")


KINDS = {
    "slomix-code-ser": "code server",  # as much as the kernel keeps of a name
    "slomix-daemon": "daemon",
    "slomix-webserve": "web server",
    "slomix-forks": "runs",
    "slomix-run": "runs",
    "python": "supervisor, loaded code",
}


def show(what: str, costs: dict[str, Cost], minutes: float) -> None:
    print(f"{what:<30} {'% of a core':>12} {'MB (PSS)':>10}")
    total = Cost(sum(cost.cpu for cost in costs.values()), sum(cost.memory for cost in costs.values()))
    for kind, cost in (*sorted(costs.items()), ("all", total)):
        print(f"  {kind:<28} {cost.cpu / minutes / 60 * 100:>12.2f} {cost.memory / 2**20:>10.0f}", flush=True)


if __name__ == "__main__":
    main()
