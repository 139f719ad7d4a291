"""The front page: what was played last, and the evenings before.

Does not belong here: the whole list (``sessions``), a session (``session``).
"""

from dataclasses import dataclass

from slomix_pipeline.site.answers import Asked
from slomix_pipeline.site.pages.sessions import SessionLine, lines
from slomix_pipeline.site.pages.shared import MatchLine, match_lines
from slomix_pipeline.warehouse import reading, site_reading
from slomix_pipeline.warehouse.site_store import Moment

_BEFORE = 5  # sessions before the last one


@dataclass(frozen=True)
class HomePage:
    """``last``: None while nothing was played."""

    last: SessionLine | None
    matches: tuple[MatchLine, ...]
    before: tuple[SessionLine, ...]


def home(moment: Moment, asked: Asked) -> HomePage:
    """The last session with its matches, and those before."""
    keys = site_reading.newest_sessions(moment.conn, _BEFORE + 1)
    if not keys:
        return HomePage(None, (), ())
    last, *before = lines(moment, keys)
    return HomePage(last, match_lines(reading.matches(moment.conn, keys[:1])), tuple(before))
