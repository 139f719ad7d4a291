"""The partitions: one per round, per timing record, per gaming session.

Keys are made in one place each: rounds and records from file names (``warehouse.files``), sessions from their first
round's stamp (``warehouse.results``). Sensors and ``slomix import`` add keys; nothing ever deletes one, because a run
in flight may use it.
"""

from collections.abc import Iterable, Sequence

import dagster as dg

rounds = dg.DynamicPartitionsDefinition(name="rounds")
timings = dg.DynamicPartitionsDefinition(name="timings")
sessions = dg.DynamicPartitionsDefinition(name="sessions")


def server_of(key: str) -> str:
    """The game server's id, which every key begins with."""
    return key.partition(":")[0]


def contiguous_ranges(order: Sequence[str], wanted: Iterable[str]) -> list[tuple[str, str]]:
    """First and last key of each stretch of ``wanted`` keys that lie side by side in ``order``.

    Dagster's ranges follow the order in which keys were added.
    """
    chosen = set(wanted)
    ranges: list[tuple[str, str]] = []
    previous_chosen = False
    for key in order:
        if key in chosen:
            ranges.append((ranges.pop()[0], key) if previous_chosen else (key, key))
        previous_chosen = key in chosen
    return ranges


def range_tags(first: str, last: str) -> dict[str, str]:
    """The run tags of a range of partitions; such a run may take hours."""
    return {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
        "dagster/max_runtime": str(12 * 3600),
    }
