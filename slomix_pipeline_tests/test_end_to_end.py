"""The real thing once: code server and daemon as processes, files over SFTP, messages on Discord's stand-in."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from slomix_pipeline.discord.embeds import escape
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.reports.export import session_as_json
from slomix_pipeline.runtime.home import dagster_environment
from slomix_pipeline.runtime.supervisor import free_port
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline.simulator.writing import write_round
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.pipeline_fixtures import round_key

# Each of Dagster's processes is ended here by itself, as a service manager or a crash does.
DAEMON = """
import sys
from slomix_pipeline.runtime.daemon import run_daemon
from slomix_pipeline.runtime.fork_server import load_what_runs_need
load_what_runs_need()
run_daemon(sys.argv[1])
"""
TEAMS = {"A": "fox (A)", "B": "owl (B)"}  # by their tags
PATIENCE = 120.0  # seconds that anything may take on a busy machine


def wait_until(what: str, is_so: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, f"{what}; the processes said:\n{log.read_text(errors='replace')[-6000:]}"
        time.sleep(0.2)


@contextmanager
def process(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, ended with everything it started."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            env=os.environ | environment,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        end(child)


def end(child: subprocess.Popen[bytes]) -> None:
    """Ends a process and what it started: all of its own session. At once: asked politely, a tick is waited for."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


@contextmanager
def dagster(home: Path, environment: dict[str, str], log: Path) -> Iterator[None]:
    """A code server and a daemon on it."""
    port = free_port(0)
    workspace = home / "workspace.yaml"
    workspace.write_text(f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {port}, location_name: slomix}}\n")
    code_server = [
        "-m",
        "dagster",
        "api",
        "grpc",
        "-m",
        "slomix_pipeline.definitions",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    with process([*code_server, "--max-workers", "12"], environment, log):
        wait_until("the code server did not come up", lambda: listens(port), log)
        with process(["-c", DAEMON, str(workspace)], environment, log):
            yield


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.timeout(480)
def test_files_become_messages_and_nothing_is_said_twice_after_a_crash(database: Database, tmp_path: Path) -> None:
    evening = play_evening(71, maps=2, ends_at=datetime.now(UTC) - timedelta(minutes=1))
    first, second, third, _ = evening.rounds
    server = tmp_path / "server"
    for name in (GAMESTATS, GAMETIMES):
        (server / name).mkdir(parents=True)
    log = tmp_path / "processes.log"
    with ExitStack() as stack:
        page = stack.enter_context(StandIn(tmp_path / "discord"))
        sftp = stack.enter_context(SftpServer(server, "tester", "a password"))
        settings = load_settings(
            home=tmp_path / "home",
            postgres_url=SecretStr(database.url),
            discord_webhook=SecretStr(page.webhook_url),
            sftp_host="127.0.0.1",
            sftp_port=sftp.port,
            sftp_user="tester",
            sftp_password=SecretStr("a password"),
            sftp_host_key=sftp.host_key_fingerprint,
        )
        environment = dagster_environment(settings, database)

        def told(count: int) -> Callable[[], bool]:
            return lambda: len(page.messages()) >= count

        def as_it_was_played() -> bool:
            with database.snapshot() as conn:
                exported = session_as_json(conn, settings, f"main:{first.stem[:17]}")
            played = as_played(evening)
            played["rounds"] = played["rounds"][:2]
            found = as_exported(exported)
            return not differences(found["rounds"], played["rounds"])  # once rework has linked late timing records

        with dagster(settings.home, environment, log):
            write_round(server, first)
            wait_until("round 1 was not told", told(1), log)
            write_round(server, second)
            wait_until("the result was not told", told(2), log)
            wait_until("the numbers are not those that were played", as_it_was_played, log)
            wait_until("the runs did not end", lambda: not runs_under_way(database), log)
        # Killed as by a power cut, in the middle of their ticks: asked politely, they would end those first.
        before = page.messages()
        write_round(server, third)
        with dagster(settings.home, environment, log):
            wait_until("the round of the downtime was not told", told(3), log)
            wait_until("not every file came to an end", lambda: not open_files(database), log)
        with database.connect() as conn:
            posts = conn.execute("select thing, state from post order by sent_at").fetchall()

    name = escape(evening.matches[0].map_name)
    round_1, result, next_round_1 = (m["embeds"][0]["title"] for m in page.messages())
    assert round_1 == f"{name} · round 1"
    winner = evening.matches[0].winner
    assert result.startswith(f"{name} · draw" if winner == "draw" else f"{name} · {TEAMS[winner]} wins")
    assert next_round_1 == f"{escape(evening.matches[1].map_name)} · round 1"
    assert [m["id"] for m in page.messages()[:2]] == [m["id"] for m in before]
    assert "The result stands below" in page.messages()[0]["embeds"][0]["description"]
    assert [(row["thing"], row["state"]) for row in posts] == [
        (f"round1:{round_key(first)}", "sent"),
        (f"result:{round_key(second)}", "sent"),
        (f"round1:{round_key(third)}", "sent"),
    ]


def open_files(database: Database) -> list[str]:
    with database.connect() as conn:
        return [row["name"] for row in conn.execute("select name from file where finished_at is null")]


def runs_under_way(database: Database) -> list[str]:
    with database.connect() as conn:
        rows = conn.execute("select status from dagster.runs where status not in ('SUCCESS', 'FAILURE', 'CANCELED')")
        return [row["status"] for row in rows]


@pytest.mark.timeout(480)
def test_of_two_game_servers_each_is_told_in_its_channel_though_a_third_refuses(
    database: Database, tmp_path: Path
) -> None:
    zones = {"eu": "Europe/Ljubljana", "us": "America/Chicago"}
    ends_at = datetime.now(UTC) - timedelta(minutes=1)
    log = tmp_path / "processes.log"
    with ExitStack() as stack:
        own: dict[str, object] = {"locked_sftp_port": 1, "locked_gamestats_folder": "x", "locked_gametimes_folder": "y"}
        pages: dict[str, StandIn] = {}
        for name, zone in zones.items():
            for folder in (GAMESTATS, GAMETIMES):
                (tmp_path / name / folder).mkdir(parents=True)
            sftp = stack.enter_context(SftpServer(tmp_path / name, "tester", f"the word of {name}"))
            pages[name] = stack.enter_context(StandIn(tmp_path / f"discord {name}"))
            own |= {
                f"{name}_sftp_port": sftp.port,
                f"{name}_sftp_host_key": sftp.host_key_fingerprint,
                f"{name}_sftp_password": f"the word of {name}",
                f"{name}_timezone": zone,
                f"{name}_discord_webhook": pages[name].webhook_url,
            }
        settings = load_settings(
            home=tmp_path / "home",
            postgres_url=SecretStr(database.url),
            servers="eu,locked,us",
            sftp_host="127.0.0.1",
            sftp_user="tester",
            **own,
        )
        played = {
            name: play_evening(81 + number, maps=1, ends_at=ends_at, zone=ZoneInfo(zone))
            for number, (name, zone) in enumerate(zones.items())
        }
        with dagster(settings.home, dagster_environment(settings, database), log):
            for number in (0, 1):
                for name, evening in played.items():
                    write_round(tmp_path / name, evening.rounds[number])
                for name, page in pages.items():

                    def told(page: StandIn = page, count: int = number + 1) -> bool:
                        return len(page.messages()) >= count

                    wait_until(f"round {number + 1} of {name} was not told", told, log)
            wait_until("the runs did not end", lambda: not runs_under_way(database), log)
    for name, evening in played.items():
        titles = [message["embeds"][0]["title"] for message in pages[name].messages()]
        assert len(titles) == 2
        assert all(title.startswith(escape(evening.matches[0].map_name)) for title in titles)
    with database.connect() as conn:
        stamps = {row["round_key"]: row["stamp"] for row in conn.execute("select round_key, stamp from parsed_round")}
    assert stamps == {
        round_key(sim_round, name): sim_round.stamp for name, evening in played.items() for sim_round in evening.rounds
    }
