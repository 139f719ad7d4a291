"""From wanted partitions to run requests: few as runs of their own, a backlog as one run per stretch of keys."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from slomix_pipeline.partitions import contiguous_ranges, range_tags

BACKLOG = 3  # more keys than this go into range runs: a run costs seconds, a round in a range a tenth of one

TRY_AGAIN_EVERY = timedelta(minutes=10)  # while something stays as it should not

IN_FLIGHT = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True)
class Wanted:
    """A partition to run. ``run_key`` holds what makes this request new: Dagster never runs the same one again."""

    key: str
    run_key: str


def turn(now: datetime) -> int:
    """A number that changes every ten minutes: as part of a run key it lets the same request be made again."""
    return int(now.timestamp() // TRY_AGAIN_EVERY.total_seconds())


def build_requests(wanted: Sequence[Wanted], order: Sequence[str], tags: dict[str, str]) -> list[dg.RunRequest]:
    """The runs for the wanted partitions. ``order``: all keys as Dagster has them, those being added at the end."""
    if len(wanted) <= BACKLOG:
        return [dg.RunRequest(run_key=w.run_key, partition_key=w.key, tags=tags) for w in wanted]
    run_keys = {w.key: w.run_key for w in wanted}
    requests = []
    for first, last in contiguous_ranges(order, run_keys):
        stretch = order[order.index(first) : order.index(last) + 1]
        digest = hashlib.sha256("\n".join(run_keys[key] for key in stretch).encode()).hexdigest()
        requests.append(dg.RunRequest(run_key=f"{first}..{last}:{digest[:16]}", tags=tags | range_tags(first, last)))
    return requests


def keys_in_flight(instance: dg.DagsterInstance, job: str, order: Sequence[str]) -> set[str]:
    """The partitions that queued or running runs of a job work on."""
    keys: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(job_name=job, statuses=IN_FLIGHT)):
        if key := run.tags.get("dagster/partition"):
            keys.add(key)
        first = run.tags.get("dagster/asset_partition_range_start")
        last = run.tags.get("dagster/asset_partition_range_end")
        if first in order and last in order:
            keys.update(order[order.index(first) : order.index(last) + 1])
    return keys
