"""Dagster's three processes, forked from one that has loaded what all of them run: so they share the memory that this
takes. Ends when one of them does, or when it is told to.

Started by the supervisor as ``python -c``: a run's process would load again whatever module its parent was started as.

Belongs here: loading, forking, noticing that one ended. Does not belong here: starting them again, and their logs
(``supervisor``, ``children``).
"""

import argparse
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.util import get_temp_dir
from typing import NoReturn

from dagster._cli.api import grpc_command
from dagster_webserver.cli import dagster_webserver

from slomix_pipeline.runtime.children import DagsterProcess, end_with, name_process
from slomix_pipeline.runtime.daemon import run_daemon
from slomix_pipeline.runtime.fork_server import load_what_runs_need

_NAMES = {
    DagsterProcess.CODE_SERVER: "slomix-code",
    DagsterProcess.DAEMON: "slomix-daemon",
    DagsterProcess.WEB_SERVER: "slomix-web",
}
GRPC_WORKERS = 40  # two long-polling sensors of each game server, the others, and room for the UI
_LOOK_EVERY = 0.1  # seconds, until the code server listens


def main() -> None:
    """Runs until one of the three ends, and says which on standard error; or until SIGTERM, which it hands on."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--code-port", type=int, required=True)
    parser.add_argument("--ui-port", type=int, required=True)
    parser.add_argument("--outputs", type=int, nargs=len(DagsterProcess), required=True, help="one for each")
    given = parser.parse_args()
    outputs = dict(zip(DagsterProcess, given.outputs, strict=True))
    load_what_runs_need()
    get_temp_dir()  # of sockets to fork servers: its owner takes it away at the end, but those may be killed
    code_server = ["-m", "slomix_pipeline.definitions", "-h", "127.0.0.1", "-p", str(given.code_port)]
    code_server += ["--max-workers", str(GRPC_WORKERS)]
    web_server = ["-w", given.workspace, "-h", "127.0.0.1", "-p", str(given.ui_port)]

    started: dict[int, DagsterProcess] = {}
    signal.signal(signal.SIGTERM, lambda *_: _end(started))

    def start(name: DagsterProcess, work: Callable[[], object]) -> None:
        started[_fork(name, outputs[name], work)] = name

    start(DagsterProcess.CODE_SERVER, lambda: grpc_command.main(code_server))
    while not _listens(given.code_port):
        _end_when_one_has(started, os.WNOHANG)
        time.sleep(_LOOK_EVERY)
    start(DagsterProcess.DAEMON, lambda: run_daemon(given.workspace))
    start(DagsterProcess.WEB_SERVER, lambda: dagster_webserver.main(web_server, auto_envvar_prefix="DAGSTER_WEBSERVER"))
    _end_when_one_has(started)


def _fork(name: DagsterProcess, output: int, work: Callable[[], object]) -> int:
    """Starts a process of its own session that does ``work``. Returns its number."""
    parent = os.getpid()
    if number := os.fork():
        return number
    os.setsid()
    end_with(parent)
    name_process(_NAMES[name])
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    work()
    sys.exit()


def _listens(port: int) -> bool:
    """Whether a server takes connections there, on this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end_when_one_has(started: Mapping[int, DagsterProcess], options: int = 0) -> None:
    number, status = os.waitpid(-1, options)
    if number:
        sys.exit(f"the {started[number]} ended by itself (exit code {os.waitstatus_to_exitcode(status)})")


def _end(started: Mapping[int, DagsterProcess]) -> NoReturn:
    for number in started:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGTERM)
    with suppress(ChildProcessError):  # all have ended
        while True:
            os.wait()
    sys.exit()
