"""What ``slomix run`` starts and owns: processes started, logged, ended with everything they started.

Belongs here: one process and its output; what a killed supervisor left behind.
Does not belong here: which processes there are and when they run (``supervisor``).

- Output goes through a pipe into a log that is rotated: whatever a process has to complain about, no disk is filled.
- Each process carries a mark in its environment, and so does all it starts. By it the next start finds and ends what
  was left when the supervisor was killed: no list of process numbers that may be used again by then.
"""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

import psutil  # type: ignore[import-untyped]  # comes without types

LOG_BYTES, LOG_BACKUPS = 5_000_000, 3  # per process: 20 MB in all
_LONGEST_LINE = 65_536  # bytes; longer ones are broken
_TIDIES_WITHIN = 5.0  # seconds
_MARK = "SLOMIX_SUPERVISED_IN"  # names the home


class DagsterProcess(StrEnum):
    """Those that Dagster consists of, by the names of their logs."""

    CODE_SERVER = "code-server"
    DAEMON = "daemon"
    WEB_SERVER = "webserver"


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: after a fork it might block


class _Log(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is logging's
        """A full disk stops no process: what can't be logged is lost."""


def start_child(
    name: str, command: Sequence[str], environment: Mapping[str, str], home: Path, outputs: Sequence[int] = ()
) -> "subprocess.Popen[bytes]":
    """Starts a process in ``home`` whose output goes to ``logs/<name>.log`` there. It ends when this process does.

    ``outputs``: file descriptors that it has, too (``open_log``); they are closed here.
    """
    own = open_log(name, home)
    try:
        return subprocess.Popen(
            command,
            env={**environment, _MARK: str(home.resolve())},
            stdin=subprocess.DEVNULL,
            stdout=own,
            stderr=subprocess.STDOUT,
            pass_fds=outputs,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends them in order
            preexec_fn=_end_with_parent,
            cwd=home,
        )
    finally:
        for output in (own, *outputs):
            os.close(output)


def open_log(name: str, home: Path) -> int:
    """A file descriptor; what is written there goes to ``logs/<name>.log`` until everybody who has it closed it."""
    output, given = os.pipe()
    logs = home / "logs"
    logs.mkdir(exist_ok=True)
    log = _Log(logs / f"{name}.log", maxBytes=LOG_BYTES, backupCount=LOG_BACKUPS, encoding="utf-8")
    threading.Thread(target=_write_log, args=(os.fdopen(output, "rb"), log), daemon=True).start()
    return given


def _write_log(output: IO[bytes], log: _Log) -> None:
    with output:
        for line in iter(lambda: output.readline(_LONGEST_LINE), b""):
            log.emit(logging.makeLogRecord({"msg": line.decode(errors="backslashreplace").rstrip("\n")}))
    log.close()


def _end_with_parent() -> None:
    for ignored_by_background_jobs in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored_by_background_jobs, signal.SIG_DFL)
    _end_when_parent_does()


def end_with(parent: int) -> None:
    """Lets the kernel end this process, which ``parent`` forked, when that is killed (Linux)."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_when_parent_does()
    if os.getppid() != parent:  # it was killed before
        os.kill(os.getpid(), signal.SIGTERM)


def _end_when_parent_does() -> None:
    """Elsewhere than on Linux the next start ends what was left."""
    if _LIBC is not None:
        _LIBC.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def name_process(name: str) -> None:
    """Names this process, for ``top`` and the like (Linux). At most 15 characters."""
    if _LIBC is not None:
        _LIBC.prctl(15, name.encode())  # PR_SET_NAME


def end_child(child: "subprocess.Popen[bytes]", home: Path, within: float, spared: Collection[int] = ()) -> None:
    """Ends the child that was started in ``home``, and all that it started, by force after ``within`` seconds: the
    daemon waits for the runs in flight and for sensors that watch a folder. What is cut off is taken up again.

    ``spared``: the numbers of other children there.
    """
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(within)
    while left := [process for process in _left_in(home) if process.pid not in (child.pid, *spared)]:
        _kill(left)  # and what they started meanwhile
    with suppress(subprocess.TimeoutExpired):
        child.wait(_TIDIES_WITHIN)
    child.kill()
    child.wait()


def end_leftovers(home: Path) -> None:
    """Ends what a killed supervisor of ``home`` left running; only for whoever holds the home now."""
    while left := _left_in(home):
        _kill(left)


def _left_in(home: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _mark_of(process) == str(home.resolve())]


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


def _mark_of(process: psutil.Process) -> str | None:
    try:
        mark: str | None = process.environ().get(_MARK)
    except (psutil.Error, OSError):  # somebody else's, or gone
        return None
    return mark
