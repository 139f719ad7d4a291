"""A database beside ours, for trying whether a dump can be restored; it ends with its use.

Belongs here: making and dropping it, also one that a killed check left. Does not belong here: what is tried
(``actions.backing_up``).

Its name says whose it is: several homes may have their databases on one server. Who makes one holds the lock of
backups of his database, so whatever else has such a name is left over.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.warehouse.database import Database, site_url, url_beside

_SUPERUSER = "postgres"  # of the embedded server
_LOG_TO_SPARE = 64 * 2**20  # bytes: what the server writes ahead for others meanwhile


class NoScratch(SlomixError):
    """No database can be made beside ours; the text says why and what to do."""


@contextmanager
def scratch_database(database: Database, embedded: Path) -> Iterator[Database]:
    """An empty database on the same server. ``embedded``: the folder of the embedded server, if it is that one.

    Raises:
        NoScratch: we may not make one, or there is no room for it.
    """
    prefix = _prefix(database)
    name = f"{prefix}{os.urandom(4).hex()}"
    with _maker(database, embedded) as conn:
        for left in conn.execute("select datname as name from pg_database where starts_with(datname, %s)", [prefix]):
            _drop(conn, left["name"])
        _make(conn, name, database)
        try:
            yield Database(url_beside(database.url, name))
        finally:
            _drop(conn, name)


def _prefix(database: Database) -> str:
    given = conninfo_to_dict(database.url)
    own = f"{given.get('dbname') or given.get('user')}"
    return f"slomix_check_{hashlib.sha256(own.encode()).hexdigest()[:8]}_"


@contextmanager
def _maker(database: Database, embedded: Path) -> Iterator[Connection[DictRow]]:
    """Who may make databases: the role of ours, or on the embedded server its superuser."""
    url = database.url
    with database.connect() as own:
        row = own.execute(
            """select quote_ident(rolname) as role, rolcreatedb or rolsuper as may,
                      pg_database_size(current_database()) as bytes
               from pg_roles where rolname = current_user"""
        ).fetchone()
    assert row is not None
    local = _is_local(database, embedded)
    # What is loaded is written to the log before it, too: a full disk would end the server.
    if local and shutil.disk_usage(embedded).free < row["bytes"] * 2 + _LOG_TO_SPARE:
        raise NoScratch(
            f"there is no room on the disk for a second database of {row['bytes'] / 1e6:,.0f} MB, and its log"
        )
    if not row["may"]:
        if not local:
            raise NoScratch(
                f"the role {row['role']} may not make a database to restore it into; as an administrator of that "
                f"server run: alter role {row['role']} createdb;"
            )
        url = site_url(database.url, _SUPERUSER)
    with psycopg.connect(url, autocommit=True, row_factory=dict_row, application_name="slomix check") as conn:
        yield conn


def _is_local(database: Database, embedded: Path) -> bool:
    from slomix_pipeline.warehouse.embedded import serves  # needs Unix; a given server doesn't

    return serves(embedded, database.url)


def _make(conn: Connection[DictRow], name: str, database: Database) -> None:
    owner = conninfo_to_dict(database.url).get("user")
    try:
        conn.execute(
            sql.SQL("create database {} template template0 encoding 'UTF8'{}").format(
                sql.Identifier(name),
                sql.SQL(" owner {}").format(sql.Identifier(str(owner))) if owner else sql.SQL(""),
            )
        )
    except psycopg.Error as error:
        raise NoScratch(f"no database can be made to restore it into: {str(error).strip()}") from error


def _drop(conn: Connection[DictRow], name: str) -> None:
    conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
