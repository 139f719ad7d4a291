"""Seasons: the quarters of a year by the game server's clock, and who can be the champion of one.

Belongs here: from a moment to its season, from its id to its bounds, how many sessions a champion needs.
Does not belong here: who leads in one (``warehouse.seasons``).

A session belongs to the season in which it began, so an evening is never cut in two.
"""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

LEAST_SESSIONS = 3  # fewer make no champion: of a single good evening there is a record
_MONTHS = 3


@dataclass(frozen=True, order=True)
class Season:
    """A quarter of a year: ``quarter`` is 1 to 4."""

    year: int
    quarter: int

    @property
    def id(self) -> str:
        """As addresses have it: ``2026-Q1``."""
        return f"{self.year:04}-Q{self.quarter}"

    def start(self, zone: tzinfo) -> datetime:
        """Its first moment."""
        return datetime(self.year, 1 + _MONTHS * (self.quarter - 1), 1, tzinfo=zone)

    def end(self, zone: tzinfo) -> datetime:
        """The first moment after it."""
        return self.next.start(zone)

    @property
    def next(self) -> "Season":
        """The season after it."""
        return Season(self.year + self.quarter // 4, self.quarter % 4 + 1)


def season_of(moment: datetime, zone: tzinfo) -> Season:
    """The season in which something began."""
    local = moment.astimezone(zone)
    return Season(local.year, (local.month - 1) // _MONTHS + 1)


def season_named(text: str) -> Season | None:
    """The season of an id; None: it is none."""
    found = re.fullmatch(r"(2\d{3})-Q([1-4])", text, re.ASCII)
    return Season(int(found[1]), int(found[2])) if found else None
