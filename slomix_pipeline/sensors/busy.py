"""Whether a run is at work or waits for its turn: what is done in the background is left for later then.

Does not belong here: what is done in the background (``catalogue``, ``pages``).
"""

import dagster as dg

from slomix_pipeline.sensors.requests import runs_in_flight


def is_busy(instance: dg.DagsterInstance) -> bool:
    """Whether any run is in flight."""
    return bool(runs_in_flight(instance))
