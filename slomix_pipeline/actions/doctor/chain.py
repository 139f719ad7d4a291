"""What the doctor says of what runs, and of what is stored: Dagster's processes, folders, files, messages, records.

Does not belong here: the numbers (``warehouse.pipeline_facts``), from when on something is late (``rules.stages``).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.actions.doctor.database import Down, running
from slomix_pipeline.reports.findings import Finding, failed, ok, unknown, warning
from slomix_pipeline.reports.wording import span
from slomix_pipeline.rules.alarms import SETTLES
from slomix_pipeline.rules.stages import FILE_LATE, LOOK_LATE, LOOK_LOST, WATCH_LOST
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.runtime.home import supervisor_of
from slomix_pipeline.runtime.parts import code_server_answers
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import dagster_records, pipeline_facts, timing_records
from slomix_pipeline.warehouse.database import Database, DatabaseUnavailable

LATE_FIX = "look at logs in the home, and start slomix run anew"
_START = "start slomix run"


def processes(settings: Settings) -> Iterator[Finding]:
    """Whether ``slomix run`` works in the home, and what loads our code answers."""
    supervisor = supervisor_of(settings.home)
    if supervisor is None:
        yield ok("slomix run", "does not work in this home just now")
        return
    yield ok("slomix run", f"works in this home (process {supervisor})")
    workspace = settings.dagster_home / "workspace.yaml"
    try:
        port = int(re.search(r"port: (\d+)", workspace.read_text())[1])  # type: ignore[index]  # no match: below
    except (OSError, TypeError):
        yield warning("code server", "not started so far", "wait some seconds; if this stays, look at logs in the home")
        return
    if code_server_answers(port):
        yield ok("code server", f"answers on port {port}")
    else:
        yield failed("code server", f"does not answer on port {port}", LATE_FIX)


def look(settings: Settings) -> Iterator[Finding]:
    """How far what is stored is behind. What is late is only told where somebody should be at work."""
    try:
        with running(settings).connect() as conn:
            row = conn.execute("select to_regnamespace('site') is not null as there").fetchone()
            if row is not None and row["there"]:
                yield from _stored(conn, settings, supervisor_of(settings.home) is not None)
    except (Down, DatabaseUnavailable, psycopg.errors.SyntaxErrorOrAccessRuleViolation):
        return  # which is told where the database is looked at; what reads it is made by the next start


def _stored(conn: Connection[DictRow], settings: Settings, at_work: bool) -> Iterator[Finding]:
    now = datetime.now(UTC)
    beats = _heartbeats(conn, settings)
    if at_work or beats or settings.dagster_postgres_url is not None:
        yield _daemons(beats, now, at_work)
    # Parts that run by themselves are at work without slomix run.
    if at_work or any(now - at <= WATCH_LOST for at in (beats or {}).values()):
        yield from _folders(conn, settings, now)
    yield _files(conn, now)
    yield _messages(conn, now)
    seen = pipeline_facts.dagster_seen(conn, now)
    if seen.failed:
        text = f"{seen.failed} of the {sum(seen.runs.values())} runs of the last day failed"
        yield warning("runs", text, "Dagster's UI, Runs, shows why; rounds are tried again by themselves")
    for own in settings.game_servers:
        if (newest := timing_records.newest_end(conn, own.server)) is not None:
            of = f" of {own.server}" if settings.servers else ""
            yield ok(f"timing records{of}", f"the newest is of a round that ended {newest:%Y-%m-%d %H:%M} UTC")


def _heartbeats(conn: Connection[DictRow], settings: Settings) -> dict[str, datetime] | None:
    """The last sign of life of each of Dagster's daemons; None: its records are elsewhere, and can't be read."""
    if (found := dagster_records.heartbeats(conn)) or settings.dagster_postgres_url is None:
        return found
    try:
        with Database(settings.dagster_postgres_url.get_secret_value()).connect() as elsewhere:
            return dagster_records.heartbeats(elsewhere) or None
    except (DatabaseUnavailable, psycopg.Error):
        return None


def _daemons(beats: dict[str, datetime] | None, now: datetime, at_work: bool) -> Finding:
    if beats is None:
        return unknown("Dagster's daemons", "nothing of them is found where SLOMIX_DAGSTER_POSTGRES_URL says")
    if not beats:
        return warning("Dagster's daemons", "no sign of life so far", LATE_FIX)
    silent = {name.lower(): now - at for name, at in sorted(beats.items()) if now - at > WATCH_LOST}
    if silent:
        told = ", ".join(f"{name} for {span(since)}" for name, since in silent.items())
        text = f"without a sign of life: {told}"
        # Without slomix run nobody may want them, as before its first start.
        by_themselves = "start slomix run, or slomix serve daemon where it runs by itself"
        return (
            failed("Dagster's daemons", text, LATE_FIX)
            if at_work
            else warning("Dagster's daemons", text, by_themselves)
        )
    return ok("Dagster's daemons", f"all {len(beats)} give signs of life")


def _folders(conn: Connection[DictRow], settings: Settings, now: datetime) -> Iterator[Finding]:
    for seen in pipeline_facts.folder_looks(conn, settings):
        what = f"freshness of {seen.folder} of {seen.server}"
        fix = "see the sensors in Dagster's UI (Automation), and the game server above"
        if seen.looked_at is None:
            yield warning(what, "it was never listed so far", fix)
            continue
        age = now - seen.looked_at
        found, text = failed if age > LOOK_LOST else warning, f"it was listed {span(age)} ago"
        yield found(what, text, fix) if age > LOOK_LATE else ok(what, text)


def _files(conn: Connection[DictRow], now: datetime) -> Finding:
    counted = pipeline_facts.files(conn)
    waiting = [own for own in counted if own.status is FileStatus.REQUESTED]
    bad = sum(own.files for own in counted if own.status is FileStatus.QUARANTINED)
    text = f"{sum(own.files for own in counted):,} were seen, {bad:,} can't be read"
    since = min((own.requested_since for own in waiting if own.requested_since), default=None)
    if since is not None and now - since > FILE_LATE:
        text += f", {sum(own.files for own in waiting):,} wait, the oldest for {span(now - since)}"
        return warning("files", text, f"{_START}, or look at its runs in Dagster's UI")
    return ok("files", text)


def _messages(conn: Connection[DictRow], now: datetime) -> Finding:
    troubled = pipeline_facts.troubled_messages(conn)
    late = [own for own in troubled if now - own.since > SETTLES]
    if late:
        text = (
            f"{sum(own.messages for own in late):,} to look at, the oldest for {span(now - min(o.since for o in late))}"
        )
        return warning("messages", text, "slomix sessions lists them; slomix post --retry or --told settles each")
    waiting = sum(own.messages for own in pipeline_facts.due_messages(conn, now))
    return ok("messages", f"{waiting:,} wait to be delivered" if waiting else "nothing waits to be delivered")
