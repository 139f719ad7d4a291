"""Connections to PostgreSQL that are used again: a new one costs the server more than most of what is asked on it.

Belongs here: putting a connection aside instead of closing it, and handing it out again as if it were new.
Does not belong here: addresses, transactions, locks (``database``).
"""

import os
import select
from collections import defaultdict
from contextlib import suppress

import psycopg
from psycopg.pq import ExecStatus, PGconn, TransactionStatus, abc
from psycopg.rows import DictRow, dict_row

_IN_PYTHON = psycopg.pq.__impl__ == "python"  # there a connection can't do without its line
_MOST = 4  # of one address that a process keeps while nobody uses them

# Of this process, by address. A fork never speaks on a line of its parent: it would hear the answers of the other.
_idle: defaultdict[tuple[int, str], list[abc.PGconn]] = defaultdict(list)


class KeptConnection(psycopg.Connection[DictRow]):
    """A connection whose line to the server is put aside when it is closed.

    Whoever closes it has it closed, as any; whoever connects next finds nothing of what was done on the line: no
    transaction, no setting, no lock.
    """

    _address: tuple[int, str]

    @classmethod
    def open(cls, conninfo: str) -> "KeptConnection":
        """A connection to an address. Rows are dicts.

        Raises:
            psycopg.OperationalError: the server can't be reached or refuses us.
        """
        address = (os.getpid(), conninfo)
        line = _take(_idle[address])
        conn = cls.connect(conninfo) if line is None else cls(line)
        conn.row_factory, conn._address = dict_row, address
        conn.prepare_threshold = None  # what is prepared ends with its user
        return conn

    def close(self) -> None:
        kept = _idle[self._address]
        as_ever = _IN_PYTHON or self.closed or self._address[0] != os.getpid()
        if as_ever or len(kept) >= _MOST or not _is_clean(self.pgconn):
            super().close()
            return
        kept.append(self.pgconn)
        self.pgconn = PGconn()  # none: this connection is at its end, its line is not
        self._closed = True


def _take(kept: list[abc.PGconn]) -> abc.PGconn | None:
    """A line whose server still listens: nothing else is ever said while nothing is asked."""
    with suppress(IndexError):  # none is left; not asked before, as another thread may take the last one meanwhile
        while True:
            line = kept.pop()
            server = select.poll()
            server.register(line.socket, select.POLLIN)
            if not server.poll(0):
                return line
            line.finish()
    return None


def forget_idle() -> None:
    """Closes what this process has put aside: whoever connects next learns how the server is."""
    for kept in list(_idle.values()):
        with suppress(IndexError):
            while True:
                kept.pop().finish()


def _is_clean(line: abc.PGconn) -> bool:
    """Whether nothing is left of what was done on a line."""
    if line.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        line.exec_(b"ROLLBACK")
    return (
        line.transaction_status == TransactionStatus.IDLE and line.exec_(b"DISCARD ALL").status == ExecStatus.COMMAND_OK
    )
