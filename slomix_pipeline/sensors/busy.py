"""Whether a run is at work or waits for its turn: what is done in the background is left for later then.

Does not belong here: what is done in the background (``catalogue``, ``pages``).
"""

import dagster as dg

from slomix_pipeline.jobs import ADMIN_TAG
from slomix_pipeline.sensors.requests import runs_in_flight


def is_busy(instance: dg.DagsterInstance) -> bool:
    """Whether any run is in flight that people wait for: a job for admins may take hours."""
    return any(not ADMIN_TAG.items() <= run.tags.items() for run in runs_in_flight(instance))
