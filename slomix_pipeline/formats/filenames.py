"""The names of the game server's files: which kind each is, and what its name says.

Belongs here: the grammar. Whether a file is new, old or wanted is decided in ``sensors``.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

_STAMPED = re.compile(
    r"(?P<stamp>\d{4}-\d{2}-\d{2}-\d{6})-(?P<map>[A-Za-z0-9_.+-]+)-round-(?P<number>[12])(?P<suffix>|-endstats|_ws|-timing)\.txt",
    re.ASCII,
)
_GAMETIME = re.compile(r"gametime-(?P<map>[A-Za-z0-9_.+-]+)-R(?P<number>\d)-(?P<unix>\d{9,10})\.json", re.ASCII)

STAMP_FORMAT = "%Y-%m-%d-%H%M%S"
YEARS = range(2003, 2100)  # the game is of 2003; other years are not game files
MAX_NAME = 110  # with the server's id in front a key stays below 135 characters, far from any index limit


class FileKind(StrEnum):
    """What a file on the game server is, by its name."""

    STATS = "stats"
    ENDSTATS = "endstats"
    WEAPON_STATS = "ws"
    TIMING = "timing"
    UNKNOWN = "unknown"


_KIND_OF_SUFFIX = {
    "": FileKind.STATS,
    "-endstats": FileKind.ENDSTATS,
    "_ws": FileKind.WEAPON_STATS,
    "-timing": FileKind.TIMING,
}


@dataclass(frozen=True, slots=True)
class FileName:
    """What a file name says.

    ``stamp`` is the server's local wall clock, naive, at the END of the round (a few seconds later);
    a timing record's name may carry ``ended_at`` (UTC) instead.
    """

    name: str
    kind: FileKind
    stamp: datetime | None = None
    ended_at: datetime | None = None
    map_name: str | None = None
    number: int | None = None

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return self.name.rsplit(".", 1)[0]


def parse_file_name(name: str) -> FileName:
    """The kind and parts of a file name; ``UNKNOWN`` when it follows no known pattern."""
    if len(name) > MAX_NAME:
        return FileName(name, FileKind.UNKNOWN)
    if found := _STAMPED.fullmatch(name):
        try:
            stamp = datetime.strptime(found["stamp"], STAMP_FORMAT)
        except ValueError:
            return FileName(name, FileKind.UNKNOWN)
        if stamp.year not in YEARS:
            return FileName(name, FileKind.UNKNOWN)
        kind = _KIND_OF_SUFFIX[found["suffix"]]
        return FileName(name, kind, stamp=stamp, map_name=found["map"], number=int(found["number"]))
    if found := _GAMETIME.fullmatch(name):
        ended_at = datetime.fromtimestamp(int(found["unix"]), UTC)
        return FileName(name, FileKind.TIMING, ended_at=ended_at, map_name=found["map"], number=int(found["number"]))
    return FileName(name, FileKind.UNKNOWN)


def stats_file_name(stamp: datetime, map_name: str, number: int) -> str:
    """The name the game server gives the stats file of a round (``stamp``: server local time)."""
    return f"{stamp.strftime(STAMP_FORMAT)}-{map_name}-round-{number}.txt"


def gametime_file_name(map_name: str, number: int, end_unix: int) -> str:
    """The name of a round's timing record."""
    return f"gametime-{map_in_gametime_name(map_name)}-R{number}-{end_unix}.json"


def map_in_gametime_name(map_name: str) -> str:
    """A map's name as the name of a timing record has it: the script replaces what a file name might not bear."""
    return re.sub("[^A-Za-z0-9_-]", "_", map_name)
