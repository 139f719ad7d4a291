"""Which entries of a folder are files that can be listed.

Belongs here: what an entry must be to be read and to be a row of the database; what is left out is said once, with
its reason.
Does not belong here: which files matter (``formats.filenames``), how a folder is read (``sftp``, ``local``).
"""

import logging
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from slomix_pipeline.gameserver.source import PermanentError, RemoteFile, check_file_name

_log = logging.getLogger(__name__)

# Bytes; no file system has longer names, and PostgreSQL indexes none of some thousand.
_LONGEST_NAME = 255
# Bytes; more than any file has is more than a bigint of PostgreSQL holds.
_LARGEST_SIZE = 2**63 - 1
_REASONS_TOLD = 5


@dataclass(frozen=True)
class Entry:
    """One entry of a folder as its source tells of it. ``name``: decoded with ``surrogateescape``; ``size`` in bytes,
    ``modified_at`` in unix seconds. What isn't told is None."""

    name: str
    mode: int | None
    size: int | None
    modified_at: int | None


def listed(entries: Iterable[Entry], where: str) -> list[RemoteFile]:
    """The regular files among the entries of a folder. One odd entry never costs the others.

    Raises:
        PermanentError: there are entries, and of none is known what it is: the server tells nothing about its files.
    """
    files, left_out, untold = [], [], 0
    for entry in entries:
        if entry.mode is not None and not stat.S_ISREG(entry.mode):
            continue
        if entry.mode is None or entry.size is None or entry.modified_at is None:
            left_out.append(f"{entry.name!r} (the server doesn't tell type, size and time)")
            untold += 1
        elif trouble := name_trouble(entry.name):
            left_out.append(f"{entry.name[:_LONGEST_NAME]!r} ({trouble})")
        elif not 0 <= entry.size <= _LARGEST_SIZE:
            left_out.append(f"{entry.name!r} (no file has {entry.size} bytes)")
        else:
            files.append(RemoteFile(entry.name, entry.size, entry.modified_at))
    if untold and untold == len(left_out) and not files:
        raise PermanentError(f"{where}: the server doesn't tell type, size and time of its files")
    tell_left_out(left_out, where)
    return files


def name_trouble(name: str) -> str | None:
    """Why no file of this name can be read and noted; None when it can."""
    try:
        check_file_name(name)
        length = len(name.encode("utf-8"))
    except PermanentError:
        return "not a plain file name"
    except UnicodeEncodeError:
        return "not UTF-8"
    return f"longer than {_LONGEST_NAME} bytes" if length > _LONGEST_NAME else None


def tell_left_out(left_out: list[str], where: str) -> None:
    """Says in the log what was left out of a folder and why; the same only once, as folders are listed for ever."""
    if left_out:
        left_out = sorted(left_out)
        more = f" and {len(left_out) - _REASONS_TOLD} more" if len(left_out) > _REASONS_TOLD else ""
        _warn_once(f"{len(left_out)} file names in {where} were left out: {', '.join(left_out[:_REASONS_TOLD])}{more}")


@lru_cache(maxsize=1024)
def _warn_once(text: str) -> None:
    _log.warning("%s", text)
