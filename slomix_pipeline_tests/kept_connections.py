"""Connections of tests that are used again: a new one costs the server more than most of what is asked on it.

Belongs here: what makes ``Database.connect`` hand out a line to the server that was used before.
Does not belong here: databases (``postgres_fixtures``).
"""

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest
from psycopg.pq import ExecStatus, PGconn, TransactionStatus, abc
from psycopg.rows import DictRow, dict_row

from slomix_pipeline.warehouse.database import Database


@dataclass
class _Lines:
    """Lines to one database that nobody uses now, of this process alone: a fork must not speak on its parent's."""

    idle: list[abc.PGconn] = field(default_factory=list)
    process: int = field(default_factory=os.getpid)

    def take(self) -> abc.PGconn | None:
        while True:
            try:
                line = self.idle.pop()
            except IndexError:  # asked in one step: threads take lines at the same time
                return None
            if not select.select([line.socket], [], [], 0)[0]:  # else the server has hung up
                return line
            line.finish()

    def give_back(self, line: abc.PGconn) -> bool:
        """Whether nothing of its session was left, so that it can be used again."""
        if line.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            line.exec_(b"ROLLBACK")
        if line.transaction_status != TransactionStatus.IDLE:
            return False
        if line.exec_(b"DISCARD ALL").status != ExecStatus.COMMAND_OK:
            return False
        self.idle.append(line)
        return True

    def end(self) -> None:
        """Nothing is kept from now on."""
        self.process = 0
        for line in self.idle:
            line.finish()


class _Kept(psycopg.Connection[DictRow]):
    """A connection that gives its line back when it is closed."""

    lines: _Lines

    @classmethod
    def on(cls, line: abc.PGconn, lines: _Lines) -> "_Kept":
        conn = cls(line)
        conn.row_factory, conn.lines = dict_row, lines
        return conn

    def close(self) -> None:
        if self.closed or self.lines.process != os.getpid() or not self.lines.give_back(self.pgconn):
            super().close()
        else:
            _without_line(self)


def _without_line(conn: psycopg.Connection[DictRow]) -> abc.PGconn:
    """Leaves the connection closed; returns the line, which is not."""
    line, conn.pgconn = conn.pgconn, PGconn()
    conn._closed = True  # else its end would be complained of
    return line


@contextmanager
def kept_connections(database: Database) -> Iterator[None]:
    """Inside, a connection to this database (by any ``Database`` of its address) is as fresh as a new one, and fast."""
    lines, connect = _Lines(), Database.connect

    def connect_again(self: Database) -> psycopg.Connection[DictRow]:
        if self.url != database.url or lines.process != os.getpid():
            return connect(self)
        return _Kept.on(lines.take() or _without_line(connect(self)), lines)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "connect", connect_again)
        yield
    lines.end()
