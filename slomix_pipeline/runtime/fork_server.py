"""The process that runs are forked from: ``multiprocessing``'s fork server, with today's code loaded.

Belongs here: all that has to be known of the library's inside, which has no call for this: a fork server that is a fork
itself, its end, another one when the code has changed. Does not belong here: which process is forked for which run
(``run_launcher``), what that does (``run_process``).
"""

import importlib
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerProcess
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any

import slomix_pipeline
from slomix_pipeline.runtime.children import name_process

Code = frozenset[tuple[str, int, int]]

_RUN_PROCESS = f"{slomix_pipeline.__name__}.runtime.run_process"
_FOLDER = Path(slomix_pipeline.__file__).parent
_FORKS = multiprocessing.get_context("forkserver")
_one_at_a_time = threading.Lock()
_code_of_server: Code | None = None


def load_what_runs_need() -> None:
    """Makes this process one that runs can be forked from."""
    global _code_of_server
    _code_of_server = _code()
    importlib.import_module(_RUN_PROCESS)


def fork_server_from_here() -> None:
    """Has a fork of this process serve as the fork server: it is there at once and shares its memory with this one,
    which has loaded what runs need and has one thread only.

    ``multiprocessing`` itself can only start another Python for that, which is what the next fork server will be.
    """
    server: Any = forkserver._forkserver
    resource_tracker.ensure_running()
    alive, end = os.pipe()
    given: dict[str, Any] = {}
    if hasattr(server, "_forkserver_authkey"):  # since Python 3.14 it is asked for
        given["authkey_r"], authkey_w = os.pipe()
        server._forkserver_authkey = os.urandom(forkserver._AUTHKEY_LEN)  # type: ignore[attr-defined]
        os.write(authkey_w, server._forkserver_authkey)
        os.close(authkey_w)
    with socket.socket(socket.AF_UNIX) as listener:
        address = f"{get_temp_dir()}/forks-{os.getpid()}"
        listener.bind(address)
        listener.listen()
        number = os.fork()
        if not number:
            os.close(end)
            name_process("slomix-forks")
            forkserver.main(os.dup(listener.fileno()), alive, [], **given)  # ends by itself
    for ours in (alive, *given.values()):
        os.close(ours)
    server._forkserver_address, server._forkserver_alive_fd, server._forkserver_pid = address, end, number


def end_fork_server() -> None:
    """Ends the process that runs are forked from; the next run has another, with today's code and environment. Runs
    that are under way go on."""
    server: Any = forkserver._forkserver
    if server._forkserver_pid is not None:
        with suppress(ProcessLookupError):
            os.kill(server._forkserver_pid, signal.SIGKILL)  # by itself it would end with the last of its runs
        server._stop()


def fork(target: Callable[[str], object], argument: str) -> ForkServerProcess:
    """Starts a process with today's code. Where no fork server has that, it waits for one that does."""
    global _code_of_server
    with _one_at_a_time:
        code = _code()
        if code != _code_of_server:
            end_fork_server()
            _code_of_server = code
        _FORKS.set_forkserver_preload([_RUN_PROCESS])  # should it have to start one
        try:
            return _started(target, argument)
        except (EOFError, OSError):  # it ended just now
            end_fork_server()
            return _started(target, argument)


def _started(target: Callable[[str], object], argument: str) -> ForkServerProcess:
    process = _FORKS.Process(target=target, args=(argument,))
    process.start()
    return process


def _code() -> Code:
    """By what a change of our code shows."""
    found = set()
    for path in _FOLDER.rglob("*.py"):
        with suppress(FileNotFoundError):  # gone meanwhile, or an editor's link to nowhere
            known = path.stat()
            found.add((str(path), known.st_mtime_ns, known.st_size))
    return frozenset(found)
