"""``slomix import``: a folder of files, of whatever age, through the same assets as live rounds.

Belongs here: finding files, storing their bytes, running the partitions in bulk, the summary.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from slomix_pipeline import partitions
from slomix_pipeline.assets.raw_stats_file import MAX_BYTES
from slomix_pipeline.commands.home import one_shot_instance, open_database
from slomix_pipeline.definitions import build_defs
from slomix_pipeline.discord.channels import channels_in_use
from slomix_pipeline.formats.filenames import FileKind, FileName, parse_file_name
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.gameserver.local import found_below, read_file
from slomix_pipeline.gameserver.source import GameServerError
from slomix_pipeline.jobs import ASKED, PARTITIONS_OF, PUBLISH_TAG
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import endstats, files, results, timing_records
from slomix_pipeline.warehouse.database import Database

_JOB_OF = {FileKind.TIMING: "ingest_timings", FileKind.STATS: "ingest_rounds"}  # records first: rounds look for them

# Of runs in a command's own process: the log is in the Dagster UI, the terminal shows progress.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how far it is and out of how much."""


@dataclass
class Summary:
    """What an import came to. ``waiting``: endstats files whose round is not here; ``quarantined``, ``skipped``: name
    and reason; ``left_aside``: names of other files."""

    found: int = 0
    ingested: int = 0
    known: int = 0
    waiting: int = 0
    linked: int = 0
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    left_aside: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)


def import_into_home(
    settings: Settings, directory: Path, timezone: str | None, publish: bool, progress: Progress
) -> Summary:
    """Imports a folder into the home of ``settings``; with ``publish`` its results are announced, on the stand-in
    when no webhook is set."""
    with ExitStack() as stack:
        database = open_database(settings)
        channels = stack.enter_context(channels_in_use(settings))
        instance = stack.enter_context(one_shot_instance(settings, database))
        return import_folder(
            directory, database, instance, server=settings.server, timezone=timezone,
            tags={PUBLISH_TAG: ASKED} if publish else {}, progress=progress,
            gameserver=NoGameServer(), discord=channels,
        )  # fmt: skip


def import_folder(
    directory: Path,
    database: Database,
    instance: dg.DagsterInstance,
    *,
    server: str,
    timezone: str | None,
    tags: Mapping[str, str],
    progress: Progress,
    **resources: object,
) -> Summary:
    """Ingests every game file below a folder. ``timezone``: of the stamps, when it is not the setting's."""
    summary = Summary()
    resources["database"] = database
    new = _store(directory, database, server, timezone, summary, progress)
    for kind, job in _JOB_OF.items():
        names = sorted((name for name in new if name.kind is kind), key=lambda n: (n.stamp or n.ended_at, n.name))
        keys = [key for name in names if (key := files.partition_key(server, name))]
        run_partitions(instance, job, keys, tags=tags, progress=progress, **resources)
    late = {kind: [key for n in new if n.kind is kind and (key := files.partition_key(server, n))] for kind in FileKind}
    with database.connect() as conn:  # rounds known before this import: their awards and records come with it
        waiting = {
            *endstats.rounds_waited_for(conn, late[FileKind.ENDSTATS]),
            *timing_records.rounds_waited_for(conn, late[FileKind.TIMING]),
        }
    run_partitions(instance, "ingest_rounds", sorted(waiting), tags=tags, progress=progress, **resources)
    _conclude(database, server, new, waiting, summary)
    if PUBLISH_TAG in tags:
        run_partitions(instance, "report_sessions", summary.sessions, tags=tags, progress=progress, **resources)
    return summary


def _store(
    directory: Path, database: Database, server: str, timezone: str | None, summary: Summary, progress: Progress
) -> list[FileName]:
    """Stores the bytes of all files that are new or changed. Returns those to be run."""
    paths = found_below(directory)
    new: dict[str, FileName] = {}
    with database.transaction() as conn:
        ledger = files.ledger(conn, server)
        taken: dict[str, str] = {}
        for number, path in enumerate(paths, start=1):
            progress("reading files", number, len(paths))
            name = parse_file_name(path.name)
            if name.kind in (FileKind.UNKNOWN, FileKind.WEAPON_STATS):
                summary.left_aside.append(path.name)
                continue
            summary.found += 1
            try:
                data = read_file(path, MAX_BYTES)
            except GameServerError as error:
                summary.skipped.append((path.name, str(error)))
                continue
            digest = files.sha256_of(data)
            if taken.setdefault(path.name, digest) != digest:
                reason = f"another file of this name has other bytes; the one in {path.parent} is left out"
                summary.skipped.append((path.name, reason))
                continue
            row = ledger.get(path.name)
            other_zone = timezone is not None and row is not None and row.timezone != timezone
            done = row is not None and (row.status in ("ingested", "known") or name.kind is FileKind.ENDSTATS)
            if row and done and row.sha256 == digest and not other_zone:
                summary.known += path.name not in new
            elif path.name not in new:
                files.note_imported(conn, server, [(name, data)], timezone)
                new[path.name] = name
                if name.kind is FileKind.ENDSTATS:
                    files.note_waiting(conn, server, name.name)
    return list(new.values())


def run_partitions(
    instance: dg.DagsterInstance,
    job: str,
    keys: list[str],
    *,
    tags: Mapping[str, str],
    progress: Progress,
    **resources: object,
) -> None:
    """Runs a job over partitions in this process, as few range runs as their order allows; adds missing keys.

    Raises:
        dagster.DagsterError or whatever a stage raised: a run failed.
    """
    name = str(PARTITIONS_OF[job].name)
    known = set(instance.get_dynamic_partitions(name))
    instance.add_dynamic_partitions(name, [key for key in keys if key not in known])
    order = instance.get_dynamic_partitions(name)
    definition = build_defs(**resources).resolve_job_def(job)
    done = 0
    for first, last in partitions.contiguous_ranges(order, keys):
        progress(f"running {job}", done, len(keys))
        tags_of_run = {**tags, **partitions.range_tags(first, last)}
        definition.execute_in_process(instance=instance, tags=tags_of_run, run_config=QUIET)
        done += order.index(last) - order.index(first) + 1
    progress(f"running {job}", len(keys), len(keys))


def _conclude(
    database: Database, server: str, new: Iterable[FileName], waiting: Iterable[str], summary: Summary
) -> None:
    names = [name.name for name in new]
    keys = [key for name in new if (key := files.partition_key(server, name))]
    with database.connect() as conn:
        rows = conn.execute(
            "select name, kind, status, reason from file where server = %s and name = any(%s) order by name",
            [server, names],
        ).fetchall()
        summary.ingested += sum(row["status"] == "ingested" for row in rows)
        summary.known += sum(row["status"] == "known" for row in rows)
        summary.waiting += sum(row["kind"] == FileKind.ENDSTATS and row["status"] == "listed" for row in rows)
        summary.quarantined += [(row["name"], row["reason"]) for row in rows if row["status"] == "quarantined"]
        linked = conn.execute(
            "select count(*) as n from round_timing where record_key is not null and round_key = any(%s)",
            [[*keys, *waiting]],
        ).fetchone()
        summary.linked = linked["n"] if linked else 0
        summary.sessions = results.sessions_of(conn, keys)
