"""The bytes of files, for one call of a stage: as they are stored where nothing came since, else from the game server.

Does not belong here: what is made of them (the stages), how a game server is asked (``gameserver``).
"""

from collections.abc import Iterable, Mapping

from slomix_pipeline.gameserver.source import (
    FileMissing,
    GameServer,
    NotAsked,
    NotWhole,
    TransientError,
    check_listed,
)
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.stages.common import Conn
from slomix_pipeline.warehouse.files import FileRow, contents

# A sensor that sees such a file change asks for it, which takes this status from it.
_THROUGH = (FileStatus.INGESTED, FileStatus.KNOWN)


def stored_bytes(conn: Conn, rows: Iterable[FileRow]) -> dict[str, bytes]:
    """The bytes of those files that need not be asked for, by sha256: they came by import, or are as they were listed
    last."""
    return contents(conn, [row.sha256 for row in rows if row.sha256 and (row.imported or row.status in _THROUGH)])


class Fetching:
    """Reads files of a folder of one game server.

    It is not asked again once it can't be reached: each try may take as long as a call may last, and the runs of all
    other game servers would wait for their turn meanwhile.
    """

    def __init__(self, conn: Conn, gameserver: GameServer, folder: str, limit: int) -> None:
        self._conn, self._gameserver, self._folder, self._limit = conn, gameserver, folder, limit
        self._unreachable: TransientError | None = None

    def bytes_of(self, row: FileRow, stored: Mapping[str, bytes]) -> bytes:
        """A file's bytes: as stored, or from the game server, or as stored when they are gone from there.

        ``stored``: see ``stored_bytes``.

        Raises:
            FileMissing: gone, and never stored.
            NotAsked: not stored as it is listed, and there is no game server to ask.
            TooLarge: it has more bytes than are read.
            NotWhole: it isn't as it was listed: read it again.
            TransientError, PermanentError: see ``GameServer``.
        """
        kept = stored.get(row.sha256) if row.sha256 else None
        if kept is not None and (row.imported or (row.status in _THROUGH and row.size in (None, len(kept)))):
            return kept
        try:
            data = self._read(row.name)
        except (FileMissing, NotAsked) as error:
            # Of a file that is listed and was not fetched since, nobody knows that the bytes are still these.
            if row.sha256 is None or (isinstance(error, NotAsked) and row.status is FileStatus.LISTED):
                raise
            return contents(self._conn, [row.sha256])[row.sha256]
        check_listed(data, row.name, row.size)
        return data

    def _read(self, name: str) -> bytes:
        if self._unreachable is not None:
            raise self._unreachable
        try:
            return self._gameserver.read(self._folder, name, self._limit)
        except NotWhole:
            raise
        except TransientError as error:
            self._unreachable = error
            raise
