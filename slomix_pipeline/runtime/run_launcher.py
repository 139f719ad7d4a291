"""How a run gets its process: forked from one that has everything loaded. Named in ``deploy/dagster.yaml``.

Dagster's own launcher has the code server start a new Python for each run, which takes longer to load the code than a
round takes. And it does not know whether a run's process still lives; this one does.

Belongs here: starting, watching and ending the processes of runs on this machine. Does not belong here: when a run may
start (``run_coordinator``), what the process does (``run_process``).
"""

import importlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerProcess
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any, Self

import psutil  # type: ignore[import-untyped]  # comes without types
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData, serialize_value

import slomix_pipeline
from slomix_pipeline.runtime.children import call_process

PROCESS_TAG = "slomix/process"  # of a run: number and start of its process

_CODE = Path(slomix_pipeline.__file__).parent
_RUN_PROCESS = f"{slomix_pipeline.__name__}.runtime.run_process"
_FORKS = multiprocessing.get_context("forkserver")
_log = logging.getLogger(__name__)
_starting = threading.Lock()
_code_of_server: float | None = None


class ForkingRunLauncher(RunLauncher[DagsterInstance], ConfigurableClass):
    """Forks the processes of runs. Any process on this machine may ask for one to be ended."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls(inst_data=inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        run = context.dagster_run
        assert context.job_code_origin is not None, "a run that is launched comes from code"
        arguments = ExecuteRunArgs(context.job_code_origin, run.run_id, self._instance.get_ref(), True)
        process = _fork(serialize_value(arguments))
        threading.Thread(target=self._watch, args=(process, run.run_id), daemon=True).start()
        try:
            with suppress(psutil.NoSuchProcess):  # it is through already
                found = psutil.Process(process.pid)
                self._instance.add_run_tags(run.run_id, {PROCESS_TAG: f"{found.pid} {_started_at(found)}"})
        except BaseException:  # to Dagster it was not launched then
            process.kill()
            raise

    def _watch(self, process: ForkServerProcess, run_id: str) -> None:
        """Waits for a run's process. What it left half-way has failed then, so that Dagster starts it again; or it is
        canceled, when somebody asked for that before it had begun."""
        process.join()
        try:
            run = self._instance.get_run_by_id(run_id)
            while run is not None and (lives_on := _process_of(run)) is not None:  # it was the fork server that ended
                lives_on.wait()
                run = self._instance.get_run_by_id(run_id)
            if run is None or run.is_finished:
                return
            if run.status is DagsterRunStatus.CANCELING:
                self._instance.report_run_canceled(run)
            else:
                self._instance.report_run_failed(run, f"its process ended by itself (exit code {process.exitcode})")
        except Exception:  # the database is away, or this process ends too: run monitoring finds it
            _log.exception("could not look after run %s", run_id)

    def terminate(self, run_id: str) -> bool:
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        process = _process_of(run)
        if process is None:
            self._instance.report_run_canceled(run, "its process was gone already")
        else:
            process.send_signal(signal.SIGINT)
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        if _process_of(run) is not None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "its process is gone")


def _process_of(run: DagsterRun) -> psutil.Process | None:
    """The process of a run, while it lives: a number alone may be another's by now."""
    pid, started_at = run.tags.get(PROCESS_TAG, "0 0").split()
    try:
        process = psutil.Process(int(pid))
        lives = _started_at(process) == started_at and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if lives else None


def _started_at(process: psutil.Process) -> str:
    """When a process started, as no other of its number did: on Linux since the start of the machine, which no step of
    the clock changes."""
    if sys.platform != "linux":
        return str(process.create_time())
    try:
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        raise psutil.NoSuchProcess(process.pid) from None


def end_fork_server() -> None:
    """Ends the process that runs are forked from; the next run has another, with today's code and environment. Runs
    that are under way go on."""
    server: Any = forkserver._forkserver  # there is no call for it
    if server._forkserver_pid is not None:
        with suppress(ProcessLookupError):
            os.kill(server._forkserver_pid, signal.SIGKILL)  # by itself it would end with the last of its runs
    server._stop()


def load_what_runs_need() -> None:
    """Makes this process one that runs can be forked from."""
    global _code_of_server
    _code_of_server = _newest_code()
    importlib.import_module(_RUN_PROCESS)


def fork_server_from_here() -> None:
    """Has a fork of this process serve as the fork server: it is there at once and shares its memory with this one,
    which has loaded what runs need and has one thread only.

    ``multiprocessing`` itself can only start another Python for that, which is what the next fork server will be.
    """
    server: Any = forkserver._forkserver
    resource_tracker.ensure_running()
    alive, end = os.pipe()
    with socket.socket(socket.AF_UNIX) as listener:
        address = f"{get_temp_dir()}/forks-{os.getpid()}"
        listener.bind(address)
        listener.listen()
        number = os.fork()
        if not number:
            os.close(end)
            call_process("slomix-forks")
            forkserver.main(os.dup(listener.fileno()), alive, [])
            sys.exit()
    os.close(alive)
    server._forkserver_address, server._forkserver_alive_fd, server._forkserver_pid = address, end, number


def _prepare_fork_server() -> None:
    """Sees to it that there is a fork server which has loaded today's code."""
    global _code_of_server
    with _starting:
        newest = _newest_code()
        if newest != _code_of_server:
            end_fork_server()
            _FORKS.set_forkserver_preload([_RUN_PROCESS])
            _code_of_server = newest
        forkserver.ensure_running()


def _newest_code() -> float:
    return max(path.stat().st_mtime for path in _CODE.rglob("*.py"))


def _fork(arguments: str) -> ForkServerProcess:
    """Starts a run's process."""
    _prepare_fork_server()
    process = _FORKS.Process(target=_run, args=(arguments,))
    process.start()
    return process


def _run(arguments: str) -> None:
    from slomix_pipeline.runtime.run_process import execute_run  # loaded where this runs

    call_process("slomix-run")
    execute_run(arguments)
