"""The embedded server: joined, stopped, killed, in strange places."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import PGconn, Ping

from slomix_pipeline.warehouse import embedded
from slomix_pipeline.warehouse.embedded import EmbeddedPostgresError, start_embedded, stop_embedded, superuser_url

_USER = """
import sys
from pathlib import Path
from slomix_pipeline.warehouse.embedded import start_embedded
print(start_embedded(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@contextmanager
def _another_process(directory: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", _USER, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _told_address(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def _leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.close()
    assert process.wait() == 0


def _server_number(directory: Path) -> int:
    return int((directory / "postmaster.pid").read_text().split()[0])


def _ask(url: str, question: str = "SELECT 1") -> object:
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute(question.encode()).fetchone()
        return row and row[0]


def _put_a_row(url: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 7 AS number")


def test_two_processes_that_start_together_share_a_server_until_the_last_one_leaves(server_home: Path) -> None:
    directory = server_home / "postgres"
    with _another_process(directory) as first, _another_process(directory) as second:
        url = _told_address(first)
        assert _told_address(second) == url
        server = _server_number(directory)
        _leave(first)
        assert _ask(url) == 1
        assert _server_number(directory) == server
        _leave(second)
        assert not (directory / "postmaster.pid").exists()


def test_a_killed_user_does_not_keep_the_server_running_for_ever(server_home: Path) -> None:
    directory = server_home / "postgres"
    with _another_process(directory) as killed:
        url = _told_address(killed)
        killed.kill()
        killed.wait()
    assert _ask(url) == 1
    assert start_embedded(directory) == url
    stop_embedded(directory)
    assert not (directory / "postmaster.pid").exists()


def test_a_killed_server_comes_back_with_its_data_at_the_same_address(server_home: Path) -> None:
    directory = server_home / "postgres"
    url = start_embedded(directory)
    _put_a_row(url)
    with psycopg.connect(url, autocommit=True) as still_connected:
        still_connected.execute("SELECT 1")
        os.kill(_server_number(directory), signal.SIGKILL)
        assert start_embedded(directory) == url
    assert _ask(url, "SELECT number FROM kept") == 7


def test_a_process_number_that_is_used_again_is_not_taken_for_the_server(server_home: Path) -> None:
    directory = server_home / "postgres"
    url = start_embedded(directory)
    left = (directory / "postmaster.pid").read_text().split("\n", 1)[1]
    stop_embedded(directory)
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (directory / name).write_text(f"{os.getpid()}\n{left}")
    assert start_embedded(directory) == url
    assert _ask(url) == 1


@pytest.mark.parametrize("name", ["x" * 180, "spaces, 'quotes' \"$HOME\" and čšž %20 @ home"])
def test_a_long_or_strange_path_is_no_problem_and_its_socket_is_private(server_home: Path, name: str) -> None:
    directory = server_home / name / "postgres"
    url = start_embedded(directory)
    assert _ask(url) == 1
    sockets = embedded._socket_folder(directory)
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE((sockets / ".s.PGSQL.5432").stat().st_mode) == 0o700
    assert sockets.stat().st_uid == directory.stat().st_uid
    stop_embedded(directory)
    assert sockets == directory or not sockets.exists()


def test_a_folder_that_somebody_put_where_the_socket_belongs_is_refused(server_home: Path) -> None:
    directory = server_home / ("x" * 180) / "postgres"
    start_embedded(directory)
    stop_embedded(directory)
    sockets = embedded._socket_folder(directory)
    sockets.mkdir()
    sockets.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="not a private folder"):
        start_embedded(directory)
    sockets.rmdir()


def test_two_homes_have_a_server_each(server_home: Path) -> None:
    one, other = start_embedded(server_home / "one" / "postgres"), start_embedded(server_home / "other" / "postgres")
    _put_a_row(one)
    assert _ask(other, "SELECT to_regclass('kept')") is None
    stop_embedded(server_home / "one" / "postgres")
    assert _ask(other) == 1


def test_a_start_killed_half_way_is_made_good_by_the_next(server_home: Path) -> None:
    half_made = server_home / "postgres.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    assert _ask(start_embedded(server_home / "postgres")) == 1
    assert not half_made.exists()


def test_a_database_of_another_major_version_is_refused_with_advice(server_home: Path) -> None:
    (server_home / "postgres").mkdir()
    (server_home / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 16, this program brings 18.*pg_dump"):
        start_embedded(server_home / "postgres")


def test_a_folder_with_other_things_in_it_is_left_alone(server_home: Path) -> None:
    (server_home / "postgres").mkdir()
    (server_home / "postgres" / "holiday.txt").write_text("sun")
    with pytest.raises(EmbeddedPostgresError, match="holds something else"):
        start_embedded(server_home / "postgres")
    assert [path.name for path in (server_home / "postgres").iterdir()] == ["holiday.txt"]


def test_a_place_that_cannot_be_written_is_named_in_the_error(server_home: Path) -> None:
    (server_home / "file").write_text("")
    with pytest.raises(EmbeddedPostgresError, match="SLOMIX_HOME") as caught:
        start_embedded(server_home / "file" / "postgres")
    assert str(server_home / "file") in str(caught.value)


def test_the_server_is_reached_by_no_network_address(server_home: Path) -> None:
    assert _ask(start_embedded(server_home / "postgres"), "SHOW listen_addresses") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("name", ["home", "x" * 180], ids=["in its folder", "in /tmp"])
def test_nobody_else_on_the_machine_reaches_the_server(server_home: Path, name: str) -> None:
    directory = server_home / name / "postgres"
    addresses = [start_embedded(directory), superuser_url(directory)]
    for parent in (server_home, directory.parent):
        parent.chmod(0o755)  # what may be done with these does not matter
    account, nobody = directory.stat().st_uid, 65534
    assert all(_reached_by(account, url) for url in addresses)
    assert not any(_reached_by(nobody, url) for url in addresses)


def _reached_by(uid: int, url: str) -> bool:
    """Whether an account of the machine that is in no group reaches a server."""
    if not (child := os.fork()):
        os.setgroups([])
        os.setgid(65534)
        os.setuid(uid)
        os._exit(PGconn.ping(url.encode()) != Ping.OK)
    return os.waitpid(child, 0)[1] == 0
