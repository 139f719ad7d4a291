"""Writing to both sources of game server files: whole or not at all, also where a server can't rename over a file."""

import os
import stat
from pathlib import Path

import asyncssh
import pytest

from slomix_pipeline.gameserver.sftp import SftpFolder
from slomix_pipeline.gameserver.source import UNFINISHED, FolderMissing, GameServer, PermanentError, TransientError
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline_tests.gameserver_fixtures import FOLDER, PASSWORD, USER, connected

pytestmark = pytest.mark.usefixtures("nothing_of_the_users")

# --- writing ---


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
