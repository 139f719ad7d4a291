"""Making a used database as it was when it was made: for the next test that wants one without rows.

Belongs here: what is looked at to know that nothing but rows was changed, and taking the rows away.
Does not belong here: making and dropping databases (``postgres_fixtures``).
"""

import os
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow

from slomix_pipeline.warehouse import connections
from slomix_pipeline.warehouse.database import Database

# PostgreSQL takes a table that nobody analysed for at least so many bytes, whatever it holds: below that rows may be
# deleted, above it the plans of the next test would know how much was there.
_NEVER_SMALLER = 10 * 8192

# All that can be changed of a schema, by the transactions that wrote it. Emptying changes pg_class alone.
_SCHEMA = sql.SQL(" union all ").join(
    [
        *(
            sql.SQL(
                "select {name} as part, count(*) as number, sum(xmin::text::bigint) as made from {catalogue}"
            ).format(name=name, catalogue=sql.Identifier("pg_catalog", name))
            for name in (
                "pg_attribute",
                "pg_attrdef",
                "pg_constraint",
                "pg_index",
                "pg_namespace",
                "pg_policy",
                "pg_proc",
                "pg_rewrite",
                "pg_sequence",
                "pg_trigger",
                "pg_type",
                "pg_default_acl",
            )
        ),
        sql.SQL(
            """select 'pg_class', count(*),
                      sum(hashtext(concat(relname, relnamespace, relowner, relacl, reloptions, relrowsecurity)))
               from pg_class"""
        ),
        sql.SQL(
            """select 'settings', count(*), sum(hashtext(concat(s.setrole, s.setconfig)))
               from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
               where d.datname = current_database()"""
        ),
    ]
)
_WRITTEN = """select relname as name, pg_relation_size(oid) > %s or reltuples >= 0 as large from pg_class
              where relkind = 'r' and relnamespace = 'public'::regnamespace and pg_relation_size(oid) > 0"""
_ANALYSED = """select relname as name from pg_class
               where relkind = 'r' and relnamespace = 'public'::regnamespace and reltuples = 0 order by 1"""
_OTHERS = """select 1 from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and pid <> all(%s)"""


@dataclass(frozen=True)
class AsMade:
    """A schema, the rows that its tables begin with, by table, and which tables PostgreSQL has looked at."""

    schema: list[DictRow]
    rows: dict[str, list[dict[str, Any]]]
    analysed: tuple[str, ...]


def as_made(database: Database) -> AsMade:
    """What a database holds that nobody used yet."""
    with database.connect() as conn:
        rows = {name: _rows_of(conn, name) for name in _written(conn)}
        analysed = tuple(row["name"] for row in conn.execute(_ANALYSED))
        return AsMade(conn.execute(_SCHEMA).fetchall(), {name: own for name, own in rows.items() if own}, analysed)


def emptied(database: Database, made: AsMade) -> bool:
    """Takes all rows away that a new database would not have. False where more than rows was changed, or somebody else
    than the connections that this process has put aside still speaks to the database."""
    address = conninfo_to_dict(database.url)["dbname"]
    ours = [
        line.backend_pid
        for (process, conninfo), lines in connections._idle.items()
        if process == os.getpid() and conninfo_to_dict(conninfo).get("dbname") == address
        for line in lines
    ]
    try:
        with database.connect() as conn:
            conn.execute("set local lock_timeout = '1s'")
            if conn.execute(_OTHERS, [ours]).fetchall() or conn.execute(_SCHEMA).fetchall() != made.schema:
                return False
            _empty(conn, made)
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def _empty(conn: Connection[DictRow], made: AsMade) -> None:
    conn.execute("set local session_replication_role = replica")  # no trigger, no foreign key
    written = _written(conn)
    changed = {name: rows for name, rows in made.rows.items() if _rows_of(conn, name) != rows}
    for name, large in written.items():
        if name not in made.rows or name in changed:
            emptying = "truncate {} cascade" if large and name not in made.rows else "delete from {}"
            conn.execute(sql.SQL(emptying).format(sql.Identifier("public", name)))
    for name, rows in changed.items():
        _put_back(conn, name, rows)
    for name in made.analysed:
        if name in written:
            conn.execute(sql.SQL("analyze {}").format(sql.Identifier("public", name)))
    conn.execute(
        """select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
           from pg_sequences where schemaname = 'public' and last_value is not null"""
    )


def _written(conn: Connection[DictRow]) -> dict[str, bool]:
    """The tables that were ever written to, and whether much."""
    return {row["name"]: row["large"] for row in conn.execute(_WRITTEN, [_NEVER_SMALLER])}


def _rows_of(conn: Connection[DictRow], table: str) -> list[dict[str, Any]]:
    return conn.execute(sql.SQL("select * from {}").format(sql.Identifier("public", table))).fetchall()


def _put_back(conn: Connection[DictRow], table: str, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        conn.execute(
            sql.SQL("insert into {} ({}) overriding system value values ({})").format(
                sql.Identifier("public", table),
                sql.SQL(", ").join(map(sql.Identifier, row)),
                sql.SQL(", ").join(sql.Placeholder() * len(row)),
            ),
            list(row.values()),
        )
