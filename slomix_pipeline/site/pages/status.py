"""Whether the whole chain runs: each stage alone, and the worst of them as the heading.

Does not belong here: when a stage is late or wrong (``rules.stages``), reading it (``warehouse.site_status``).
"""

from dataclasses import dataclass

from slomix_pipeline.rules.stages import HEADINGS, StageSeen, stages, worst
from slomix_pipeline.site.answers import Asked
from slomix_pipeline.warehouse.site_status import chain_seen
from slomix_pipeline.warehouse.site_store import Moment


@dataclass(frozen=True)
class StatusPage:
    """``title``: of the worst stage."""

    title: str
    stages: tuple[StageSeen, ...]


def status_page(moment: Moment, asked: Asked) -> StatusPage:
    """How things stand at this moment."""
    found = stages(chain_seen(moment.conn, asked.settings))
    return StatusPage(HEADINGS[worst(found)], found)
