"""Roles of the database beside its owner: each may do one thing.

Belongs here: making a role, whether it is there. Does not belong here: what it may do (``site_schema``,
``link_requests``).
"""

from contextlib import suppress

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow


def create_statement(role: str) -> str:
    """How a role is made; on a server of somebody's own, by whoever may make roles there."""
    return f"create role {role} login nosuperuser nocreatedb nocreaterole noinherit;"


def may_make(conn: Connection[DictRow]) -> bool:
    """Whether we may do everything, as on the embedded server."""
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
