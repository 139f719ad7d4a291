"""Dagster's processes one by one, for machines, containers and service managers that run each by itself: ``slomix
serve``, ``slomix worker``. ``slomix run`` has all of them under one supervisor instead (``supervisor``).

Belongs here: what each needs before it starts, when it ends, whether it works.
Does not belong here: what they do.
"""

import os
import urllib.request
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlsplit

import psycopg

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.launching import Launcher
from slomix_pipeline.rules.stages import WATCH_LOST
from slomix_pipeline.runtime.home import dagster_environment, open_database
from slomix_pipeline.runtime.lifeline import ending_with
from slomix_pipeline.settings import Settings, environment_without_settings
from slomix_pipeline.warehouse.connections import forget_idle
from slomix_pipeline.warehouse.dagster_records import heartbeats
from slomix_pipeline.warehouse.database import Database

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

            with database.connect() as conn, ending_with(conn):
                serve_code(host, port)
        case Part.UI:
            from slomix_pipeline.runtime.web_server import run_web_server

            with database.connect() as conn, ending_with(conn):
                run_web_server(workspace, host, port, settings.ui_hosts)
        case Part.DAEMON:
            from slomix_pipeline.runtime.daemon import run_daemon
            from slomix_pipeline.runtime.fork_server import load_what_runs_need

            if settings.launcher is Launcher.FORK:
                load_what_runs_need()
            run_daemon(workspace)


def prepare(settings: Settings) -> None:
    """Makes and migrates what every part works on: our tables, and the schema of Dagster's records.

    Raises:
        DatabaseUnavailable, MigrationError, OwnershipError, ExtraMissing: with what to do about it.
    """
    dagster_environment(settings, open_database(settings))


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
    """Whether a part works: code and UI on this machine, the daemon by what it wrote into the database. It changes
    nothing, and takes little: service managers ask all the time."""
    match part:
        case Part.CODE:
            return code_server_answers(port)
        case Part.UI:
            return answers(f"http://127.0.0.1:{port}/server_info")
        case Part.DAEMON:
            try:
                with Database(_given_url(settings)).connect() as conn:
                    beats = heartbeats(conn)
            except psycopg.ProgrammingError:  # there are no tables so far
                return False
            now = datetime.now(UTC)
            return bool(beats) and all(now - at <= WATCH_LOST for at in beats.values())


def worker_works(settings: Settings) -> bool:
    """Whether a worker on this machine works."""
    _refuse_without_celery(settings)
    from slomix_pipeline.runtime import celery_worker

    return celery_worker.answers(settings)


def code_server_answers(port: int) -> bool:
    """Whether what loads our code is there, on this machine. Asked as Dagster's own processes ask it, whose client
    takes seconds to load."""
    import grpc  # type: ignore[import-untyped]  # comes without types
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]  # likewise

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service="DagsterApi"), timeout=_ANSWERS_WITHIN
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


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
    where = urlsplit(f"//{settings.code_server}")
    path = settings.dagster_home / "workspace.yaml"
    path.write_text(
        f"load_from:\n  - grpc_server: {{host: {where.hostname}, port: {where.port}, location_name: slomix_pipeline}}\n"
    )
    return str(path)
