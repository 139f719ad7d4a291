"""The processes that ``slomix run`` owns: started, logged, ended with everything they started.

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
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

import psutil  # type: ignore[import-untyped]  # comes without types

LOG_BYTES, LOG_BACKUPS = 5_000_000, 3  # per process: 20 MB in all
_LONGEST_LINE = 65_536  # bytes; longer ones are broken
_MARK = "SLOMIX_SUPERVISED_IN"  # names the home

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: after a fork it might block


class _Log(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is logging's
        """A full disk stops no process: what can't be logged is lost."""


def start_child(
    name: str, command: Sequence[str], environment: Mapping[str, str], home: Path
) -> "subprocess.Popen[bytes]":
    """Starts a process in ``home`` whose output goes to ``logs/<name>.log`` there. It ends when this process does."""
    child = subprocess.Popen(
        command,
        env={**environment, _MARK: str(home.resolve())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends them in order
        preexec_fn=_end_with_parent,
        cwd=home,
    )
    assert child.stdout is not None
    logs = home / "logs"
    logs.mkdir(exist_ok=True)
    log = _Log(logs / f"{name}.log", maxBytes=LOG_BYTES, backupCount=LOG_BACKUPS, encoding="utf-8")
    threading.Thread(target=_write_log, args=(child.stdout, log), daemon=True).start()
    return child


def _write_log(output: IO[bytes], log: _Log) -> None:
    with output:
        for line in iter(lambda: output.readline(_LONGEST_LINE), b""):
            log.emit(logging.makeLogRecord({"msg": line.decode(errors="backslashreplace").rstrip("\n")}))
    log.close()


def _end_with_parent() -> None:
    """Lets the kernel end this child when the supervisor is killed (Linux; elsewhere the next start does)."""
    for ignored_by_background_jobs in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored_by_background_jobs, signal.SIG_DFL)
    if _LIBC is not None:
        _LIBC.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def end_children(children: Sequence["subprocess.Popen[bytes]"], within: float) -> None:
    """Ends children and what they started, by force after ``within`` seconds: the daemon waits for the runs in flight,
    which are in its process group, and for sensors that watch a folder. What is cut off is taken up again."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + within
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def end_leftovers(home: Path) -> None:
    """Ends what a killed supervisor of ``home`` left running; only for whoever holds the home now."""
    left = [process for process in psutil.process_iter() if _mark_of(process) == str(home.resolve())]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=10)


def _mark_of(process: psutil.Process) -> str | None:
    try:
        mark: str | None = process.environ().get(_MARK)
    except (psutil.Error, OSError):  # somebody else's, or gone
        return None
    return mark
