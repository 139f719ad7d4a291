"""How a run gets its process: forked from one that has everything loaded. Named in ``deploy/dagster.yaml``.

Dagster's own launcher has the code server start a new Python for each run, which takes longer to load the code than a
round takes. And it does not know whether a run's process still lives; this one does.

Belongs here: starting, watching and ending the processes of runs on this machine. Does not belong here: when a run may
start (``run_coordinator``), what the process does (``run_process``).
"""

import logging
import multiprocessing
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Self

import psutil  # type: ignore[import-untyped]  # comes without types
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData, serialize_value

import slomix_pipeline

PROCESS_TAG = "slomix/process"  # of a run: number and start of its process

_CODE = Path(slomix_pipeline.__file__).parent
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
        with suppress(psutil.NoSuchProcess):  # it is through already
            found = psutil.Process(process.pid)
            self._instance.add_run_tags(run.run_id, {PROCESS_TAG: f"{found.pid} {found.create_time()}"})
        threading.Thread(target=self._watch, args=(process, run.run_id), daemon=True).start()

    def _watch(self, process: ForkServerProcess, run_id: str) -> None:
        """Waits for a run's process. What it left half-way has failed then, so that Dagster starts it again; or it is
        canceled, when somebody asked for that before it had begun."""
        process.join()
        try:
            run = self._instance.get_run_by_id(run_id)
            if run is None or run.is_finished or _process_of(run) is not None:
                return  # the last: it was the fork server that ended
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
    pid, started = run.tags.get(PROCESS_TAG, "0 0").split()
    try:
        process = psutil.Process(int(pid))
        lives = process.create_time() == float(started) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if lives else None


def end_fork_server() -> None:
    """Ends the process that runs are forked from; the next run has another, with today's code and environment."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # there is no call for it


def _fork(arguments: str) -> ForkServerProcess:
    """Starts a run's process, from a fork server that has today's code loaded."""
    with _starting:
        _renew_fork_server()
        process = multiprocessing.get_context("forkserver").Process(target=_run, args=(arguments,))
        process.start()
    return process


def start_fork_server() -> None:
    """Starts the process that runs are forked from, so that the first run does not wait until it has loaded all."""
    with _starting:
        _renew_fork_server()
        forkserver.ensure_running()


def _renew_fork_server() -> None:
    global _code_of_server
    newest = max(path.stat().st_mtime for path in _CODE.rglob("*.py"))
    if newest != _code_of_server:
        end_fork_server()
        forkserver.set_forkserver_preload([f"{slomix_pipeline.__name__}.runtime.run_process"])
        _code_of_server = newest


def _run(arguments: str) -> None:
    from slomix_pipeline.runtime.run_process import execute_run  # loaded where this runs

    execute_run(arguments)
