"""From wanted partitions to run requests: few as runs of their own, a backlog as runs over stretches of keys.

Does not belong here: what is wanted and why (the sensors beside).
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from slomix_pipeline.jobs import CAUSE_TAG, IN_FLIGHT, PARTITIONS_OF
from slomix_pipeline.partitions import MOST_PARTITIONS, contiguous_ranges, range_tags
from slomix_pipeline.warehouse.rework_causes import Cause, said

BACKLOG = 3  # more keys than this go into range runs: a run costs seconds, a round in a range a tenth of one

TRY_AGAIN_EVERY = timedelta(minutes=10)  # while something stays as it should not


@dataclass(frozen=True)
class Wanted:
    """A partition to run. ``run_key`` holds what makes this request new: Dagster does not run the same one again
    for as long as it keeps the run (``warehouse.dagster_records``).
    ``causes``: what makes it stale, when it was run before."""

    key: str
    run_key: str
    causes: tuple[Cause, ...] = ()


def turn(now: datetime) -> int:
    """A number that changes every ten minutes: as part of a run key it lets the same request be made again."""
    return int(now.timestamp() // TRY_AGAIN_EVERY.total_seconds())


def requests_for(
    instance: dg.DagsterInstance,
    definition: dg.DynamicPartitionsDefinition,
    wanted: Sequence[Wanted],
    tags: dict[str, str],
) -> list[dg.RunRequest]:
    """The runs for the wanted partitions, whose keys Dagster has."""
    # All keys, years of them, are read for ranges only.
    order = instance.get_dynamic_partitions(str(definition.name)) if len(wanted) > BACKLOG else ()
    return build_requests(wanted, order, tags)


def build_requests(wanted: Sequence[Wanted], order: Sequence[str], tags: dict[str, str]) -> list[dg.RunRequest]:
    """The runs for the wanted partitions. ``order``: all keys as Dagster has them; a few wanted ones need it not."""
    if len(wanted) <= BACKLOG:
        return [dg.RunRequest(run_key=w.run_key, partition_key=w.key, tags=tags | _cause_tag([w])) for w in wanted]
    of_key = {w.key: w for w in wanted}
    requests = []
    for stretch in stretches(order, of_key):
        first, last, own = stretch[0], stretch[-1], [of_key[key] for key in stretch]
        digest = hashlib.sha256("\n".join(w.run_key for w in own).encode()).hexdigest()
        own_tags = tags | range_tags(first, last) | _cause_tag(own)
        requests.append(dg.RunRequest(run_key=f"{first}..{last}:{digest[:16]}", tags=own_tags))
    return requests


def _cause_tag(wanted: Sequence[Wanted]) -> dict[str, str]:
    """What a run says of why its partitions are run again; nothing when they are new."""
    causes = {cause for w in wanted for cause in w.causes}
    return {CAUSE_TAG: said(causes)} if causes else {}


def stretches(order: Sequence[str], wanted: Collection[str]) -> Iterator[Sequence[str]]:
    """The wanted keys in stretches that lie side by side in ``order``, none longer than a run may have partitions."""
    for first, last in contiguous_ranges(order, wanted):
        start, end = order.index(first), order.index(last) + 1
        for begin in range(start, end, MOST_PARTITIONS):
            yield order[begin : min(begin + MOST_PARTITIONS, end)]


def keys_in_flight(instance: dg.DagsterInstance, job: str) -> set[str]:
    """The partitions that queued or running runs of a job work on."""
    runs = runs_in_flight(instance, job)
    keys = {key for run in runs if (key := run.tags.get("dagster/partition"))}
    ranges = [tuple(run.tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end")) for run in runs]
    order = list(instance.get_dynamic_partitions(str(PARTITIONS_OF[job].name))) if any(map(all, ranges)) else []
    for first, last in ranges:
        if first in order and last in order:
            keys.update(order[order.index(first) : order.index(last) + 1])
    return keys


def runs_in_flight(instance: dg.DagsterInstance, job: str | None = None) -> list[dg.DagsterRun]:
    """The runs, of one job or of all, that are queued or at work, or will be in a moment. One that nobody submitted, as
    its tick died or the database refused just then, is failed and made again by Dagster (``run_monitoring`` in
    ``deploy/launchers``): nobody else makes another."""
    return list(instance.get_runs(dg.RunsFilter(job_name=job, statuses=IN_FLIGHT)))
