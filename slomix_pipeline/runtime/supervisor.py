"""``slomix run``: everything under one supervisor: PostgreSQL, code server, daemon, web server, and what stands in.

Belongs here: bringing them up in order, noticing what fell, bringing it up again, taking all down.
Does not belong here: a single process (``children``), the embedded server's life (``warehouse.embedded``).

Dagster's three processes run as long as the database does: they neither end by themselves without it nor all work on
when it is back (runs that died meanwhile would count as running), and complain all the time. So they stand and fall
together: when one ends, or the database breaks off, all are ended, the database is brought back or waited for, the
runs that were cut off are given up, which lets Dagster start them again, and the three start anew. The public pages do
not: they say that the database is away, and find it again (``site_process``).
"""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import psycopg

from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.runtime.children import DagsterProcess, end_child, open_log, start_child
from slomix_pipeline.runtime.home import dagster_environment, open_database, own_scratch, sole_owner
from slomix_pipeline.runtime.lifeline import asking
from slomix_pipeline.runtime.parts import answers
from slomix_pipeline.runtime.simulated_home import (
    answering_stand_in,
    demo_home,
    empty_demo_home,
    simulated_server,
)
from slomix_pipeline.runtime.site_process import SiteProcess
from slomix_pipeline.settings import Settings, environment_without_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import SimRound
from slomix_pipeline.simulator.writing import play_live
from slomix_pipeline.warehouse.connections import forget_idle
from slomix_pipeline.warehouse.database import Database, DatabaseUnavailable
from slomix_pipeline.warehouse.embedded import shorten_log, stop_embedded

Say = Callable[[str], None]
Look = Callable[[], None]  # raises when something fell
_DAGSTER = "dagster"
_PROGRAM = "from slomix_pipeline.runtime.dagster_processes import main; main()"
_READY_WITHIN = 120.0  # seconds
_LEAVE_WITHIN = 5.0  # seconds
_LOOK_EVERY = 1.0  # seconds
_SHORT_LIFE = 60.0  # seconds; what falls sooner after it came up ...
_SHORT_LIVES = 5  # ... so often in a row is not mended by starting it again
_ASK_AGAIN, _SAY_AGAIN = 1.0, 60.0  # seconds, while a database is away


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
        stack.enter_context(sole_owner(home))
        if not settings.has_game_server:
            say("No game server is configured: playing a simulated evening (see .env.example for a real one)")
            empty_demo_home(home)
            settings, folder = stack.enter_context(simulated_server(settings))
        say("Starting PostgreSQL …" if settings.postgres_url is None else "Connecting to PostgreSQL …")
        database = open_database(settings)
        if settings.postgres_url is None:
            stack.callback(stop_embedded, settings.postgres_dir)
        page = None
        if any(own.discord_webhook is None for own in settings.game_servers):
            page = stack.enter_context(StandIn(settings.home / "discord", free_port(settings.standin_port)))
            settings = settings.with_results_at(page.webhook_url)
        ui_port, site_port = free_port(settings.ui_port), free_port(settings.site_port)
        # Who reads the stand-in's page knows its key: only what was made up is answered to that.
        if page is not None and folder is not None:
            settings = answering_stand_in(settings, page, site_port)
        site = stack.enter_context(SiteProcess(settings, database, site_port, say))
        say("Starting Dagster …")

        def tell_where() -> None:
            for own in settings.game_servers if settings.servers else ():
                say(f"Game server      {own.server}: {own.place or 'no place is set'}, {own.timezone}")
            say(f"Dagster UI       http://127.0.0.1:{ui_port}")
            webhook = f"Discord          the webhook of {_webhooks_set(settings)}"
            say(f"Discord stand-in {page.url}" if page else webhook)
            say(f"Public pages     {site.url}")
            say(f"Logs             {settings.home / 'logs'}")
            say("Ctrl-C stops everything.")
            if folder is not None:
                player = threading.Thread(target=_play, args=(settings, folder, stop, say, seed), daemon=True)
                player.start()
                stack.callback(player.join, timeout=5)
                stack.callback(stop.set)

        _keep_up(settings, database, ui_port, site, tell_where, say)


def _webhooks_set(settings: Settings) -> str:
    """The variables that say where results are told."""
    return ", ".join(dict.fromkeys(settings.variable("discord_webhook", own.server) for own in settings.game_servers))


def _keep_up(
    settings: Settings, database: Database, ui_port: int, site: SiteProcess, on_first: Callable[[], None], say: Say
) -> NoReturn:
    """Keeps Dagster and the database up until something can't be mended by starting it again.

    Raises:
        ChildEnded, EmbeddedPostgresError, MigrationError: with what to do about it.
    """
    was_up = False
    short_lives = 0
    while True:
        up_since: float | None = None  # of this life: one that never came up is a short one
        try:
            with (
                _heartbeat(settings, database, site) as look,
                _dagster(settings, database, ui_port, look, site) as child,
            ):
                if was_up:
                    say("Everything is up again.")
                else:
                    on_first()
                was_up, up_since = True, time.monotonic()
                while True:
                    _check(child)
                    look()
                    time.sleep(_LOOK_EVERY)
        except (ChildEnded, DatabaseUnavailable) as error:
            lived = 0.0 if up_since is None else time.monotonic() - up_since
            short_lives = short_lives + 1 if lived < _SHORT_LIFE else 0
            if (isinstance(error, ChildEnded) and not was_up) or short_lives > _SHORT_LIVES:
                raise
            say(f"{error}: starting again …")
        time.sleep(short_lives)
        _bring_back(settings, site, say)


@contextmanager
def _heartbeat(settings: Settings, database: Database, site: SiteProcess) -> Iterator[Look]:
    """Gives what notices that the database went away, though it may be back: one connection that is kept and asked.
    It also keeps the pages up.

    Raises:
        DatabaseUnavailable: it is away; also instead of whatever failed because of that.
    """

    def look() -> None:
        site.keep_up()
        ask()
        if settings.postgres_url is None:
            shorten_log(settings.postgres_dir)

    with database.connect() as conn, asking(conn) as ask:
        try:
            yield look
        except Exception:
            look()
            raise


def _bring_back(settings: Settings, site: SiteProcess, say: Say) -> None:
    """Starts the embedded server where it does not run; waits for a given one, and keeps the pages up meanwhile.

    Raises:
        EmbeddedPostgresError, MigrationError: with what to do about it.
    """
    said_at = -_SAY_AGAIN
    while True:
        site.keep_up()
        forget_idle()
        try:
            open_database(settings)
            return
        except (DatabaseUnavailable, psycopg.OperationalError) as error:
            if time.monotonic() - said_at >= _SAY_AGAIN:
                say(f"Waiting for PostgreSQL: {str(error).strip()}")
                said_at = time.monotonic()
        time.sleep(_ASK_AGAIN)


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
    settings: Settings, database: Database, ui_port: int, look: Look, site: SiteProcess
) -> Iterator["subprocess.Popen[bytes]"]:
    """The process of code server, daemon and web server, once all of them answer.

    Raises:
        ChildEnded: one of them does not come up.
    """
    environment = dagster_environment(settings, database)
    code_port = free_port(0)
    workspace = settings.dagster_home / "workspace.yaml"
    workspace.write_text(
        f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {code_port}, location_name: slomix_pipeline}}\n"
    )
    outputs = [open_log(name, settings.home) for name in DagsterProcess]
    command = [sys.executable, "-c", _PROGRAM, "--workspace", str(workspace), "--code-port", str(code_port)]
    command += ["--ui-port", str(ui_port), "--ui-hosts", *settings.ui_hosts, "--outputs", *map(str, outputs)]
    # Memory that one thread gave back is used by the others, too.
    environment = environment_without_settings() | environment | {"MALLOC_ARENA_MAX": "2"} | own_scratch(settings.home)
    child = start_child(_DAGSTER, command, environment, settings.home, outputs)
    leave_within = _LEAVE_WITHIN
    try:
        _until(lambda: answers(f"http://127.0.0.1:{ui_port}/server_info"), child, look)
        yield child
    except DatabaseUnavailable:
        leave_within = 0.0  # without it none of them ends in order
        raise
    finally:
        end_child(child, settings.home, leave_within, site.numbers)


def _until(ready: Callable[[], bool], child: "subprocess.Popen[bytes]", look: Look) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while not ready():
        _check(child)
        look()
        if time.monotonic() > deadline:
            raise ChildEnded(f"Dagster did not come up within {_READY_WITHIN:.0f} s; see logs in the home")
        time.sleep(0.2)


def _check(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is not None:
        raise ChildEnded(
            f"Dagster ended by itself (exit code {child.returncode}; logs/{_DAGSTER}.log says which process)"
        )


def _play(settings: Settings, folder: Path, stop: threading.Event, say: Say, seed: int) -> None:
    def tell(played: SimRound) -> None:
        say(f"Played           {played.map_name} round {played.number}")

    evening = play_evening(seed)
    say(f"Playing          {len(evening.rounds)} rounds, one every {settings.demo_round_every.total_seconds():.0f} s")
    evening = play_live(evening, folder, settings.demo_round_every, stop, tell)
    if not stop.is_set():
        score = evening.score
        say(f"The evening is over: Team A {score.a} - {score.b} Team B, {score.draws} drawn (what was really played)")
