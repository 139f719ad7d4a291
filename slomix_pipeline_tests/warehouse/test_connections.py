"""Connections that are used again: as if new for whoever gets one, and never one that lost its server."""

import multiprocessing
from contextlib import ExitStack

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse import connections
from slomix_pipeline.warehouse.database import Database


def line_of(conn: Connection[DictRow]) -> int:
    """The number of the server's process at the other end."""
    return conn.info.backend_pid


def test_a_connection_that_was_closed_is_closed_and_its_line_is_used_again(empty_database: Database) -> None:
    with empty_database.connect() as first:
        line = line_of(first)
    with empty_database.connect() as second, pytest.raises(psycopg.OperationalError, match="closed"):
        assert line_of(second) == line
        first.execute("select 1")


def test_who_gets_a_line_finds_nothing_of_who_had_it_before(empty_database: Database) -> None:
    with empty_database.transaction() as conn:
        conn.execute("create table seen (what text)")
    before = empty_database.connect()
    before.autocommit = True
    before.execute("set lock_timeout = '5s'")
    before.execute("select pg_advisory_lock(7)")
    before.execute("create temporary table mine (what text)")
    before.autocommit = False
    before.execute("insert into seen values ('never committed')")
    line = line_of(before)
    before.close()
    with empty_database.connect() as conn:
        assert line_of(conn) == line
        found = conn.execute(
            """select current_setting('lock_timeout') as timeout, current_setting('timezone') as zone,
                      to_regclass('mine') as mine, (select count(*) from seen) as seen,
                      (select count(*) from pg_locks where locktype = 'advisory') as locks"""
        ).fetchone()
        assert found == {"timeout": "0", "zone": "UTC", "mine": None, "seen": 0, "locks": 0}


def test_a_line_that_the_server_gave_up_is_not_handed_out(empty_database: Database) -> None:
    with empty_database.connect() as conn:
        line = line_of(conn)
    with empty_database.connect() as other, empty_database.connect() as killer:
        assert line in (line_of(other), line_of(killer))
    with psycopg.connect(empty_database.url, autocommit=True) as killer:
        killer.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'slomix'")
    with empty_database.connect() as conn:
        assert conn.execute("select 1 as one").fetchone() == {"one": 1}


def test_only_a_few_lines_are_kept(empty_database: Database) -> None:
    with ExitStack() as stack:
        for _ in range(connections._MOST + 3):
            stack.enter_context(empty_database.connect())
    with psycopg.connect(empty_database.url) as conn:
        kept = conn.execute("select count(*) from pg_stat_activity where application_name = 'slomix'").fetchone()
    assert kept == (connections._MOST,)


def _line_in_a_fork(database: Database, answer: "multiprocessing.Queue[int]") -> None:
    with database.connect() as conn:
        answer.put(line_of(conn))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_speaks_on_lines_of_its_own(empty_database: Database) -> None:
    with empty_database.connect() as conn:
        line = line_of(conn)
    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    fork = context.Process(target=_line_in_a_fork, args=(empty_database, answer))
    fork.start()
    assert answer.get(timeout=60) != line
    fork.join()
    with empty_database.connect() as conn:
        assert line_of(conn) == line
