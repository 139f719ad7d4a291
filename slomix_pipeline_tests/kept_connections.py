"""Connections to PostgreSQL that are used again, for tests that drive many stages in one process.

A stage opens connections of its own, and one costs PostgreSQL more than most of what is asked on it: a process, and
what that has to learn of the schema. In life nobody waits for that; over hundreds of tests it is most of their time.

Does not belong here: tests of connections themselves, which work with those of ``Database``.
"""

import select
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from slomix_pipeline.warehouse.database import Database


class _Kept(psycopg.Connection[DictRow]):
    """A connection that is put aside when it would be closed."""

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
        self.execute("discard all")  # settings, locks, temporary tables
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
