"""Words around a record that pages use: how long it stood, who else reached it.

Belongs here: plain text of plain values; names stay as they are. Does not belong here: the record itself in words
(``career_words``).
"""

from collections.abc import Sequence
from datetime import date

from slomix_pipeline.reports.career_words import count
from slomix_pipeline.warehouse.record_stories import Hold, RunSeen


def lasted_text(start: date, end: date) -> str:
    """``41 days``; ``less than a day``."""
    days = (end - start).days
    return count(days, "day") if days > 0 else "less than a day"


def hold_text(hold: Hold) -> str:
    """How often it was held as long; empty when never."""
    return f"{count(hold.equalled, 'other')} held as long" if hold.equalled else ""


def going_on_text(runs: Sequence[RunSeen]) -> str:
    """Whether runs of the same length go on; empty when none does."""
    going = sum(run.goes_on for run in runs)
    if going in (0, len(runs)):
        return "goes on" if going else ""
    return f"{going} of {len(runs)} go on"
