"""How a run gets its process: forked from one that has everything loaded. Named in ``deploy/dagster.yaml``.

Dagster's own launcher has the code server start a new Python for each run, which takes longer to load the code than a
round takes. And it does not know whether a run's process still lives; this one does.

Belongs here: starting, watching and ending the processes of runs on this machine. Does not belong here: what they are
forked from (``fork_server``), when a run may start (``run_coordinator``), what the process does (``run_process``).
"""

import logging
import signal
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Self

import psutil  # type: ignore[import-untyped]  # comes without types
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData, serialize_value

from slomix_pipeline.runtime.fork_server import fork

PROCESS_TAG = "slomix/process"  # of a run: number and start of its process
NOTED_AGAIN_AFTER = 5.0  # seconds

_log = logging.getLogger(__name__)


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
        process = fork(_run, serialize_value(arguments))
        threading.Thread(target=self._watch, args=(process, run.run_id), daemon=True).start()

    def _watch(self, process: ForkServerProcess, run_id: str) -> None:
        """Waits for a run's process. What it left half-way has failed then, so that Dagster starts it again; or it is
        canceled, when somebody asked for that before it had begun. Until that is noted it takes the place of another
        run, so it is noted as soon as it can be."""
        process.join()
        has_said = False
        while True:
            try:
                self._note_end(process, run_id)
                return
            except Exception:  # the database is away or its disk is full
                if not has_said:
                    _log.exception("could not look after run %s, trying again", run_id)
                has_said = True
            time.sleep(NOTED_AGAIN_AFTER)

    def _note_end(self, process: ForkServerProcess, run_id: str) -> None:
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


def note_process(instance: DagsterInstance, run_id: str) -> None:
    """Lets everybody know that this process executes a run; before that has begun, as Dagster then writes to the same
    row."""
    own = psutil.Process()
    instance.add_run_tags(run_id, {PROCESS_TAG: f"{own.pid} {_started_at(own)}"})


def _started_at(process: psutil.Process) -> str:
    """When a process started, as no other of its number did: on Linux since the start of the machine, which no step of
    the clock changes."""
    if sys.platform != "linux":
        return str(process.create_time())
    try:
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        raise psutil.NoSuchProcess(process.pid) from None


def _run(arguments: str) -> None:
    from slomix_pipeline.runtime.run_process import execute_run  # loaded where this runs

    execute_run(arguments)
