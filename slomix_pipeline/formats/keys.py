"""The text of keys: of a round, an endstats file or a timing record, of a match, of a gaming session.

Belongs here: making and reading it, and nowhere else. Does not belong here: what a name says (``formats.filenames``).

A key begins with the game server's id, which has no colon. Behind it stands, for a file, its name without ending; for a
session, the stamp of its first round. A match has the key of its first round.
"""

from datetime import datetime

from slomix_pipeline.formats.filenames import STAMP_FORMAT, FileKind, FileName

_KEYED = frozenset({FileKind.STATS, FileKind.ENDSTATS, FileKind.TIMING})


def round_key(server: str, stem: str) -> str:
    """The key of the round whose stats file has this name without ending; of an endstats file or timing record too."""
    return f"{server}:{stem}"


def file_key(server: str, file: FileName) -> str | None:
    """The key of a stats file's round, of an endstats file or of a timing record; None for files that have none."""
    return round_key(server, file.stem) if file.kind in _KEYED else None


def session_key(server: str, stamp: datetime) -> str:
    """The key of the session that begins with the round of this ``stamp`` (naive, the server's local time)."""
    return f"{server}:{stamp.strftime(STAMP_FORMAT)}"


def prefix_of(server: str) -> str:
    """What all keys of a game server begin with, and no other's."""
    return f"{server}:"


def server_of(key: str) -> str:
    """The game server's id, which every key begins with."""
    return key.partition(":")[0]


def stem_of(key: str) -> str:
    """What stands behind the server's id: the name of its file without ending, or a session's stamp."""
    return key.partition(":")[2]
