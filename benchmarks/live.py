"""How long from a complete stats file to its message, where that time goes, and how much memory everything takes.

Starts ``slomix run`` on a real SFTP server of its own, writes simulated rounds one by one as the game server does (the
timing record, 3 s later the stats file) and waits for each message on the stand-in; then some two at once. Prints one
table of seconds, and the largest sum of PSS over all processes.

    .venv/bin/python benchmarks/live.py [--rounds 50] [--pairs 5] [--history FOLDER]

``--history``: files that are imported first, so that the rounds are played on top of a long history.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # comes without types

from slomix_pipeline.runtime.home import open_database
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline.simulator.values import STATS_DELAY
from slomix_pipeline.simulator.writing import write_round
from slomix_pipeline.warehouse.database import Database

PYTHON = Path(sys.executable).parent / "python"
SLOMIX = [str(PYTHON), "-c", "from slomix_pipeline.cli.main import main; main()"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=51, help="odd: then pairs are of two matches")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--history", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # the embedded server runs as another user when started by root
        server = folder / "server"
        for kind in ("gamestats", "gametimes"):
            (server / kind).mkdir(parents=True)
        with SftpServer(server, "bench", "bench") as sftp:
            environment = settings_for(folder / "home", sftp)
            if arguments.history:
                subprocess.run([*SLOMIX, "import", str(arguments.history)], env=environment, check=True)
            with running(environment) as process:
                complete, peak = play(server, folder / "home", process, arguments.rounds, arguments.pairs)
                os.environ["SLOMIX_ENV_FILE"] = ""
                database = open_database(load_settings(home=folder / "home"))
                show(complete, moments(database, folder / "home"), arguments.rounds)
    print(f"{'memory of everything at its peak, MB (PSS)':<44} {peak / 2**20:>8.0f}")


def settings_for(home: Path, sftp: SftpServer) -> dict[str, str]:
    """The environment of a ``slomix run`` in a home of its own, on an SFTP server."""
    return os.environ | {
        "SLOMIX_ENV_FILE": "",
        "SLOMIX_HOME": str(home),
        "SLOMIX_SFTP_HOST": "127.0.0.1",
        "SLOMIX_SFTP_PORT": str(sftp.port),
        "SLOMIX_SFTP_USER": "bench",
        "SLOMIX_SFTP_PASSWORD": "bench",
        "SLOMIX_SFTP_HOST_KEY": sftp.host_key_fingerprint,
        "SLOMIX_UI_PORT": "0",
        "SLOMIX_STANDIN_PORT": "0",
    }


@contextmanager
def running(environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """``slomix run``, once it says that it is ready."""
    process = subprocess.Popen([*SLOMIX, "run"], env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    while b"Ctrl-C" not in process.stdout.readline():
        if process.poll() is not None:
            sys.exit("slomix run ended; see its message above")
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def play(
    server: Path, home: Path, process: "subprocess.Popen[bytes]", rounds: int, pairs: int
) -> tuple[dict[str, float], int]:
    """Plays rounds until each is told, then pairs of them. Returns when each stats file was complete (unix seconds), by
    round key in order, and the memory of everything at its peak, in bytes."""
    peaks = [0]
    stop = threading.Event()
    # PostgreSQL leaves the process that started it.
    postgres = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    roots = [psutil.Process(process.pid), psutil.Process(postgres)]

    def watch_memory() -> None:
        while not stop.wait(0.5):
            peaks.append(total_pss(roots))

    watch = threading.Thread(target=watch_memory)
    watch.start()
    complete = {}
    try:
        time.sleep(8)
        evening = play_evening(5, maps=1 + rounds // 2 + pairs, ends_at=datetime.now(UTC) - timedelta(seconds=10))
        alone, together = evening.rounds[:rounds], evening.rounds[rounds : rounds + 2 * pairs]
        lots = [[one] for one in alone] + [list(two) for two in zip(together[::2], together[1::2], strict=True)]
        for number, lot in enumerate(lots):
            before = len(messages(home))
            for sim_round in lot:
                write_round(
                    server,
                    sim_round,
                    between=(lambda: time.sleep(STATS_DELAY.total_seconds())) if len(lot) == 1 else None,
                )
                complete[f"main:{sim_round.stem}"] = time.time()
            waited = time.monotonic()
            while len(messages(home)) < before + len(lot) and time.monotonic() - waited < 60:
                time.sleep(0.02)
            time.sleep(4 + number % 5)  # not in step with the daemon's own rhythm
    finally:
        stop.set()
        watch.join()
    return complete, max(peaks)


def total_pss(roots: list[psutil.Process]) -> int:
    """Bytes that processes and their children take, shared ones counted once."""
    total = 0
    for process in [member for root in roots for member in (root, *root.children(recursive=True))]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def messages(home: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads((home / "discord" / "discord.json").read_text())["messages"])
    except (OSError, ValueError, KeyError):
        return []


def moments(database: Database, home: Path) -> dict[str, dict[str, float]]:
    """When things happened to each round, in unix seconds, by its key: in the ledger, in Dagster's log, on Discord."""
    said = {message["id"]: datetime.fromisoformat(message["timestamp"]).timestamp() for message in messages(home)}
    with database.connect() as conn:
        ledger = conn.execute(
            """select partition_key, extract(epoch from first_seen_at)::float as seen,
                      extract(epoch from requested_at)::float as requested
               from file where kind = 'stats' and modified_at is not null"""
        ).fetchall()
        posts = conn.execute("select partition_key, message_id from post").fetchall()
        events = conn.execute(
            """select t.value as partition_key, e.step_key, e.dagster_event_type as event,
                      extract(epoch from min(e.timestamp))::float as at
               from dagster.event_logs e join dagster.run_tags t using (run_id)
               where t.key = 'dagster/partition' and e.dagster_event_type in
                     ('PIPELINE_STARTING', 'PIPELINE_START', 'STEP_START', 'STEP_SUCCESS', 'PIPELINE_SUCCESS')
               group by 1, 2, 3 order by at"""
        ).fetchall()
    found: dict[str, dict[str, float]] = {row["partition_key"]: {} for row in ledger}
    for row in ledger:
        found[row["partition_key"]] |= {"seen": row["seen"], "requested": row["requested"]}
    names = {"PIPELINE_STARTING": "launched", "PIPELINE_START": "started", "PIPELINE_SUCCESS": "run ended"}
    for row in events:
        if row["partition_key"] in found:
            name = names.get(row["event"]) or f"{row['step_key']}{'' if row['event'] == 'STEP_START' else ' done'}"
            found[row["partition_key"]][name] = row["at"]
    for row in posts:
        if row["partition_key"] in found and str(row["message_id"]) in said:
            found[row["partition_key"]]["said"] = said[str(row["message_id"])]
    return found


def show(complete: dict[str, float], found: dict[str, dict[str, float]], rounds: int) -> None:
    """Seconds since the stats file was complete, median and worst of the first ``rounds``, in order of time; and how
    long the second of two that came at once was told after the first."""
    alone, together = list(complete)[:rounds], list(complete)[rounds:]
    names = {name for key in alone for name in found[key]}
    since = {name: [found[key][name] - complete[key] for key in alone if name in found[key]] for name in names}
    print(f"{'seconds after the file is complete':<44} {'median':>8} {'worst':>8} {'rounds':>7}")
    for name, seconds in sorted(since.items(), key=lambda item: statistics.median(item[1])):
        print(f"{name:<44} {statistics.median(seconds):>8.2f} {max(seconds):>8.2f} {len(seconds):>7}")
    said = [found[key].get("said", math.inf) for key in together]
    apart = [abs(second - first) for first, second in zip(said[::2], said[1::2], strict=True)]
    if apart:
        name = "of two at once, the second after the first"
        print(f"{name:<44} {statistics.median(apart):>8.2f} {max(apart):>8.2f} {len(apart):>7}")


if __name__ == "__main__":
    main()
