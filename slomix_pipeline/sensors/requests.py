"""From wanted partitions to run requests: few as runs of their own, a backlog as one run per stretch of keys."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from slomix_pipeline.jobs import CAUSE_TAG, COMMAND_RUNS, IN_FLIGHT, PARTITIONS_OF, is_of_a_command
from slomix_pipeline.partitions import contiguous_ranges, range_tags
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.rework_causes import Cause, said

BACKLOG = 3  # more keys than this go into range runs: a run costs seconds, a round in a range a tenth of one

TRY_AGAIN_EVERY = timedelta(minutes=10)  # while something stays as it should not

LOST_AFTER = timedelta(hours=1)  # a run that nobody submitted by then: its tick died, and Dagster may not resume it


@dataclass(frozen=True)
class Wanted:
    """A partition to run. ``run_key`` holds what makes this request new: Dagster never runs the same one again.
    ``causes``: what makes it stale, when it was run before."""

    key: str
    run_key: str
    causes: tuple[Cause, ...] = ()


def turn(now: datetime) -> int:
    """A number that changes every ten minutes: as part of a run key it lets the same request be made again."""
    return int(now.timestamp() // TRY_AGAIN_EVERY.total_seconds())


def build_requests(wanted: Sequence[Wanted], order: Sequence[str], tags: dict[str, str]) -> list[dg.RunRequest]:
    """The runs for the wanted partitions. ``order``: all keys as Dagster has them, those being added at the end."""
    if len(wanted) <= BACKLOG:
        return [dg.RunRequest(run_key=w.run_key, partition_key=w.key, tags=tags | _cause_tag([w])) for w in wanted]
    of_key = {w.key: w for w in wanted}
    requests = []
    for first, last in contiguous_ranges(order, of_key):
        stretch = [of_key[key] for key in order[order.index(first) : order.index(last) + 1]]
        digest = hashlib.sha256("\n".join(w.run_key for w in stretch).encode()).hexdigest()
        own_tags = tags | range_tags(first, last) | _cause_tag(stretch)
        requests.append(dg.RunRequest(run_key=f"{first}..{last}:{digest[:16]}", tags=own_tags))
    return requests


def _cause_tag(wanted: Sequence[Wanted]) -> dict[str, str]:
    """What a run says of why its partitions are run again; nothing when they are new."""
    causes = {cause for w in wanted for cause in w.causes}
    return {CAUSE_TAG: said(causes)} if causes else {}


def keys_in_flight(instance: dg.DagsterInstance, database: Database, job: str) -> set[str]:
    """The partitions that queued or running runs of a job work on. Runs that a killed command left behind don't."""
    records = instance.get_run_records(dg.RunsFilter(job_name=job, statuses=IN_FLIGHT))
    runs = [r.dagster_run for r in records if not _is_lost(r.dagster_run, r.create_timestamp)]
    if any(map(is_of_a_command, runs)) and not database.is_held(COMMAND_RUNS):
        runs = [run for run in runs if not is_of_a_command(run)]
    keys = {key for run in runs if (key := run.tags.get("dagster/partition"))}
    ranges = [tuple(run.tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end")) for run in runs]
    order = list(instance.get_dynamic_partitions(str(PARTITIONS_OF[job].name))) if any(map(all, ranges)) else []
    for first, last in ranges:
        if first in order and last in order:
            keys.update(order[order.index(first) : order.index(last) + 1])
    return keys


def _is_lost(run: dg.DagsterRun, created_at: datetime) -> bool:
    return run.status is dg.DagsterRunStatus.NOT_STARTED and datetime.now(UTC) - created_at > LOST_AFTER
