"""How the embedded PostgreSQL of a folder is, seen without touching it.

Does not belong here: starting, stopping and mending it (``embedded``).
"""

from enum import Enum
from pathlib import Path

import psycopg

from slomix_pipeline.warehouse.embedded import server_process, superuser_url

ANSWERS_WITHIN = 5  # seconds
_TURNED_AWAY = "the database system is"


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
    # Not libpq's own ping: it lets no other thread work while it waits for a server that is frozen.
    try:
        psycopg.connect(superuser_url(directory), connect_timeout=ANSWERS_WITHIN).close()
        return State.RUNS
    except psycopg.OperationalError as error:
        if _TURNED_AWAY in str(error):  # it is starting or stopping
            return State.RUNS
    if server_process(directory) is not None:
        return State.SILENT
    return State.DEAD if (directory / "postmaster.pid").exists() else State.STOPPED
