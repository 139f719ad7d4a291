"""The file stamp, a wall clock of the game server, as a moment in UTC.

In the hour that the autumn clock change repeats, a witness that knows UTC (a timing record, the file's own time of
change) decides; without one the earlier moment is taken and flagged.

Does not belong here: times within a round (``formats.times``).
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from slomix_pipeline.formats.filenames import FileName

CLOCK_CHANGE = timedelta(hours=1)  # by which the later moment of an ambiguous stamp is later
WITNESS_WITHIN = timedelta(seconds=60)  # true witnesses lie within a few seconds; the two moments an hour apart


class Moment(NamedTuple):
    """A stamp in UTC; ``ambiguous`` when it could as well be an hour later."""

    at: datetime
    ambiguous: bool


def time_in_name(name: FileName, zone: tzinfo) -> datetime | None:
    """When the round ended, in UTC, by the name of one of its files: stamped ones are the server's local time in
    ``zone``, others UTC already. None when the name has no time."""
    return stamp_in_utc(name.stamp, zone).at if name.stamp else name.ended_at


def stamp_in_utc(stamp: datetime, zone: tzinfo, witnesses: Iterable[datetime] = ()) -> Moment:
    """The moment of a naive local ``stamp`` in ``zone``; ``witnesses`` are UTC times of the same round."""
    earlier, later = (stamp.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if earlier == later or later < earlier:  # the latter: an hour that spring leaves out, which no clock shows
        return Moment(earlier, ambiguous=False)
    known = list(witnesses)
    for moment in (earlier, later):
        if any(abs(moment - witness) <= WITNESS_WITHIN for witness in known):
            return Moment(moment, ambiguous=False)
    return Moment(earlier, ambiguous=True)
