"""An evening during which everything is killed, and Discord fails on a schedule: the numbers are those that were
played, nothing is said twice, and what was not said has a row in the ledger that says why."""

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from random import Random

import psutil  # type: ignore[import-untyped]  # comes without types
import pytest
from pydantic import SecretStr

from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.reports.export import session_as_json
from slomix_pipeline.runtime.children import DagsterProcess, end_leftovers
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES
from slomix_pipeline.settings import Settings, as_environment, load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import play_live
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.embedded import start_embedded, stop_embedded
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.pipeline_fixtures import SLOMIX, round_key
from slomix_pipeline_tests.postgres_fixtures import folder_for_servers

SEED = 20
EVERY = timedelta(seconds=6)  # a round
PATIENCE = 240.0  # seconds that anything may take on a busy machine

# What happens to the next message at each kill.
FAULTS = (Fault.FAILING, Fault.LOST_ANSWER, Fault.RATE_LIMITED)


# By what a victim and the processes between it and the supervisor are known: their names and command lines. The first
# fork server has a name, what follows it a command line.
_FOUND_BY = {
    "code server": ["dagster_processes", "slomix-code"],
    "daemon": ["dagster_processes", "slomix-daemon"],
    "fork server": ["dagster_processes", "slomix-daemon", "fork"],
    "one run": ["dagster_processes", "slomix-daemon", "fork", "slomix-run"],
}


class Supervised:
    """``slomix run`` as a service manager runs it: started again whenever it ends."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._environment = os.environ | as_environment(settings)
        self._postgres, self._home, self._log = settings.postgres_dir, settings.home, log
        self._over = False
        self._run = self._start()
        self._manager = threading.Thread(target=self._manage, daemon=True)
        self._manager.start()

    def _start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [*SLOMIX, "run"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def _manage(self) -> None:
        while self._run.wait() is not None and not self._over:
            self._run = self._start()

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def kill(self, victim: str) -> None:
        """Ends one process, as soon as there is one, as the kernel does when memory is short."""

        def killed() -> bool:
            with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError, StopIteration):
                os.kill(self._number(victim), signal.SIGKILL)
                return True
            return False

        patiently(f"there was no {victim} to kill", killed, self.said)

    def _number(self, victim: str) -> int:
        if victim == "postgres":
            return int((self._postgres / "postmaster.pid").read_text().split()[0])
        if victim == "supervisor":
            return self._run.pid
        found = psutil.Process(self._run.pid)
        for sign in _FOUND_BY[victim]:
            found = next(child for child in found.children() if sign in " ".join([child.name(), *child.cmdline()]))
        return int(found.pid)

    def end(self) -> int:
        self._over = True
        self._run.send_signal(signal.SIGTERM)
        return self._run.wait(60)

    def clear(self) -> None:
        """Leaves nothing behind, whatever the test came to."""
        self._over = True
        self._run.kill()
        self._manager.join()
        end_leftovers(self._home)
        start_embedded(self._postgres)  # joins what a killed supervisor leaves
        stop_embedded(self._postgres)


def patiently(complaint: str, is_so: Callable[[], bool], said: Callable[[], str]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, f"{complaint}; slomix run said:\n{said()[-4000:]}"
        time.sleep(0.2)


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_for_servers() as made:
        yield made


@contextmanager
def service(settings: Settings, log: Path) -> Iterator[Supervised]:
    supervised = Supervised(settings, log)
    try:
        yield supervised
    finally:
        supervised.clear()


@pytest.mark.timeout(900)
def test_whatever_is_killed_an_evening_comes_out_as_played_and_nothing_is_said_twice(folder: Path) -> None:
    rng = Random(SEED)
    victims = ["one run", "fork server", "code server", "daemon", "postgres", "supervisor"]
    rng.shuffle(victims)
    server = folder / "server"
    for name in (GAMESTATS, GAMETIMES):
        (server / name).mkdir(parents=True)
    with ExitStack() as stack:
        page = stack.enter_context(StandIn(folder / "discord"))
        sftp = stack.enter_context(SftpServer(server, "tester", "a password"))
        settings = load_settings(
            home=folder / "home",
            ui_port=0,
            discord_webhook=SecretStr(page.webhook_url),
            session_over_after=timedelta(seconds=15),
            sftp_host="127.0.0.1",
            sftp_port=sftp.port,
            sftp_user="tester",
            sftp_password=SecretStr("a password"),
            sftp_host_key=sftp.host_key_fingerprint,
        )
        pipeline = stack.enter_context(service(settings, folder / "run.log"))
        patiently("slomix run did not come up", lambda: "Ctrl-C" in pipeline.said(), pipeline.said)

        played: list[Evening] = []
        stop = threading.Event()
        stack.callback(stop.set)
        evening = play_evening(SEED, maps=2)
        player = threading.Thread(target=lambda: played.append(play_live(evening, server, EVERY, stop)))
        player.start()
        for victim, fault in zip(victims, cycle(FAULTS), strict=False):
            time.sleep(rng.uniform(0.5, 2.5))
            page.misbehave(fault)
            pipeline.kill(victim)
        player.join()
        (evening,) = played
        database = Database(start_embedded(settings.postgres_dir))
        stack.callback(stop_embedded, settings.postgres_dir)
        patiently(
            "not every round came out as played", lambda: not wrong_numbers(settings, database, evening), pipeline.said
        )
        patiently("not all was told or noted", lambda: not untold(database, evening), pipeline.said)
        assert pipeline.end() == 0, pipeline.said()
        for process in (DagsterProcess.CODE_SERVER, DagsterProcess.DAEMON):
            assert f"the {process} ended by itself (exit code -9)" in (folder / "home/logs/dagster.log").read_text()
        with database.connect() as conn:
            posts = conn.execute("select thing, state, message_id from post").fetchall()

    shown = page.messages()
    titles = Counter(message["embeds"][0]["title"] for message in shown)
    assert [title for title, times in titles.items() if times > 1] == []
    noted = [post["message_id"] for post in posts if post["state"] == "sent"]
    assert len(noted) == len(set(noted)) and set(noted) <= {message["id"] for message in shown}
    # What is there without being noted is in doubt, not lost from sight.
    assert len(shown) - len(noted) <= sum(post["state"] == "in_doubt" for post in posts)


def wrong_numbers(settings: Settings, database: Database, evening: Evening) -> list[str]:
    with database.snapshot() as conn:
        sessions = [row["session_key"] for row in conn.execute("select session_key from session")]
        if len(sessions) != 1:
            return [f"{len(sessions)} sessions"]
        return differences(as_exported(session_as_json(conn, settings, sessions[0])), as_played(evening))


def untold(database: Database, evening: Evening) -> list[str]:
    """What is neither told nor reported: of the results and the summary of the evening."""
    with database.connect() as conn:
        told = {row["thing"] for row in conn.execute("select thing from post where state = 'sent'")}
        reported = {row["thing"] for row in conn.execute("select thing from message_trouble")}
        summaries = [f"session:{row['session_key']}" for row in conn.execute("select session_key from session")]
    due = [*(f"result:{round_key(match.r2)}" for match in evening.matches), *summaries]
    return [thing for thing in due if thing not in told | reported]
