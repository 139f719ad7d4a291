"""How long from a complete stats file to its message, where that time goes, and how much memory everything takes.

Starts ``slomix run`` on a real SFTP server of its own, writes simulated rounds one by one as the game server does (the
timing record, 3 s later the stats file) and waits for each message on the stand-in; then some two at once. In an empty
home, and in one with a long history. Prints a table of seconds for each, the largest sum of PSS over all processes, and
how many times as long it takes with the history. With ``--readers`` also in an empty home whose public pages are asked
for so often in a second, which must cost a message less than 5 %. Takes half an hour, or three quarters. With
``--servers 2`` that alone: rounds of one of two game servers, by turns alone and beside a round of the other.

    .venv/bin/python benchmarks/live.py [--rounds 51] [--pairs 5] [--history 20000] [--readers 20] [--servers 2]
"""

import argparse
import json
import math
import os
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
from homes import SECOND, members, running, server_folder, with_history

from slomix_pipeline.runtime.home import open_database
from slomix_pipeline.runtime.supervisor import free_port
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import place, play_evening
from slomix_pipeline.simulator.values import STATS_DELAY, Evening, SimRound
from slomix_pipeline.simulator.writing import write_round
from slomix_pipeline.warehouse.database import Database

APART = timedelta(seconds=30)  # the ends of two rounds whose files come at once
READ = ("/", "/sessions/latest", "/sessions", "/boards/dpm", "/records", "/players", "/maps", "/api/v1/sessions")
READERS_AT_ONCE = 8


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=51, help="odd: then pairs are of two matches")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--history", type=int, default=20_000, help="rounds; 0: an empty home alone")
    parser.add_argument("--readers", type=int, default=0, help="requests of pages in a second; 0: nobody reads")
    parser.add_argument("--servers", type=int, choices=(1, 2), default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # the embedded server runs as another user when started by root
        if arguments.servers > 1:
            beside_another(scratch, arguments.rounds)
            return
        empty = measured("in an empty home", scratch / "empty", server_folder(scratch / "first"), arguments)
        if arguments.history:
            home = with_history(scratch, arguments.history)
            server = server_folder(scratch / "second")
            full = measured(f"with {arguments.history:,} rounds", home, server, arguments)
            print(f"{'times the median of the empty one':<44} {full / empty:>8.2f}")
        if arguments.readers:
            with reading(arguments.readers) as statuses:
                what = f"in an empty home, {arguments.readers} requests/s"
                read = measured(what, scratch / "read", server_folder(scratch / "third"), arguments)
            print(f"{'times the median without readers (aim 1.05)':<44} {read / empty:>8.2f}")
            print(f"{'answers':<44} {', '.join(f'{n} × {status}' for status, n in Counter(statuses).items())}")


@contextmanager
def reading(a_second: int) -> Iterator[list[int]]:
    """Asks for pages of the next home that runs, so often, from when they answer. Gives the statuses of all answers."""
    os.environ["SLOMIX_SITE_PORT"] = str(port := free_port(0))
    statuses: list[int] = []
    stop = threading.Event()

    def ask(path: str) -> None:
        try:
            statuses.append(client.get(path).status_code)
        except httpx.TransportError:  # it has not begun to answer, or ended
            return

    def ask_on() -> None:
        number = 0
        while not stop.wait(1 / a_second):
            threads.submit(ask, READ[number % len(READ)])
            number += 1

    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
        ThreadPoolExecutor(READERS_AT_ONCE) as threads,
    ):
        thread = threading.Thread(target=ask_on)
        thread.start()
        try:
            yield statuses
        finally:
            stop.set()
            thread.join()


def measured(what: str, home: Path, server: Path, arguments: argparse.Namespace) -> float:
    """Plays in a home and shows what that took. Returns the median of seconds until a message was there."""
    os.environ["SLOMIX_ENV_FILE"] = ""
    with running(home, server) as roots:
        complete, peak = play(server, home, roots, arguments.rounds, arguments.pairs)
        database = open_database(load_settings(home=home))
        print(f"\n{what}")
        said = show(complete, moments(database, home), arguments.rounds)
    print(f"{'memory of everything at its peak, MB (PSS)':<44} {peak / 2**20:>8.0f}", flush=True)
    return said


def play(
    server: Path, home: Path, roots: list[psutil.Process], rounds: int, pairs: int
) -> tuple[dict[str, float], int]:
    """Plays rounds until each is told, then pairs of them. Returns when each stats file was complete (unix seconds), by
    round key in order, and the memory of everything at its peak, in bytes."""
    peaks = [0]
    stop = threading.Event()

    def watch_memory() -> None:
        while not stop.wait(0.5):
            peaks.append(total_pss(roots))

    watch = threading.Thread(target=watch_memory)
    watch.start()
    complete = {}
    try:
        time.sleep(8)
        evening = play_evening(5, maps=1 + rounds // 2 + pairs)
        lots = [[n] for n in range(rounds)] + [[n, n + 1] for n in range(rounds, rounds + 2 * pairs, 2)]
        for number, lot in enumerate(lots):
            if len(lot) > 1:
                time.sleep(APART.total_seconds())  # what ended before them did so before both
            before = len(messages(home))
            for index in lot:
                sim_round = ending(evening, index, APART * (lot[-1] - index))
                write_round(
                    server,
                    sim_round,
                    between=(lambda: time.sleep(STATS_DELAY.total_seconds())) if len(lot) == 1 else None,
                )
                complete[f"main:{sim_round.stem}"] = time.time()
            waited = time.monotonic()
            while len(messages(home)) < before + len(lot) and time.monotonic() - waited < 60:
                time.sleep(0.02)
            time.sleep(1 + number % 5 / 2 if number % 8 else 20 + number % 7 * 4)  # now and then a look finds nothing
    finally:
        stop.set()
        watch.join()
    return complete, max(peaks)


def beside_another(scratch: Path, rounds: int) -> None:
    """Plays rounds on one of two game servers, by turns alone and beside one of the other, and shows how long both took
    from the complete stats file to the message."""
    os.environ["SLOMIX_ENV_FILE"] = ""
    home, first, second = scratch / "both", server_folder(scratch / "main"), server_folder(scratch / SECOND)
    played = {folder: play_evening(seed, maps=1 + rounds) for seed, folder in ((5, first), (6, second))}
    complete: list[tuple[bool, str, float]] = []
    with running(home, first, second):
        time.sleep(8)
        for index in range(2 * (rounds - rounds % 2)):
            beside = bool(index // 2 % 2)  # a whole match alone, a whole match beside
            before = len(messages(home))
            lot = {folder: ending(played[folder], index, timedelta()) for folder in (first, *[second] * beside)}
            with ThreadPoolExecutor(len(lot)) as writers:
                list(writers.map(write_as_played, lot, lot.values()))
            complete.append((beside, f"main:{lot[first].stem}", time.time()))
            waited = time.monotonic()
            while len(messages(home)) < before + len(lot) and time.monotonic() - waited < 60:
                time.sleep(0.02)
            time.sleep(1 + index % 5 / 2)
        found = moments(open_database(load_settings(home=home)), home)
    medians = {}
    for beside in (False, True):
        lots = [(found[key], at) for with_other, key, at in complete if with_other is beside]
        seconds = [own["said"] - at for own, at in lots if "said" in own]
        medians[beside] = statistics.median(seconds)
        what = f"a round {'beside' if beside else 'without'} one of the other server"
        print(f"{what:<44} {medians[beside]:>8.2f} {max(seconds):>8.2f} {len(seconds):>7} of {len(lots)}")
    print(f"{'later beside another (aim 1.00)':<44} {medians[True] - medians[False]:>8.2f}")


def write_as_played(server: Path, sim_round: SimRound) -> None:
    """Writes a round's files as the game server does, a while between the record and the rest."""
    write_round(server, sim_round, between=lambda: time.sleep(STATS_DELAY.total_seconds()))


def ending(evening: Evening, index: int, ago: timedelta) -> SimRound:
    """A round of an evening that ended just now, or some time ago."""
    moved = datetime.now(UTC) - ago - evening.rounds[index].ended_at
    return place(evening, evening.ended_at + moved, evening.rounds[-1].zone).rounds[index]


def total_pss(roots: list[psutil.Process]) -> int:
    """Bytes that processes and their children take, shared ones counted once."""
    total = 0
    for process in members(roots):
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
               from file where kind = 'stats' and by_sensor"""
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


def show(complete: dict[str, float], found: dict[str, dict[str, float]], rounds: int) -> float:
    """Seconds since the stats file was complete, median and worst of the first ``rounds``, in order of time; and how
    long the second of two that came at once was told after the first. Returns the median until it was said."""
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
    return statistics.median(since["said"])


if __name__ == "__main__":
    main()
