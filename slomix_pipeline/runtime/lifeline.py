"""How a process notices that its database went away, though it may be back: one connection that is kept and asked.

Belongs here: asking it, ending a process with it. Does not belong here: what is done about it (``supervisor``), which
connection that is (``parts``, ``daemon``).
"""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg.rows import DictRow

from slomix_pipeline.warehouse.database import DatabaseUnavailable

_ANSWERS_WITHIN = 30.0  # seconds; a database that is only busy does
_ASK_EVERY = 2.0  # seconds


@contextmanager
def asking(conn: psycopg.Connection[DictRow]) -> Iterator[Callable[[], None]]:
    """Gives what asks on a connection, on which every statement commits by itself, and raises ``DatabaseUnavailable``
    when nobody answers."""

    def ask() -> None:
        # A frozen server never answers, and the network can't tell: its kernel takes what is sent.
        limit = threading.Timer(_ANSWERS_WITHIN, _cut, [line])
        limit.daemon = True
        limit.start()
        try:
            conn.execute("select 1")
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(f"PostgreSQL broke off ({str(error).strip()})") from None
        finally:
            limit.cancel()

    conn.autocommit = True
    with socket.socket(fileno=os.dup(conn.fileno())) as line:
        yield ask


def _cut(line: socket.socket) -> None:
    """Wakes whoever reads from a connection: it ended."""
    with suppress(OSError):  # it ended by itself
        line.shutdown(socket.SHUT_RDWR)


@contextmanager
def ending_with(conn: psycopg.Connection[DictRow]) -> Iterator[None]:
    """Within the block, this process ends when a connection does, and with it the locks that it holds; at once, as
    without the database none ends in order."""
    is_over = threading.Event()

    def watch() -> None:
        try:
            while not is_over.wait(_ASK_EVERY):
                ask()
        except DatabaseUnavailable as error:
            print(f"slomix: {error}; ending, to be started again", file=sys.stderr, flush=True)
            os._exit(1)

    with asking(conn) as ask:
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            is_over.set()
            watcher.join()
