"""What ``slomix run`` costs while nobody plays: CPU and memory of its processes, without a history and with one.

Starts ``slomix run`` on a real SFTP server of its own, waits until it has come to rest and measures for some minutes.
Prints a table of processes for each home: percent of one core, and MB (PSS, shared pages counted once in all).

    .venv/bin/python benchmarks/idle.py [--minutes 10] [--rounds 20000]
"""

import argparse
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from homes import members, running, server_folder, with_history

REST = 75.0  # seconds after the start: each sensor has asked what it asks once a minute


@dataclass(frozen=True)
class Cost:
    """What the processes of one kind took: seconds of CPU, and bytes (PSS) at the end."""

    cpu: float
    memory: int


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # the embedded server runs as another user when started by root
        server = server_folder(scratch / "server")
        show("with no history", idle(scratch / "empty", server, arguments.minutes), arguments.minutes)
        home = with_history(scratch, arguments.rounds)
        show(f"with {arguments.rounds:,} rounds", idle(home, server, arguments.minutes), arguments.minutes)


def idle(home: Path, server: Path, minutes: float) -> dict[str, Cost]:
    """What each kind of process takes while nothing is played."""
    with running(home, server) as roots:
        time.sleep(REST)
        before = cpu_by_kind(roots)
        time.sleep(minutes * 60)
        after, memory = cpu_by_kind(roots), pss_by_kind(roots)
    return {kind: Cost(after[kind] - before[kind], memory[kind]) for kind in after}


def cpu_by_kind(roots: list[psutil.Process]) -> defaultdict[str, float]:
    """Seconds of CPU so far, children that ended included, by kind of process."""
    found: defaultdict[str, float] = defaultdict(float)
    for process in members(roots):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            found[kind_of(process)] += times.user + times.system + times.children_user + times.children_system
    return found


def pss_by_kind(roots: list[psutil.Process]) -> defaultdict[str, int]:
    found: defaultdict[str, int] = defaultdict(int)
    for process in members(roots):
        with suppress(psutil.NoSuchProcess):
            found[kind_of(process)] += process.memory_full_info().pss
    return found


def kind_of(process: psutil.Process) -> str:
    """What a process is, by its name."""
    return KINDS.get(process.name(), "PostgreSQL" if "postgres" in process.name() else "other")


KINDS = {
    "slomix-code": "code server",
    "slomix-daemon": "daemon",
    "slomix-web": "web server",
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
