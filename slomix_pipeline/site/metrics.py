"""The metrics of the chain, as Prometheus reads them from the process of the pages: ``/internal/metrics``.

Belongs here: their names, what each means, who is answered, and how long an answer is kept. Does not belong here:
reading them (``warehouse.pipeline_facts``).

Off unless SLOMIX_SITE_METRICS is set. Programs on this machine are answered, which ask for a name of this machine and
our port. A proxy here is refused where it can be told: by a header that says for whom it asks, by the site's own name,
by HTTP/1.0. One that does none of these looks like a program, so it has to keep ``/internal/`` to itself, as
deploy/nginx-site.conf does. No metric holds a name or a GUID of a player, or a name of a file.
"""

import ipaddress
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from psycopg import Connection
from psycopg.rows import DictRow
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import pipeline_facts
from slomix_pipeline.warehouse.check_results import LAYERS
from slomix_pipeline.warehouse.pipeline_facts import (
    BackupsSeen,
    ChecksFailed,
    DagsterSeen,
    FilesOf,
    FolderLook,
    Totals,
    Waiting,
)
from slomix_pipeline.warehouse.site_store import SiteStore, StoreUnavailable

PATH = "/internal/metrics"
KEPT_SECONDS = 5.0  # of an answer: whoever asks more often learns nothing new
_OF_PROXIES = ("forwarded", "x-forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cf-", "via")  # so they begin
_OF_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Seen:
    """What is read of one moment."""

    files: list[FilesOf]
    looks: list[FolderLook]
    due: list[Waiting]
    troubled: list[Waiting]
    refused: list[Waiting]
    checks: list[ChecksFailed]
    dagster: DagsterSeen
    totals: Totals


def _seen(conn: Connection[DictRow], settings: Settings) -> Seen:
    now = datetime.now(UTC)
    return Seen(
        pipeline_facts.files(conn),
        pipeline_facts.folder_looks(conn, settings),
        pipeline_facts.due_messages(conn, now),
        pipeline_facts.troubled_messages(conn),
        pipeline_facts.refused_messages(conn),
        pipeline_facts.failed_checks(conn),
        pipeline_facts.dagster_seen(conn, now),
        pipeline_facts.totals(conn),
    )


@dataclass
class Requests:
    """What the pages were asked since their process began, by the first digit of the answer's status."""

    answered: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


class _Counting:
    """Counts what an application is asked, and how long it takes until an answer begins."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app, self._requests = app, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == PATH:
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.answered[f"{message['status'] // 100}xx"] += 1
                self._requests.seconds += time.monotonic() - began
            await send(message)

        await self._app(scope, receive, counted)


def add_metrics(app: FastAPI, settings: Settings, store: SiteStore) -> None:
    """Answers at ``PATH``, and counts what else is asked."""
    requests = Requests()
    app.add_route(PATH, _answering(settings, store, requests))
    app.add_middleware(_Counting, requests=requests)


def _answering(settings: Settings, store: SiteStore, requests: Requests) -> Callable[[Request], Response]:
    lock = threading.Lock()
    kept: tuple[float, bytes] | None = None

    def answer(request: Request) -> Response:
        nonlocal kept
        if not _is_of_this_machine(request):
            raise HTTPException(404)
        with lock:  # who asks at once waits for the same answer
            if kept is None or time.monotonic() - kept[0] > KEPT_SECONDS:
                kept = time.monotonic(), _text(store, settings, requests)
            return Response(kept[1], headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return answer


def _is_of_this_machine(request: Request) -> bool:
    """Whether a program here asks, and no proxy for somebody else, as far as that can be told."""
    if request.client is None or any(name.startswith(_OF_PROXIES) for name in request.headers):
        return False
    if request.scope["http_version"] == "1.0":  # as proxies ask; Prometheus does not
        return False
    try:
        asked = urlsplit(f"//{request.headers.get('host', '')}")
        ours = asked.hostname in _OF_THIS_MACHINE and (asked.port or 80) == request.scope["server"][1]
        return ours and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _text(store: SiteStore, settings: Settings, requests: Requests) -> bytes:
    seen = None
    try:
        with store.moment() as moment:
            seen = _seen(moment.conn, settings)
    except StoreUnavailable:
        pass  # which slomix_database_up says
    registry = CollectorRegistry()
    of_chain = _of_chain(seen) if seen else ()
    # Pages that run apart from the rest see no backups, wherever they are.
    readable = os.access(settings.backups, os.R_OK | os.X_OK)
    of_backups = _of_backups(pipeline_facts.backups_seen(settings.backups)) if readable else ()
    registry.register(_Families([*_of_site(requests, seen), *of_backups, *of_chain]))
    return generate_latest(registry)


class _Families(Collector):
    """Families that are made already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._families


def _of_site(requests: Requests, seen: Seen | None) -> Iterator[Metric]:
    yield GaugeMetricFamily("slomix_database_up", "Whether the database answers (1) or not (0).", bool(seen))
    answered = CounterMetricFamily(
        "slomix_site_requests", "Answers of the public pages since their process began.", labels=["status"]
    )
    for status, count in sorted(requests.answered.items()):
        answered.add_metric([status], count)
    yield answered
    yield CounterMetricFamily(
        "slomix_site_request_seconds", "Seconds until these answers began, all together.", requests.seconds
    )


def _of_backups(seen: BackupsSeen) -> Iterator[Metric]:
    yield GaugeMetricFamily("slomix_backups", "Backups that are there.", seen.backups)
    if seen.made_at is not None:
        yield _moment("slomix_newest_backup", "When the newest backup was made.", seen.made_at)
    if seen.compared_at is not None:
        text = "When the newest backup was made that was restored and found to be the same."
        yield _moment("slomix_newest_compared_backup", text, seen.compared_at)


def _of_chain(seen: Seen) -> Iterator[Metric]:
    yield from _of_files(seen)
    yield from _of_messages(seen)
    checks = GaugeMetricFamily(
        "slomix_checks_failed",
        "Rounds, records and sessions for which a check did not pass, by its validation layer.",
        labels=["layer", "check", "severity"],
    )
    for row in seen.checks:
        checks.add_metric([LAYERS[row.check_name], row.check_name, row.severity.lower()], row.failed)
    yield checks
    if seen.dagster.watched_at is not None:
        runs = GaugeMetricFamily(
            "slomix_dagster_runs", "Dagster's runs that changed within the last day, by status.", labels=["status"]
        )
        for status, count in (seen.dagster.runs | {"FAILURE": seen.dagster.failed}).items():
            runs.add_metric([status.lower()], count)
        yield runs
        yield _moment(
            "slomix_dagster_daemon_seen", "When Dagster's daemon last gave a sign of life.", seen.dagster.watched_at
        )
    yield from _of_totals(seen.totals)


def _of_files(seen: Seen) -> Iterator[Metric]:
    files = GaugeMetricFamily(
        "slomix_files", "Files that were seen, by what became of them.", labels=["server", "kind", "status"]
    )
    newest: dict[tuple[str, str], datetime] = {}
    for row in seen.files:
        files.add_metric([row.server, row.kind, row.status], row.files)
        if row.newest is not None:
            newest[row.server, row.kind] = max(row.newest, newest.get((row.server, row.kind), row.newest))
    yield files
    written = GaugeMetricFamily(
        "slomix_newest_file_timestamp_seconds",
        "When the newest file was written, by the game server's clock.",
        labels=["server", "kind"],
    )
    for (server, kind), at in newest.items():
        written.add_metric([server, kind], at.timestamp())
    yield written
    looked = GaugeMetricFamily(
        "slomix_folder_listed_timestamp_seconds",
        "When a folder of a game server was last listed with success.",
        labels=["server", "folder"],
    )
    for look in seen.looks:
        if look.looked_at is not None:
            for what in look.holds:
                looked.add_metric([look.server, what], look.looked_at.timestamp())
    yield looked
    requested = (row.requested_since for row in seen.files if row.status is FileStatus.REQUESTED)
    if waiting := [since for since in requested if since is not None]:
        yield _moment("slomix_oldest_waiting_file", "Since when the oldest file waits for its outcome.", min(waiting))


def _of_messages(seen: Seen) -> Iterator[Metric]:
    for name, text, rows in (
        ("slomix_messages_due", "Messages that are due and did not arrive so far.", seen.due),
        ("slomix_messages_in_trouble", "Messages that somebody has to look at.", seen.troubled),
        ("slomix_messages_refused", "Messages that their webhook refused, whatever they say.", seen.refused),
    ):
        found = GaugeMetricFamily(name, text, labels=["kind"])
        for row in rows:
            found.add_metric([row.kind], row.messages)
        yield found
    if seen.due:
        since = min(row.since for row in seen.due)
        yield _moment("slomix_oldest_message_due", "Since when the oldest message that is due waits.", since)


def _of_totals(totals: Totals) -> Iterator[Metric]:
    for name, text, value in (
        ("slomix_rounds", "Rounds that are stored.", totals.rounds),
        ("slomix_rounds_valid", "Rounds that count.", totals.valid_rounds),
        ("slomix_sessions", "Sessions that are stored.", totals.sessions),
        ("slomix_data_version", "How new the data is that pages show: raised by every change.", totals.data_version),
        ("slomix_schema_version", "The number of the newest migration.", totals.schema),
        ("slomix_database_bytes", "Size of the database, Dagster's records with it.", totals.database_bytes),
    ):
        yield GaugeMetricFamily(name, text, value)
    yield _moment("slomix_data_changed", "When the data that pages show changed last.", totals.changed_at)
    if totals.last_round_at is not None:
        yield _moment("slomix_last_round", "When the newest round that is stored ended.", totals.last_round_at)


def _moment(name: str, text: str, at: datetime) -> Metric:
    return GaugeMetricFamily(f"{name}_timestamp_seconds", text, at.timestamp())
