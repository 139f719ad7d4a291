"""Both sources of game server files under the same tests, and what only SFTP can get wrong, on real sockets."""

import asyncio
import os
import socket
import stat
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import paramiko.common
import pytest

from slomix_pipeline.gameserver.choose import open_game_server
from slomix_pipeline.gameserver.local import found_below, read_file
from slomix_pipeline.gameserver.sftp import SftpFolder
from slomix_pipeline.gameserver.source import (
    UNFINISHED,
    FileMissing,
    FolderMissing,
    GameServer,
    PermanentError,
    TooLarge,
    TransientError,
    read_log_end,
)
from slomix_pipeline.settings import Settings
from slomix_pipeline.simulator import sftp_server
from slomix_pipeline.simulator.sftp_server import SftpServer

USER, PASSWORD = "collector", "correct horse battery"
FOLDER = "gamestats"
NAME = "2026-02-02-211352-etl_adlernest-round-1.txt"
CONTENT = b"^a#^7p^au^7ran^a^7 line one\n" * 200


@pytest.fixture(autouse=True)
def nothing_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings, SSH agent, default keys or known hosts of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("SLOMIX_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What the game server holds."""
    base = tmp_path / "files"
    (base / FOLDER / "sub").mkdir(parents=True)
    (base / "gametimes").mkdir()
    (base / FOLDER / NAME).write_bytes(CONTENT)
    os.utime(base / FOLDER / NAME, (1_770_000_000, 1_770_000_000))
    return base


@pytest.fixture
def server(files: Path) -> Iterator[SftpServer]:
    with SftpServer(files, USER, PASSWORD) as running:
        yield running


def settings_for(port: int, **changed: Any) -> Settings:
    values: dict[str, Any] = {
        "sftp_host": "127.0.0.1",
        "sftp_port": port,
        "sftp_user": USER,
        "sftp_password": PASSWORD,
        "sftp_timeout": timedelta(seconds=20),
    }
    return Settings(_env_file=None, **(values | changed))  # pydantic-settings' own parameter


def connected(server: SftpServer, **changed: Any) -> GameServer:
    return open_game_server(settings_for(server.port, **({"sftp_host_key": server.host_key_fingerprint} | changed)))


@pytest.fixture(params=["folder", "sftp"])
def source(request: pytest.FixtureRequest, files: Path) -> Iterator[GameServer]:
    if request.param == "folder":
        with open_game_server(Settings(_env_file=None, gameserver_dir=files)) as local:
            yield local
    else:
        server = request.getfixturevalue("server")
        with connected(server) as remote:
            yield remote


def test_a_listing_holds_the_files_with_size_and_time_but_no_folders(source: GameServer) -> None:
    (found,) = source.list_folder(FOLDER)
    assert (found.name, found.size, found.modified_at) == (NAME, len(CONTENT), 1_770_000_000)


def test_an_empty_folder_lists_as_empty(source: GameServer) -> None:
    assert source.list_folder("gametimes") == []


def test_links_are_left_out_of_a_listing(source: GameServer, files: Path) -> None:
    (files / FOLDER / "link.txt").symlink_to(files / FOLDER / NAME)
    assert [file.name for file in source.list_folder(FOLDER)] == [NAME]


def test_a_file_is_read_whole(source: GameServer) -> None:
    assert source.read(FOLDER, NAME, limit=len(CONTENT)) == CONTENT


def test_a_file_of_many_packets_is_read_whole(source: GameServer, files: Path) -> None:
    large = os.urandom(300_000)
    (files / FOLDER / "large.txt").write_bytes(large)
    assert source.read(FOLDER, "large.txt", limit=1_000_000) == large


def test_a_file_over_the_limit_is_refused(source: GameServer) -> None:
    with pytest.raises(TooLarge, match=f"larger than {len(CONTENT) - 1} bytes"):
        source.read(FOLDER, NAME, limit=len(CONTENT) - 1)


def test_a_missing_file_is_told_from_other_errors(source: GameServer) -> None:
    with pytest.raises(FileMissing, match=r"There is no file .*gamestats/gone\.txt"):
        source.read(FOLDER, "gone.txt", limit=10)


@pytest.mark.parametrize("name", ["", ".", "..", "../gametimes/x", "sub/x.txt", "/etc/passwd", "a\\b", "a\0b"])
def test_only_plain_file_names_are_read(source: GameServer, name: str) -> None:
    with pytest.raises(PermanentError, match="not a plain file name"):
        source.read(FOLDER, name, limit=10)


def test_a_missing_folder_is_an_error_that_names_the_setting(source: GameServer) -> None:
    for ask in (source.list_folder, source.folder_changed_at):
        with pytest.raises(PermanentError, match="'gamestat' .*SLOMIX_GAMESTATS_FOLDER, SLOMIX_GAMETIMES_FOLDER and"):
            ask("gamestat")


def test_a_file_in_the_place_of_a_folder_is_an_error(source: GameServer) -> None:
    with pytest.raises(PermanentError, match="is a file, not a folder"):
        source.folder_changed_at(f"{FOLDER}/{NAME}")


def test_the_time_of_a_folder_moves_when_a_file_appears(source: GameServer, files: Path) -> None:
    os.utime(files / FOLDER, (1_770_000_000, 1_770_000_000))
    assert source.folder_changed_at(FOLDER) == 1_770_000_000
    (files / FOLDER / "new.txt").touch()
    assert source.folder_changed_at(FOLDER) > 1_770_000_000


def test_a_name_that_is_not_utf8_is_left_out_and_counted(
    source: GameServer, files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        Path(os.fsdecode(bytes(files / FOLDER) + b"/caf\xe9.txt")).touch()
    except OSError:
        pytest.skip("this file system only takes UTF-8")
    assert [file.name for file in source.list_folder(FOLDER)] == [NAME]
    assert "1 file names" in caplog.text


# --- the end of a log ---


@pytest.mark.parametrize("limit", [0, 1, len(CONTENT) - 1, len(CONTENT), 10 * len(CONTENT)])
def test_the_end_of_a_file_is_read_and_no_more(source: GameServer, limit: int) -> None:
    assert source.read_end(FOLDER, NAME, limit) == CONTENT[max(0, len(CONTENT) - limit) :]


def test_the_end_of_a_large_log_is_read_whole(source: GameServer, files: Path) -> None:
    log = os.urandom(500_000)
    (files / "etconsole.log").write_bytes(log)
    assert source.read_end(".", "etconsole.log", 300_000) == log[-300_000:]


def test_a_missing_log_is_told_from_other_errors_and_only_plain_names_are_read(source: GameServer) -> None:
    with pytest.raises(FileMissing, match=r"There is no file .*gone\.log"):
        source.read_end(".", "gone.log", 10)
    with pytest.raises(PermanentError, match="not a plain file name"):
        source.read_end(FOLDER, "../gametimes/x", 10)


def test_the_path_of_a_log_counts_like_a_folder(source: GameServer, files: Path) -> None:
    (files / "top.log").write_bytes(b"top")
    (files / "gametimes" / "deep.log").write_bytes(b"deep")
    assert read_log_end(source, "top.log", 10) == b"top"
    assert read_log_end(source, "gametimes/deep.log", 10) == b"deep"
    absolute = "/top.log" if isinstance(source, SftpFolder) else str(files / "top.log")
    assert read_log_end(source, absolute, 10) == b"top"


# --- writing ---


@pytest.fixture
def scripts(files: Path) -> Path:
    """The folder that is written to, as the files in it."""
    (files / "scripts").mkdir()
    return files / "scripts"


@pytest.mark.parametrize("size", [0, 30, 300_000])
def test_a_new_file_arrives_whole_and_leaves_nothing_beside(source: GameServer, scripts: Path, size: int) -> None:
    data = os.urandom(size)
    source.write("scripts", "new.lua", data)
    assert [path.name for path in scripts.iterdir()] == ["new.lua"]
    assert (scripts / "new.lua").read_bytes() == data


def test_a_file_is_replaced_and_keeps_its_permissions(source: GameServer, scripts: Path) -> None:
    (scripts / "old.lua").write_bytes(b"a longer one than the new")
    (scripts / "old.lua").chmod(0o640)
    source.write("scripts", "old.lua", b"new")
    assert [path.name for path in scripts.iterdir()] == ["old.lua"]
    assert (scripts / "old.lua").read_bytes() == b"new"
    assert stat.S_IMODE((scripts / "old.lua").stat().st_mode) == 0o640


def test_what_an_interrupted_try_left_behind_is_overwritten(source: GameServer, scripts: Path) -> None:
    (scripts / f"new.lua{UNFINISHED}").write_bytes(b"half of something else, and longer")
    source.write("scripts", "new.lua", b"whole")
    assert [(path.name, path.read_bytes()) for path in scripts.iterdir()] == [("new.lua", b"whole")]


def test_nothing_is_written_where_there_is_no_folder(source: GameServer, files: Path) -> None:
    with pytest.raises(FolderMissing, match="'nowhere' .*SLOMIX_SCRIPTS_FOLDER"):
        source.write("nowhere", "new.lua", b"x")
    assert not (files / "nowhere").exists()


@pytest.mark.parametrize("name", ["", "..", "../x.lua", "sub/x.lua", "a\\b", "a\0b"])
def test_only_plain_file_names_are_written(source: GameServer, name: str) -> None:
    with pytest.raises(PermanentError, match="not a plain file name"):
        source.write(FOLDER, name, b"x")


def test_without_the_right_to_write_the_old_file_stays_and_the_error_says_what_to_do(
    source: GameServer, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise asyncssh.SFTPPermissionDenied("no") if over_sftp else PermissionError(13, "Permission denied")

    over_sftp = isinstance(source, SftpFolder)
    (scripts / "old.lua").write_bytes(b"old")
    monkeypatch.setattr(asyncssh.SFTPServer if over_sftp else Path, "posix_rename" if over_sftp else "replace", refuse)
    with pytest.raises(PermanentError, match="the right to write in that folder"):
        source.write("scripts", "old.lua", b"new")
    assert [(path.name, path.read_bytes()) for path in scripts.iterdir()] == [("old.lua", b"old")]


def test_a_full_disk_is_transient_and_the_old_file_stays(
    server: SftpServer, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise asyncssh.SFTPFailure("no space left")

    (scripts / "old.lua").write_bytes(b"old")
    monkeypatch.setattr(asyncssh.SFTPServer, "write", full)
    with connected(server) as source, pytest.raises(TransientError, match="no space left"):
        source.write("scripts", "old.lua", b"new")
    assert [(path.name, path.read_bytes()) for path in scripts.iterdir()] == [("old.lua", b"old")]


def test_bytes_that_arrive_changed_never_take_the_place(
    server: SftpServer, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asyncssh.SFTPServer.write
    monkeypatch.setattr(asyncssh.SFTPServer, "write", lambda self, file, at, data: real(self, file, at, data.upper()))
    with connected(server) as source, pytest.raises(TransientError, match="not what was written"):
        source.write("scripts", "new.lua", b"new")
    assert list(scripts.iterdir()) == []


def test_a_server_that_lets_no_permissions_be_set_is_written_to_all_the_same(
    server: SftpServer, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise asyncssh.SFTPPermissionDenied("not here")

    (scripts / "old.lua").write_bytes(b"old")
    monkeypatch.setattr(asyncssh.SFTPServer, "setstat", refuse)
    with connected(server) as source:
        source.write("scripts", "old.lua", b"new")
    assert (scripts / "old.lua").read_bytes() == b"new"


def test_a_write_over_a_line_that_died_while_idle_goes_through(files: Path, scripts: Path) -> None:
    server = SftpServer(files, USER, PASSWORD)
    with server:
        source = connected(server)
        assert source.list_folder("scripts") == []
    with server, source:
        source.write("scripts", "new.lua", b"new")
    assert (scripts / "new.lua").read_bytes() == b"new"


def test_a_source_can_be_used_again_after_closing(source: GameServer) -> None:
    source.list_folder(FOLDER)
    source.close()
    assert source.read(FOLDER, NAME, limit=100_000) == CONTENT


def test_without_a_game_server_the_error_names_the_settings() -> None:
    nothing = open_game_server(Settings(_env_file=None))
    for ask in (
        lambda: nothing.list_folder(FOLDER),
        lambda: nothing.read_end(FOLDER, NAME, 10),
        lambda: nothing.write(FOLDER, NAME, b""),
    ):
        with pytest.raises(PermanentError, match="SLOMIX_SFTP_HOST.* or SLOMIX_GAMESERVER_DIR"):
            ask()
    with pytest.raises(PermanentError, match="SLOMIX_SFTP_USER"):
        open_game_server(settings_for(22, sftp_user=None))


def test_sftp_wins_over_a_local_folder(server: SftpServer, tmp_path: Path) -> None:
    with connected(server, gameserver_dir=tmp_path) as source:
        assert source.describe() == f"sftp://{USER}@127.0.0.1:{server.port}"


def test_a_local_folder_that_may_not_be_read_is_a_permanent_error(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermanentError, match="Permission denied"):
        open_game_server(Settings(_env_file=None, gameserver_dir=files)).list_folder(FOLDER)


# --- an archive to import ---


def test_an_archive_is_searched_in_all_sub_folders(tmp_path: Path) -> None:
    expected = [tmp_path / "2025" / NAME, tmp_path / "2026" / "feb" / NAME]
    for path in [*expected, tmp_path / ".git" / NAME, tmp_path / "2025" / ".hidden"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT)
    (tmp_path / "2025" / "loop").symlink_to(tmp_path)
    assert found_below(tmp_path) == expected
    assert read_file(expected[0], limit=100_000) == CONTENT


def test_a_missing_archive_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="There is no folder"):
        found_below(tmp_path / "nowhere")


# --- trusting the host ---


def test_an_unknown_host_key_is_refused_with_the_way_to_accept_it(server: SftpServer) -> None:
    with pytest.raises(PermanentError) as refused:
        connected(server, sftp_host_key=None).list_folder(FOLDER)
    text = str(refused.value)
    assert f"set SLOMIX_SFTP_HOST_KEY={server.host_key_fingerprint} in .env" in text
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in text
    assert "ssh-keyscan" in text


def test_another_key_than_the_pinned_one_is_refused_with_a_warning(server: SftpServer) -> None:
    pinned = "SHA256:" + "A" * 43
    with pytest.raises(PermanentError, match="WARNING") as refused:
        connected(server, sftp_host_key=pinned).list_folder(FOLDER)
    assert pinned in str(refused.value)
    assert server.host_key_fingerprint in str(refused.value)


def test_a_pinned_key_needs_no_known_hosts_file_and_overrules_it(server: SftpServer, tmp_path: Path) -> None:
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(f"[127.0.0.1]:{server.port} {new_key()[1]}\n")
    with connected(server, sftp_known_hosts=known_hosts) as source:
        assert source.list_folder(FOLDER)


def known_as(server: SftpServer, lines: str, tmp_path: Path) -> GameServer:
    """A source that trusts a known_hosts file of these lines; HOST and KEY stand for the server's own."""
    with paramiko.Transport(("127.0.0.1", server.port)) as transport:
        transport.start_client()
        key = transport.get_remote_server_key()
    known_hosts = tmp_path / "known_hosts"
    text = lines.replace("HOST", f"[127.0.0.1]:{server.port}").replace("KEY", f"{key.get_name()} {key.get_base64()}")
    known_hosts.write_text(text)
    return connected(server, sftp_host_key=None, sftp_known_hosts=known_hosts)


def test_a_host_in_known_hosts_is_trusted_among_lines_nobody_understands(server: SftpServer, tmp_path: Path) -> None:
    lines = "# comment\n\n@cert-authority * KEY\nother ssh-ed25519 AAA\ngarbage\nHOST  KEY  admin@home\n"
    with known_as(server, lines, tmp_path) as source:
        assert source.list_folder(FOLDER)


def test_a_hashed_line_of_known_hosts_is_understood(server: SftpServer, tmp_path: Path) -> None:
    hashed = paramiko.HostKeys.hash_host(f"[127.0.0.1]:{server.port}")
    with known_as(server, f"{hashed} KEY\n", tmp_path) as source:
        assert source.list_folder(FOLDER)


def test_a_changed_key_of_a_known_host_is_refused_with_a_warning(server: SftpServer, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="WARNING: .*known_hosts has SHA256:"):
        known_as(server, f"HOST {new_key()[1]}\n", tmp_path).list_folder(FOLDER)


def test_a_revoked_key_is_not_trusted(server: SftpServer, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="not a known host"):
        known_as(server, "HOST KEY\n@revoked * KEY\n", tmp_path).list_folder(FOLDER)


# --- logging in ---


def new_key(passphrase: str | None = None) -> tuple[bytes, str]:
    """A new key: the private file's bytes and the public line."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    return key.export_private_key(passphrase=passphrase, rounds=50), key.export_public_key().decode().strip()


def test_a_wrong_password_is_permanent_and_named(server: SftpServer) -> None:
    with pytest.raises(PermanentError, match="refuses the login .*SLOMIX_SFTP_PASSWORD"):
        connected(server, sftp_password="wrong").list_folder(FOLDER)


@pytest.mark.parametrize("passphrase", [None, "open sesame"])
def test_a_key_file_logs_in(files: Path, tmp_path: Path, passphrase: str | None) -> None:
    private, public = new_key(passphrase)
    (tmp_path / "key").write_bytes(private)
    with (
        SftpServer(files, USER, PASSWORD, authorized_key=public) as server,
        connected(server, sftp_password=None, sftp_key_file=tmp_path / "key", sftp_key_passphrase=passphrase) as source,
    ):
        assert source.list_folder(FOLDER)


def test_a_key_the_server_does_not_know_is_permanent(files: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(new_key()[0])
    with (
        SftpServer(files, USER, PASSWORD, authorized_key=new_key()[1]) as server,
        pytest.raises(PermanentError, match="refuses the login .*SLOMIX_SFTP_KEY_FILE"),
    ):
        connected(server, sftp_password=None, sftp_key_file=tmp_path / "key").list_folder(FOLDER)


@pytest.mark.parametrize("passphrase", [None, "wrong one"])
def test_an_encrypted_key_without_its_passphrase_is_permanent(
    server: SftpServer, tmp_path: Path, passphrase: str | None
) -> None:
    (tmp_path / "key").write_bytes(new_key("open sesame")[0])
    with pytest.raises(PermanentError, match="SLOMIX_SFTP_KEY_PASSPHRASE"):
        connected(server, sftp_key_file=tmp_path / "key", sftp_key_passphrase=passphrase).list_folder(FOLDER)


def test_a_missing_key_file_is_permanent(server: SftpServer, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="SLOMIX_SFTP_KEY_FILE"):
        connected(server, sftp_key_file=tmp_path / "nowhere").list_folder(FOLDER)


def test_without_key_and_password_the_default_keys_are_tried(files: Path, tmp_path: Path) -> None:
    private, public = new_key()
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    with SftpServer(files, USER, PASSWORD, authorized_key=public) as server:
        with pytest.raises(PermanentError, match="No authentication methods available"):
            connected(server, sftp_password=None).list_folder(FOLDER)
        (tmp_path / "home" / ".ssh" / "id_ed25519").write_bytes(private)
        with connected(server, sftp_password=None) as source:
            assert source.list_folder(FOLDER)


def test_no_secret_shows_in_texts_and_errors(server: SftpServer, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(new_key("open sesame")[0])
    sources = [
        connected(server, sftp_password="hunter2"),
        connected(server, sftp_password="hunter2", sftp_host_key=None),
        connected(server, sftp_password="hunter2", sftp_key_file=tmp_path / "key", sftp_key_passphrase="hunter2"),
    ]
    for source in sources:
        with pytest.raises(PermanentError) as failed:
            source.list_folder(FOLDER)
        shown = "".join(traceback.format_exception(failed.value))
        assert "hunter2" not in f"{shown}{source!r}{source}{source.describe()}{vars(source)}{failed.value!r}"


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
    with connected(server, sftp_timeout=timedelta(seconds=3)) as source:
        assert source.list_folder(FOLDER)
        with monkeypatch.context() as patch:
            patch.setattr(asyncssh.SFTPServer, "stat", lambda *_: never())
            with pytest.raises(TransientError, match="did not answer in time"):
                source.folder_changed_at(FOLDER)
        assert source.folder_changed_at(FOLDER)


async def never() -> None:
    await asyncio.sleep(3600)


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
                sftp_timeout=timedelta(seconds=3),
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
