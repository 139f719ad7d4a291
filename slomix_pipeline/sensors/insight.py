"""Has models fitted again when history is another one.

Belongs here: when. Does not belong here: what is fitted and to what (``assets.insight``, ``stages``).
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import dagster as dg

from slomix_pipeline import jobs
from slomix_pipeline.sensors.busy import is_busy
from slomix_pipeline.sensors.requests import turn
from slomix_pipeline.warehouse import fitted
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.fitted import Fitted
from slomix_pipeline.warehouse.unfinished import command_works

FIT_EVERY = timedelta(minutes=5)  # a match more or less changes little, and a night has a dozen


def is_due(models: Collection[Fitted | None], state: str, versions: Collection[str], now: datetime) -> bool:
    """Whether models have to be fitted. ``state``: of history, see ``fitted.history_state``; ``versions``: those of the
    rules as they are now."""
    if any(model is None or model.version not in versions for model in models):
        return True
    known = [model for model in models if model is not None]
    return any(model.state != state for model in known) and all(now - model.fitted_at >= FIT_EVERY for model in known)
