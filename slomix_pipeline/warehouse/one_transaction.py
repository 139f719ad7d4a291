"""A database of which everything is one transaction: what stages do by many becomes visible at once, or not at all.

Belongs here: making one of all that is done within. Does not belong here: what is done.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Self

import psycopg
from psycopg.rows import DictRow, dict_row

from slomix_pipeline.warehouse.database import Database


class _Nested(psycopg.Connection[DictRow]):
    """A connection that can be entered again and again: what is done within is a transaction at first, and part of that
    from then on. It ends with whoever opened it."""

    def __enter__(self) -> Self:
        self._entered = [*getattr(self, "_entered", ()), self.transaction()]
        self._entered[-1].__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered.pop().__exit__(kind, error, trace)

    @property
    def autocommit(self) -> bool:
        return False

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        """Whoever wants each of his steps to be committed by itself has it as a part of the whole."""


class _Whole(Database):
    """A database with a connection for all."""

    _conn: psycopg.Connection[DictRow]

    def connect(self) -> psycopg.Connection[DictRow]:
        return self._conn

    @contextmanager
    def snapshot(self) -> Iterator[psycopg.Connection[DictRow]]:
        with self._conn as conn:
            yield conn


@contextmanager
def one_transaction(database: Database) -> Iterator[Database]:
    """The same database; everything that is done with it is committed at the end, or nothing.

    Not for several threads, nor for locks that outlive a transaction (``hold``).
    """
    whole = _Whole(database.url)
    with closing(_Nested.connect(whole._conninfo, row_factory=dict_row, prepare_threshold=None)) as conn, conn:
        whole._conn = conn
        yield whole
