"""What the doctor says of the database: whether it answers, whose it is, its schema, what pages and /link may do.

It is never started and never migrated here: what is down stays down, and what would be applied is told.
Does not belong here: what is stored in it (``chain``).
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.reports.findings import Finding, failed, ok, unknown, warning
from slomix_pipeline.runtime.home import supervisor_of
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import link_requests, ownership, roles, site_schema
from slomix_pipeline.warehouse.dagster_records import sizes
from slomix_pipeline.warehouse.database import OLDEST_VERSION, Database, DatabaseUnavailable, site_url
from slomix_pipeline.warehouse.embedded import MAJOR_VERSION, uri_of
from slomix_pipeline.warehouse.embedded_state import State, embedded_state
from slomix_pipeline.warehouse.link_requests import NotNoted
from slomix_pipeline.warehouse.migrations import MigrationError, pending
from slomix_pipeline.warehouse.site_store import SiteStore, StoreUnavailable

LATE_FIX = "see whether PostgreSQL is busy or frozen (its log, its machine), and end or start it anew"
_REACH_FIX = "check SLOMIX_POSTGRES_URL (user, password, host, name), and whether that server runs and lets us in"
_CLOCKS_MAY_DIFFER = 5  # seconds


class Down(Exception):
    """There is no database to look into; the text says how it is."""


def running(settings: Settings) -> Database:
    """The database, where it runs.

    Raises:
        Down: the embedded one does not.
        DatabaseUnavailable: the address can't be read.
    """
    if settings.postgres_url is not None:
        return Database(settings.postgres_url.get_secret_value())
    state = embedded_state(settings.postgres_dir)
    if state is not State.RUNS:
        raise Down(state.value)
    return Database(uri_of(settings.postgres_dir.resolve(), roles.WRITER))


def look(settings: Settings) -> Iterator[Finding]:
    """Whether it answers, and how it is."""
    if settings.postgres_url is None and (finding := _embedded(settings)) is not None:
        yield finding
        return
    try:
        database = running(settings)
        with database.connect() as conn:
            found = list(_server(conn, settings))
            yield from found
            if not all(finding.fine for finding in found):
                return
            yield _schema(database)
            if _has_schema(conn):
                size = sizes(conn)
                yield ok("size", f"{size.rounds:,} rounds: {size.in_words}")
    except Down as down:  # just now
        yield failed("database", f"the embedded PostgreSQL is down ({down})", "start slomix run")
    except DatabaseUnavailable as error:
        yield failed("database", str(error).strip(), _REACH_FIX)
    except psycopg.Error as error:
        yield failed("database", str(error).strip(), LATE_FIX)


def _embedded(settings: Settings) -> Finding | None:
    """Why the embedded server can't be looked into, or need not be; None: it runs."""
    state = embedded_state(settings.postgres_dir)
    where = settings.postgres_dir
    if state is State.RUNS:
        return None
    if state is State.SILENT:
        return failed("database", f"the embedded PostgreSQL {state.value}", f"look at {where}/log, and end its process")
    if (supervisor := supervisor_of(settings.home)) is not None:
        text = f"the embedded PostgreSQL is down ({state.value}) while slomix run works in this home (process "
        fix = f"none for some seconds: it is started again; if this stays, look at {where}/log"
        return failed("database", f"{text}{supervisor})", fix)
    if state is State.DEAD:
        fix = "start slomix run or any other command, which starts it again"
        return failed("database", f"the embedded PostgreSQL is down ({state.value})", fix)
    if state is State.STOPPED and (version := (where / "PG_VERSION").read_text().strip()) != MAJOR_VERSION:
        text = f"{where} was made by PostgreSQL {version}, this program brings {MAJOR_VERSION}"
        return failed("database", text, "export it with the slomix that made it, and load that into a new home")
    how = "stopped in order" if state is State.STOPPED else "made by the first slomix run or import"
    return unknown("database", f"the embedded PostgreSQL is {how}, so nothing is known of what it holds")


def _server(conn: Connection[DictRow], settings: Settings) -> Iterator[Finding]:
    began = datetime.now(UTC)
    row = conn.execute(
        """select current_user as who, r.rolsuper as super, clock_timestamp() as at,
                  pg_get_userbyid(d.datdba) as owner, has_database_privilege(d.oid, 'create') as makes_schemas,
                  has_schema_privilege('public', 'create') as makes_tables, pg_is_in_recovery() as copy
           from pg_roles r, pg_database d where r.rolname = current_user and d.datname = current_database()"""
    ).fetchone()
    assert row is not None
    kind = "embedded" if settings.postgres_url is None else "SLOMIX_POSTGRES_URL"
    version = conn.info.parameter_status("server_version")
    who = f"as {row['who']}" + (", who may do everything" if row["super"] else f", of {row['owner']}'s database")
    grants = f"grant create on database … to {row['who']}; grant create on schema public to {row['who']};"
    if row["copy"]:
        yield failed("database", "it is a copy that only reads", "write the address of the server it is copied from")
    elif not (row["makes_schemas"] and row["makes_tables"]):
        text = f"PostgreSQL {version} ({kind}) answers {who}, who may not make tables or the schema dagster"
        yield failed("database", text, f"as an administrator of that server run: {grants}")
    elif conn.info.server_version < OLDEST_VERSION * 10000:
        yield failed("database", f"PostgreSQL {version} is too old", f"use {OLDEST_VERSION} or newer")
    else:
        yield ok("database", f"PostgreSQL {version} ({kind}) answers {who}")
    apart = max((began - row["at"]).total_seconds(), (row["at"] - datetime.now(UTC)).total_seconds())
    if apart > _CLOCKS_MAY_DIFFER:
        text = f"this machine's is {apart:.0f} s from that of PostgreSQL"
        yield warning("clock of the database", text, "have both set by NTP (timedatectl set-ntp true)")


def _has_schema(conn: Connection[DictRow]) -> bool:
    row = conn.execute("select to_regclass('public.parsed_round') is not null as there").fetchone()
    return row is not None and bool(row["there"])


def _schema(database: Database) -> Finding:
    try:
        waiting = pending(database)
    except MigrationError as error:
        return failed("schema", str(error), "use the slomix that this database belongs to, or another database")
    with database.connect() as conn:
        if not _has_schema(conn):
            return ok("schema", "empty: the next start makes all of it")
        row = conn.execute("select max(number) as number from schema_migration").fetchone()
    assert row is not None
    if waiting:
        names = ", ".join(migration.name for migration in waiting)
        return ok("schema", f"version {row['number']}; the next start applies {len(waiting)} more: {names}")
    return ok("schema", f"version {row['number']}, up to date")


def rights(settings: Settings) -> Iterator[Finding]:
    """Whether the roles of pages and of /link can do what they are for, and nothing else."""
    try:
        database = running(settings)
        with database.connect() as conn:
            site = conn.execute("select from pg_namespace where nspname = 'site'").fetchone()
            if site is None or not _has_schema(conn):
                yield unknown("public pages", "what they read is made by the next start")
                return
            trouble, remedy = site_schema.trouble_with_role(conn), site_schema.statements_for_role(conn)
            link = link_requests.trouble_with_role(conn), link_requests.statements_for_role(conn)
            writer = conn.info.user
    except (Down, DatabaseUnavailable, psycopg.OperationalError):
        return  # which is told where the database is looked at
    if settings.postgres_url is not None:
        yield _dagster_records(settings, writer)
    yield _pages(settings, database, trouble, remedy)
    if settings.answers_commands:
        yield _link(settings, database, *link)


def _dagster_records(settings: Settings, writer: str) -> Finding:
    """As whom Dagster keeps its records on a server of somebody's own; that it may be the writer is fine."""
    what = "Dagster's records"
    remedy = f"as an administrator of that server run: {ownership.dagster_statements(roles.DAGSTER, writer)}"
    if settings.dagster_postgres_url is None:
        apart = f"to keep Dagster from our tables, {remedy} and set SLOMIX_DAGSTER_POSTGRES_URL"
        return ok(what, f"kept as {writer}; {apart}")
    try:
        with Database(settings.dagster_postgres_url.get_secret_value()).connect() as conn:
            return ok(what, f"kept as {conn.info.user}")
    except DatabaseUnavailable as error:
        return failed(what, f"SLOMIX_DAGSTER_POSTGRES_URL: {error}", f"for the role, {remedy}")


def _pages(settings: Settings, database: Database, trouble: str | None, remedy: str) -> Finding:
    if trouble is not None:
        return failed("public pages", trouble, f"as an administrator of that server run: {remedy}")
    own = settings.site_postgres_url
    url = site_url(database.url, site_schema.ROLE) if own is None else own.get_secret_value()
    try:
        with SiteStore(url).moment() as moment:
            where = settings.site_address or "no SLOMIX_SITE_ADDRESS: for this machine alone"
            return ok("public pages", f"data version {moment.version.number}, {where}")
    except (StoreUnavailable, DatabaseUnavailable) as error:
        fix = _login_fix("SLOMIX_SITE_POSTGRES_URL", site_schema.ROLE)
        return failed("public pages", f"the pages can't read: {error}", fix)


def _login_fix(setting: str, role: str) -> str:
    return (
        f"set {setting} to an address that the role {role} may log in by; where it has no password: "
        f"alter role {role} password '…'"
    )


def _link(settings: Settings, database: Database, trouble: str | None, remedy: str) -> Finding:
    if trouble is not None:
        return failed("/link", trouble, f"as an administrator of that server run: {remedy}")
    own = settings.link_postgres_url
    try:
        link_requests.check(site_url(database.url, link_requests.ROLE) if own is None else own.get_secret_value())
    except NotNoted as error:
        fix = _login_fix("SLOMIX_LINK_POSTGRES_URL", link_requests.ROLE)
        return failed("/link", f"nothing can be noted: {error}", fix)
    return ok("/link", "who asks to be linked can be noted")
