"""Who owns what: our tables are the writer's, Dagster's records are the role's that Dagster logs in as.

Belongs here: the roles of the embedded server, handing over what somebody else owns there.
Does not belong here: the tables themselves (``migrations``), the server (``embedded``).

The superuser of the embedded server makes the roles and hands over; nothing else is done as him. The writer is a
member of Dagster's role, as he makes its schema, reads its records and backs them up; he changes none, since what its
owner puts on them (triggers) would run as him. Dagster's role is a member of nothing.
"""

from collections.abc import Sequence

import psycopg
from psycopg import Connection, sql
from psycopg.rows import DictRow, dict_row

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.warehouse import roles
from slomix_pipeline.warehouse.database import DAGSTER_SCHEMA, Database, DatabaseUnavailable, advisory_key

OURS = ("public", "site")
LOCK_TIMEOUT_SECONDS = 60

# What we own in some schemas and somebody else should, as the statements that give it away. Sequences of columns,
# indexes and row types go with their tables.
_TO_GIVE = """
with ours as (
    select oid, nspname, nspowner from pg_namespace where nspname = any(%(schemas)s)
), found as (
    select 1 as turn, nspowner as owner, format('schema %%I', nspname) as what from ours
    union all
    select 2, relowner, format('%%s %%I.%%I', case relkind when 'v' then 'view' when 'm' then 'materialized view'
                                                       when 'S' then 'sequence' when 'f' then 'foreign table'
                                                       else 'table' end, nspname, relname)
    from pg_class c join ours on ours.oid = relnamespace
    where relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not exists (
        select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i', 'e'))
    union all
    select 3, proowner, format('routine %%s', p.oid::regprocedure)
    from pg_proc p join ours on ours.oid = pronamespace
    where not exists (select from pg_depend d
                      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
    union all
    select 4, typowner, format('type %%s', t.oid::regtype)
    from pg_type t join ours on ours.oid = typnamespace
    where typtype in ('d', 'e', 'r') and not exists (
        select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
)
select format('alter %%s owner to %%I', what, %(role)s::text) as statement from found
where owner = current_user::regrole and current_user <> %(role)s
order by turn, what
"""


class OwnershipError(SlomixError):
    """What belongs to a role can't be given to it; the text says why and what to do."""


def prepare_embedded(superuser_url: str) -> None:
    """Makes the roles of the embedded server and gives them what is theirs, all or nothing. Where all is as it should
    be, that takes some milliseconds and changes nothing. Others that do so or migrate wait.

    Raises:
        OwnershipError: somebody keeps the tables locked.
        DatabaseUnavailable: the server can't be reached, or broke off.
    """
    try:
        with psycopg.connect(superuser_url, row_factory=dict_row, application_name="slomix roles") as conn:
            if not _is_prepared(conn):
                conn.rollback()
                conn.execute("select pg_advisory_xact_lock(%s)", [advisory_key("migrate")])
                _prepare(conn)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise OwnershipError(
            f"somebody has been using the tables for more than {LOCK_TIMEOUT_SECONDS} s, so they can't be handed to "
            f"the role {roles.WRITER}: end what is connected to the database and start again"
        ) from error
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"the embedded PostgreSQL: {error}") from None


def _is_prepared(conn: Connection[DictRow]) -> bool:
    row = conn.execute(
        """select (select count(*) from pg_roles where rolname = any(%s)) as roles,
                  pg_get_userbyid(datdba) as owner
           from pg_database where datname = current_database()""",
        [[roles.WRITER, roles.DAGSTER, roles.PAGES, roles.LINKS]],
    ).fetchone()
    assert row is not None
    return row == {"roles": 4, "owner": roles.WRITER} and not [*_to_give(conn)]


def _prepare(conn: Connection[DictRow]) -> None:
    """In one transaction; in a new home, and in one whose tables were made by the superuser."""
    conn.execute(f"set local lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
    for role in (roles.WRITER, roles.DAGSTER, roles.PAGES, roles.LINKS):
        roles.make(conn, role)
    to, dagster = sql.Identifier(roles.WRITER), sql.Identifier(roles.DAGSTER)
    conn.execute(sql.SQL("grant {} to {} with inherit true, set true").format(dagster, to))
    row = conn.execute("select current_database() as name").fetchone()
    assert row is not None
    conn.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(row["name"]), to))
    conn.execute(sql.SQL("grant usage on schema pg_toast to {}").format(dagster))  # where indexes lie that it rebuilds
    for statement in _to_give(conn):
        conn.execute(statement.encode())


def _to_give(conn: Connection[DictRow]) -> list[str]:
    return [*_statements(conn, OURS, roles.WRITER), *_statements(conn, (DAGSTER_SCHEMA,), roles.DAGSTER)]


def _statements(conn: Connection[DictRow], schemas: Sequence[str], role: str) -> list[str]:
    found = conn.execute(_TO_GIVE, {"schemas": list(schemas), "role": role})
    return [row["statement"] for row in found]


def make_dagster_schema(database: Database, given: str | None) -> None:
    """Makes the schema of Dagster's records where it is missing, and gives the role ``given`` what we own in it; None:
    it stays ours.

    Raises:
        OwnershipError: we are not allowed to.
        DatabaseUnavailable: the server can't be reached.
    """
    try:
        with database.transaction() as conn:
            conn.execute("select pg_advisory_xact_lock(%s)", [advisory_key("dagster schema")])
            row = conn.execute("select current_user as name").fetchone()
            assert row is not None
            writer, role = row["name"], given or row["name"]
            conn.execute(
                sql.SQL("create schema if not exists {} authorization {}").format(
                    sql.Identifier(DAGSTER_SCHEMA), sql.Identifier(role)
                )
            )
            for statement in _statements(conn, (DAGSTER_SCHEMA,), role):
                conn.execute(statement.encode())
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject) as error:
        raise OwnershipError(
            f"Dagster's records can't be the role {role}'s ({str(error).strip()}): as an administrator of that server "
            f"let {writer} create schemas in the database, and run: {dagster_statements(role, writer)}"
        ) from error


def dagster_statements(role: str, writer: str) -> str:
    """What whoever may make roles runs so that Dagster can have one of its own, on one line."""
    member = sql.SQL("grant {} to {};").format(sql.Identifier(role), sql.Identifier(writer)).as_string()
    return f"{roles.create_statement(role)} {member}"
