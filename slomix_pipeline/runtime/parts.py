"""Dagster's processes one by one, for machines, containers and service managers that run each by itself: ``slomix
serve``, ``slomix worker``. ``slomix run`` has all of them under one supervisor instead (``supervisor``).

Belongs here: what each needs before it starts, when it ends, whether it works.
Does not belong here: what they do.
"""

import os
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from enum import StrEnum

import psycopg

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.launching import Launcher
from slomix_pipeline.runtime.home import dagster_environment, dagster_instance, open_database
from slomix_pipeline.settings import Settings, environment_without_settings
from slomix_pipeline.warehouse.connections import forget_idle
from slomix_pipeline.warehouse.database import Database, DatabaseUnavailable

_LOOK_EVERY = 2.0  # seconds
_ANSWERS_WITHIN = 5.0  # seconds


class Part(StrEnum):
    """What can be served by itself."""

    CODE = "code"
    DAEMON = "daemon"
    UI = "ui"


class PartNotPossible(SlomixError):
    """The settings don't allow a part to run by itself."""


def serve(settings: Settings, part: Part, host: str, port: int) -> None:
    """Runs one part in this process until it is told to end, or the database breaks off: Dagster's processes neither
    end by themselves then nor do all of them work on when it is back, so whoever started this starts it again.

    ``host``, ``port``: where code and UI listen.

    Raises:
        PartNotPossible, DatabaseUnavailable, MigrationError, ExtraMissing: with what to do about it.
    """
    database = _become_part(settings)
    workspace = _workspace(settings)
    match part:
        case Part.CODE:
            from slomix_pipeline.runtime.dagster_processes import serve_code

            _end_with(database)
            serve_code(host, port)
        case Part.UI:
            from slomix_pipeline.runtime.web_server import run_web_server

            _end_with(database)
            run_web_server(workspace, host, port, settings.ui_hosts)
        case Part.DAEMON:
            from slomix_pipeline.runtime.daemon import run_daemon
            from slomix_pipeline.runtime.fork_server import load_what_runs_need

            if settings.launcher is Launcher.FORK:
                load_what_runs_need()
            run_daemon(workspace, lambda: _end_with(database))


def work(settings: Settings, concurrency: int, queue: str) -> None:
    """Runs a worker of Celery's in this process until it is told to end.

    Raises:
        PartNotPossible, DatabaseUnavailable, MigrationError, ExtraMissing: with what to do about it.
    """
    _refuse_without_celery(settings)
    _become_part(settings)
    from slomix_pipeline.runtime import celery_worker

    celery_worker.work(settings, concurrency, queue)


def part_works(settings: Settings, part: Part, port: int) -> bool:
    """Whether a part works: code and UI on this machine, the daemon by what it wrote into the database."""
    match part:
        case Part.CODE:
            from dagster._grpc.client import DagsterGrpcClient

            said = DagsterGrpcClient(port=port, host="localhost").health_check_query()  # type: ignore[no-untyped-call]
            return bool(said == "SERVING")
        case Part.UI:
            return answers(f"http://127.0.0.1:{port}/server_info")
        case Part.DAEMON:
            from dagster._daemon.controller import all_daemons_live

            with dagster_instance(settings, Database(_given_url(settings))) as instance:
                return all_daemons_live(instance)


def worker_works(settings: Settings) -> bool:
    """Whether a worker on this machine works."""
    _refuse_without_celery(settings)
    from slomix_pipeline.runtime import celery_worker

    return celery_worker.answers(settings)


def answers(url: str) -> bool:
    """Whether a page is there."""
    try:
        with urllib.request.urlopen(url, timeout=_ANSWERS_WITHIN) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _given_url(settings: Settings) -> str:
    if settings.postgres_url is None:
        raise PartNotPossible(
            "parts that run by themselves need a PostgreSQL that all of them reach: set SLOMIX_POSTGRES_URL, or use "
            "slomix run, which has everything on this machine"
        )
    return settings.postgres_url.get_secret_value()


def _refuse_without_celery(settings: Settings) -> None:
    if settings.launcher is not Launcher.CELERY:
        raise PartNotPossible("a worker gets runs from Celery: set SLOMIX_LAUNCHER=celery, here and for the daemon")


def _become_part(settings: Settings) -> Database:
    """Has the settings, and nothing else of ours, in this process's environment, and the database ready."""
    _given_url(settings)
    database = open_database(settings)
    environment = environment_without_settings() | dagster_environment(settings, database)
    os.environ.clear()
    os.environ.update(environment)
    forget_idle()  # a fork never speaks on a line of its parent
    return database


def _workspace(settings: Settings) -> str:
    host, port = settings.code_server.split(":")
    path = settings.dagster_home / "workspace.yaml"
    path.write_text(f"load_from:\n  - grpc_server: {{host: {host}, port: {port}, location_name: slomix_pipeline}}\n")
    return str(path)


def _end_with(database: Database) -> None:
    """Starts what ends this process when the database breaks off; at once, as without it none ends in order."""

    def watch() -> None:
        with suppress(psycopg.OperationalError, DatabaseUnavailable), database.connect() as conn:
            conn.autocommit = True
            while True:
                conn.execute("select 1")
                time.sleep(_LOOK_EVERY)
        print("slomix: PostgreSQL broke off; ending, to be started again", file=sys.stderr, flush=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
