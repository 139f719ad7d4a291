"""Words around a record that pages use: what it broke, how long it stood, since when its number is known.

Belongs here: plain text of plain values; names stay as they are. Does not belong here: the record itself in words
(``career_words``).
"""

from datetime import datetime

from slomix_pipeline.reports.career_words import count
from slomix_pipeline.rules.records import KINDS, RecordKind
from slomix_pipeline.warehouse.record_stories import Hold, RunSeen


def lasted_text(start: datetime, end: datetime) -> str:
    """``41 days``; ``less than a day``."""
    days = (end - start).days
    return count(days, "day") if days > 0 else "less than a day"


def known_text(kind: RecordKind, since: datetime | None) -> str:
    """``known since 2025-10-01 only`` of a number that old files lack, where there are such files; else empty."""
    if since is None or KINDS[kind].of_old_files:
        return ""
    return f"known since {since:%Y-%m-%d} only"


def hold_text(hold: Hold) -> str:
    """How often it was held as long; empty when never."""
    return f"{count(hold.equalled, 'other')} held as long" if hold.equalled else ""


def run_text(run: RunSeen) -> str:
    """``14 sessions in a row, goes on``."""
    return f"{count(run.nights, 'session')} in a row{', goes on' if run.goes_on else ''}"
