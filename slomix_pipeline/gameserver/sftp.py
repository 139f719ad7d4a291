"""A game server over SFTP, through paramiko.

Belongs here: connecting, trusting the host, logging in, and sorting paramiko's many errors into two kinds.
Does not belong here: what the interface promises (``source``), when to retry a ``TransientError`` (the caller).

paramiko's timeouts overlap (banner 15 s, handshake 15 s), and a shorter one of ours would cut into them and
leave a misleading "No existing session"; so every step gets the same generous ``SLOMIX_SFTP_TIMEOUT``.
"""

import logging
import socket
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey
from paramiko.message import Message
from paramiko.pkey import UnknownKeyType
from paramiko.sftp import SFTPError
from paramiko.ssh_exception import IncompatiblePeer, MessageOrderError

from slomix_pipeline.gameserver.source import (
    MAY_NOT_WRITE,
    UNFINISHED,
    FileMissing,
    GameServer,
    GameServerError,
    PermanentError,
    RemoteFile,
    TransientError,
    check_arrived,
    check_file_name,
    missing_folder,
    with_utf8_names,
    within_limit,
)
from slomix_pipeline.settings import Settings

# paramiko's background thread logs a traceback for every dropped connection; callers get the error itself.
logging.getLogger("paramiko.transport").setLevel(logging.CRITICAL)

# Often enough that no router on the way forgets an idle connection.
_KEEPALIVE_SECONDS = 30
# What may come out of paramiko when the network or the server misbehaves.
_TROUBLE = (paramiko.SSHException, SFTPError, EOFError, OSError)
# paramiko says these with the class of a refused login.
_CUT_OFF_DURING_LOGIN = ("Authentication timeout", "transport shut down")

Answer = TypeVar("Answer")


class SftpFolder(GameServer):
    """The game server's folders over one SFTP connection, opened at the first call and used for all.

    A connection that died while idle is replaced once without a word; a second failure is the caller's.

    Raises:
        PermanentError: ``SLOMIX_SFTP_HOST`` or ``SLOMIX_SFTP_USER`` isn't set.
    """

    def __init__(self, settings: Settings) -> None:
        if not settings.sftp_host or not settings.sftp_user:
            raise PermanentError("SFTP needs SLOMIX_SFTP_HOST and SLOMIX_SFTP_USER")
        self._settings = settings
        self._host, self._user = settings.sftp_host, settings.sftp_user
        self._timeout = settings.sftp_timeout.total_seconds()
        self._client: paramiko.SSHClient | None = None
        self._sftp: _Sftp | None = None

    def describe(self) -> str:
        return f"sftp://{self._user}@{self._host}:{self._settings.sftp_port}"

    def folder_changed_at(self, folder: str) -> int:
        attributes = self._ask(folder, missing_folder(folder, self.describe()), lambda sftp: sftp.stat(folder))
        if attributes.st_mode is not None and not stat.S_ISDIR(attributes.st_mode):
            raise PermanentError(f"{folder!r} at {self.describe()} is a file, not a folder")
        return self._known(attributes.st_mtime)

    def list_folder(self, folder: str) -> list[RemoteFile]:
        entries = self._ask(folder, missing_folder(folder, self.describe()), lambda sftp: sftp.listdir_attr(folder))
        files = [
            RemoteFile(entry.filename, self._known(entry.st_size), self._known(entry.st_mtime))
            for entry in entries
            if stat.S_ISREG(self._known(entry.st_mode))
        ]
        return with_utf8_names(files, lambda file: file.name, f"{folder} at {self.describe()}")

    def read(self, folder: str, name: str, limit: int) -> bytes:
        check_file_name(name)
        path = f"{folder}/{name}"

        def content(sftp: paramiko.SFTPClient) -> bytes:
            # No "with": after a timeout, leaving it would wait for one more answer of a server that gives none.
            file = sftp.open(path, "rb")
            data = file.read(limit + 1)
            file.close()
            return data

        missing = FileMissing(f"There is no file {path!r} at {self.describe()}")
        return within_limit(self._ask(path, missing, content), limit, name)

    def read_end(self, folder: str, name: str, limit: int) -> bytes:
        check_file_name(name)
        path = f"{folder}/{name}"

        def end(sftp: paramiko.SFTPClient) -> bytes:
            file = sftp.open(path, "rb")
            file.seek(max(0, self._known(file.stat().st_size) - limit))
            data = file.read(limit)
            file.close()
            return data

        return self._ask(path, FileMissing(f"There is no file {path!r} at {self.describe()}"), end)

    def write(self, folder: str, name: str, data: bytes) -> None:
        check_file_name(name)
        path = f"{folder}/{name}"

        def put(sftp: paramiko.SFTPClient) -> None:
            try:
                _replace(sftp, path, data)
            except PermissionError as error:
                where = self.describe()
                raise PermanentError(f"{where} lets this login not write {path!r}: {error}; {MAY_NOT_WRITE}") from error

        self._ask(path, missing_folder(folder, self.describe()), put)

    def close(self) -> None:
        client, self._client, self._sftp = self._client, None, None
        if client is not None:
            client.close()

    def _known(self, number: int | None) -> int:
        if number is None:
            raise PermanentError(f"{self.describe()} doesn't tell type, size and time of its files")
        return number

    def _ask(self, path: str, missing: PermanentError, question: Callable[[paramiko.SFTPClient], Answer]) -> Answer:
        """The answer to one question about ``path``, over the connection there is or else a new one."""
        reused = self._sftp is not None
        sftp = self._sftp or self._connect()
        try:
            return question(sftp)
        except FileNotFoundError:
            raise missing from None
        except PermissionError as error:
            raise PermanentError(f"{self.describe()} lets this login not read {path!r}: {error}") from error
        except _TROUBLE as error:
            if _is_an_answer(error, sftp):
                raise TransientError(f"{self.describe()} failed at {path!r}: {error}") from error
            self.close()
            # A silent server has cost a full timeout already; only a line found dead is worth a second try at once.
            if not reused or isinstance(error, TimeoutError):
                raise _sorted(error, self.describe()) from error
        return self._ask(path, missing, question)

    def _connect(self) -> "_Sftp":
        self._client = paramiko.SSHClient()
        try:
            self._trust_hosts(self._client)
            self._log_in(self._client)
            self._sftp = self._start_sftp(self._client)
            return self._sftp
        except _TROUBLE as error:
            self.close()
            raise _sorted(error, self.describe()) from error
        except BaseException:
            self.close()
            raise

    def _trust_hosts(self, client: paramiko.SSHClient) -> None:
        """A pinned fingerprint is the only one accepted; without one, the known_hosts file decides."""
        pinned = self._settings.sftp_host_key
        known_hosts = self._settings.sftp_known_hosts.expanduser()
        client.set_missing_host_key_policy(_HostKeyPolicy(pinned, known_hosts))
        if pinned is None:
            for host, key in _trusted_keys(known_hosts):
                client.get_host_keys().add(host, key.get_name(), key)

    def _log_in(self, client: paramiko.SSHClient) -> None:
        settings = self._settings
        key = _private_key(settings)
        password = settings.sftp_password.get_secret_value() if settings.sftp_password else None

        def transport(sock: Any, **options: Any) -> paramiko.Transport:
            made = _Transport(sock, **options)
            made.handshake_timeout = self._timeout
            return made

        sock = socket.create_connection((self._host, settings.sftp_port), self._timeout)
        try:
            client.connect(
                self._host,
                settings.sftp_port,
                self._user,
                password=password,
                pkey=key,
                allow_agent=key is None and password is None,
                look_for_keys=key is None and password is None,
                sock=sock,
                banner_timeout=self._timeout,
                auth_timeout=self._timeout,
                channel_timeout=self._timeout,
                transport_factory=transport,
            )
        except paramiko.SSHException as error:
            line = client.get_transport()
            if _is_refusal(error, line is not None and line.is_active()):
                raise PermanentError(
                    f"{self.describe()} refuses the login ({error}): check SLOMIX_SFTP_USER and "
                    f"SLOMIX_SFTP_KEY_FILE or SLOMIX_SFTP_PASSWORD (without both, the SSH agent and its default keys)"
                ) from error
            raise

    def _start_sftp(self, client: paramiko.SSHClient) -> "_Sftp":
        transport = client.get_transport()
        assert transport is not None, "connected"
        transport.set_keepalive(_KEEPALIVE_SECONDS)
        channel = transport.open_session(timeout=self._timeout)
        channel.settimeout(self._timeout)  # for every answer from here on
        # The one wait of paramiko's that knows no timeout; cutting the line ends it.
        watchdog = threading.Timer(self._timeout, transport.close)
        watchdog.daemon = True
        watchdog.start()
        try:
            channel.invoke_subsystem("sftp")
        except paramiko.SSHException as error:
            if transport.is_active():
                raise PermanentError(f"{self.describe()} accepts the login but offers no SFTP") from error
            raise
        finally:
            watchdog.cancel()
        return _Sftp(channel)


def _replace(sftp: paramiko.SFTPClient, path: str, data: bytes) -> None:
    unfinished = path + UNFINISHED
    try:
        file = sftp.open(unfinished, "wb")
        file.write(data)
        file.close()
        file = sftp.open(unfinished, "rb")
        arrived = file.read(len(data) + 1)
        file.close()
        check_arrived(arrived, data, path)
        with suppress(FileNotFoundError, PermissionError):  # nothing to replace; not every server lets modes be set
            sftp.chmod(unfinished, stat.S_IMODE(sftp.stat(path).st_mode or 0o644))
        sftp.posix_rename(unfinished, path)
    except TimeoutError:  # it would not answer to this either
        raise
    except (OSError, TransientError):
        with suppress(*_TROUBLE):
            sftp.remove(unfinished)
        raise


class _Transport(paramiko.Transport):
    """paramiko's, except that nobody sits at the keyboard: it would ask there for a second factor."""

    def auth_interactive_dumb(self, *_: Any, **__: Any) -> NoReturn:
        raise paramiko.AuthenticationException("the server wants a second factor besides the key")


class _LenientMessage(Message):
    def get_text(self) -> str:
        return self.get_string().decode("utf-8", "surrogateescape")


class _Sftp(paramiko.SFTPClient):
    """paramiko's, except that one file name that isn't UTF-8 doesn't end the whole listing."""

    def _read_response(self, waitfor: Any = None) -> tuple[Any, Any]:
        kind, message = super()._read_response(waitfor)  # type: ignore[misc]  # not in the stubs
        return kind, message and _LenientMessage(message.get_remainder())


class _HostKeyPolicy(paramiko.MissingHostKeyPolicy):
    """Accepts the pinned key; any other host paramiko doesn't know is refused with the way to accept it."""

    def __init__(self, pinned: str | None, known_hosts: Path) -> None:
        self._pinned = pinned.rstrip("=") if pinned else None
        self._known_hosts = known_hosts

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        if key.fingerprint == self._pinned:
            return
        if self._pinned:
            raise PermanentError(_changed_key(hostname, key, f"SLOMIX_SFTP_HOST_KEY is {self._pinned}"))
        raise PermanentError(
            f"{hostname} is not a known host. It offers the {key.get_name()} key {key.fingerprint}. "
            f"{_how_to_compare(key)} If they are the same, set SLOMIX_SFTP_HOST_KEY={key.fingerprint} in .env "
            f"(or add what ssh-keyscan prints for the host to {self._known_hosts})."
        )


def _how_to_compare(key: paramiko.PKey) -> str:
    kind = key.get_name().removeprefix("ssh-").split("-")[0]  # ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256
    return f"Compare it with what `ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub` prints on the game server."


def _changed_key(hostname: str, key: paramiko.PKey, expected: str) -> str:
    return (
        f"WARNING: {hostname} offers another host key than the trusted one: {key.get_name()} {key.fingerprint}, "
        f"but {expected}. Either the server has a new key or somebody sits in between; no password was sent. "
        f"{_how_to_compare(key)} Only if they are the same, replace the trusted key by it."
    )


def _trusted_keys(known_hosts: Path) -> list[tuple[str, paramiko.PKey]]:
    """(host, key) of every line paramiko understands, without the keys the file revokes.

    paramiko's own loader gives up on the whole file at the first ``@`` marker or damaged key.
    A line left out is only ever a host that isn't trusted; so is a missing file.
    """
    trusted, revoked = [], set()
    try:
        lines = known_hosts.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise PermanentError(f"SLOMIX_SFTP_KNOWN_HOSTS can't be read: {error}") from error
    for line in lines:
        fields = line.split()
        marker = fields.pop(0) if line.startswith("@") else None
        try:
            entry = None if line.startswith("#") else HostKeyEntry.from_line(" ".join(fields))
        except (InvalidHostKey, paramiko.SSHException, ValueError, OverflowError):
            entry = None
        if entry is None:
            continue
        if marker == "@revoked":
            revoked.add(entry.key.fingerprint)
        elif marker is None:
            trusted += [(host, entry.key) for host in entry.hostnames]
    return [(host, key) for host, key in trusted if key.fingerprint not in revoked]


def _private_key(settings: Settings) -> paramiko.PKey | None:
    if settings.sftp_key_file is None:
        return None
    secret = settings.sftp_key_passphrase
    passphrase = secret.get_secret_value().encode() if secret else None
    try:
        return paramiko.PKey.from_path(settings.sftp_key_file, passphrase)  # type: ignore[arg-type]  # bytes it must be
    except (OSError, TypeError, ValueError, paramiko.SSHException, UnknownKeyType) as error:
        raise PermanentError(
            f"SLOMIX_SFTP_KEY_FILE {settings.sftp_key_file} can't be used: {error}. It must be a private key of "
            f"OpenSSH, with SLOMIX_SFTP_KEY_PASSPHRASE exactly when it has one (ssh-keygen -p -f FILE rewrites it)"
        ) from error


def _is_refusal(error: paramiko.SSHException, line_stands: bool) -> bool:
    """Whether a failed login is the server's answer (or our own lack of a key), not a fault on the way.

    Besides its class for refused logins, paramiko raises the bare one for "No authentication methods available"
    or an unusable default key; then the line still stands.
    """
    if isinstance(error, paramiko.BadHostKeyException) or any(text in str(error) for text in _CUT_OFF_DURING_LOGIN):
        return False
    return line_stands or isinstance(error, paramiko.AuthenticationException)


def _is_an_answer(error: Exception, sftp: paramiko.SFTPClient) -> bool:
    """Whether the server itself reported a failure (SFTP's nameless "Failure") over a line that works."""
    channel = sftp.get_channel()
    return type(error) is OSError and error.errno is None and channel is not None and not channel.closed


def _sorted(error: Exception, where: str) -> GameServerError:
    """The error of ours for trouble on the way to the server or with the connection."""
    if isinstance(error, paramiko.BadHostKeyException):
        return PermanentError(
            _changed_key(error.hostname, error.key, f"known_hosts has {error.expected_key.fingerprint}")
        )
    if isinstance(error, (IncompatiblePeer, MessageOrderError, SFTPError)):
        return PermanentError(f"{where} can't talk SFTP with this program: {error}")
    if isinstance(error, paramiko.ChannelException) and error.code == 1:  # administratively prohibited, RFC 4254 5.1
        return PermanentError(f"{where} accepts the login but allows it no SFTP: {error}")
    if isinstance(error, socket.gaierror):
        return TransientError(f"{where}: the name can't be resolved now, or SLOMIX_SFTP_HOST is wrong: {error}")
    if isinstance(error, TimeoutError):
        return TransientError(f"{where} did not answer in time")
    return TransientError(f"{where}: the connection failed or was lost: {error or type(error).__name__}")
