"""Whether the process of a run lives, for runs that may be on any machine: it holds a lock of PostgreSQL for as long.

The lock ends with its connection, however that ends: a killed process leaves none behind, and a machine that vanished
keeps its lock until PostgreSQL misses its answers. So there is nothing to be noted, and nothing that could be stale.

Does not belong here: who starts such a process (``celery_launcher``), what it does (``celery_worker``).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from slomix_pipeline.warehouse.database import Database


def _name(run_id: str) -> str:
    return f"process of run {run_id}"


@contextmanager
def living(database: Database, run_id: str) -> Iterator[bool]:
    """Says that this process executes a run, until the block ends. Gives False when another one does so already."""
    with database.try_hold(_name(run_id)) as conn:
        yield conn is not None


def lives(database: Database, run_id: str) -> bool:
    """Whether some process executes a run."""
    with database.try_hold(_name(run_id)) as conn:
        return conn is None
