"""A real SFTP server on 127.0.0.1 that serves one local directory.

Belongs here: the game server's SFTP side for the demo and the tests.
Does not belong here: the files it serves; whoever starts it writes them into the directory.
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

    @property
    def host_key_fingerprint(self) -> str:
        """``SHA256:…`` as ``ssh-keygen -lf`` prints it."""
        return self._host_key.get_fingerprint()

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
        connections: set[asyncssh.SSHServerConnection] = set()
        try:
            acceptor = await asyncssh.listen(
                "127.0.0.1",
                self.port,
                server_host_keys=[self._host_key],
                server_factory=lambda: _Login(self._user, self._password, self._authorized_key, connections),
                sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=self._directory),
            )
        except (OSError, asyncssh.Error) as error:
            started.set_exception(error)
            return
        started.set_result(acceptor.get_port())
        await self._stop.wait()
        acceptor.close()
        for connection in list(connections):
            connection.abort()
        await acceptor.wait_closed()


class _Login(asyncssh.SSHServer):
    """Who may log in to one connection; keeps ``connections`` so that stopping can cut them."""

    def __init__(
        self, user: str, password: str, key: asyncssh.SSHKey | None, connections: set[asyncssh.SSHServerConnection]
    ) -> None:
        self._user, self._password, self._key, self._connections = user, password, key, connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._connection)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
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
