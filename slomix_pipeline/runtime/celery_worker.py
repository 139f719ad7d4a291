"""``slomix worker``: a worker of Celery's that executes runs, with everything set up.

Belongs here: the worker's own settings, what it does around a run. Does not belong here: sending runs
(``celery_launcher``), the run itself (Dagster's task).
"""

import os
import socket
from typing import Any

import celery
import dagster as dg
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task

from slomix_pipeline.resources import settings_of_this_process
from slomix_pipeline.runtime.celery_launcher import WORKER_TAG
from slomix_pipeline.runtime.fork_server import load_what_runs_need
from slomix_pipeline.runtime.run_life import living
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.connections import forget_idle
from slomix_pipeline.warehouse.database import Database, postgres_url

_CONFIGURATION = {
    "accept_content": ["json"],
    # What a killed worker had fetched in advance would be lost for an hour.
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    "worker_max_tasks_per_child": 200,  # what pictures and models took is given back now and then
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "broker_connection_retry_on_startup": True,
}
_ANSWERS_WITHIN = 3.0  # seconds


class RunTask(celery.Task):  # type: ignore[misc]  # comes without types
    """Dagster's task, while it is known that the run lives, and where."""

    def __call__(self, execute_job_args_packed: Any) -> Any:
        run_id = unpack_value(execute_job_args_packed, as_type=ExecuteRunArgs).run_id
        with living(Database(postgres_url(settings_of_this_process())), run_id) as alone:
            if not alone:  # it came twice
                return None
            with dg.DagsterInstance.get() as instance:
                instance.add_run_tags(run_id, {WORKER_TAG: self.request.hostname})
            return super().__call__(execute_job_args_packed)


def _app(settings: Settings) -> Any:
    assert settings.celery_broker is not None  # settings see to it
    return make_app(  # type: ignore[no-untyped-call]
        {"broker": settings.celery_broker.get_secret_value(), "config_source": _CONFIGURATION}
    )


def work(settings: Settings, concurrency: int, queue: str) -> None:
    """Works until it is told to end; what is under way then is finished. This process's environment is that of runs."""
    load_what_runs_need()  # once, for all processes that are forked from here
    app = _app(settings)
    create_execute_job_task(app, base=RunTask)  # type: ignore[arg-type]  # any argument of a task
    forget_idle()  # a fork never speaks on a line of its parent
    options = ["--pool", "prefork", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    name = f"slomix-{os.getpid()}@{socket.gethostname()}"
    app.worker_main(["worker", "--concurrency", str(concurrency), "--queues", queue, "--hostname", name, *options])


def answers(settings: Settings) -> bool:
    """Whether a worker of this machine answers."""
    replies = _app(settings).control.ping(timeout=_ANSWERS_WITHIN)
    return any(name.endswith(f"@{socket.gethostname()}") for reply in replies for name in reply)
