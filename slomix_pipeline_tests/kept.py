"""What tests keep, because making or ending it takes longer than they do: connections, Dagster's instance, a page.

Does not belong here: tests of these things themselves, which work with them as they are.
"""

import select
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.warehouse.database import Database

_ending = ThreadPoolExecutor(4, "ending")
_instances: list[dg.DagsterInstance] = []


class _Kept(psycopg.Connection[DictRow]):
    """A connection that is put aside when it would be closed.

    A stage opens connections of its own, and one costs PostgreSQL more than most of what is asked on it: a process, and
    what that has to learn of the schema. In life nobody waits for that; over hundreds of tests it is most of their time.
    """

    def __init__(self, opened: psycopg.Connection[DictRow], aside: list["_Kept"]) -> None:
        super().__init__(opened.pgconn, row_factory=dict_row)
        self._opened = opened  # it would end with this
        self._aside = aside
        self.prepare_threshold = None  # what the client took for prepared would not survive the discarding

    def close(self) -> None:
        """Makes it as if new, for whoever connects next; one that is broken or still at work is closed."""
        if self.info.transaction_status is not TransactionStatus.IDLE:
            self.end()
            return
        self.isolation_level = self.read_only = self.deferrable = None
        self.autocommit = True
        try:
            self.execute("discard all")  # settings, locks, temporary tables
        except psycopg.OperationalError:  # PostgreSQL ended it: closing it says nothing of that
            self.end()
            return
        self.autocommit = False
        self._aside.append(self)

    def end(self) -> None:
        """Closes it for good."""
        super().close()
        self._opened.close()

    def is_alive(self) -> bool:
        """Whether PostgreSQL did not end it meanwhile: nothing else is ever said while nothing is asked."""
        return not select.select([self], [], [], 0)[0]


@contextmanager
def connections_kept() -> Iterator[None]:
    """What connects to a database in this process is given connections that were left before, to the end."""
    open_one = Database.connect
    kept: defaultdict[str, list[_Kept]] = defaultdict(list)

    def connect(database: Database) -> psycopg.Connection[DictRow]:
        aside = kept[database.url]
        while aside:
            if (conn := aside.pop()).is_alive():
                return conn
            conn.end()
        return _Kept(open_one(database), aside)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "connect", connect)
        yield
    for aside in kept.values():
        for conn in aside:
            conn.end()


@contextmanager
def served_page(folder: Path) -> Iterator[StandIn]:
    """Discord's stand-in, which ends by itself behind the test: its server looks only now and then whether it is to."""
    page = StandIn(folder).__enter__()
    try:
        yield page
    finally:
        _ending.submit(page.__exit__)


@contextmanager
def empty_instance() -> Iterator[dg.DagsterInstance]:
    """An instance of Dagster's that knows nothing: one that was used before and wiped, as making its tables takes as
    long as a test."""
    instance = _instances.pop() if _instances else dg.DagsterInstance.ephemeral()
    try:
        yield instance
    finally:
        instance.wipe()
        _instances.append(instance)
