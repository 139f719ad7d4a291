"""The one interface to a game server's files, and its errors.

Belongs here: what both kinds of source promise.
Does not belong here: how each keeps the promise (``sftp``, ``local``), which entries of a folder are files
(``entries``), and which source is used (``choose``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from slomix_pipeline.errors import SlomixError

# What ``write`` adds to a name until the file is complete, and to the file it replaces where a server can't swap them.
UNFINISHED = ".part"
SET_ASIDE = ".old"
# What to do when a file may not be written.
MAY_NOT_WRITE = "give its user the right to write in that folder (chown or chmod there), or copy the file by hand"


@dataclass(frozen=True)
class RemoteFile:
    """One file of a listing: its plain name, its size in bytes, its last change in unix seconds (UTC)."""

    name: str
    size: int
    modified_at: int


class GameServerError(SlomixError):
    """A game server's files can't be had; the text is for people and holds no secret."""


class TransientError(GameServerError):
    """Network, timeout, dropped connection: worth a retry."""


class PermanentError(GameServerError):
    """Login, host key, missing folder, setting: stays until somebody changes something."""


class FolderMissing(PermanentError):
    """There is no such folder."""


class FileMissing(PermanentError):
    """The folder holds no file of that name (any more)."""


class NotAsked(PermanentError):
    """There is nobody to ask for a file: nothing is known of what became of it."""


class TooLarge(PermanentError):
    """The file has more bytes than the caller wants to read."""


class NotWhole(TransientError):
    """Other bytes came than the file has: it is being written, or the read was cut short. Read it again."""


@dataclass(frozen=True)
class FileState:
    """What tells that a file is still as it was: its size in bytes, its last change as fine as its source knows it."""

    size: int
    changed: int | None


class GameServer(Protocol):
    """A game server's files. Every call may raise ``TransientError`` or ``PermanentError``, and nothing else.

    Not for several threads at once: each opens its own.
    """

    def of(self, server: str) -> "GameServer":
        """The game server of this id: itself, unless it stands for several (see ``several``)."""
        return self

    def describe(self) -> str:
        """Where the files are, for people; no secret in it."""
        ...

    def folder_changed_at(self, folder: str) -> int:
        """Last change of the folder itself in unix seconds: a file came, went or was renamed.

        A file rewritten in place doesn't move it, and neither does a second file within the same second.
        """
        ...

    def list_folder(self, folder: str) -> list[RemoteFile]:
        """The regular files directly in the folder, in any order.

        Sub-folders and links are left out. So is what can't be one of the game's files, which the log says once
        (see ``entries``).
        A missing folder raises ``PermanentError``; an empty list means an empty folder.
        """
        ...

    def read(self, folder: str, name: str, limit: int) -> bytes:
        """The whole content of a file of at most ``limit`` bytes.

        Raises:
            FileMissing: there is no such file.
            TooLarge: it has more than ``limit`` bytes.
            NotWhole: it was changed while it was read, or not all of it came.
            PermanentError: ``name`` isn't a plain file name.
        """
        ...

    def read_end(self, folder: str, name: str, limit: int) -> bytes:
        """The last ``limit`` bytes of a file of any size, all of it when it has fewer.

        Raises:
            FileMissing: there is no such file.
            PermanentError: ``name`` isn't a plain file name.
        """
        ...

    def write(self, folder: str, name: str, data: bytes) -> None:
        """Put a file of these bytes in its place, whole or not at all, with the permissions of the one it replaces.

        It is written as ``<name>.part``, read back, compared and renamed; a ``.part`` that a lost connection
        left behind is overwritten by the next try. Where a server can't rename over a file, the one to be replaced is
        ``<name>.old`` for that moment, and is put back when the new one can't take its place.

        Raises:
            FolderMissing: there is no such folder; none is made.
            PermanentError: ``name`` isn't a plain file name, or the login may not write there.
            TransientError: also when other bytes arrived than were sent.
        """
        ...

    def close(self) -> None:
        """Let go of the connection; the next call opens a new one."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_file_name(name: str) -> None:
    """Refuse everything that isn't the plain name of a file in its folder.

    Raises:
        PermanentError: empty, ``.``, ``..``, or with a separator or NUL in it.
    """
    if name in ("", ".", "..") or any(character in name for character in "/\\\0"):
        raise PermanentError(f"{name!r} is not a plain file name")


def missing_folder(folder: str, where: str) -> FolderMissing:
    """The error for a folder that isn't there, saying which setting to look at."""
    return FolderMissing(
        f"There is no folder {folder!r} at {where}: check SLOMIX_GAMESTATS_FOLDER, SLOMIX_GAMETIMES_FOLDER and "
        f"SLOMIX_SCRIPTS_FOLDER (over SFTP a path without a leading / counts from where the login starts)"
    )


def read_log_end(server: GameServer, path: str, limit: int) -> bytes:
    """The last ``limit`` bytes of the file that ``SLOMIX_CONSOLE_LOG`` names, its folder included.

    Raises:
        FileMissing, PermanentError, TransientError: as ``GameServer.read_end``.
    """
    folder, slash, name = path.rpartition("/")
    return server.read_end(folder or slash or ".", name, limit)


def check_arrived(arrived: bytes, sent: bytes, path: str) -> None:
    """Compare what is read back with what was written.

    Raises:
        TransientError: they differ.
    """
    if arrived != sent:
        raise TransientError(f"{path!r}: what was read back is not what was written; the file in place is untouched")


def read_whole(name: str, state: Callable[[], FileState], content: Callable[[int], bytes], limit: int) -> bytes:
    """The content of an open file, when it is all of it.

    A file cut at a line's end looks whole, so its size is held against what came, and its state before against its
    state after: it may be written just now, and a server may say that a file ends where it doesn't.

    Args:
        state: looks at the file.
        content: reads at most so many bytes from its beginning.

    Raises:
        TooLarge: it has more than ``limit`` bytes.
        NotWhole: more or fewer bytes came than it has, or it was changed meanwhile.
    """
    before = state()
    if before.size > limit:
        raise TooLarge(f"{name!r} is larger than {limit} bytes")
    data = content(before.size + 1)
    if state() != before:
        raise NotWhole(f"{name!r} was changed while it was read")
    if len(data) != before.size:
        raise NotWhole(f"{name!r} has {before.size} bytes, but {len(data)} came")
    return data


def check_listed(data: bytes, name: str, size: int | None) -> None:
    """Holds what was read against the ``size`` in the listing that asked for it; None: no listing did.

    Raises:
        NotWhole: they differ.
    """
    if size is not None and len(data) != size:
        raise NotWhole(f"{name!r} was listed with {size} bytes and has {len(data)} now: it is being written")
