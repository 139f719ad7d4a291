"""Who a line of a stats file is: a person by his GUID, a bot, or somebody who can't be told.

Belongs here: telling lines apart, so that no file holds a GUID twice. Two kinds of GUIDs are made here: of bots, who
share one, and of lines without identity, which are good for that one file.
Does not belong here: what GUIDs look like in a file (``formats.gamestats``), what numbers are whose
(``rules.differential``).
"""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from slomix_pipeline.formats.gamestats import PlayerLine, StatsFile

# No GUID of a file has a hyphen. ``sql/views`` know players without identity by their flag.
_BOT_PREFIX = "BOT-"
_NOBODY_PREFIX = "NO-"


def is_bot(line: PlayerLine) -> bool:
    """Bots carry a GUID of the bot module, or a name that says so."""
    return line.guid.startswith(("OMNIBOT", _BOT_PREFIX)) or line.clean_name.upper().startswith("[BOT]")


def has_identity(guid: str) -> bool:
    """Whether a GUID, of those that ``with_distinct_guids`` gives, is somebody's over rounds."""
    return not guid.startswith(_NOBODY_PREFIX)


def with_distinct_guids(stats: StatsFile, file: str) -> StatsFile:
    """The file with a different GUID for every player.

    A bot gets ``BOT-`` and four hex digits made from his name, the same in every file. A player whose GUID can't be
    read, or stands in another line too, can't be recognised in other rounds. He gets ``NO-`` and five hex digits made
    from ``file``, a text that no other file has (a digest), and from his place in it.
    """
    counts = Counter(line.guid for line in stats.players if not is_bot(line))
    taken: set[str] = set()
    players = []
    for place, line in enumerate(_by_name(stats.players)):
        if is_bot(line):
            guid = _made(_BOT_PREFIX, line.clean_name, 4, taken)
        elif not line.guid or counts[line.guid] > 1:
            guid = _made(_NOBODY_PREFIX, f"{file}/{place}", 5, taken)
        else:
            guid = line.guid
        players.append(line if guid == line.guid else replace(line, guid=guid))
    return replace(stats, players=tuple(players))


def _by_name(players: Iterable[PlayerLine]) -> list[PlayerLine]:
    # Line order is arbitrary and differs between the rounds of a match; bots of one name need a stable order.
    return sorted(players, key=lambda line: (line.guid, line.name))


def _made(prefix: str, text: str, digits: int, taken: set[str]) -> str:
    """A GUID that none of the file has yet."""
    for attempt in itertools.count():
        guid = f"{prefix}{hashlib.sha256(f'{text}/{attempt}'.encode()).hexdigest()[:digits].upper()}"
        if guid not in taken:
            break
    taken.add(guid)
    return guid
