"""PostgreSQL for tests: one embedded server per test process, a database as if new per test.

Belongs here: the fixtures ``postgres_server``, ``migrated_template``, ``empty_database``, ``database``,
``made_cluster``, ``server_home``; folders for servers.
Does not belong here: rows in those databases (the tests' own), emptying a database (``emptying``).
"""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from slomix_pipeline.warehouse import embedded, roles
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.embedded import start_embedded, stop_embedded
from slomix_pipeline.warehouse.migrations import migrate
from slomix_pipeline.warehouse.server_account import server_account
from slomix_pipeline_tests.emptying import AsMade, as_made, emptied

_number = itertools.count(1)
_empty: list[str] = []  # databases like the template, which tests left
_IN_MEMORY = Path("/dev/shm")  # Linux; a container's is often too small
_ROOM = 2 * 1024**3


@contextmanager
def folder_for_servers() -> Iterator[Path]:
    """A folder that ends with the block, in memory where there is room: a database is some 300 files to copy.

    Not pytest's tmp_path: pytest closes that folder to other accounts, and root's server runs as one.
    """
    roomy = os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free >= _ROOM
    folder = Path(tempfile.mkdtemp(prefix="slomix-test-", dir=_IN_MEMORY if roomy else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def made_cluster() -> Iterator[Path]:
    """A server's data as ``start_embedded`` makes them, to be copied by ``server_home``: initdb takes seconds."""
    with folder_for_servers() as folder:
        made = folder / "postgres"
        embedded._create(made, server_account(made, embedded.programs()))
        yield made


@pytest.fixture
def server_home(made_cluster: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for embedded servers of a test's own; those it leaves running are stopped."""
    run = embedded._run

    def run_or_copy(program: str, *arguments: str, folder: Path, account: pwd.struct_passwd | None) -> None:
        if program == "initdb":
            subprocess.run(["cp", "-a", f"{made_cluster}/.", str(folder)], check=True)
        else:
            run(program, *arguments, folder=folder, account=account)

    monkeypatch.setattr(embedded, "_run", run_or_copy)
    with folder_for_servers() as folder:
        try:
            yield folder
        finally:
            for used in list(embedded._users):
                if used.is_relative_to(folder):
                    stop_embedded(used)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The superuser's address of a server that this test process alone uses; it forgets everything at the end."""
    with folder_for_servers() as folder:
        try:
            start_embedded(folder / "postgres")
            url = embedded.superuser_url(folder / "postgres")
            with psycopg.connect(url, autocommit=True) as conn:
                # Nothing here must survive a crash, or lives long enough to be vacuumed.
                for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                    conn.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
                conn.execute("SELECT pg_reload_conf()")
                # Tests work as who owns the tables. He may besides look at others, end them, and empty tables at once.
                writer = sql.Identifier(roles.WRITER)
                conn.execute(sql.SQL("GRANT pg_signal_backend, pg_monitor TO {} WITH INHERIT TRUE").format(writer))
                conn.execute(sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(writer))
            yield url
        finally:
            stop_embedded(folder / "postgres")


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> Iterator[str]:
    """The name of a database with the schema of ``sql/``, to be copied by ``database``."""
    with _new_database(postgres_server) as template:
        migrate(Database(address_of(postgres_server, template)))
        with psycopg.connect(postgres_server, autocommit=True) as conn:  # a database in use can't be copied
            conn.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", [template])
        yield template


@pytest.fixture
def empty_database(postgres_server: str) -> Iterator[Database]:
    """A database without any table, dropped after the test."""
    with _new_database(postgres_server) as name:
        yield Database(address_of(postgres_server, name))


@pytest.fixture(scope="session")
def template_as_made(postgres_server: str, migrated_template: str) -> AsMade:
    """What every copy of the template begins with."""
    with copied_database(postgres_server, migrated_template) as copy:
        return as_made(copy)


@pytest.fixture
def database(postgres_server: str, migrated_template: str, template_as_made: AsMade) -> Iterator[Database]:
    """A database with the schema of ``sql/`` and no rows. After the test it is emptied for the next one, whose
    connections then need not read the catalogue anew; one that is not as it was made is dropped."""
    name = _empty.pop() if _empty else _create_database(postgres_server, migrated_template)
    used = Database(address_of(postgres_server, name))
    reusable = False
    try:
        yield used
        reusable = emptied(used, template_as_made)
    finally:
        if reusable:
            _empty.append(name)
        else:
            _drop_database(postgres_server, name)


@contextmanager
def databases_may_be_made(server: str) -> Iterator[None]:
    """Who owns the tables may make databases meanwhile: a backup is restored into one, for trying."""
    writer = sql.Identifier(roles.WRITER)
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(writer))
        try:
            yield
        finally:
            conn.execute(sql.SQL("ALTER ROLE {} NOCREATEDB").format(writer))


@contextmanager
def copied_database(server: str, template: str) -> Iterator[Database]:
    """A database like ``template``, which ends with the block."""
    with _new_database(server, template=template) as name:
        yield Database(address_of(server, name))


@contextmanager
def _new_database(server: str, template: str = "template0") -> Iterator[str]:
    name = _create_database(server, template)
    try:
        yield name
    finally:
        _drop_database(server, name)


def _create_database(server: str, template: str) -> str:
    name = f"test_{next(_number)}"
    names = {
        "name": sql.Identifier(name),
        "template": sql.Identifier(template),
        "owner": sql.Identifier(roles.WRITER),
    }
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {name} OWNER {owner} TEMPLATE {template} STRATEGY file_copy").format(**names)
        )
    return name


def _drop_database(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def address_of(server: str, name: str) -> str:
    """The address of a database on the server of a superuser's address, as the role that owns our tables."""
    return server.replace("postgres@/postgres?", f"{roles.WRITER}@/{name}?")
