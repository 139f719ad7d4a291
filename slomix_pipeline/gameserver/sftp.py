"""A game server over SFTP, through paramiko.

Belongs here: connecting, logging in, ending every wait, and sorting paramiko's many errors into two kinds.
Does not belong here: what the interface promises (``source``), which host keys are trusted (``hostkeys``), what
paramiko lacks (``sftp_protocol``), when to retry a ``TransientError`` (the caller).

paramiko's timeouts are for one step or one packet each, and a server that drips gets a new one with every byte. So each
call has one end, ``SLOMIX_SFTP_TIMEOUT`` after it began, connecting included: then its line is cut, which ends any wait
of paramiko's. The steps get the same time, as a shorter one would leave a misleading "No existing session".
"""

import logging
import socket
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import paramiko
from paramiko.pkey import UnknownKeyType
from paramiko.sftp import SFTPError
from paramiko.ssh_exception import IncompatiblePeer, MessageOrderError

from slomix_pipeline.gameserver.entries import Entry, listed
from slomix_pipeline.gameserver.hostkeys import HostKeyRefused, Trust, key_type, trust_of
from slomix_pipeline.gameserver.sftp_protocol import TROUBLE, Sftp, Transport, replace
from slomix_pipeline.gameserver.source import (
    MAY_NOT_WRITE,
    FileMissing,
    FileState,
    GameServer,
    GameServerError,
    PermanentError,
    RemoteFile,
    TransientError,
    check_file_name,
    missing_folder,
    read_whole,
)
from slomix_pipeline.settings import Settings

# paramiko's background thread logs a traceback for every dropped connection; callers get the error itself.
logging.getLogger("paramiko.transport").setLevel(logging.CRITICAL)

# Often enough that no router on the way forgets an idle connection.
_KEEPALIVE_SECONDS = 30
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
        self._end, self._cut = 0.0, False  # of the call that is being answered
        self._line: socket.socket | None = None
        self._client: paramiko.SSHClient | None = None
        self._sftp: Sftp | None = None

    def describe(self) -> str:
        return f"sftp://{self._user}@{self._host}:{self._settings.sftp_port}"

    def folder_changed_at(self, folder: str) -> int:
        attributes = self._ask(folder, missing_folder(folder, self.describe()), lambda sftp: sftp.stat(folder))
        if attributes.st_mode is not None and not stat.S_ISDIR(attributes.st_mode):
            raise PermanentError(f"{folder!r} at {self.describe()} is a file, not a folder")
        return self._known(attributes.st_mtime)

    def list_folder(self, folder: str) -> list[RemoteFile]:
        entries = self._ask(folder, missing_folder(folder, self.describe()), lambda sftp: sftp.listdir_attr(folder))
        return listed(
            (Entry(entry.filename, entry.st_mode, entry.st_size, entry.st_mtime) for entry in entries),
            f"{folder} at {self.describe()}",
        )

    def read(self, folder: str, name: str, limit: int) -> bytes:
        check_file_name(name)
        path = f"{folder}/{name}"

        def content(sftp: Sftp) -> bytes:
            with sftp.open(path, "rb") as file:

                def state() -> FileState:
                    attributes = file.stat()
                    return FileState(self._known(attributes.st_size), attributes.st_mtime)

                return read_whole(name, state, file.read, limit)

        return self._ask(path, FileMissing(f"There is no file {path!r} at {self.describe()}"), content)

    def read_end(self, folder: str, name: str, limit: int) -> bytes:
        check_file_name(name)
        path = f"{folder}/{name}"

        def end(sftp: Sftp) -> bytes:
            with sftp.open(path, "rb") as file:
                file.seek(max(0, self._known(file.stat().st_size) - limit))
                return file.read(limit)

        return self._ask(path, FileMissing(f"There is no file {path!r} at {self.describe()}"), end)

    def may_write(self, folder: str) -> bool | None:
        def bits(sftp: Sftp) -> bool | None:
            home, own = sftp.stat("."), sftp.stat(folder)  # where a login starts is its own, mostly
            if own.st_mode is None:
                return None
            if own.st_uid is not None and own.st_uid == home.st_uid:
                return bool(own.st_mode & stat.S_IWUSR)
            return True if own.st_mode & stat.S_IWOTH else None

        return self._ask(folder, missing_folder(folder, self.describe()), bits)

    def write(self, folder: str, name: str, data: bytes) -> None:
        check_file_name(name)
        path = f"{folder}/{name}"

        def put(sftp: Sftp) -> None:
            try:
                replace(sftp, path, data)
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

    def _ask(self, path: str, missing: PermanentError, question: Callable[[Sftp], Answer]) -> Answer:
        """The answer to one question about ``path``, over the connection there is or else a new one."""
        with self._ends_in_time():
            try:
                return self._answer(path, missing, question)
            except _LineDied:
                return self._answer(path, missing, question)

    def _answer(self, path: str, missing: PermanentError, question: Callable[[Sftp], Answer]) -> Answer:
        reused = self._sftp is not None
        sftp = self._sftp or self._connect()
        try:
            return question(sftp)
        except FileNotFoundError:
            raise missing from None
        except PermissionError as error:
            raise PermanentError(f"{self.describe()} lets this login not read {path!r}: {error}") from error
        except TROUBLE as error:
            if _is_an_answer(error, sftp):
                raise TransientError(f"{self.describe()} failed at {path!r}: {error}") from error
            self.close()
            # A silent server has cost its time already; only a line found dead is worth a second try at once.
            if reused and not self._cut and not isinstance(error, TimeoutError):
                raise _LineDied from error
            raise _sorted(error, self.describe()) from error

    @contextmanager
    def _ends_in_time(self) -> Iterator[None]:
        """Cuts the line when a call takes longer than it may, whatever it waits for."""
        self._end, self._cut = time.monotonic() + self._timeout, False
        watchdog = threading.Timer(self._timeout, self._cut_line)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        except (*TROUBLE, GameServerError) as error:
            if not self._cut:
                raise
            self.close()
            late = f"{self.describe()} did not answer in time: not all of it within {self._timeout:g} s"
            raise TransientError(f"{late} (SLOMIX_SFTP_TIMEOUT)") from error
        finally:
            watchdog.cancel()

    def _cut_line(self) -> None:
        self._cut = True
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> Sftp:
        settings = self._settings
        trust = trust_of(self._host, settings.sftp_port, settings.sftp_host_key, settings.sftp_known_hosts)
        refused: dict[str, HostKeyRefused] = {}
        while True:
            try:
                self._sftp = self._open(trust, without=refused.keys())
                return self._sftp
            except HostKeyRefused as error:
                # A fingerprint doesn't tell of which type its key is: the server may have that key too.
                if trust.pinned is None or error.kind in refused:
                    raise
                refused[error.kind] = error
            except TROUBLE as error:
                if refused and isinstance(error, IncompatiblePeer):  # it has no key of another type
                    raise next(iter(refused.values())) from error
                raise _sorted(error, self.describe()) from error

    def _open(self, trust: Trust, without: Collection[str]) -> Sftp:
        """A new connection, logged in; its host key may be of any type but those ``without``."""
        self._client = paramiko.SSHClient()
        self._client.set_missing_host_key_policy(_Policy(trust))
        try:
            self._log_in(self._client, trust, without)
            return self._start_sftp(self._client)
        except BaseException:
            self.close()
            raise

    def _log_in(self, client: paramiko.SSHClient, trust: Trust, without: Collection[str]) -> None:
        settings = self._settings
        key = _private_key(settings)
        password = settings.sftp_password.get_secret_value() if settings.sftp_password else None

        def transport(sock: Any, **options: Any) -> paramiko.Transport:
            made = Transport(sock, **options)
            made.handshake_timeout = self._timeout
            security = made.get_security_options()
            security.key_types = [a for a in trust.in_order(security.key_types) if key_type(a) not in without]
            return made

        self._line = self._dial()
        if self._cut:  # too late for this line to be cut
            raise TimeoutError
        try:
            client.connect(
                self._host,
                settings.sftp_port,
                self._user,
                password=password,
                pkey=key,
                allow_agent=key is None and password is None,
                look_for_keys=key is None and password is None,
                sock=self._line,
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

    def _dial(self) -> socket.socket:
        """The first address of the host that answers. Each gets its share of the time: of two, one may lead nowhere."""
        addresses = self._addresses()
        trouble: OSError = TimeoutError()
        for left, (family, kind, protocol, _, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
            line = socket.socket(family, kind, protocol)
            try:
                line.settimeout(max(0.01, self._end - time.monotonic()) / left)
                line.connect(address)
                return line
            except OSError as error:
                line.close()
                trouble = error
        raise trouble

    def _addresses(self) -> list[Any]:
        """What the name of the host leads to. In a thread: nothing can cut a look-up that no name server answers."""
        outcome: Future[list[Any]] = Future()

        def look_up() -> None:
            try:
                outcome.set_result(socket.getaddrinfo(self._host, self._settings.sftp_port, type=socket.SOCK_STREAM))
            except Exception as error:  # told to the caller, who may have gone
                outcome.set_exception(error)

        threading.Thread(target=look_up, name="sftp-look-up", daemon=True).start()
        return outcome.result(max(0.01, self._end - time.monotonic()))

    def _start_sftp(self, client: paramiko.SSHClient) -> Sftp:
        transport = client.get_transport()
        assert transport is not None, "connected"
        transport.set_keepalive(_KEEPALIVE_SECONDS)
        channel = transport.open_session(timeout=self._timeout)
        channel.settimeout(self._timeout)
        try:
            channel.invoke_subsystem("sftp")
        except paramiko.SSHException as error:
            if transport.is_active():
                raise PermanentError(f"{self.describe()} accepts the login but offers no SFTP") from error
            raise
        return Sftp(channel)


class _LineDied(Exception):
    """A connection was found dead at its next use; a new one is worth a try."""


class _Policy(paramiko.MissingHostKeyPolicy):
    """paramiko knows no host keys of itself, so it asks here about every one."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        self._trust.check(hostname, key)


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
    if any(text in str(error) for text in _CUT_OFF_DURING_LOGIN):
        return False
    return line_stands or isinstance(error, paramiko.AuthenticationException)


def _is_an_answer(error: Exception, sftp: Sftp) -> bool:
    """Whether the server itself reported a failure (SFTP's nameless "Failure") over a line that works."""
    channel = sftp.get_channel()
    return type(error) is OSError and error.errno is None and channel is not None and not channel.closed


def _sorted(error: Exception, where: str) -> GameServerError:
    """The error of ours for trouble on the way to the server or with the connection."""
    if isinstance(error, (IncompatiblePeer, MessageOrderError, SFTPError)):
        return PermanentError(f"{where} can't talk SFTP with this program: {error}")
    if isinstance(error, paramiko.ChannelException) and error.code == 1:  # administratively prohibited, RFC 4254 5.1
        return PermanentError(f"{where} accepts the login but allows it no SFTP: {error}")
    if isinstance(error, socket.gaierror):
        return TransientError(f"{where}: the name can't be resolved now, or SLOMIX_SFTP_HOST is wrong: {error}")
    if isinstance(error, TimeoutError):
        return TransientError(f"{where} did not answer in time")
    return TransientError(f"{where}: the connection failed or was lost: {error or type(error).__name__}")
