"""The supervisor: what it starts, what it does when something falls, what it leaves behind. Its children are stand-ins
here; the real ones are killed in ``chaos``."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from unittest.mock import Mock

import psutil  # type: ignore[import-untyped]  # comes without types
import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.actions import doctor
from slomix_pipeline.runtime import children, supervisor
from slomix_pipeline.runtime.children import end_child, end_leftovers, start_child
from slomix_pipeline.runtime.home import LOCK, HomeInUse, own_scratch, sole_owner, supervisor_of
from slomix_pipeline.runtime.supervisor import ChildEnded
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.warehouse import embedded
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.embedded import shorten_log, start_embedded, stop_embedded
from slomix_pipeline.warehouse.embedded_state import State, embedded_state

_SLEEPS = "import time; time.sleep(600)"
_STARTS_ANOTHER = (
    f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {_SLEEPS!r}]).pid, flush=True); {_SLEEPS}"
)


def python(program: str, home: Path, name: str = "child") -> "subprocess.Popen[bytes]":
    return start_child(name, [sys.executable, "-c", program], os.environ, home)


def soon(is_so: Callable[[], bool]) -> bool:
    end = time.monotonic() + 60
    while not is_so() and time.monotonic() < end:
        time.sleep(0.05)
    return is_so()


# --- children --------------------------------------------------------------------------------------------------------


def test_the_logs_of_a_process_that_complains_all_the_time_stay_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "LOG_BYTES", 10_000)
    child = python("for n in range(5000): print('away again', n)\nprint('x' * 200_000)\nprint('last words')", tmp_path)
    log = tmp_path / "logs" / "child.log"
    assert soon(lambda: log.exists() and "last words" in log.read_text())
    end_child(child, tmp_path, within=0)
    logs = sorted((tmp_path / "logs").iterdir())
    assert [log.name for log in logs] == ["child.log", "child.log.1", "child.log.2", "child.log.3"]
    assert max(log.stat().st_size for log in logs) < 10_000 + children._LONGEST_LINE + 1


def test_the_log_of_the_embedded_server_stays_small_while_it_writes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOG_BYTES", 100)
    with (tmp_path / "log").open("a") as server:
        for number in range(100):
            server.write(f"LOG: line {number}\n")
            server.flush()
            shorten_log(tmp_path)
    assert (tmp_path / "log").read_text().endswith("line 99\n")
    assert (tmp_path / "log").stat().st_size <= 100 and (tmp_path / "log.1").stat().st_size == 100


def test_a_log_that_cant_be_kept_ends_nothing_and_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOG_BYTES", 100)
    (tmp_path / "log").write_text("x" * 1000)
    (tmp_path / "log.1").mkdir()  # as on a full disk: it can't be written
    shorten_log(tmp_path)
    assert (tmp_path / "log").stat().st_size == 0


def test_who_takes_a_home_ends_what_a_killed_supervisor_left_there_and_nothing_else(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    with ExitStack() as stack:
        for home in (mine, other):
            home.mkdir()
            stack.callback(end_leftovers, home)
        left, apart = python(_STARTS_ANOTHER, mine), python(_SLEEPS, other)
        assert soon(lambda: (mine / "logs" / "child.log").read_text().endswith("\n"))
        grandchild = int((mine / "logs" / "child.log").read_text())
        with sole_owner(mine):
            assert soon(lambda: has_ended(left.pid) and has_ended(grandchild))
            assert not has_ended(apart.pid)
    assert has_ended(apart.pid)


def has_ended(number: int) -> bool:
    try:
        return bool(psutil.Process(number).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_what_killed_processes_left_of_temporary_files_is_gone_when_others_start(tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="slomix-") as short:  # sockets lie in it
        home = Path(short)
        given = own_scratch(home)
        program = "import os, tempfile; tempfile.mkdtemp(); os.kill(os.getpid(), 9)"
        subprocess.run([sys.executable, "-c", program], env=os.environ | given, check=False)
        assert len(list(Path(given["TMPDIR"]).iterdir())) == 1
        assert own_scratch(home) == given
        assert list(Path(given["TMPDIR"]).iterdir()) == []
    assert own_scratch(tmp_path / ("x" * 80)) == {}


def test_a_home_is_held_by_one_and_its_lock_lies_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slomix_pipeline.runtime.home._PAUSE", 0.01)
    home = tmp_path / "home"
    assert supervisor_of(home) is None
    with sole_owner(home):
        assert supervisor_of(home) == os.getpid()
        with pytest.raises(HomeInUse, match=str(os.getpid())), sole_owner(home):
            pass
    assert supervisor_of(home) is None
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_who_only_looks_whether_a_home_is_held_keeps_nobody_from_taking_it(tmp_path: Path) -> None:
    with sole_owner(tmp_path):
        pass
    with (tmp_path / LOCK).open() as looks:
        fcntl.flock(looks, fcntl.LOCK_SH)
        leaves = threading.Timer(0.3, fcntl.flock, [looks, fcntl.LOCK_UN])
        leaves.start()
        with sole_owner(tmp_path):
            assert supervisor_of(tmp_path) == os.getpid()
        leaves.join()


def test_of_a_home_that_may_not_be_read_nobody_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)  # root may read everything
        assert supervisor_of(tmp_path) is None


# --- what falls is brought up again ----------------------------------------------------------------------------------


class Stage:
    """``_keep_up`` with processes that only sleep, in a thread of its own."""

    def __init__(self, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
        self.said: list[str] = []
        self.started: list[subprocess.Popen[bytes]] = []
        self.ended_with: Exception | None = None
        settings.home.mkdir(exist_ok=True)

        @contextmanager
        def one_child(*_: object) -> Iterator["subprocess.Popen[bytes]"]:
            self.started.append(python(program, settings.home))
            try:
                yield self.started[-1]
            finally:
                end_child(self.started[-1], settings.home, within=0)

        class Over(Exception):
            """The test has seen enough."""

        def say(text: str) -> None:
            self.said.append(text)
            if self.is_over:
                raise Over

        def keep_up() -> None:
            try:
                supervisor._keep_up(settings, database, 0, Mock(), lambda: None, say)
            except Over:
                pass
            except Exception as error:
                self.ended_with = error

        self.is_over = False
        monkeypatch.setattr(supervisor, "_dagster", one_child)
        monkeypatch.setattr(supervisor, "_LOOK_EVERY", 0.05)
        monkeypatch.setattr(supervisor, "_ASK_AGAIN", 0.05)
        monkeypatch.setattr(supervisor, "_SAY_AGAIN", 0.5)
        monkeypatch.setattr(
            supervisor,
            "time",
            SimpleNamespace(monotonic=time.monotonic, sleep=lambda seconds: time.sleep(min(seconds, 0.05))),
        )
        self.thread = threading.Thread(target=keep_up)
        self.thread.start()

    def end(self) -> None:
        self.is_over = True
        while self.thread.is_alive():
            for child in self.started:
                child.kill()
            self.thread.join(0.2)


def test_a_given_server_that_goes_and_comes_is_waited_for_and_worked_on_with_again(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = start_embedded(server_home / "given")
    stage = Stage(load_settings(home=server_home / "home", postgres_url=url), Database(url), monkeypatch, _SLEEPS)
    try:
        assert soon(lambda: len(stage.started) == 1)
        stop_embedded(server_home / "given")
        assert soon(lambda: any(text.startswith("Waiting for PostgreSQL") for text in stage.said))
        assert stage.started[0].wait(10)  # none complains all the time meanwhile
        start_embedded(server_home / "given")
        assert soon(lambda: "Everything is up again." in stage.said)
        assert len(stage.started) == 2 and stage.started[1].poll() is None
    finally:
        stage.end()


def test_a_database_that_was_away_for_a_moment_only_is_noticed_too(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(home=tmp_path / "home", postgres_url=database.url)
    stage = Stage(settings, database, monkeypatch, _SLEEPS)
    try:
        assert soon(lambda: len(stage.started) == 1)
        with database.connect() as conn:
            conn.execute(
                """select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid()"""
            )
        assert soon(lambda: "Everything is up again." in stage.said)
        assert stage.said[0].startswith("PostgreSQL broke off")
    finally:
        stage.end()


def test_an_embedded_server_that_is_killed_is_started_again(server_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(home=server_home / "home")
    database = Database(start_embedded(settings.postgres_dir))
    stage = Stage(settings, database, monkeypatch, _SLEEPS)
    try:
        assert soon(lambda: len(stage.started) == 1)
        kill_server(settings.postgres_dir)
        assert soon(lambda: "Everything is up again." in stage.said)
        with database.connect() as conn:
            assert conn.execute("select 1 as one").fetchone() == {"one": 1}
    finally:
        stage.end()


def test_a_process_that_falls_again_and_again_ends_the_run_with_an_error(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_SHORT_LIVES", 2)
    settings = load_settings(home=tmp_path / "home", postgres_url=database.url)
    stage = Stage(settings, database, monkeypatch, "raise SystemExit(3)")
    stage.thread.join(60)
    assert isinstance(stage.ended_with, ChildEnded) and "exit code 3" in str(stage.ended_with)
    assert len(stage.started) == 3


def test_what_never_comes_up_again_ends_the_run_however_long_it_was_up_before(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, pauses, attempts = [0.0], [0.0], 0

    def sleep(seconds: float) -> None:
        now[0] += seconds
        pauses.append(seconds)

    @contextmanager
    def up_once_for_an_hour(*_: object) -> Iterator[None]:
        nonlocal attempts
        attempts += 1
        now[0] += 2
        if attempts > 50:
            raise AssertionError("it is started for ever")
        if attempts > 1:
            raise ChildEnded("the code-server can't be started")
        yield None

    def look_for_an_hour(_: object) -> None:
        if now[0] > 3600:
            raise ChildEnded("the daemon ended")

    monkeypatch.setattr(supervisor, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    monkeypatch.setattr(supervisor, "_LOOK_EVERY", 60)
    monkeypatch.setattr(supervisor, "_dagster", up_once_for_an_hour)
    monkeypatch.setattr(supervisor, "_check", look_for_an_hour)
    settings = load_settings(home=tmp_path / "home", postgres_url=database.url)
    with pytest.raises(ChildEnded, match="can't be started"):
        supervisor._keep_up(settings, database, 0, Mock(), lambda: None, lambda _: None)
    assert [pause for pause in pauses if pause < 60][1:] == [0, 1, 2, 3, 4, 5]


def asked_by_the_supervisor(conn: Connection[DictRow]) -> list[int]:
    """The numbers of the server's processes that answer its heartbeat."""
    asked = conn.execute(
        """select pid from pg_stat_activity
           where datname = current_database() and query = 'select 1' and pid <> pg_backend_pid()"""
    )
    return [row["pid"] for row in asked]


def test_a_frozen_server_that_never_answers_is_noticed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slomix_pipeline.runtime.lifeline._ANSWERS_WITHIN", 0.5)
    settings = load_settings(home=tmp_path / "home", postgres_url=database.url)
    stage = Stage(settings, database, monkeypatch, _SLEEPS)
    with database.connect() as conn:
        try:
            conn.autocommit = True  # else it would see the same moment again and again
            assert soon(lambda: len(asked_by_the_supervisor(conn)) == 1)
            (frozen,) = asked_by_the_supervisor(conn)
            os.kill(frozen, signal.SIGSTOP)
            try:
                assert soon(lambda: "Everything is up again." in stage.said), stage.said
            finally:
                os.kill(frozen, signal.SIGCONT)
            assert stage.said[0].startswith("PostgreSQL broke off")
        finally:
            stage.end()


def kill_server(directory: Path) -> None:
    os.kill(int((directory / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


# --- the doctor ------------------------------------------------------------------------------------------------------


def test_the_doctor_tells_that_the_database_is_down_and_does_not_revive_it(server_home: Path) -> None:
    settings = load_settings(home=server_home / "home")
    url = start_embedded(settings.postgres_dir)
    kill_server(settings.postgres_dir)
    assert soon(lambda: embedded_state(settings.postgres_dir) is State.DEAD)
    for supervised in (False, True):
        with ExitStack() as stack:
            if supervised:
                stack.enter_context(sole_owner(settings.home))
            found = {finding.what: finding for finding in doctor.examine(settings)}
        assert not found["database"].fine and "down (ended without being stopped)" in found["database"].text
        assert (f"process {os.getpid()}" in found["database"].text) == supervised
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
