"""Brings the database's schema to the state of the folder ``sql/``.

Belongs here: applying numbered migrations, re-creating views, refusing what doesn't fit.
Does not belong here: the schema itself (``sql/``).

- ``sql/NNN_name.sql`` are applied once, by number, each with the note of its sha256. They are history: a file whose
  text changed after it was applied is refused.
- ``sql/views/NN_name.sql`` are re-created, in the order of their names, whenever any text of them changed, and also
  after a migration: the views go first, so that the tables below them can change. Only views made here are dropped,
  and never somebody else's that are built on them. Before them the rules' windows become functions (``windows``).
- The schema ``site`` goes and comes with the views, on which it is built: ``sql/site/NN_name.sql`` and the masked views
  of ``site_schema``. Nothing else may be built on it.
- All of it is one transaction: a start that fails leaves the database, and a program that runs on it, as they were.
- One process at a time, under a PostgreSQL advisory lock that ends with its connection.
"""

import hashlib
import importlib.metadata
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import DictRow

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.warehouse import identities, link_requests, restores, site_schema, windows
from slomix_pipeline.warehouse.database import Database, advisory_key

_TABLES = f"""
CREATE TABLE IF NOT EXISTS schema_migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    program text
);
CREATE TABLE IF NOT EXISTS schema_views (
    sha256 text NOT NULL,
    names text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
{restores.TABLE}"""
LOCK_TIMEOUT_SECONDS = 60  # for who reads the tables just now; behind us every new reader would wait too
_VIEW_NAMES = """
SELECT viewname AS name FROM pg_views WHERE schemaname = current_schema()
"""


class MigrationError(SlomixError):
    """The schema can't be brought up to date; the text says why and what to do."""


class SchemaDrift(MigrationError):
    """The database and the folder ``sql/`` don't belong together."""


@dataclass(frozen=True)
class Migration:
    """One file of ``sql/``."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return _sha256(self.text)


@dataclass(frozen=True)
class Applied:
    """A migration that a database has had. ``at``, ``program``: when and by which version of slomix, where known."""

    number: int
    name: str
    sha256: str
    at: datetime | None = None
    program: str | None = None

    @property
    def origin(self) -> str:
        by = "" if self.program is None else f" by slomix {self.program}"
        return by + ("" if self.at is None else f" on {self.at:%Y-%m-%d}")


def migrate(database: Database, folder: Path | None = None) -> list[str]:
    """Applies what is missing from ``folder`` (default: the ``sql/`` that came with the program).

    Returns:
        The names of the files applied now, in order; views are named ``views``.

    Raises:
        SchemaDrift: the database was migrated by other files than these.
        MigrationError: a file is misnamed or fails, or somebody keeps the tables locked; the database stays as it was.
        DatabaseUnavailable: the server can't be reached.
    """
    folder = folder or bundled_folder("sql")
    migrations = read_migrations(folder)
    views = _texts(folder / "views")
    if views:
        views.insert(0, ("windows", windows.as_functions()))
    site = _texts(folder / "site")
    views_sha256 = _sha256("\n".join(f"{name}\n{text}" for name, text in [*views, *site, *site_schema.digested()]))

    with database.connect() as conn:
        conn.autocommit = True  # the lock outlives the transactions below and ends with the connection
        conn.execute("SELECT pg_advisory_lock(%s)", [advisory_key("migrate")])
        conn.execute(_TABLES)
        waiting = _pending(conn, migrations)
        made = conn.execute("SELECT sha256, names FROM schema_views").fetchone()
        if not waiting and made and made["sha256"] == views_sha256:
            return []
        if site:
            site_schema.make_role(conn)
            link_requests.make_role(conn)
        try:
            with conn.transaction():  # all or nothing: without its views nothing works
                conn.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS * 1000:.0f}ms'")
                _lock_data_version(conn)
                conn.execute("DROP SCHEMA IF EXISTS site CASCADE")
                _drop_views(conn, made["names"] if made else [])
                for migration in waiting:
                    _apply(conn, migration)
                _note_program(conn, waiting)
                _create_views(conn, views, views_sha256)
                if site:
                    _create_site(conn, site)
        except psycopg.errors.LockNotAvailable as error:
            raise MigrationError(
                f"somebody has been reading the tables for more than {LOCK_TIMEOUT_SECONDS} s: end what is connected "
                "to the database and start again"
            ) from error
    return [migration.name for migration in waiting] + (["views"] if views else [])


def _texts(folder: Path) -> list[tuple[str, str]]:
    return [(path.name, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql"))]


def read_migrations(folder: Path) -> list[Migration]:
    """The migrations of ``folder`` by number.

    Raises:
        MigrationError: a file is misnamed, or two have the same number.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        named = re.fullmatch(r"(\d{3})_\w+\.sql", path.name)
        if named is None:
            raise MigrationError(f"{path.name}: migrations are named like 007_what_it_does.sql")
        migration = Migration(int(named[1]), path.name, path.read_text(encoding="utf-8"))
        other = found.setdefault(migration.number, migration)
        if other is not migration:
            raise MigrationError(
                f"{other.name} and {migration.name} have the same number; give one the next free number"
            )
    return list(found.values())


def pending(database: Database, folder: Path | None = None) -> list[Migration]:
    """What ``migrate`` would apply to a database that has a schema already; of an empty one nothing.

    Raises:
        SchemaDrift: the database was migrated by other files than these.
        MigrationError: a file is misnamed.
        DatabaseUnavailable: the server can't be reached.
    """
    migrations = read_migrations(folder or bundled_folder("sql"))
    with database.connect() as conn:
        row = conn.execute("SELECT to_regclass('schema_migration') IS NOT NULL AS there").fetchone()
        return _pending(conn, migrations) if row is not None and row["there"] else []


def _pending(conn: psycopg.Connection[DictRow], migrations: list[Migration]) -> list[Migration]:
    rows = conn.execute("SELECT * FROM schema_migration ORDER BY number").fetchall()
    applied = [Applied(r["number"], r["name"], r["sha256"], r["applied_at"], r.get("program")) for r in rows]
    return missing_of(applied, migrations)


def missing_of(applied: Sequence[Applied], migrations: Sequence[Migration]) -> list[Migration]:
    """Which migrations are not applied yet where these are. ``applied``: by number.

    Raises:
        SchemaDrift: they don't belong together.
    """
    known = {migration.number: migration for migration in migrations}
    for row in applied:
        if row.number not in known:
            raise SchemaDrift(
                f"the database was migrated by a newer program: {applied[-1].name} is applied{applied[-1].origin}, and "
                f"this one (slomix {program_version()}) knows nothing after "
                f"{max(known, default=0):03}. Update slomix; or bring back the backup of before that update (slomix "
                "backup list, slomix restore FILE); or use another SLOMIX_HOME or SLOMIX_POSTGRES_URL."
            )
        if known[row.number].sha256 != row.sha256:
            raise SchemaDrift(
                f"{known[row.number].name} was changed after it was applied{row.origin}. Restore its text and put the "
                "change into a new migration with the next number."
            )
    done = {row.number for row in applied}
    missing = [migration for migration in migrations if migration.number not in done]
    for migration in missing:
        if applied and migration.number < applied[-1].number:
            raise SchemaDrift(
                f"{migration.name} is not applied, but {applied[-1].name} is. Give it the next free number."
            )
    return missing


def program_version() -> str:
    """The version of this program."""
    return importlib.metadata.version("slomix-pipeline")


def _note_program(conn: psycopg.Connection[DictRow], applied: list[Migration]) -> None:
    row = conn.execute(
        """SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'schema_migration'::regclass
                                                         AND attname = 'program') AS there"""
    ).fetchone()
    if row is not None and row["there"]:
        conn.execute(
            "UPDATE schema_migration SET program = %s WHERE number = ANY(%s)",
            [program_version(), [migration.number for migration in applied]],
        )


def _apply(conn: psycopg.Connection[DictRow], migration: Migration) -> None:
    try:
        with conn.transaction():
            conn.execute(migration.text.encode())
            conn.execute(
                "INSERT INTO schema_migration (number, name, sha256) VALUES (%s, %s, %s)",
                [migration.number, migration.name, migration.sha256],
            )
    except psycopg.errors.LockNotAvailable:
        raise
    except psycopg.Error as error:
        raise MigrationError(_said(migration.name, error)) from error


def _drop_views(conn: psycopg.Connection[DictRow], names: list[str]) -> None:
    try:
        with conn.transaction():
            conn.execute("DELETE FROM schema_views")
            if names:  # in one statement: they are built on each other
                listed = sql.SQL(", ").join(sql.Identifier(name) for name in names)
                conn.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(listed))
    except psycopg.errors.DependentObjectsStillExist as error:
        raise MigrationError(
            f"something else is built on our views: {error.diag.message_detail}. "
            "Drop it, start again, and create it anew."
        ) from error


def _create_views(conn: psycopg.Connection[DictRow], views: list[tuple[str, str]], sha256: str) -> None:
    with conn.transaction():
        before = {row["name"] for row in conn.execute(_VIEW_NAMES)}
        for name, text in views:
            try:
                conn.execute(text.encode())
            except psycopg.errors.LockNotAvailable:
                raise
            except psycopg.Error as error:
                raise MigrationError(_said(f"views/{name}", error)) from error
        names = [row["name"] for row in conn.execute(_VIEW_NAMES) if row["name"] not in before]
        conn.execute("INSERT INTO schema_views (sha256, names) VALUES (%s, %s)", [sha256, names])


def _lock_data_version(conn: psycopg.Connection[DictRow]) -> None:
    """Whoever commits takes this row first and may read views then: in another order, each would wait for the other."""
    row = conn.execute("SELECT to_regclass('data_version') IS NOT NULL AS there").fetchone()
    if row is not None and row["there"]:
        conn.execute("SELECT FROM data_version FOR UPDATE")


def _create_site(conn: psycopg.Connection[DictRow], texts: list[tuple[str, str]]) -> None:
    """The schema ``site``, and a new version of the data: views may tell it otherwise now."""
    with conn.transaction():
        conn.execute("CREATE SCHEMA site")
        for name, text in texts:
            try:
                conn.execute(text.encode())
            except psycopg.Error as error:
                raise MigrationError(_said(f"site/{name}", error)) from error
        site_schema.make_views(conn)
        site_schema.grant(conn)
        link_requests.grant(conn)
        conn.execute("UPDATE data_version SET version = version + 1, changed_at = clock_timestamp()")
        conn.execute("SELECT hide_players()")
        identities.learn_hidden(conn)
        restores.finish(conn)


def _said(name: str, error: psycopg.Error) -> str:
    return f"{name} failed and was rolled back: {error}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
