"""What goes wrong between us and a game server, on demand: for tests of what becomes of files then.

Belongs here: answers that don't come, come half, or say no. Does not belong here: a server that works
(``sftp_server``), files that change while they are read (whoever writes them).
"""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Any

import asyncssh

_READ_AT_ONCE = 1500  # bytes, while connections break: no file of a round is through by then


class SftpFault(StrEnum):
    """How the server fails, for as long as it does."""

    STALLS = "takes connections and never answers"
    DROPS = "breaks off in the middle of a file"
    REFUSES_LOGIN = "refuses the login"
    REFUSES_FILES = "lets nobody list or read"
    LISTS_HALF = "lists every other file only"


class Faults:
    """The fault there is now, if any; for one server."""

    def __init__(self) -> None:
        self.now: SftpFault | None = None
        self.answered_at = 0.0
        """When it last answered as it should (``time.monotonic``)."""


class FaultyFiles(asyncssh.SFTPServer):
    """The files of one connection, served with the faults that there are."""

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", directory: bytes, faults: Faults) -> None:
        super().__init__(channel, chroot=directory)
        self._faults = faults

    async def stat(self, path: bytes) -> Any:
        await self._trouble()
        self._faults.answered_at = time.monotonic()
        return await _answered(super().stat(path))

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        await self._trouble()
        number = 0
        async for entry in super().scandir(path):
            number += 1
            if self._faults.now is not SftpFault.LISTS_HALF or number % 2:
                yield entry

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        await self._trouble()
        return await _answered(super().open(path, pflags, attrs))

    async def read(self, file_obj: object, offset: int, size: int) -> Any:
        await self._trouble()
        if self._faults.now is SftpFault.DROPS:
            size = min(size, _READ_AT_ONCE)
            if offset:
                self.channel.get_connection().abort()
        return await _answered(super().read(file_obj, offset, size))

    async def _trouble(self) -> None:
        if self._faults.now is SftpFault.STALLS:
            await never()
        if self._faults.now is SftpFault.REFUSES_FILES:
            raise asyncssh.SFTPPermissionDenied("Permission denied")


async def _answered(answer: Any) -> Any:
    """What asyncssh answers, which may have to be awaited."""
    return await answer if inspect.isawaitable(answer) else answer


async def never() -> None:
    """An answer that does not come, as long as its connection stands."""
    await asyncio.Event().wait()
