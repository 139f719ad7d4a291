"""A game server whose folders are on this machine, and the search through an archive of its files.

Belongs here: reading and writing local folders behind the interface of ``source``.
Does not belong here: choosing which of the files matter (``formats`` knows their names).
"""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from slomix_pipeline.gameserver.entries import Entry, listed, name_trouble, tell_left_out
from slomix_pipeline.gameserver.source import (
    MAY_NOT_WRITE,
    UNFINISHED,
    FileMissing,
    FileState,
    GameServer,
    PermanentError,
    RemoteFile,
    TransientError,
    check_arrived,
    check_file_name,
    missing_folder,
    read_whole,
)


class LocalFolder(GameServer):
    """The folders below ``base`` (an absolute folder setting stands for itself)."""

    def __init__(self, base: Path) -> None:
        self._base = base.expanduser()

    def describe(self) -> str:
        return f"folder {self._base}"

    def folder_changed_at(self, folder: str) -> int:
        with _our_errors(missing_folder(folder, self.describe())):
            status = (self._base / folder).stat()
        if not stat.S_ISDIR(status.st_mode):
            raise PermanentError(f"{folder!r} at {self.describe()} is a file, not a folder")
        return int(status.st_mtime)

    def list_folder(self, folder: str) -> list[RemoteFile]:
        found = []
        with _our_errors(missing_folder(folder, self.describe())), os.scandir(self._base / folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # went away since the folder was read
                    status = entry.stat(follow_symlinks=False)
                    found.append(Entry(entry.name, status.st_mode, status.st_size, int(status.st_mtime)))
        return listed(found, f"{folder} at {self.describe()}")

    def read(self, folder: str, name: str, limit: int) -> bytes:
        check_file_name(name)
        return read_file(self._base / folder / name, limit, opener=_no_link)

    def read_end(self, folder: str, name: str, limit: int) -> bytes:
        check_file_name(name)
        path = self._base / folder / name
        with _our_errors(FileMissing(f"There is no file {str(path)!r}")), path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - limit))
            return file.read(limit)

    def may_write(self, folder: str) -> bool | None:
        return os.access(self._base / folder, os.W_OK | os.X_OK)

    def write(self, folder: str, name: str, data: bytes) -> None:
        check_file_name(name)
        path = self._base / folder / name
        with _our_errors(missing_folder(folder, self.describe()), MAY_NOT_WRITE):
            _replace(path, data)

    def close(self) -> None:
        """Nothing is held open."""


def _no_link(path: str, flags: int) -> int:
    """Opens what was listed, a file: whoever writes there may have put a link to another in its place since, or a pipe,
    which would never be read to its end.

    Raises:
        PermanentError: it is none.
    """
    try:
        opened = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise PermanentError(f"{path!r} is a link") from None
        raise
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise PermanentError(f"{path!r} is no file")
    return opened


def _replace(path: Path, data: bytes) -> None:
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        unfinished.unlink(missing_ok=True)
        with unfinished.open("xb") as file:  # never through a link that somebody put there
            file.write(data)
        check_arrived(unfinished.read_bytes(), data, str(path))
        with suppress(FileNotFoundError):
            shutil.copymode(path, unfinished)
        unfinished.replace(path)
    except (OSError, TransientError):
        with suppress(OSError):
            unfinished.unlink()
        raise


def read_file(path: Path, limit: int, opener: Callable[[str, int], int] | None = None) -> bytes:
    """The whole content of a local file of at most ``limit`` bytes. ``opener``: how to open it.

    Raises:
        FileMissing, TooLarge, NotWhole, PermanentError, TransientError: as ``GameServer.read``.
    """
    with _our_errors(FileMissing(f"There is no file {str(path)!r}")), open(path, "rb", opener=opener) as file:

        def state() -> FileState:
            status = os.fstat(file.fileno())
            return FileState(status.st_size, status.st_mtime_ns)

        return read_whole(path.name, state, file.read, limit)


def found_below(directory: Path) -> list[Path]:
    """Every regular file below ``directory``, in all sub-folders, sorted by path.

    Hidden files and folders are skipped. Links to folders aren't followed, so a loop of links can't trap the
    search; links to files are. Names that no listing has are left out, and the log says so. Two files of one name
    in different sub-folders are two entries.

    Raises:
        PermanentError: there is no such folder, or a folder below may not be read.
        TransientError: the disk failed; nothing is left out silently.
    """

    def stop(error: OSError) -> None:
        raise error

    found: list[Path] = []
    with _our_errors(PermanentError(f"There is no folder {str(directory)!r}")):
        for folder, subfolders, names in os.walk(directory, onerror=stop):
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            paths = (Path(folder, name) for name in names if not name.startswith("."))
            found += (path for path in paths if path.is_file())
    odd = {path: trouble for path in found if (trouble := name_trouble(path.name))}
    tell_left_out([f"{path.name!r} ({trouble})" for path, trouble in sorted(odd.items())], str(directory))
    return sorted(path for path in found if path not in odd)


@contextmanager
def _our_errors(missing: PermanentError, advice: str = "") -> Iterator[None]:
    """Turn what the operating system says into the errors of ``source``; ``advice`` for what is not permitted."""
    try:
        yield
    except FileNotFoundError:
        raise missing from None
    except PermissionError as error:
        raise PermanentError(f"{error}; {advice}" if advice else str(error)) from error
    except (NotADirectoryError, IsADirectoryError) as error:
        raise PermanentError(str(error)) from error
    except OSError as error:
        raise TransientError(str(error)) from error
