"""The partitions: one per round, per timing record, per gaming session.

What a key says is in ``formats.keys``. Sensors and ``slomix import`` add keys, by ``add_keys`` alone; nothing ever
deletes one, because a run in flight may use it.
"""

from collections.abc import Iterable, Sequence

import dagster as dg

rounds = dg.DynamicPartitionsDefinition(name="rounds")
timings = dg.DynamicPartitionsDefinition(name="timings")
sessions = dg.DynamicPartitionsDefinition(name="sessions")

# Of one run: every check row that Dagster plans for a run over a range holds all keys of the range, so its database
# would grow with the square of it.
MOST_PARTITIONS = 100

LONG_RUN = {"dagster/max_runtime": str(12 * 3600)}  # the tag of a run that may take hours

_FEW = 100  # keys: to add those that are there already costs less than to read all that are
_AT_ONCE = 5000  # keys per statement; SQLite, where Dagster's development server keeps them, ends at some 30,000


def add_keys(instance: dg.DagsterInstance, definition: dg.DynamicPartitionsDefinition, keys: Iterable[str]) -> None:
    """Adds the keys that Dagster does not have yet, in this order.

    One statement for thousands of them. Keys in the result of a sensor would cost the daemon a connection each.
    """
    name = str(definition.name)
    new = list(dict.fromkeys(keys))
    if len(new) > _FEW:
        known = set(instance.get_dynamic_partitions(name))
        new = [key for key in new if key not in known]
    for first in range(0, len(new), _AT_ONCE):
        instance.add_dynamic_partitions(name, new[first : first + _AT_ONCE])


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
    } | LONG_RUN
