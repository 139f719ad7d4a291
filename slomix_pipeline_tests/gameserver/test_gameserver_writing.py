"""Writing to both sources of game server files: whole or not at all, also where a server can't rename over a file."""

import itertools
import os
import stat
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from slomix_pipeline.gameserver.sftp import SftpFolder
from slomix_pipeline.gameserver.source import (
    SET_ASIDE,
    UNFINISHED,
    FolderMissing,
    GameServer,
    PermanentError,
    TransientError,
)
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


# --- a server that can't rename a file over another ---


@pytest.fixture(params=["not announced", "not supported", "answered with a failure"])
def plain_renames(request: pytest.FixtureRequest, server: SftpServer, monkeypatch: pytest.MonkeyPatch) -> SftpServer:
    """A server that only knows the rename of the standard, which never replaces anything."""

    def refuse(*_: object) -> None:
        if request.param == "answered with a failure":
            raise asyncssh.SFTPFailure("Failure")
        raise asyncssh.SFTPOpUnsupported("no such request")

    monkeypatch.setattr(asyncssh.SFTPServer, "posix_rename", refuse)
    if request.param == "not announced":
        handler = asyncssh.sftp.SFTPServerHandler
        known = [extension for extension in handler._extensions if b"posix-rename" not in extension[0]]
        monkeypatch.setattr(handler, "_extensions", known)
    return server


def test_a_first_copy_and_a_replacement_work_by_plain_renames(plain_renames: SftpServer, scripts: Path) -> None:
    with connected(plain_renames) as source:
        source.write("scripts", "new.lua", b"first")
        assert contents(scripts) == {"new.lua": b"first"}
        (scripts / "new.lua").chmod(0o640)
        (scripts / f"new.lua{SET_ASIDE}").write_bytes(b"left behind by an earlier try")
        source.write("scripts", "new.lua", b"second")
    assert contents(scripts) == {"new.lua": b"second"}
    assert stat.S_IMODE((scripts / "new.lua").stat().st_mode) == 0o640


@pytest.mark.parametrize("refusals", [1, 2])
def test_when_the_new_file_can_not_take_the_place_the_old_one_is_put_back_or_said_to_be_beside(
    plain_renames: SftpServer, scripts: Path, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    real, asked = asyncssh.SFTPServer.rename, itertools.count()

    def rename(self: asyncssh.SFTPServer, old: bytes, new: bytes) -> Any:
        if 1 <= next(asked) <= refusals:  # after the first, which sets the old one aside
            raise asyncssh.SFTPFailure("disk trouble")
        return real(self, old, new)

    monkeypatch.setattr(asyncssh.SFTPServer, "rename", rename)
    (scripts / "old.lua").write_bytes(b"old")
    with connected(plain_renames) as source:
        if refusals == 1:
            with pytest.raises(TransientError, match="disk trouble"):
                source.write("scripts", "old.lua", b"new")
            assert contents(scripts) == {"old.lua": b"old"}
            return
        with pytest.raises(PermanentError, match=r"the old one is now 'scripts/old\.lua\.old': rename it back by hand"):
            source.write("scripts", "old.lua", b"new")
        assert contents(scripts) == {"old.lua.old": b"old"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
