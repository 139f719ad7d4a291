"""Spans of time to read around moments or sessions: few and apart, so that no row is read twice.

Belongs here: joining them, handing them to a query, and finding in rows that are ordered by time what lies in one.
Does not belong here: how far around something a rule looks.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from slomix_pipeline.rules.sessions import Stamped

T = TypeVar("T")

ANY_ZONE = timedelta(days=1)  # no wall clock is farther from UTC


class Span(NamedTuple):
    """From one moment to another, both included."""

    first: datetime
    last: datetime

    def widened(self, by: timedelta) -> "Span":
        """With so much more on either side."""
        return Span(self.first - by, self.last + by)


def span_of(session: Sequence[Stamped]) -> Span:
    """From the first stamp of a session to its last."""
    return Span(session[0].stamp, session[-1].stamp)


def joined(spans: Iterable[Span]) -> list[Span]:
    """All that spans cover, in order; those that meet are one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.first <= found[-1].last:
            found[-1] = Span(found[-1].first, max(span.last, found[-1].last))
        else:
            found.append(span)
    return found


def as_arrays(spans: Sequence[Span]) -> dict[str, list[datetime]]:
    """The parameters of ``unnest(%(firsts)s, %(lasts)s)``, which makes a row of every span."""
    return {"firsts": [span.first for span in spans], "lasts": [span.last for span in spans]}


def those_in(span: Span, in_order: Sequence[T], at: Callable[[T], datetime]) -> Sequence[T]:
    """What lies in a span, of things ``in_order`` of their moments."""
    return in_order[bisect_left(in_order, span.first, key=at) : bisect_right(in_order, span.last, key=at)]
