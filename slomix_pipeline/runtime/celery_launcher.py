"""How a run gets to a worker of Celery's. Named in ``deploy/launchers/celery.yaml``.

Dagster's own launcher believes what Redis holds of a task: "started", for ever, when a worker was killed. This one asks
whether the run's process lives. And it tells of runs that are canceled, which would look as if they had crashed, and be
made again.

Belongs here: sending, and looking after what was sent. Does not belong here: the worker (``celery_worker``).
"""

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import pack_value
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG
from dagster_celery.tasks import create_execute_job_task

from slomix_pipeline.resources import settings_of_this_process
from slomix_pipeline.runtime.run_life import lives
from slomix_pipeline.warehouse.database import Database, postgres_url

WORKER_TAG = "slomix/worker"  # of a run: which worker executes it


class WorkersRunLauncher(CeleryRunLauncher):
    """``CeleryRunLauncher`` whose tasks have the id of their run, and are known to live or not."""

    def launch_run(self, context: LaunchRunContext) -> None:
        run = context.dagster_run
        assert run.job_code_origin is not None, "a run that is launched comes from code"
        arguments = ExecuteRunArgs(run.job_code_origin, run.run_id, self._instance.get_ref(), True)
        task = create_execute_job_task(self.celery).si(execute_job_args_packed=pack_value(arguments))
        # A tag with another id, as Dagster has it, could undo what the worker writes to the run at the same time.
        task.apply_async(task_id=run.run_id, queue=run.tags.get(DAGSTER_CELERY_QUEUE_TAG, self.default_queue))

    def terminate(self, run_id: str) -> bool:
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        self.celery.control.revoke(run_id, terminate=True)
        return True

    @property
    def supports_resume_run(self) -> bool:
        return False

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        if lives(Database(postgres_url(settings_of_this_process())), run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "its process is gone")

    def get_run_worker_debug_info(self, run: dg.DagsterRun, include_container_logs: bool | None = True) -> str:
        return f"worker: {run.tags.get(WORKER_TAG, 'none took it')}"
