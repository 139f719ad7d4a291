"""Secrets of the settings in an evening on which everything goes wrong: searched for in all that is written and said."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # comes without types
import psycopg
import pytest
import requests
from psycopg import sql

from slomix_pipeline.settings import Settings, as_environment, environment_without_settings, load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline.simulator.writing import play_live
from slomix_pipeline.warehouse import roles
from slomix_pipeline.warehouse.database import Database, site_url

SLOMIX = [sys.executable, "-c", "from slomix_pipeline.cli.main import main; main()"]
PATIENCE = 240.0  # seconds, on a machine that is busy; an idle one takes a tenth
MARK = "canary"
_ASKED = "{ instance { info daemonHealth { allDaemonStatuses { lastHeartbeatErrors { message stack } } } } }"


def secret(what: str) -> str:
    return f"{MARK}-{what}-0123456789"


class _Refusing(BaseHTTPRequestHandler):
    """Stands for Discord on a bad day: refuses everything, and repeats what it was asked."""

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = f'{{"message": "no {self.path}", "code": 0}}'.encode()
        self.send_response(404 if "gone" in self.path else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815  # the names are the library's

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def refusing_discord() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/webhooks/1234567890"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def with_password(url: str, what: str) -> str:
    return re.sub(r"//(\w+)@", rf"//\1:{secret(what)}@", url)


def given(database: Database, home: Path, sftp: SftpServer, discord: str) -> Settings:
    return load_settings(
        home=home,
        ui_port=0,
        site_port=0,
        postgres_url=with_password(database.url, "writer"),
        dagster_postgres_url=with_password(site_url(database.url, roles.DAGSTER), "dagster"),
        site_postgres_url=with_password(site_url(database.url, roles.PAGES), "pages"),
        link_postgres_url=with_password(site_url(database.url, roles.LINKS), "links"),
        sftp_host="127.0.0.1",
        sftp_port=sftp.port,
        sftp_user="tester",
        sftp_password=secret("sftp"),
        sftp_key_passphrase=secret("passphrase"),
        sftp_host_key=sftp.host_key_fingerprint,
        sftp_timeout=timedelta(seconds=5),
        discord_webhook=f"{discord}/{secret('gone')}?thread_id=55",
        discord_dev_webhook=f"{discord}/{secret('dev')}",
        discord_admin_webhook=f"{discord}/{secret('admin')}",
        discord_application_id="1" * 18,
        discord_guild="2" * 18,
        discord_public_key="ab" * 32,
        discord_bot_token=secret("bot"),
        discord_api=discord.partition("/webhooks")[0],
    )


class Overheard:
    """All that was said and shown, and where it came from, for as long as it names a secret."""

    def __init__(self) -> None:
        self.leaks: list[str] = []

    def hear(self, where: str, text: str) -> None:
        for line in text.splitlines():
            if MARK in line:
                self.leaks.append(f"{where}: {line[max(0, line.index(MARK) - 150) :][:300]}")

    def look_at_processes(self, number: int) -> None:
        with suppress(psutil.Error):
            run = psutil.Process(number)
            for process in [run, *run.children(recursive=True)]:
                with suppress(psutil.Error):
                    self.hear(f"process {process.name()}", " ".join(process.cmdline()))

    def look_at_files(self, folder: Path) -> None:
        for path in folder.rglob("*"):
            if path.is_file():
                self.hear(str(path.relative_to(folder)), path.read_bytes().decode(errors="replace"))

    def look_at_tables(self, database: Database) -> None:
        with database.connect() as conn:
            tables = conn.execute(
                "select schemaname as schema, tablename as name from pg_tables where schemaname in ('public', 'dagster')"
            ).fetchall()
            for table in tables:
                name = sql.Identifier(table["schema"], table["name"])
                for row in conn.execute(sql.SQL("select t::text as text from {} t").format(name)):
                    self.hear(f"table {table['name']}", row["text"] or "")


def until(what: str, is_so: Callable[[], object], meanwhile: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, what
        meanwhile()
        time.sleep(0.3)


@pytest.mark.timeout(900)
def test_no_secret_leaves_the_settings_on_an_evening_on_which_everything_goes_wrong(
    database: Database, tmp_path: Path
) -> None:
    home, output, server = tmp_path / "home", tmp_path / "said.log", tmp_path / "server"
    for name in ("gamestats", "gametimes"):
        (server / name).mkdir(parents=True)
    overheard = Overheard()
    with ExitStack() as stack:
        discord = stack.enter_context(refusing_discord())
        sftp = stack.enter_context(SftpServer(server, "tester", secret("sftp")))
        settings = given(database, home, sftp, discord)
        environment = environment_without_settings() | as_environment(settings)
        with output.open("wb") as said:
            run = subprocess.Popen(
                [*SLOMIX, "run"], env=environment, stdout=said, stderr=said, stdin=subprocess.DEVNULL
            )
        try:
            look = lambda: overheard.look_at_processes(run.pid)  # noqa: E731
            until("slomix run did not come up", lambda: "Ctrl-C" in output.read_text(), look)
            for name, address in re.findall(r"(Dagster UI|Public pages) +(http\S+)", output.read_text()):
                for path in ("/", "/status", "/server_info"):
                    overheard.hear(name, requests.get(address + path, timeout=30).text)
                if name == "Dagster UI":
                    answer = requests.post(f"{address}/graphql", json={"query": _ASKED}, timeout=30)
                    assert "info" in answer.text
                    overheard.hear("the UI's answer", answer.text)
            with psycopg.connect(database.url, autocommit=True) as conn:
                conn.execute("alter table round_player add constraint trouble check (guid is null) not valid")
            play_live(play_evening(3, maps=1), server, timedelta(0), threading.Event())
            until("no run failed", lambda: one(database, "select from dagster.runs where status = 'FAILURE'"), look)
            with psycopg.connect(database.url, autocommit=True) as conn:
                conn.execute("alter table round_player drop constraint trouble")
            until("nothing was refused", lambda: one(database, "select from message_trouble"), look)
            sftp._password = "another one"
            with psycopg.connect(database.url, autocommit=True) as conn:
                conn.execute(
                    """select pg_terminate_backend(pid) from pg_stat_activity
                       where datname = current_database() and pid <> pg_backend_pid()"""
                )
            until("the end of the database went unseen", lambda: "starting again" in output.read_text(), look)
            for command in (["doctor"], ["files"], ["sessions"], ["discord", "register"], ["import"]):
                told = subprocess.run(
                    [*SLOMIX, *command], env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
                )
                overheard.hear(f"slomix {command[0]}", told.stdout + told.stderr)
        finally:
            run.terminate()
            run.wait(60)
        overheard.hear("slomix run", output.read_text())
        overheard.look_at_files(home)
        overheard.look_at_tables(database)
    assert overheard.leaks == []


def one(database: Database, question: str) -> bool:
    with database.connect() as conn:
        return conn.execute(question.encode()).fetchone() is not None


def test_what_is_searched_is_found(tmp_path: Path) -> None:
    overheard = Overheard()
    overheard.hear("somewhere", f"a {secret('word')} slipped out")
    (tmp_path / "a.log").write_bytes(b"\xff " + secret("file").encode())
    overheard.look_at_files(tmp_path)
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", secret("argument")])
    try:
        overheard.look_at_processes(os.getpid())
    finally:
        sleeper.kill()
        sleeper.wait()
    assert [leak.split(":")[0].split()[0] for leak in overheard.leaks] == ["somewhere", "a.log", "process"]
