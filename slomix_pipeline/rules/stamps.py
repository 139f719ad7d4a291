"""The file stamp, a wall clock of the game server, as a moment in UTC.

In the hour that the autumn clock change repeats, a witness that knows UTC decides: a timing record, else the file's own
time of change. Without one, or where the map was played so that its records speak for both moments, the earlier one is
taken and flagged.

Does not belong here: times within a round (``formats.times``).
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from slomix_pipeline.formats.filenames import FileName

CLOCK_CHANGE = timedelta(hours=1)  # by which the later moment of an ambiguous stamp is later
# Between a round's stamp and the end in its timing record: true pairs lie within 7 s. The map's other play may have
# ended an hour away but for some seconds more.
WITNESS_WITHIN = timedelta(seconds=10)
# The file's own time is of no other round, but perhaps by another machine's clock.
_WRITTEN_WITHIN = timedelta(seconds=60)


class Moment(NamedTuple):
    """A stamp in UTC; ``ambiguous`` when it could as well be an hour later."""

    at: datetime
    ambiguous: bool


def time_in_name(name: FileName, zone: tzinfo) -> datetime | None:
    """When the round ended, in UTC, by the name of one of its files: stamped ones are the server's local time in
    ``zone``, others UTC already. None when the name has no time."""
    return stamp_in_utc(name.stamp, zone).at if name.stamp else name.ended_at


def stamp_in_utc(
    stamp: datetime, zone: tzinfo, ends: Iterable[datetime] = (), written_at: datetime | None = None
) -> Moment:
    """The moment of a naive local ``stamp`` in ``zone``.

    ``ends``: those of timing records of the round's map and number, of whichever play; ``written_at``: the file's own
    time of change. Both in UTC.
    """
    earlier, later = (stamp.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if earlier == later or later < earlier:  # the latter: an hour that spring leaves out, which no clock shows
        return Moment(earlier, ambiguous=False)
    told = {moment for end in ends for moment in (earlier, later) if abs(moment - end) <= WITNESS_WITHIN}
    if len(told) != 1 and written_at:
        told = {moment for moment in (earlier, later) if abs(moment - written_at) <= _WRITTEN_WITHIN}
    return Moment(told.pop(), ambiguous=False) if len(told) == 1 else Moment(earlier, ambiguous=True)
