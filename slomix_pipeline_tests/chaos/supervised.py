"""``slomix run`` as a service manager runs it: started again whenever it ends; and its processes, to be killed.

Does not belong here: which one is killed when (``harms``).
"""

import os
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # comes without types

from slomix_pipeline.runtime.children import end_leftovers
from slomix_pipeline.settings import Settings, as_environment
from slomix_pipeline.warehouse.embedded import start_embedded, stop_embedded
from slomix_pipeline_tests.chaos.harms import Victim
from slomix_pipeline_tests.pipeline_fixtures import SLOMIX

PATIENCE = 240.0  # seconds that anything may take on a busy machine
_STARTED_AGAIN_AFTER = 0.5  # seconds; a service manager waits too

# By what a victim and the processes between it and the supervisor are known: their names and command lines. The first
# fork server has a name, what follows it a command line.
_FOUND_BY = {
    Victim.DAGSTER: ["dagster_processes"],
    Victim.CODE_SERVER: ["dagster_processes", "slomix-code"],
    Victim.WEB_SERVER: ["dagster_processes", "slomix-web"],
    Victim.DAEMON: ["dagster_processes", "slomix-daemon"],
    Victim.FORK_SERVER: ["dagster_processes", "slomix-daemon", "fork"],
    Victim.RUN: ["dagster_processes", "slomix-daemon", "fork", "slomix-run"],
    Victim.SITE: ["site.serving"],
}
_GONE = (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError, StopIteration, IndexError, ValueError)


class Supervised:
    """The process; ``log`` gets what it says. ``extra``: variables of its environment."""

    def __init__(self, settings: Settings, log: Path, extra: Mapping[str, str]) -> None:
        self._settings = settings
        self._environment = {**os.environ, **as_environment(settings), **extra}
        self._log = log
        self._over = False
        self.ends: list[int] = []  # exit codes of those that ended
        self._run = self._start()
        self._manager = threading.Thread(target=self._manage, daemon=True)
        self._manager.start()

    def _start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [*SLOMIX, "run"], env=self._environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def _manage(self) -> None:
        while True:
            self.ends.append(self._run.wait())
            time.sleep(_STARTED_AGAIN_AFTER)
            if self._over:
                return
            self._run = self._start()

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def number(self, victim: Victim) -> int | None:
        """Of its process; None while there is none."""
        with suppress(*_GONE):
            if victim is Victim.POSTGRES:
                return int(self._postmaster().pid)
            if victim is Victim.BACKEND:
                return int(next(b for b in self._postmaster().children() if "[local]" in " ".join(b.cmdline())).pid)
            found = psutil.Process(self._run.pid)
            for sign in _FOUND_BY.get(victim, ()):
                found = next(child for child in found.children() if sign in " ".join([child.name(), *child.cmdline()]))
            return int(found.pid)
        return None

    def _postmaster(self) -> psutil.Process:
        return psutil.Process(int((self._settings.postgres_dir / "postmaster.pid").read_text().split()[0]))

    def kill(self, victim: Victim, within: float) -> int | None:
        """Ends one process, as soon as there is one, as the kernel does when memory is short. Returns its number; None
        when there was none."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if number := self.number(victim):
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
                    return number
            time.sleep(0.05)
        return None

    def is_up(self) -> bool:
        """Whether everything answers that somebody may ask, the database behind it included."""
        ports = (self._settings.ui_port, "server_info"), (self._settings.site_port, "")
        return all(_answers(f"http://127.0.0.1:{port}/{path}") for port, path in ports) and (
            self.number(Victim.DAEMON) is not None
        )

    def end(self) -> int:
        """Asks it to end, and returns with which exit code it did."""
        self._over = True
        self._run.send_signal(signal.SIGTERM)
        return self._run.wait(PATIENCE)

    def clear(self) -> None:
        """Leaves nothing behind, whatever the night came to."""
        self._over = True
        self._run.kill()
        self._manager.join()
        end_leftovers(self._settings.home)
        if (self._settings.postgres_dir / "PG_VERSION").exists():
            start_embedded(self._settings.postgres_dir)  # joins what a killed supervisor leaves
            stop_embedded(self._settings.postgres_dir)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def patiently(complaint: str, is_so: Callable[[], bool], said: Callable[[], str], within: float = PATIENCE) -> None:
    """Waits until something is so."""
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, f"{complaint}; slomix run said:\n{said()[-4000:]}"
        time.sleep(0.2)


@contextmanager
def service(settings: Settings, log: Path, extra: Mapping[str, str]) -> Iterator[Supervised]:
    supervised = Supervised(settings, log, extra)
    try:
        yield supervised
    finally:
        supervised.clear()
