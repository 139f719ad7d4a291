"""The roles of the database: each may do no more than its work takes.

Belongs here: their names, making one, whether it is there. Does not belong here: what they own (``ownership``), what
the pages' roles may do (``site_schema``, ``link_requests``).
"""

from contextlib import suppress

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

WRITER = "slomix"  # on the embedded server; elsewhere whoever SLOMIX_POSTGRES_URL names
DAGSTER = "slomix_dagster"
PAGES = "slomix_web"
LINKS = "slomix_link"


def create_statement(role: str) -> str:
    """How a role beside the writer is made; on a server of somebody's own, by whoever may make roles there."""
    return f"create role {role} login nosuperuser nocreatedb nocreaterole noinherit;"


def may_make(conn: Connection[DictRow]) -> bool:
    """Whether we may do everything: as the superuser of the embedded server, who makes its roles and does nothing else,
    or by an address of a server of somebody's own that names one."""
    row = conn.execute("select rolsuper as may from pg_roles where rolname = current_user").fetchone()
    return row is not None and bool(row["may"])


def is_there(conn: Connection[DictRow], role: str) -> bool:
    """Whether there is such a role."""
    return conn.execute("select from pg_roles where rolname = %s", [role]).fetchone() is not None


def make(conn: Connection[DictRow], role: str) -> None:
    """Makes a role where it is missing; ``conn`` commits each statement."""
    if not is_there(conn, role):
        with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):  # somebody else just did
            conn.execute(create_statement(role))
