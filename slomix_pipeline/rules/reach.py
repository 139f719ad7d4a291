"""The span of time that somebody means by days, or by times of day.

Belongs here: where such a span begins and ends. Does not belong here: what is in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo


@dataclass(frozen=True)
class Reach:
    """``everything``: all there is; else what is from ``since`` on and before ``until``, None: without a limit."""

    since: datetime | None = None
    until: datetime | None = None
    everything: bool = False

    @property
    def is_said(self) -> bool:
        """Whether anybody said what he means."""
        return self.everything or self.since is not None or self.until is not None

    def holds(self, at: datetime) -> bool:
        """Whether a moment is in it."""
        begun = self.since is None or at >= self.since
        return self.everything or (begun and (self.until is None or at < self.until))


ReachOf = Callable[[str], Reach]  # of a game server by its id: its day begins by its own clock


class NotATime(ValueError):
    """What should be a day, or a day and a time, is none."""


def reach_of(since: str | None, until: str | None, everything: bool, zone: tzinfo) -> Reach:
    """The reach of what somebody typed, in the clock of ``zone``: ``2026-11-29``, of which the end is the day's end, or
    ``2026-11-29T20:30``.

    Raises:
        NotATime: it is written otherwise.
    """
    return Reach(_moment(since, zone, timedelta()), _moment(until, zone, timedelta(days=1)), everything)


def _moment(text: str | None, zone: tzinfo, of_a_day: timedelta) -> datetime | None:
    if text is None:
        return None
    try:
        if len(text) == len("2026-11-29"):
            return datetime.combine(date.fromisoformat(text) + of_a_day, time(), zone)
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except (ValueError, OverflowError):
        raise NotATime(f"{text!r} is no day; write it as 2026-11-29, or with a time as 2026-11-29T20:30") from None
