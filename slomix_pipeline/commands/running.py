"""``slomix run``: everything under one supervisor: PostgreSQL, code server, daemon, web server, and what stands in.

Belongs here: starting processes in order, owning them, ending them. No child outlives the supervisor.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import dagster as dg
from pydantic import SecretStr

from slomix_pipeline.commands.home import dagster_environment, open_database, sole_owner
from slomix_pipeline.commands.simulated_home import demo_home, empty_demo_home, simulated_server
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.settings import Settings, environment_without_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import SimRound
from slomix_pipeline.simulator.writing import play_live
from slomix_pipeline.warehouse.embedded import stop_embedded

Say = Callable[[str], None]
_GRPC_WORKERS = 12  # two long-polling sensors, the others, and room for the UI
_READY_WITHIN = 120.0  # seconds
_LAUNCHED_TAG = ".dagster/grpc_info"  # set on runs that a code server launched
_LEAVE_WITHIN = 5.0  # seconds


class ChildEnded(SlomixError):
    """A process that should run for ever ended."""


def run(settings: Settings, say: Say, seed: int = 3) -> None:
    """Runs until interrupted.

    Raises:
        HomeInUse, ChildEnded, EmbeddedPostgresError, DatabaseUnavailable, MigrationError: with what to do about it.
    """
    with ExitStack() as stack:
        stop = threading.Event()
        folder = None
        home = settings.home if settings.has_game_server else demo_home(settings)
        lock = stack.enter_context(sole_owner(home))
        if not settings.has_game_server:
            say("No game server is configured: playing a simulated evening (see .env.example for a real one)")
            empty_demo_home(home)
            settings, folder = stack.enter_context(simulated_server(settings))
        say("Starting PostgreSQL …" if settings.postgres_url is None else "Connecting to PostgreSQL …")
        database = open_database(settings)
        if settings.postgres_url is None:
            stack.callback(stop_embedded, settings.postgres_dir)
        page = None
        if settings.discord_webhook is None:
            page = stack.enter_context(StandIn(settings.home / "discord", free_port(settings.standin_port)))
            settings = settings.model_copy(update={"discord_webhook": SecretStr(page.webhook_url)})
        ui_port = free_port(settings.ui_port)
        say("Starting Dagster …")
        environment = dagster_environment(settings, database)
        _give_up_runs_of_the_dead(settings, environment)
        children = stack.enter_context(_dagster(settings, environment, ui_port, lock))
        say(f"Dagster UI       http://127.0.0.1:{ui_port}")
        say(f"Discord stand-in {page.url}" if page else "Discord          the webhook of SLOMIX_DISCORD_WEBHOOK")
        say(f"Logs             {settings.home / 'logs'}")
        say("Ctrl-C stops everything.")
        if folder is not None:
            player = threading.Thread(target=_play, args=(settings, folder, stop, say, seed), daemon=True)
            player.start()
            stack.callback(player.join, timeout=5)
            stack.callback(stop.set)
        _wait(children)


def _give_up_runs_of_the_dead(settings: Settings, environment: dict[str, str]) -> None:
    """Marks runs as failed whose process ended with an earlier supervisor; Dagster then starts them again.

    It would wait for their longest run time otherwise, and their rounds with it. Runs of commands are left alone: they
    may be alive.
    """
    os.environ.update(environment)
    alive = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        for run in instance.get_runs(dg.RunsFilter(statuses=alive)):
            if _LAUNCHED_TAG in run.tags:
                instance.report_run_failed(run, "its process ended with the supervisor that had started it")


def free_port(wanted: int) -> int:
    """``wanted`` when it is free on 127.0.0.1, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


@contextmanager
def _dagster(
    settings: Settings, environment: dict[str, str], ui_port: int, lock: int
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Code server, daemon and web server."""
    children: dict[str, subprocess.Popen[bytes]] = {}
    logs = settings.home / "logs"
    logs.mkdir(exist_ok=True)
    grpc_port = free_port(0)
    workspace = settings.dagster_home / "workspace.yaml"
    workspace.write_text(
        f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {grpc_port}, location_name: slomix_pipeline}}\n"
    )
    python = [sys.executable, "-m"]
    commands = {
        "code-server": [*python, "dagster", "api", "grpc", "-m", "slomix_pipeline.definitions", "-h", "127.0.0.1",
                        "-p", str(grpc_port), "--max-workers", str(_GRPC_WORKERS)],
        "daemon": [*python, "dagster._daemon", "run", "-w", str(workspace)],
        "webserver": [*python, "dagster_webserver", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(ui_port)],
    }  # fmt: skip
    try:
        for name, command in commands.items():
            with (logs / f"{name}.log").open("ab") as log:
                children[name] = subprocess.Popen(
                    command,
                    env=environment_without_settings() | environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends them in order
                    preexec_fn=_end_with_parent,
                    pass_fds=[lock],
                    cwd=settings.home,
                )
            if name == "code-server":
                _until(lambda: _listens(grpc_port), children, logs)
        _until(lambda: _answers(f"http://127.0.0.1:{ui_port}/server_info"), children, logs)
        yield children
    finally:
        _end([children[name] for name in reversed(commands) if name in children])


def _end_with_parent() -> None:
    """Lets the kernel end this child when the supervisor is killed (Linux; elsewhere the lock tells the next start)."""
    for ignored_by_background_jobs in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored_by_background_jobs, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _end(children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ends children and what they started: runs in flight are in the process group of the code server.

    A daemon waits for sensors that watch a folder; what is cut off is taken up at the next start.
    """
    for child in children:
        child.terminate()
    deadline = time.monotonic() + _LEAVE_WITHIN
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _until(ready: Callable[[], bool], children: dict[str, subprocess.Popen[bytes]], logs: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while not ready():
        _check(children)
        if time.monotonic() > deadline:
            raise ChildEnded(f"Dagster did not come up within {_READY_WITHIN:.0f} s; see {logs}")
        time.sleep(0.2)


def _check(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise ChildEnded(
                f"the {name} ended by itself (exit code {child.returncode}); see logs/{name}.log in the home"
            )


def _wait(children: dict[str, subprocess.Popen[bytes]]) -> None:
    while True:
        _check(children)
        time.sleep(0.5)


def _play(settings: Settings, folder: Path, stop: threading.Event, say: Say, seed: int) -> None:
    def tell(played: SimRound) -> None:
        say(f"Played           {played.map_name} round {played.number}")

    evening = play_evening(seed)
    say(f"Playing          {len(evening.rounds)} rounds, one every {settings.demo_round_every.total_seconds():.0f} s")
    evening = play_live(evening, folder, settings.demo_round_every, stop, tell)
    if not stop.is_set():
        score = evening.score
        say(f"The evening is over: Team A {score.a} - {score.b} Team B, {score.draws} drawn (what was really played)")
