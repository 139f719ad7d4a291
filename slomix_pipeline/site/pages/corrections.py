"""The corrections: what was told of results and turned out otherwise. Newest first, a page at a time.

Does not belong here: what counts as a difference (``rules.corrections``), keeping them (``warehouse.corrections``).
"""

from dataclasses import dataclass
from datetime import datetime

from slomix_pipeline.site.answers import Asked, Link
from slomix_pipeline.site.pages.shared import number_asked
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse.corrections import CorrectionListed, newest
from slomix_pipeline.warehouse.site_store import Moment

_A_PAGE = 50


@dataclass(frozen=True)
class CorrectionLine:
    """A correction. ``notice``: what is so now, instead of what was told."""

    match: Link
    notice: str
    cause: str
    found_at: datetime


@dataclass(frozen=True)
class CorrectionsPage:
    """``older``: the address of the next page."""

    corrections: tuple[CorrectionLine, ...]
    older: str | None


def corrections_page(moment: Moment, asked: Asked) -> CorrectionsPage:
    """``?before=``: older than this one."""
    found = newest(moment.conn, _A_PAGE + 1, number_asked(asked, "before"))
    shown = found[:_A_PAGE]
    return CorrectionsPage(
        tuple(correction_line(row) for row in shown),
        f"/corrections?before={shown[-1].id}" if len(found) > _A_PAGE else None,
    )


def correction_line(row: CorrectionListed) -> CorrectionLine:
    """A correction as a line of a list."""
    return CorrectionLine(Link(url_of("matches", row.match_key), row.map_name), row.notice, row.cause, row.found_at)
