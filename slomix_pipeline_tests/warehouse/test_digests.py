"""Digests of tables: what changes them, and what doesn't."""

from collections.abc import Iterator

import pytest
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.digests import Digest, digests, tables_of

_ROWS = (
    "(1, 'ada', 0.1::float8, '{\"b\": 1, \"a\": 2}'::jsonb, '\\x00ff'::bytea, '2031-05-06 20:00+02'::timestamptz)",
    "(2, null, 'nan', null, null, null)",
    "(3, '', -0.0, '[]', '', 'infinity')",
    "(3, '', -0.0, '[]', '', 'infinity')",
)
_COLUMNS = "(number int, name text, share float8, facts jsonb, bytes bytea, at timestamptz)"


@pytest.fixture(scope="module")
def shared(postgres_server: str) -> Iterator[Database]:
    """A database that all of them use, each in a transaction that is never committed."""
    yield Database(postgres_server)


@pytest.fixture
def conn(shared: Database) -> Iterator[Connection[DictRow]]:
    with shared.connect() as conn:
        _make(conn, "kept", _ROWS)
        yield conn
        conn.rollback()


def _make(conn: Connection[DictRow], name: str, rows: tuple[str, ...]) -> Digest:
    conn.execute(f"create table {name} {_COLUMNS}; insert into {name} values {', '.join(rows)}".encode())
    return digests(conn, [name])[name]


def test_neither_the_order_of_rows_nor_that_of_columns_changes_it(conn: Connection[DictRow]) -> None:
    kept = digests(conn, ["kept"])["kept"]
    assert kept.rows == 4
    assert _make(conn, "turned", _ROWS[::-1]) == kept
    conn.execute("create table shifted as select at, bytes, facts, share, name, number from kept")
    conn.execute("alter table shifted add gone int; alter table shifted drop gone")
    assert digests(conn, ["shifted"])["shifted"] == kept


@pytest.mark.parametrize(
    "change",
    [
        "update kept set name = 'Ada' where number = 1",
        "update kept set name = '' where number = 2",
        "update kept set share = 0.10000000000000002 where number = 1",
        "update kept set at = at + interval '1 microsecond' where number = 1",
        "update kept set name = bytes::text, bytes = name::bytea where number = 1",
        "update kept set number = case number when 1 then 2 when 2 then 1 else number end",
        "delete from kept where number = 2",
        "insert into kept select * from kept where number = 1",
        "delete from kept where ctid = (select max(ctid) from kept); insert into kept (number) values (9)",
        "delete from kept where number = 3",
    ],
)
def test_one_value_a_lost_row_and_a_doubled_one_change_it(conn: Connection[DictRow], change: str) -> None:
    before = digests(conn, ["kept"])
    conn.execute(change.encode())
    assert digests(conn, ["kept"]) != before


def test_rows_that_are_there_twice_do_not_cancel_each_other(conn: Connection[DictRow]) -> None:
    other = (_ROWS[0], _ROWS[1], _ROWS[1], _ROWS[0])
    assert _make(conn, "twice", other).digest != _make(conn, "others", (_ROWS[2], _ROWS[2], _ROWS[3], _ROWS[3])).digest


def test_how_the_session_writes_values_does_not_change_it(conn: Connection[DictRow]) -> None:
    before = digests(conn, ["kept"])
    for setting in (
        "timezone = 'Asia/Tokyo'",
        "datestyle = 'German'",
        "bytea_output = 'escape'",
        "extra_float_digits = -15",
    ):
        conn.execute(f"set local {setting}".encode())
    assert digests(conn, ["kept"]) == before


def test_columns_that_are_left_out_may_differ(conn: Connection[DictRow]) -> None:
    before = digests(conn, ["kept"], {"kept": ["at", "share"]})
    assert before != digests(conn, ["kept"])
    conn.execute("update kept set at = now(), share = 7")
    assert digests(conn, ["kept"], {"kept": ["at", "share"]}) == before


def test_what_is_misspelt_is_named(conn: Connection[DictRow]) -> None:
    with pytest.raises(LookupError, match="there is no table nowhere"):
        digests(conn, ["nowhere"])
    with pytest.raises(LookupError, match="kept has no column when"):
        digests(conn, ["kept"], {"kept": ["when", "at"]})


def test_all_tables_of_ours_are_listed_without_views(database: Database) -> None:
    with database.connect() as conn:
        listed = tables_of(conn)
        assert {"file_content", "round", "schema_migration"} <= set(listed)
        assert "valid_round" not in listed
        held = digests(conn, listed)
    assert set(held) == set(listed)
    assert held["round"] == Digest(0, "0" * 32)
    assert held["schema_migration"].rows > 40
