"""``slomix report``: how the pipeline stands, once a day: what came, what is missing, what nobody looked at.

Belongs here: what belongs into the report, its words, its numbers by name, and that files add up.
Does not belong here: counting (``warehouse.pipeline_facts``, ``pipeline_gaps``, ``audit``), telling it
(``stages.pipeline_report``).
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.reports.export import utc_text
from slomix_pipeline.reports.wording import span
from slomix_pipeline.rules.alarms import LATELY, Symptom
from slomix_pipeline.rules.stages import LOOK_LATE
from slomix_pipeline.rules.things import REPORTS
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.backup_trouble import trouble_with_backups
from slomix_pipeline.warehouse import audit, dagster_records, fitted, namesakes, pipeline_facts, pipeline_gaps
from slomix_pipeline.warehouse.audit import MissingRound, Month, Scope
from slomix_pipeline.warehouse.check_results import Severity
from slomix_pipeline.warehouse.pipeline_facts import (
    BackupsSeen,
    ChecksFailed,
    DagsterSeen,
    FilesOf,
    FolderLook,
    Totals,
    Waiting,
)
from slomix_pipeline.warehouse.pipeline_gaps import Coverage, Left, New, Unaccounted
from slomix_pipeline.warehouse.rework import rules_in_force

SCHEMA = "slomix.report/1"
# What becomes of a file, as it is told. Nobody asked for the bytes of what is noted.
_TOLD_AS = {
    FileStatus.INGESTED: "ingested",
    FileStatus.KNOWN: "known",
    FileStatus.QUARANTINED: "quarantined",
    FileStatus.REQUESTED: "waiting",
    FileStatus.LISTED: "noted",
}

_BEGUN_AGAIN = " that may be a match or a map begun again"  # of the status ambiguous


@dataclass(frozen=True)
class PipelineReport:
    """How everything stood at ``made_at``. ``rebuilding``: a rebuild is under way, until whose end nobody can say what
    is unaccounted for; ``messages``, ``due``: without reports, of which this is one; ``new``: of the last days;
    ``suggested``: pairs of GUIDs that may be one person; ``dagster_since``: since when there are runs; ``disk_free``,
    ``disk_total``: bytes where the home is."""

    made_at: datetime
    files: Sequence[FilesOf]
    rebuilding: bool
    unaccounted: Sequence[Unaccounted]
    looks: Sequence[FolderLook]
    missing: Sequence[MissingRound]
    rounds: Month
    coverage: Sequence[Coverage]
    checks: Sequence[ChecksFailed]
    messages: Sequence[Waiting]
    due: Sequence[Waiting]
    new: New
    ambiguous: int
    requests: Left
    alarms: Left
    suggested: int
    insight: fitted.Learning
    dagster: DagsterSeen
    dagster_since: datetime | None
    dagster_bytes: int
    totals: Totals
    backups: BackupsSeen
    backup_troubles: Sequence[Symptom]
    disk_free: int
    disk_total: int

    @property
    def seen(self) -> int:
        """Files that were seen."""
        return sum(own.files for own in self.files)

    @property
    def lost(self) -> int:
        """Files of which what became of them does not hold: there should be none."""
        return sum(own.files for own in self.unaccounted)


def gather(conn: Connection[DictRow], settings: Settings, now: datetime) -> PipelineReport:
    """Everything as it stands. ``conn``: a snapshot, so that it belongs together."""
    rebuilding = pipeline_gaps.rebuilding(conn)
    scope = Scope(None, "", now, settings.pairing_window, rules_in_force(settings))
    disk = shutil.disk_usage(next(own for own in (settings.home, *settings.home.parents) if own.exists()))
    return PipelineReport(
        made_at=now,
        files=pipeline_facts.files(conn),
        rebuilding=rebuilding,
        unaccounted=[] if rebuilding else pipeline_gaps.unaccounted(conn),
        looks=pipeline_facts.folder_looks(conn, settings),
        missing=audit.missing(conn, scope),
        rounds=audit.months(conn, scope)[-1],
        coverage=[pipeline_gaps.coverage(conn, scope, days) for days in pipeline_gaps.SPANS],
        checks=pipeline_facts.failed_checks(conn),
        messages=[own for own in pipeline_facts.troubled_messages(conn) if own.kind not in REPORTS],
        due=[own for own in pipeline_facts.due_messages(conn, now) if own.kind not in REPORTS],
        new=pipeline_gaps.new(conn, now - LATELY),
        ambiguous=pipeline_gaps.ambiguous_rounds(conn),
        requests=pipeline_gaps.link_requests(conn),
        alarms=pipeline_gaps.open_alarms(conn),
        suggested=len(namesakes.suggested(conn)),
        insight=fitted.learning(conn),
        dagster=pipeline_facts.dagster_seen(conn, now),
        dagster_since=dagster_records.oldest_run(conn),
        dagster_bytes=dagster_records.sizes(conn).dagsters,
        totals=pipeline_facts.totals(conn),
        backups=pipeline_facts.backups_seen(settings.backups),
        backup_troubles=trouble_with_backups(conn, settings, now),
        disk_free=disk.free,
        disk_total=disk.total,
    )


@dataclass(frozen=True)
class Section:
    """A part of the report that has something to say."""

    title: str
    lines: tuple[str, ...]


def sections(report: PipelineReport) -> list[Section]:
    """The report in words, without the parts that have nothing to say."""
    made = [
        Section("To look at", tuple(_to_look_at(report))),
        Section("Files", tuple(_files(report))),
        Section("Folders", tuple(_folders(report))),
        Section("Rounds", tuple(_rounds(report))),
        Section("Machine", tuple(_machine(report))),
    ]
    return [section for section in made if section.lines]


def headline(report: PipelineReport) -> str:
    """The report in a few words."""
    if report.lost:
        return f"{_many(report.lost, 'file')} unaccounted for"
    kinds = sum(1 for _ in _to_look_at(report))
    return f"{_many(kinds, 'thing')} to look at" if kinds else "Nothing to look at"


def _files(report: PipelineReport) -> Iterator[str]:
    """Of each game server: what was seen is what became of it."""
    if report.rebuilding:
        yield "a rebuild is under way: what is not taken in again yet can't be told from what is lost"
    servers = sorted({own.server for own in report.files})
    for server in servers:
        own = Counter[FileStatus]()
        for row in report.files:
            own[row.status] += row.files if row.server == server else 0
        parts = " + ".join(f"{own[status]:,} {word}" for status, word in _TOLD_AS.items() if own[status])
        lost = sum(row.files for row in report.unaccounted if row.server == server)
        yield f"{server}: {sum(own.values()):,} seen = {parts}" + (f"; unaccounted: {lost:,}" if lost else "")


def _folders(report: PipelineReport) -> Iterator[str]:
    newest: dict[tuple[str, FileKind], datetime] = {}
    for row in report.files:
        if row.newest is not None:
            newest[row.server, row.kind] = max(row.newest, newest.get((row.server, row.kind), row.newest))
    for look in report.looks:
        if look.looked_at is None:
            yield f"{look.server}: {look.folder} was never listed"
        else:
            yield f"{look.server}: {look.folder} was listed {span(report.made_at - look.looked_at)} ago"
    for (server, kind), at in sorted(newest.items()):
        if kind is not FileKind.UNKNOWN:
            yield f"{server}: the newest {kind} file is {span(report.made_at - at)} old"


def _rounds(report: PipelineReport) -> Iterator[str]:
    if not report.totals.rounds:
        return
    sessions = _many(report.totals.sessions, "session")
    yield f"{_many(report.totals.rounds, 'round')}, {report.totals.valid_rounds:,} count; {sessions}"
    for covered in report.coverage:
        if covered.rounds:
            timing = _share(covered.with_timing, covered.rounds)
            endstats = _share(covered.with_endstats, covered.valid)
            yield f"last {covered.days} days: Lua timing of {timing} rounds, endstats of {endstats} that count"
    if failed := _failed_checks(report):
        yield f"{_many(failed, 'failed check')} in all"
    if report.ambiguous:
        yield _many(report.ambiguous, (f"round{_BEGUN_AGAIN}", f"rounds{_BEGUN_AGAIN}"))
    if report.missing:
        oldest, newest = report.missing[-1], report.missing[0]
        yield f"without their other round: {len(report.missing):,}; the oldest {oldest.round_key}, " + (
            f"the newest {newest.round_key} ({span(report.made_at - newest.stamp)} ago)"
        )


def _to_look_at(report: PipelineReport) -> Iterator[str]:
    """What nobody looked at, since when, and the command that shows it. What is old news stands with the totals."""
    for lost in report.unaccounted:
        names = ", ".join(lost.names)
        said = f"{_many(lost.files, f'{lost.kind} file')} {lost.status}, and nothing shows it: {names}"
        yield f"{lost.server}: {said} (slomix sync; if it stays, slomix rebuild --help)"
    for look in report.looks:
        if look.looked_at is None or report.made_at - look.looked_at > LOOK_LATE:
            listed = f"for {span(report.made_at - look.looked_at)}" if look.looked_at else "so far"
            yield f"{look.server}: {look.folder} was not listed {listed} (slomix doctor)"
    for symptom in report.backup_troubles:
        yield f"backup {symptom.subject}: {symptom.detail} (slomix backup --check)"
    if report.dagster.failed:
        runs = sum(report.dagster.runs.values())
        yield f"{report.dagster.failed:,} of the {_many(runs, 'run')} of the last day failed (Dagster's UI, Runs)"
    for count, things, when, where in _counted(report):
        if count:
            yield f"{_many(count, things)}{when} ({where})"


def _counted(report: PipelineReport) -> list[tuple[int, str | tuple[str, str], str, str]]:
    """What there may be several of: how many, what, since when, and where it is shown."""
    lately = f" in the last {LATELY.days} days"
    return [
        (
            report.new.quarantined,
            ("file that can't be read", "files that can't be read"),
            lately,
            "slomix files --status quarantined",
        ),
        (report.new.checks, "failed check", lately, "slomix audit"),
        (
            sum(row.messages for row in report.messages),
            ("message that may be missing or doubled", "messages that may be missing or doubled"),
            _since(_first(row.since for row in report.messages)),
            "slomix sessions",
        ),
        (report.new.ambiguous, (f"round{_BEGUN_AGAIN}", f"rounds{_BEGUN_AGAIN}"), lately, "slomix audit"),
        (report.requests.things, "link request", _since(report.requests.since), "slomix identity requests"),
        (report.alarms.things, "open alarm", _since(report.alarms.since), "the admin channel has it"),
        (
            report.rounds.not_worked_out,
            ("round that is not worked out yet", "rounds that are not worked out yet"),
            "",
            "slomix audit",
        ),
        (
            report.rounds.outdated,
            ("round worked out by rules or settings of before", "rounds worked out by rules or settings of before"),
            ", which slomix run does anew",
            "slomix audit",
        ),
        (
            report.suggested,
            ("pair of GUIDs that may be one person", "pairs of GUIDs that may be one person"),
            "",
            "slomix identity list",
        ),
    ]


def _since(moment: datetime | None) -> str:
    return f", the oldest since {moment:%Y-%m-%d}" if moment else ""


def _machine(report: PipelineReport) -> Iterator[str]:
    if report.backups.made_at is not None:
        compared = report.backups.compared_at
        good = f"the newest that was compared {span(report.made_at - compared)}" if compared else "none was compared"
        newest = f"the newest {span(report.made_at - report.backups.made_at)} old"
        yield f"{_many(report.backups.backups, 'backup')}, {newest}, {good}"
    insight = report.insight
    if insight.played_at and insight.fitted_of != insight.state:
        last = f"learned last {span(report.made_at - insight.fitted_at)} ago" if insight.fitted_at else "never learned"
        yield f"expectations, odds and strengths are not of all rounds yet: {last}"
    kept = f", runs since {report.dagster_since:%Y-%m-%d}" if report.dagster_since else ""
    records = f"{_megabytes(report.dagster_bytes)} of it{kept}" if report.dagster_bytes else "kept elsewhere"
    yield (
        f"database {_megabytes(report.totals.database_bytes)}, Dagster's records {records}; "
        f"{_megabytes(report.disk_free)} of the disk are free"
    )


def numbers(report: PipelineReport) -> dict[str, int | float]:
    """The numbers of the report by name, as Dagster plots them from day to day."""
    by_status = Counter[FileStatus]()
    for row in report.files:
        by_status[row.status] += row.files
    found: dict[str, int | float] = {
        "files_seen": report.seen,
        **{f"files_{word}": by_status[status] for status, word in _TOLD_AS.items()},
        "files_unaccounted": report.lost,
        "rounds": report.totals.rounds,
        "rounds_that_count": report.totals.valid_rounds,
        "sessions": report.totals.sessions,
        "rounds_without_their_other": len(report.missing),
        "rounds_not_worked_out": report.rounds.not_worked_out,
        "rounds_outdated": report.rounds.outdated,
        "rounds_ambiguous": report.ambiguous,
        "checks_failed": _failed_checks(report),
        "checks_warned": sum(row.failed for row in report.checks if row.severity is Severity.WARN),
        "messages_in_trouble": sum(row.messages for row in report.messages),
        "messages_due": sum(row.messages for row in report.due),
        "link_requests": report.requests.things,
        "open_alarms": report.alarms.things,
        "pairs_suggested": report.suggested,
        "backups": report.backups.backups,
        "database_megabytes": round(report.totals.database_bytes / 1e6, 1),
        "disk_free_megabytes": round(report.disk_free / 1e6, 1),
    }
    for covered in report.coverage:
        found |= {f"rounds_of_{covered.days}_days": covered.rounds}
        if covered.rounds:
            found |= {f"timing_percent_of_{covered.days}_days": _percent(covered.with_timing, covered.rounds)}
        if covered.valid:
            found |= {f"endstats_percent_of_{covered.days}_days": _percent(covered.with_endstats, covered.valid)}
    if report.backups.made_at is not None:
        found["hours_since_a_backup"] = round((report.made_at - report.backups.made_at).total_seconds() / 3600, 1)
    if report.dagster_bytes:  # else its records are kept elsewhere
        found["dagster_megabytes"] = round(report.dagster_bytes / 1e6, 1)
        found["runs_failed_of_the_last_day"] = report.dagster.failed
    if (oldest := _first(look.looked_at for look in report.looks)) is not None:
        found["minutes_since_a_folder_was_listed"] = round((report.made_at - oldest).total_seconds() / 60, 1)
    return found


def as_json(report: PipelineReport) -> Mapping[str, Any]:
    """The report for programs."""
    return {
        "schema": SCHEMA,
        "made_at": utc_text(report.made_at),
        "headline": headline(report),
        "numbers": numbers(report),
        "sections": [{"title": own.title, "lines": list(own.lines)} for own in sections(report)],
    }


def _failed_checks(report: PipelineReport) -> int:
    return sum(row.failed for row in report.checks if row.severity is Severity.ERROR)


def _many(count: int, what: str | tuple[str, str]) -> str:
    one, several = (what, f"{what}s") if isinstance(what, str) else what
    return f"{count:,} {one if count == 1 else several}"


def _share(some: int, of: int) -> str:
    return f"{some:,} of {of:,} ({_percent(some, of):.0f} %)" if of else "0 of 0"


def _percent(some: int, of: int) -> float:
    return round(100 * some / of, 1)


def _first(moments: Iterator[datetime | None] | Sequence[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size < 10e9 else f"{size / 1e9:,.0f} GB"
