"""How long from a complete stats file to its message, and how much memory everything takes meanwhile.

Starts ``slomix run`` on a folder, writes simulated rounds one by one as the game server does (the timing record, 3 s
later the stats file) and waits for each message on the stand-in.
Prints the median and range of the seconds, and the largest sum of PSS over all processes.

    .venv/bin/python benchmarks/live.py [rounds]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import STATS_DELAY
from slomix_pipeline.simulator.writing import write_round


def total_pss(roots: list[psutil.Process]) -> int:
    """Bytes that processes and their children take, shared ones counted once."""
    total = 0
    for process in [member for root in roots for member in (root, *root.children(recursive=True))]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def messages(file: Path) -> int:
    try:
        return len(json.loads(file.read_text())["messages"])
    except (OSError, ValueError, KeyError):
        return 0


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    with tempfile.TemporaryDirectory() as folder:
        home, server = Path(folder, "home"), Path(folder, "server")
        for name in ("gamestats", "gametimes"):
            (server / name).mkdir(parents=True)
        # The embedded server runs as another user when started by root.
        Path(folder).chmod(0o755)
        environment = os.environ | {
            "SLOMIX_ENV_FILE": "",
            "SLOMIX_HOME": str(home),
            "SLOMIX_GAMESERVER_DIR": str(server),
            "SLOMIX_UI_PORT": "0",
            "SLOMIX_STANDIN_PORT": "0",
        }
        run = subprocess.Popen([Path(sys.executable).parent / "slomix", "run"], env=environment, stdout=subprocess.PIPE)
        assert run.stdout is not None
        while b"Ctrl-C" not in run.stdout.readline():
            if run.poll() is not None:
                sys.exit("slomix run ended; see its message above")
        peak = 0
        stop = threading.Event()

        def watch_memory() -> None:
            nonlocal peak
            # PostgreSQL leaves the process that started it.
            postgres = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
            while not stop.wait(0.5):
                peak = max(peak, total_pss([psutil.Process(run.pid), psutil.Process(postgres)]))

        threading.Thread(target=watch_memory, daemon=True).start()
        seconds = []
        try:
            time.sleep(8)
            evening = play_evening(5, ends_at=datetime.now(UTC) - timedelta(seconds=10))
            said = home / "discord" / "discord.json"
            for number, sim_round in enumerate(evening.rounds[:rounds], start=1):
                write_round(server, sim_round, between=lambda: time.sleep(STATS_DELAY.total_seconds()))
                complete = time.monotonic()
                while messages(said) < number and time.monotonic() - complete < 60:
                    time.sleep(0.05)
                seconds.append(time.monotonic() - complete)
                time.sleep(6 + number % 5)  # not in step with the daemon's own rhythm
        finally:
            stop.set()
            run.terminate()
            run.wait(60)
    print(
        f"seconds from file to message: median {statistics.median(seconds):.1f}, "
        f"{min(seconds):.1f} to {max(seconds):.1f} over {len(seconds)} rounds"
    )
    print(f"memory at its peak: {peak / 2**20:.0f} MB (PSS)")


if __name__ == "__main__":
    main()
