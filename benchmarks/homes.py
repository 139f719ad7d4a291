"""Homes to measure in: settings on an SFTP server, a history that is imported, ``slomix run`` on it.

Does not belong here: what is measured.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from bulk import simulated

from slomix_pipeline.checks.catalogue import add_partitions
from slomix_pipeline.runtime.home import dagster_instance, open_database
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline.warehouse.embedded import stop_embedded

SLOMIX = [sys.executable, "-c", "from slomix_pipeline.cli.main import main; main()"]


def server_folder(folder: Path) -> Path:
    """Makes a folder one of a game server that nobody has played on yet."""
    for kind in ("gamestats", "gametimes"):
        (folder / kind).mkdir(parents=True)
    return folder


def with_history(scratch: Path, rounds: int) -> Path:
    """A home with so many rounds, as if Dagster had been told of all partitions and every session been reported."""
    home = scratch / "home"
    environment = os.environ | {"SLOMIX_ENV_FILE": "", "SLOMIX_HOME": str(home)}
    command = [*SLOMIX, "import", str(simulated(scratch / "files", rounds)), "--json"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    os.environ["SLOMIX_ENV_FILE"] = ""
    settings = load_settings(home=home)
    database = open_database(settings)
    try:
        with dagster_instance(settings, database) as instance:
            add_partitions(instance, database)
        with database.transaction() as conn:
            conn.execute("delete from uncatalogued")
            conn.execute(
                """insert into session_report (session_key, fingerprint) select session_key, '' from session
                   on conflict do nothing"""
            )
        database.learn_sizes()
    finally:
        stop_embedded(settings.postgres_dir)
    return home


def settings_for(home: Path, sftp: SftpServer) -> dict[str, str]:
    """The environment of a ``slomix run`` in a home of its own, on an SFTP server."""
    return os.environ | {
        "SLOMIX_ENV_FILE": "",
        "SLOMIX_HOME": str(home),
        "SLOMIX_SFTP_HOST": "127.0.0.1",
        "SLOMIX_SFTP_PORT": str(sftp.port),
        "SLOMIX_SFTP_USER": "bench",
        "SLOMIX_SFTP_PASSWORD": "bench",
        "SLOMIX_SFTP_HOST_KEY": sftp.host_key_fingerprint,
        "SLOMIX_UI_PORT": "0",
        "SLOMIX_STANDIN_PORT": "0",
    }


SECOND = "second"  # the id of the other game server, where there are two


def settings_for_second(sftp: SftpServer) -> dict[str, str]:
    """What a second game server adds to these settings."""
    own = {"PORT": str(sftp.port), "HOST_KEY": sftp.host_key_fingerprint}
    return {"SLOMIX_SERVERS": f"main,{SECOND}", **{f"SLOMIX_{SECOND.upper()}_SFTP_{k}": v for k, v in own.items()}}


@contextmanager
def running(home: Path, server: Path, second: Path | None = None) -> Iterator[list[psutil.Process]]:
    """``slomix run`` in a home, once it says that it is ready: the supervisor, and PostgreSQL, which leaves it."""
    with ExitStack() as stack:
        environment = settings_for(home, stack.enter_context(SftpServer(server, "bench", "bench")))
        if second is not None:
            environment |= settings_for_second(stack.enter_context(SftpServer(second, "bench", "bench")))
        process = subprocess.Popen([*SLOMIX, "run"], env=environment, stdout=subprocess.PIPE)
        assert process.stdout is not None
        while b"Ctrl-C" not in process.stdout.readline():
            if process.poll() is not None:
                sys.exit("slomix run ended; see its message above")
        postgres = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
        try:
            yield [psutil.Process(process.pid), psutil.Process(postgres)]
        finally:
            process.terminate()
            process.wait(60)


def members(roots: list[psutil.Process]) -> list[psutil.Process]:
    """Processes and all that they started."""
    return [member for root in roots for member in (root, *root.children(recursive=True)) if member.is_running()]
