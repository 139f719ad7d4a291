"""Both sources of game server files under the same tests: listing and reading; which of them is used."""

import os
import stat
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from slomix_pipeline.gameserver.choose import open_game_server
from slomix_pipeline.gameserver.local import LocalFolder, found_below, read_file
from slomix_pipeline.gameserver.sftp import SftpFolder
from slomix_pipeline.gameserver.source import (
    FileMissing,
    GameServer,
    NotWhole,
    PermanentError,
    TooLarge,
    check_listed,
    read_log_end,
)
from slomix_pipeline.settings import Settings
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline_tests.gameserver_fixtures import CONTENT, FOLDER, NAME, USER, connected, settings_for

pytestmark = pytest.mark.usefixtures("nothing_of_the_users")


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


# --- entries that can't be files of the game ---


def odd_listing(
    monkeypatch: pytest.MonkeyPatch, *odd: tuple[bytes, dict[str, int | None]], alone: bool = False
) -> None:
    """The SFTP server lists these names, with attributes other than a good file's, beside one good file."""
    good: dict[str, int | None] = {"size": 7, "permissions": stat.S_IFREG | 0o644, "atime": 1, "mtime": 1_770_000_000}
    entries = list(odd) if alone else [*odd, (NAME.encode(), {})]
    names = [asyncssh.SFTPName(name, attrs=asyncssh.SFTPAttrs(**(good | attributes))) for name, attributes in entries]
    monkeypatch.setattr(asyncssh.SFTPServer, "listdir", lambda *_: names, raising=False)


ODD_ENTRIES: dict[str, tuple[bytes, dict[str, int | None]]] = {
    "a NUL": (b"a\0b.txt", {}),
    "no name": (b"", {}),
    "a path": (b"../../etc/passwd", {}),
    "not UTF-8": (b"caf\xe9.txt", {}),
    "4,000 bytes": (b"x" * 4000, {}),
    "no size": (b"a.txt", {"size": None}),
    "no time": (b"a.txt", {"atime": None, "mtime": None}),
    "no type": (b"a.txt", {"permissions": None}),
    "nothing told": (b"a.txt", {"size": None, "permissions": None, "atime": None, "mtime": None}),
    "2**63 bytes": (b"a.txt", {"size": 2**63}),
    "2**64 - 1 bytes": (b"a.txt", {"size": 2**64 - 1}),
}


@pytest.mark.parametrize("odd", ODD_ENTRIES)
def test_an_odd_entry_is_left_out_and_said_once_and_the_folder_goes_on(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, odd: str
) -> None:
    odd_listing(monkeypatch, ODD_ENTRIES[odd])
    with connected(server) as source:
        for _ in range(3):
            assert [(file.name, file.size) for file in source.list_folder(FOLDER)] == [(NAME, 7)]
    (said,) = [record.message for record in caplog.records if "left out" in record.message]
    assert FOLDER in said and said.isprintable()


def test_the_largest_size_and_the_oddest_name_of_a_file_can_be_listed(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd_listing(monkeypatch, (b"[b]\x1b]0;x\x07\n.txt", {"size": 2**63 - 1, "mtime": 2**32 - 1}), alone=True)
    with connected(server) as source:
        (file,) = source.list_folder(FOLDER)
    assert (file.name, file.size) == ("[b]\x1b]0;x\x07\n.txt", 2**63 - 1)


def test_a_server_that_tells_nothing_of_its_files_is_an_error_and_no_empty_folder(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd_listing(monkeypatch, ODD_ENTRIES["nothing told"], alone=True)
    with connected(server) as source, pytest.raises(PermanentError, match="doesn't tell type, size and time"):
        source.list_folder(FOLDER)


# --- whole or not ---


def test_a_file_that_is_written_while_it_is_read_is_read_again(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files / FOLDER / NAME
    real = os.fstat

    def and_then_written(handle: int) -> os.stat_result:
        status = real(handle)
        with path.open("ab") as file:
            file.write(CONTENT[:28])  # a whole line
        return status

    with monkeypatch.context() as patch, pytest.raises(NotWhole, match="was changed while it was read"):
        patch.setattr(os, "fstat", and_then_written)
        read_file(path, 1_000_000)
    assert read_file(path, 1_000_000) == CONTENT + 2 * CONTENT[:28]


CUT = 32_768


def cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server says that every file ends after so many bytes."""
    real = asyncssh.SFTPServer.read

    def read(self: asyncssh.SFTPServer, file: object, offset: int, size: int) -> bytes:
        return real(self, file, offset, size) if offset < CUT else b""  # type: ignore[return-value]

    monkeypatch.setattr(asyncssh.SFTPServer, "read", read)


def test_a_read_that_ends_early_is_read_again(server: SftpServer, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = os.urandom(100_000)
    (files / FOLDER / "large.txt").write_bytes(large)
    with connected(server) as source:
        with monkeypatch.context() as patch, pytest.raises(NotWhole, match=f"has 100000 bytes, but {CUT} came"):
            cut_short(patch)
            source.read(FOLDER, "large.txt", 1_000_000)
        assert source.read(FOLDER, "large.txt", 1_000_000) == large


def test_a_file_that_grew_or_shrank_over_sftp_while_it_was_read_is_read_again(
    server: SftpServer, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asyncssh.SFTPServer.read
    for changed in (CONTENT[:28], CONTENT + CONTENT[:28]):
        path = files / FOLDER / NAME
        path.write_bytes(CONTENT)

        def read(self: asyncssh.SFTPServer, *asked: Any, changed: bytes = changed) -> Any:
            (files / FOLDER / NAME).write_bytes(changed)
            return real(self, *asked)

        with monkeypatch.context() as patch, connected(server) as source, pytest.raises(NotWhole):
            patch.setattr(asyncssh.SFTPServer, "read", read)
            source.read(FOLDER, NAME, 1_000_000)


def test_what_was_read_is_held_against_the_listing_that_asked_for_it() -> None:
    check_listed(b"whole", NAME, 5)
    check_listed(b"whole", NAME, None)
    with pytest.raises(NotWhole, match="was listed with 100000 bytes and has 5 now"):
        check_listed(b"whole", NAME, 100_000)


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


def test_a_link_or_a_pipe_that_took_the_place_of_a_listed_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not the game server's")
    (tmp_path / "gamestats").mkdir()
    (tmp_path / "gamestats" / "link.txt").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "gamestats" / "pipe.txt")
    with LocalFolder(tmp_path) as source:
        for name in ("link.txt", "pipe.txt"):
            with pytest.raises(PermanentError, match=name):
                source.read("gamestats", name, 1000)


def test_a_file_is_not_written_through_a_link_that_waits_where_it_is_unfinished(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("stays")
    (tmp_path / "script.lua.part").symlink_to(tmp_path / "ours")
    with LocalFolder(tmp_path) as source:
        source.write(".", "script.lua", b"new")
    assert (tmp_path / "ours").read_text() == "stays" and (tmp_path / "script.lua").read_text() == "new"
    assert not (tmp_path / "script.lua").is_symlink()
