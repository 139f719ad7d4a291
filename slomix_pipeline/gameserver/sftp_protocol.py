"""What paramiko's SFTP client lacks, and how a file takes the place of another over it.

Belongs here: answers as servers really give them. Does not belong here: the connection, its errors (``sftp``).
"""

import errno
import stat
from contextlib import suppress
from typing import Any, NoReturn

import paramiko
from paramiko.message import Message
from paramiko.sftp import CMD_VERSION, SFTP_OP_UNSUPPORTED, SFTPError

from slomix_pipeline.gameserver.source import (
    SET_ASIDE,
    UNFINISHED,
    GameServerError,
    PermanentError,
    check_arrived,
)

# What may come out of paramiko when the network or the server misbehaves.
TROUBLE = (paramiko.SSHException, SFTPError, EOFError, OSError)
_POSIX_RENAME = b"posix-rename@openssh.com"


class Transport(paramiko.Transport):
    """paramiko's, except that nobody sits at the keyboard: it would ask there for a second factor."""

    def auth_interactive_dumb(self, *_: Any, **__: Any) -> NoReturn:
        raise paramiko.AuthenticationException("the server wants a second factor besides the key")


class _LenientMessage(Message):
    def get_text(self) -> str:
        return self.get_string().decode("utf-8", "surrogateescape")


class Sftp(paramiko.SFTPClient):
    """paramiko's, except that one file name that isn't UTF-8 doesn't end the whole listing, and that it knows whether
    the server can rename a file over another."""

    renames_over = False

    def _read_packet(self) -> tuple[int, bytes]:
        kind, data = super()._read_packet()  # type: ignore[misc]  # not in the stubs
        if kind == CMD_VERSION:
            self.renames_over = _POSIX_RENAME in _extensions(data)
        return kind, data

    def _read_response(self, waitfor: Any = None) -> tuple[Any, Any]:
        kind, message = super()._read_response(waitfor)  # type: ignore[misc]  # not in the stubs
        return kind, message and _LenientMessage(message.get_remainder())

    def _convert_status(self, message: Message) -> None:
        """Tells "unsupported" from the nameless "Failure", as paramiko doesn't."""
        if Message(message.get_remainder()).get_int() == SFTP_OP_UNSUPPORTED:
            raise OSError(errno.EOPNOTSUPP, "the server doesn't support this")
        super()._convert_status(message)  # type: ignore[misc]  # not in the stubs


def _extensions(version: bytes) -> set[bytes]:
    """The names of the extensions a server announces beside its version."""
    message, names = Message(version[4:]), set()
    while name := message.get_string():
        names.add(name)
        message.get_string()
    return names


def replace(sftp: Sftp, path: str, data: bytes) -> None:
    """Puts a file of these bytes in the place of ``path``, whole or not at all: see ``GameServer.write``.

    Raises:
        TransientError: other bytes arrived than were sent.
        PermanentError: the old file had to be moved and could not be put back; the text says where it is.
        OSError, EOFError, paramiko.SSHException, SFTPError: as paramiko says them.
    """
    unfinished = path + UNFINISHED
    try:
        with sftp.open(unfinished, "wb") as file:
            file.write(data)
        with sftp.open(unfinished, "rb") as file:
            arrived = file.read(len(data) + 1)
        check_arrived(arrived, data, path)
        with suppress(FileNotFoundError, PermissionError):  # nothing to replace; not every server lets modes be set
            sftp.chmod(unfinished, stat.S_IMODE(sftp.stat(path).st_mode or 0o644))
        _take_the_place(sftp, unfinished, path)
    except TimeoutError:  # it would not answer to this either
        raise
    except (OSError, GameServerError):
        with suppress(*TROUBLE):
            sftp.remove(unfinished)
        raise


def _take_the_place(sftp: Sftp, new: str, path: str) -> None:
    if sftp.renames_over:
        try:
            sftp.posix_rename(new, path)
            return
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, None):  # None: some say only "Failure" to what they don't know
                raise
    if not _is_there(sftp, path):
        sftp.rename(new, path)
        return
    aside = path + SET_ASIDE
    with suppress(FileNotFoundError):  # a copy of an earlier try: what is in place is newer
        sftp.remove(aside)
    sftp.rename(path, aside)
    try:
        sftp.rename(new, path)
    except TROUBLE as error:
        try:
            sftp.rename(aside, path)
        except TROUBLE:
            raise PermanentError(
                f"{path!r} could not be replaced ({error}), and the old one is now {aside!r}: rename it back by hand"
            ) from error
        raise
    with suppress(OSError):  # the new one is in place
        sftp.remove(aside)


def _is_there(sftp: Sftp, path: str) -> bool:
    try:
        sftp.lstat(path)
    except FileNotFoundError:
        return False
    return True
