"""One night: everything real, from the game server's SFTP to Discord's stand-in, and who does the harm.

Belongs here: the stage, doing what is planned, noting what was done and what came back after how long.
Does not belong here: what is planned (``harms``), what has to be so in the end (``verdict``).
"""

import heapq
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from pydantic import SecretStr

from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.runtime.supervisor import free_port
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.sftp_faults import SftpFault
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import GAMESTATS, GAMETIMES, place_for_live
from slomix_pipeline_tests.chaos.harms import CLOCK_STEPS, Harm, Machine, Outage, Plan, Planned, Victim
from slomix_pipeline_tests.chaos.playing import play
from slomix_pipeline_tests.chaos.supervised import PATIENCE, Supervised, patiently, service

PASSWORD = "a password of nobody's"
DISK = 700 << 20  # bytes of the home's file system, where it has one of its own
_CLOCK = Path(__file__).with_name("clock.c")


@dataclass
class Done:
    """What was done, and after how many seconds all was up again (None: it never was, where that was watched)."""

    at: float
    text: str
    back_after: float | None = None
    is_watched: bool = False


@dataclass
class Stage:
    """What a night is played on. ``clock``: the file that moves the clock, where that can be."""

    settings: Settings
    folder: Path
    page: StandIn
    sftp: SftpServer
    pipeline: Supervised
    clock: Path | None
    done: list[Done] = field(default_factory=list)

    @property
    def server(self) -> Path:
        """The game server's disk."""
        return self.folder / "server"

    @property
    def scratch(self) -> Path:
        """Where the processes have their temporary files."""
        return self.folder / "tmp"


@contextmanager
def stage(folder: Path, *, own_disk: bool, own_clock: bool) -> Iterator[Stage]:
    """Everything started, and up. ``own_disk``, ``own_clock``: see ``can_fill_disk`` and ``can_move_clock``."""
    for path in (folder / "server" / GAMESTATS, folder / "server" / GAMETIMES, folder / "tmp", folder / "home"):
        path.mkdir(parents=True)
    (folder / "tmp").chmod(0o1777)
    with ExitStack() as stack:
        if own_disk:
            stack.enter_context(_disk_at(folder / "home"))
        page = stack.enter_context(StandIn(folder / "discord"))
        sftp = stack.enter_context(SftpServer(folder / "server", "tester", PASSWORD))
        settings = load_settings(
            home=folder / "home",
            ui_port=free_port(0),
            site_port=free_port(0),
            discord_webhook=SecretStr(page.webhook_url),
            session_over_after=timedelta(seconds=20),
            sftp_host="127.0.0.1",
            sftp_port=sftp.port,
            sftp_user="tester",
            sftp_password=SecretStr(PASSWORD),
            sftp_host_key=sftp.host_key_fingerprint,
            sftp_timeout=timedelta(seconds=6),
        )
        clock = folder / "clock" if own_clock else None
        extra = {"TMPDIR": str(folder / "tmp")} | (_clock_of(clock) if clock else {})
        pipeline = stack.enter_context(service(settings, folder / "run.log", extra))
        made = Stage(settings, folder, page, sftp, pipeline, clock)
        patiently("slomix run did not come up", pipeline.is_up, pipeline.said)
        yield made


def can_fill_disk(folder: Path) -> str | None:
    """Why a home can't have a disk of its own here; None when it can."""
    (folder / "probe").mkdir(parents=True)
    try:
        with _disk_at(folder / "probe"):
            return None
    except (OSError, subprocess.CalledProcessError):
        return "a file system of its own can't be mounted here (needs root)"
    finally:
        (folder / "probe").rmdir()


def can_move_clock() -> str | None:
    """Why the clock of the processes can't be moved here; None when it can."""
    return None if sys.platform == "linux" and shutil.which("cc") else "there is no C compiler for clock.c, or no Linux"


@contextmanager
def _disk_at(path: Path) -> Iterator[None]:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", str(path)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True, capture_output=True)


def _clock_of(file: Path) -> dict[str, str]:
    """The environment of processes whose clock the file moves. PostgreSQL is started without it: as a server on another
    machine, it keeps the right time."""
    library = file.with_suffix(".so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(_CLOCK)], check=True)
    _move(file, 0)
    return {"LD_PRELOAD": str(library), "SLOMIX_CHAOS_CLOCK": str(file)}


def _move(clock: Path, seconds: int) -> None:
    with clock.open("r+b" if clock.exists() else "wb") as file:  # in place: it is mapped
        file.write(struct.pack("=q", seconds))


def play_night(made: Stage, plan: Plan, *, maps: int, every: timedelta) -> Evening:
    """Plays an evening on a stage while everything that is planned goes wrong. Returns it as it was played."""
    evening = place_for_live(play_evening(plan.seed, maps=maps), datetime.now(UTC), every)
    stop = threading.Event()
    player = threading.Thread(target=play, args=(evening, made.server, every, plan.writings, stop))
    player.start()
    try:
        _Wrongdoer(made).do(plan.harms)
        player.join()
    finally:
        stop.set()
        player.join()
    return evening


class _Wrongdoer:
    """Does what is planned, one after the other, and undoes what has lasted long enough."""

    def __init__(self, made: Stage) -> None:
        self._stage = made
        self._begun = time.monotonic()
        self._watchers: list[threading.Thread] = []
        self._waits: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()

    def do(self, harms: tuple[Planned, ...]) -> None:
        for planned in harms:
            self._later(planned.at, lambda planned=planned: self._begin(planned))  # type: ignore[misc]
        while self._waits:
            at, _, action = heapq.heappop(self._waits)
            time.sleep(max(0.0, self._begun + at - time.monotonic()))
            action()
        for watcher in self._watchers:
            watcher.join()

    def _later(self, at: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._waits, (at, next(self._number), action))

    def _now(self) -> float:
        return time.monotonic() - self._begun

    def _begin(self, planned: Planned) -> None:
        harm, at = planned.harm, self._now()
        done = Done(at, str(harm.value) + (f", for {planned.lasts} s" if planned.lasts else ""))
        self._stage.done.append(done)
        if isinstance(harm, Victim):
            killed = self._stage.pipeline.kill(harm, PATIENCE)
            done.text = f"killed: {harm}" if killed else f"not killed, there was none: {harm}"
            if killed:
                self._watch(done, lambda: self._is_back(harm, killed))
        elif isinstance(harm, Fault):
            self._stage.page.misbehave(harm)
            done.text = f"next message: {harm}"
        else:
            self._set(harm, on=True)
            self._later(self._now() + planned.lasts, lambda: self._end(harm, done))

    def _end(self, harm: Harm, done: Done) -> None:
        self._set(harm, on=False)
        ended = time.monotonic()
        if isinstance(harm, SftpFault):
            self._watch(done, lambda: self._stage.sftp.faults.answered_at > ended)
        elif isinstance(harm, Machine):
            self._watch(done, self._stage.pipeline.is_up)

    def _set(self, harm: Harm, *, on: bool) -> None:
        made = self._stage
        match harm:
            case SftpFault():
                made.sftp.misbehave(harm if on else None)
            case Outage.FAILING:
                made.page.go_down(on)
            case Outage.LIMITED:
                made.page.limit_globally(3600.0 if on else 0.0)
            case Outage.AWAY:
                made.page.__exit__() if on else made.page.__enter__()
            case Machine.DISK_FULL:
                _fill(made.settings.home) if on else _free(made.settings.home)
            case Machine() if made.clock is not None:
                _move(made.clock, CLOCK_STEPS[harm] if on else 0)

    def _is_back(self, victim: Victim, killed: int) -> bool:
        if victim not in (Victim.RUN, Victim.BACKEND, Victim.FORK_SERVER):  # those come when they are needed
            number = self._stage.pipeline.number(victim)
            if number is None or number == killed:
                return False
        return self._stage.pipeline.is_up()

    def _watch(self, done: Done, is_back: Callable[[], bool]) -> None:
        """Notes when all is well again, beside whatever goes wrong next."""
        begun, done.is_watched = time.monotonic(), True

        def watch() -> None:
            while time.monotonic() - begun < PATIENCE:
                if is_back():
                    done.back_after = time.monotonic() - begun
                    return
                time.sleep(0.2)

        self._watchers.append(threading.Thread(target=watch, daemon=True))
        self._watchers[-1].start()


_FILLER = "filler"


def _fill(home: Path) -> None:
    """Leaves not a byte."""
    with (home / _FILLER).open("ab", buffering=0) as file, suppress(OSError):
        size = 1 << 20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2


def _free(home: Path) -> None:
    (home / _FILLER).unlink(missing_ok=True)


def report(done: list[Done]) -> Iterator[str]:
    """What was done when, one line each."""
    for one in done:
        back = "" if one.back_after is None else f" → up again after {one.back_after:.1f} s"
        yield f"  {one.at:6.1f} s  {one.text}{back}"


def empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
