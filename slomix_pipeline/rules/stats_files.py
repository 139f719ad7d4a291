"""The bytes of a stats file as the rules take them: every player with a GUID of his own, no number that can't be.

Belongs here: the one way in which stored bytes are read, and what is refused beyond the format. Does not belong here:
the format itself (``formats.gamestats``), storing what was read (``warehouse.parsed``).
"""

import hashlib
from collections import OrderedDict

from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.gamestats import StatsFile, parse
from slomix_pipeline.rules.identity import with_distinct_guids
from slomix_pipeline.rules.plausibility import impossible_number

_KEPT = 600  # files, some 40 kB each: those of a batch, which several stages ask for
_kept: OrderedDict[str, StatsFile] = OrderedDict()  # by sha256: the same bytes always say the same


def parse_stats(data: bytes) -> StatsFile:
    """A stats file with a GUID of his own for every player.

    Raises:
        FormatError: see ``gamestats.parse``.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    stats = parsed_before(sha256)
    if stats is None:
        stats = _kept[sha256] = with_distinct_guids(parse(data), sha256)
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return stats


def parsed_before(sha256: str) -> StatsFile | None:
    """What ``parse_stats`` made of the bytes with this digest, if that was lately."""
    return _kept.get(sha256)


def accept_stats(data: bytes) -> StatsFile:
    """``parse_stats`` for bytes that come in: also refuses numbers that no round can have.

    Raises:
        FormatError: as ``parse_stats``; also when a number is impossible.
    """
    stats = parse_stats(data)
    if impossible := impossible_number(stats):
        raise FormatError(impossible)
    return stats
