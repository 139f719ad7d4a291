"""What only SFTP can get wrong, on real sockets: lines that fail, servers that answer late, oddly or never."""

import asyncio
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest

from slomix_pipeline.gameserver.choose import open_game_server
from slomix_pipeline.gameserver.source import GameServer, PermanentError, TransientError
from slomix_pipeline.simulator import sftp_server
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline_tests.gameserver_fixtures import (
    CONTENT,
    FOLDER,
    NAME,
    PASSWORD,
    USER,
    connected,
    never,
    new_key,
    settings_for,
)

pytestmark = pytest.mark.usefixtures("nothing_of_the_users")

# --- a line that fails ---


def test_a_line_that_died_while_idle_is_replaced_silently(files: Path) -> None:
    server = SftpServer(files, USER, PASSWORD)
    with server:
        source = connected(server)
        assert source.list_folder(FOLDER)
    with server, source:
        assert source.read(FOLDER, NAME, limit=100_000) == CONTENT


def test_a_stopped_server_is_transient_and_its_return_is_noticed(files: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = SftpServer(files, USER, PASSWORD)
    with server:
        source = connected(server)
        assert source.list_folder(FOLDER)
    for _ in range(2):
        with pytest.raises(TransientError):
            source.list_folder(FOLDER)
    with server, source:
        assert source.list_folder(FOLDER)
    assert "Traceback" not in caplog.text


def test_a_host_name_that_does_not_resolve_is_transient_and_named() -> None:
    with pytest.raises(TransientError, match="SLOMIX_SFTP_HOST"):
        open_game_server(settings_for(22, sftp_host="no-such-host.invalid")).list_folder(FOLDER)


def test_a_look_up_that_no_name_server_answers_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    over, answered = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> list[object]:
        over.wait(60)
        answered.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    source = open_game_server(settings_for(22, sftp_host="slow.invalid", sftp_timeout=timedelta(seconds=0.3)))
    try:
        with pytest.raises(TransientError, match="did not answer in time"):
            source.list_folder(FOLDER)
        assert not answered.is_set()
    finally:
        over.set()


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-quiet\r\n"])
def test_a_server_that_says_nothing_more_is_transient(greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted: list[socket.socket] = []

        def greet() -> None:
            accepted.append(listener.accept()[0])
            accepted[0].sendall(greeting)

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(TransientError):
            open_game_server(settings_for(listener.getsockname()[1], sftp_timeout=timedelta(seconds=0.3))).list_folder(
                FOLDER
            )
        thread.join()
        accepted[0].close()


def test_a_login_that_is_never_answered_is_transient(server: SftpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp_server._Login, "validate_password", lambda *_: never())
    with pytest.raises(TransientError):
        connected(server, sftp_timeout=timedelta(seconds=0.5)).list_folder(FOLDER)


def test_a_question_that_is_never_answered_is_transient_and_the_next_one_gets_a_new_line(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(server, sftp_timeout=timedelta(seconds=1.5)) as source:
        assert source.list_folder(FOLDER)
        with monkeypatch.context() as patch:
            patch.setattr(asyncssh.SFTPServer, "stat", lambda *_: never())
            with pytest.raises(TransientError, match="did not answer in time"):
                source.folder_changed_at(FOLDER)
        assert source.folder_changed_at(FOLDER)


def dripping(real: Callable[..., Any]) -> Callable[..., Any]:
    """An answer of the server's that takes a while, each time within the time for one answer."""

    async def slowly(self: asyncssh.SFTPServer, *asked: Any) -> Any:
        await asyncio.sleep(0.3)
        return real(self, *asked)

    return slowly


def test_a_file_that_comes_in_drips_is_given_up_and_the_next_call_gets_a_new_line(
    server: SftpServer, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (files / FOLDER / "large.txt").write_bytes(b"x" * 32_768 * 20)
    with connected(server, sftp_timeout=timedelta(seconds=1.5)) as source:
        assert source.list_folder(FOLDER)
        with monkeypatch.context() as patch:
            patch.setattr(asyncssh.SFTPServer, "read", dripping(asyncssh.SFTPServer.read))
            with pytest.raises(TransientError, match=r"not all of it within 1\.5 s \(SLOMIX_SFTP_TIMEOUT\)"):
                source.read(FOLDER, "large.txt", 1_000_000)
        assert len(source.read(FOLDER, "large.txt", 1_000_000)) == 32_768 * 20


def test_a_listing_without_end_is_given_up(server: SftpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(*_: Any) -> Any:
        while True:
            await asyncio.sleep(0.05)
            yield asyncssh.SFTPName(NAME.encode(), attrs=asyncssh.SFTPAttrs(size=1))

    with connected(server, sftp_timeout=timedelta(seconds=1.5)) as source:
        assert source.list_folder(FOLDER)
        monkeypatch.setattr(asyncssh.SFTPServer, "scandir", endless)
        with pytest.raises(TransientError, match="did not answer in time"):
            source.list_folder(FOLDER)


def test_a_greeting_that_comes_in_drips_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def drip() -> None:
            line = listener.accept()[0]
            with line, suppress(OSError):
                while not over.wait(0.05):
                    line.sendall(b"a line before the greeting\r\n"[:2])

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(TransientError, match="did not answer in time"):
            open_game_server(settings_for(listener.getsockname()[1], sftp_timeout=timedelta(seconds=1))).list_folder(
                FOLDER
            )
        over.set()
        thread.join()


def test_an_address_that_leads_nowhere_leaves_time_for_the_next_one(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(2):  # its queue is full now: whoever comes next is not answered
            caller = waiting.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        addresses = (full.getsockname(), ("127.0.0.1", server.port))
        ways = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ways)
        with connected(server, sftp_timeout=timedelta(seconds=3)) as source:
            assert source.list_folder(FOLDER)


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (asyncssh.SFTPPermissionDenied("not yours"), PermanentError, "lets this login not read 'gamestats'"),
        (asyncssh.SFTPFailure("disk trouble"), TransientError, "disk trouble"),
    ],
)
def test_what_the_server_answers_is_told_apart(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch, answer: Exception, error: type[Exception], text: str
) -> None:
    def fail(*_: object) -> None:
        raise answer

    monkeypatch.setattr(asyncssh.SFTPServer, "stat", fail)
    with connected(server) as source, pytest.raises(error, match=text):
        source.folder_changed_at(FOLDER)


class OddServer(paramiko.ServerInterface):
    """A login that works, or wants more, and an answer of choice to the request for SFTP."""

    def __init__(self, key_result: int, wants_sftp: Callable[[], bool]) -> None:
        self.key_result, self.wants_sftp = key_result, wants_sftp

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,keyboard-interactive"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return self.key_result

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.common.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        return self.wants_sftp()


@contextmanager
def odd_server(tmp_path: Path, odd: OddServer) -> Iterator[GameServer]:
    """A source that logs in with a key to one connection of ``odd``."""
    private, _ = new_key()
    (tmp_path / "key").write_bytes(private)
    host_key = paramiko.ECDSAKey.generate()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transports: list[paramiko.Transport] = []

        def serve() -> None:
            transports.append(paramiko.Transport(listener.accept()[0]))
            transports[0].add_server_key(host_key)
            transports[0].start_server(event=threading.Event(), server=odd)

        thread = threading.Thread(target=serve)
        thread.start()
        yield open_game_server(
            settings_for(
                listener.getsockname()[1],
                sftp_host_key=host_key.fingerprint,
                sftp_password=None,
                sftp_key_file=tmp_path / "key",
                sftp_timeout=timedelta(seconds=1.5),
            )
        )
        thread.join()
        transports[0].close()


def test_a_server_that_offers_no_sftp_is_permanent(tmp_path: Path) -> None:
    with (
        odd_server(tmp_path, OddServer(paramiko.common.AUTH_SUCCESSFUL, lambda: False)) as source,
        pytest.raises(PermanentError, match="offers no SFTP"),
    ):
        source.list_folder(FOLDER)


def test_a_request_for_sftp_that_is_never_answered_is_transient(tmp_path: Path) -> None:
    release = threading.Event()
    with (
        odd_server(tmp_path, OddServer(paramiko.common.AUTH_SUCCESSFUL, release.wait)) as source,
        pytest.raises(TransientError),
    ):
        try:
            source.list_folder(FOLDER)
        finally:
            release.set()


def test_a_second_factor_is_refused_without_asking_at_the_keyboard(tmp_path: Path) -> None:
    with (
        odd_server(tmp_path, OddServer(paramiko.common.AUTH_PARTIALLY_SUCCESSFUL, lambda: True)) as source,
        pytest.raises(PermanentError, match="second factor"),
    ):
        source.list_folder(FOLDER)


# --- the server of the demo ---


def test_the_demo_server_shows_nothing_outside_its_directory(server: SftpServer, files: Path) -> None:
    (files.parent / "outside").mkdir()
    with connected(server) as source, pytest.raises(PermanentError, match="There is no folder"):
        source.list_folder("../outside")


def test_the_demo_server_keeps_its_host_key_in_a_file(files: Path, tmp_path: Path) -> None:
    key_file = tmp_path / "host_key"
    first = SftpServer(files, USER, PASSWORD, host_key_file=key_file).host_key_fingerprint
    assert SftpServer(files, USER, PASSWORD, host_key_file=key_file).host_key_fingerprint == first
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_the_demo_server_says_when_its_port_is_taken(server: SftpServer, files: Path) -> None:
    with pytest.raises(OSError, match="address already in use"), SftpServer(files, USER, PASSWORD, port=server.port):
        pass
