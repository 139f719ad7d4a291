"""A real SFTP server on 127.0.0.1 that serves one local directory.

Belongs here: the game server's SFTP side for the demo and the tests.
Does not belong here: the files it serves; whoever starts it writes them into the directory. What goes wrong on demand
(``sftp_faults``).
"""

import asyncio
import hmac
import os
import threading
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncssh

from slomix_pipeline.simulator.sftp_faults import Faults, FaultyFiles, SftpFault, never


class SftpServer:
    """Serves ``directory`` (as the root a client sees) while its ``with`` block runs, in a thread of its own.

    ``port`` 0 takes a free one; it is then kept, as is the host key, so the same object can be started again
    as the same server. A ``host_key_file`` keeps the key across processes. ``authorized_key`` is the text of
    an OpenSSH public key that may log in besides the password.

    Raises on entering:
        OSError: the port is taken.
    """

    def __init__(
        self,
        directory: Path,
        user: str,
        password: str,
        *,
        port: int = 0,
        authorized_key: str | None = None,
        host_key_file: Path | None = None,
    ) -> None:
        self.port = port
        self._directory = os.fsencode(directory)
        self._user = user
        self._password = password
        self._authorized_key = asyncssh.import_public_key(authorized_key) if authorized_key else None
        self._host_key = _host_key(host_key_file)
        self.faults = Faults()
        self._connections: set[asyncssh.SSHServerConnection] = set()

    @property
    def host_key_fingerprint(self) -> str:
        """``SHA256:…`` as ``ssh-keygen -lf`` prints it."""
        return self._host_key.get_fingerprint()

    def misbehave(self, fault: SftpFault | None) -> None:
        """From now on it fails like this, for connections that there are too; with None it works again."""
        self.faults.now = fault
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for connection in list(self._connections):
            connection.abort()

    def __enter__(self) -> Self:
        started: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), name="sftp-server")
        self._thread.daemon = True  # a forgotten server must not keep the program alive
        self._thread.start()
        self.port = started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self, started: "Future[int]") -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            acceptor = await asyncssh.listen(
                "127.0.0.1",
                self.port,
                server_host_keys=[self._host_key],
                server_factory=lambda: _Login(
                    self._user, self._password, self._authorized_key, self._connections, self.faults
                ),
                sftp_factory=lambda channel: FaultyFiles(channel, self._directory, self.faults),
            )
        except (OSError, asyncssh.Error) as error:
            started.set_exception(error)
            return
        started.set_result(acceptor.get_port())
        await self._stop.wait()
        acceptor.close()
        self._cut()
        await acceptor.wait_closed()


class _Login(asyncssh.SSHServer):
    """Who may log in to one connection; keeps ``connections`` so that stopping can cut them."""

    def __init__(
        self,
        user: str,
        password: str,
        key: asyncssh.SSHKey | None,
        connections: set[asyncssh.SSHServerConnection],
        faults: Faults,
    ) -> None:
        self._user, self._password, self._key = user, password, key
        self._connections, self._faults = connections, faults

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._connection)

    def password_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        if self._faults.now is SftpFault.STALLS:
            await never()
        if self._faults.now is SftpFault.REFUSES_LOGIN:
            return False
        return username == self._user and hmac.compare_digest(password.encode(), self._password.encode())

    def public_key_auth_supported(self) -> bool:
        return self._key is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._user and key == self._key


def _host_key(file: Path | None) -> asyncssh.SSHKey:
    """The key kept in ``file``, made on first use (readable by its owner only); without a file a new one."""
    if file is not None and file.exists():
        return asyncssh.read_private_key(file)
    key = asyncssh.generate_private_key("ssh-ed25519")
    if file is not None:
        file.touch(mode=0o600)
        key.write_private_key(file)
    return key
