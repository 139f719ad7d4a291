"""How the embedded PostgreSQL of a folder is, seen without touching it.

Does not belong here: starting, stopping and mending it (``embedded``).
"""

from enum import Enum
from pathlib import Path

from psycopg.pq import PGconn, Ping

from slomix_pipeline.warehouse.embedded import server_process, superuser_url

ANSWERS_WITHIN = 5  # seconds


class State(Enum):
    """How the embedded server of a folder is."""

    NONE = "not made yet"
    RUNS = "runs"
    SILENT = "runs and does not answer"
    STOPPED = "stopped"
    DEAD = "ended without being stopped"


def embedded_state(directory: Path) -> State:
    """Looks at the server in ``directory``; starts and changes nothing."""
    directory = directory.resolve()
    if not (directory / "PG_VERSION").exists():
        return State.NONE
    heard = PGconn.ping(f"{superuser_url(directory)}&connect_timeout={ANSWERS_WITHIN}".encode())
    if heard in (Ping.OK, Ping.REJECT):  # the latter: starting
        return State.RUNS
    if server_process(directory) is not None:
        return State.SILENT
    return State.DEAD if (directory / "postmaster.pid").exists() else State.STOPPED
