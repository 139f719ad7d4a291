"""Who owns what in the database, and what each role may not do."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from slomix_pipeline.runtime.home import dagster_environment, dagster_instance, open_database
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.warehouse import embedded, roles
from slomix_pipeline.warehouse.connections import forget_idle
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.embedded import start_embedded, stop_embedded, superuser_url
from slomix_pipeline.warehouse.migrations import migrate
from slomix_pipeline.warehouse.ownership import OwnershipError, make_dagster_schema

_OWNERS = """
select nspname as schema, array_agg(distinct pg_get_userbyid(owner)) as owners
from (select relnamespace as schema, relowner as owner from pg_class
      union all select pronamespace, proowner from pg_proc
      union all select typnamespace, typowner from pg_type
      union all select oid, nspowner from pg_namespace where nspname <> 'public') owned
     join pg_namespace n on n.oid = owned.schema
where nspname in ('public', 'site', 'dagster') group by 1 order by 1
"""
_AS_THEY_SHOULD_BE = [("dagster", ["slomix_dagster"]), ("public", ["slomix"]), ("site", ["slomix"])]
_ROWS = """
insert into file_content (sha256, bytes)
select encode(sha256(n::text::bytea), 'hex'), n::text::bytea from generate_series(1, 1000) n
"""


def owners(url: str) -> list[tuple[str, list[str]]]:
    with psycopg.connect(url) as conn:
        return conn.execute(_OWNERS).fetchall()


@pytest.fixture
def home(server_home: Path) -> Iterator[Settings]:
    """The settings of a home whose embedded server nobody started yet."""
    yield load_settings(home=server_home / "home", postgres_url=None)


def test_a_new_home_belongs_to_its_writer_and_dagsters_records_to_dagster(home: Settings) -> None:
    database = open_database(home)
    with dagster_instance(home, database) as instance:
        instance.add_dynamic_partitions("rounds", ["one"])
    assert owners(database.url) == _AS_THEY_SHOULD_BE
    with psycopg.connect(database.url) as conn:
        found = conn.execute(
            """select rolname, rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname like 'slomix%' order by 1"""
        ).fetchall()
    roles_there = ("slomix", "slomix_dagster", "slomix_link", "slomix_web")
    assert found == [(role, False, False, False) for role in roles_there]
    for role in (roles.DAGSTER, roles.PAGES, roles.LINKS):
        with psycopg.connect(site_url(database.url, role)) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("create temporary table other (number int)")


def test_who_runs_gets_no_address_of_the_superuser(home: Settings) -> None:
    database = open_database(home)
    told = dagster_environment(home, database)
    with psycopg.connect(told["SLOMIX_DAGSTER_PG_URL"].replace("+psycopg2", "")) as conn:
        assert conn.info.user == "slomix_dagster"
    assert Database(told["SLOMIX_POSTGRES_URL"]).user == "slomix"
    assert not [name for name, value in told.items() if "postgres@" in value]


def test_dagsters_role_reaches_nothing_but_its_records(database: Database) -> None:
    make_dagster_schema(database, roles.DAGSTER)
    with psycopg.connect(site_url(database.url, roles.DAGSTER), autocommit=True) as conn:
        conn.execute("create table dagster.own (number int)")
        for forbidden in (
            "select from public.round",
            "insert into public.link_request values ('1', 'x', 'y')",
            "select from site.round",
            "create table public.other (number int)",
            "create schema other",
            "create role other",
            "create database other",
            "set role slomix",
            "grant slomix to slomix_dagster",
            "copy dagster.own from program 'true'",
            "copy dagster.own to '/tmp/never'",
            "select pg_read_file('PG_VERSION')",
            "alter system set fsync = off",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(forbidden.encode())


def test_the_writer_reaches_all_our_records_and_nothing_of_the_machine(database: Database) -> None:
    make_dagster_schema(database, roles.DAGSTER)
    with psycopg.connect(site_url(database.url, roles.DAGSTER), autocommit=True) as conn:
        conn.execute("create table dagster.runs (id int primary key)")
    with psycopg.connect(database.url, autocommit=True) as conn:
        conn.execute("delete from dagster.runs")
        conn.execute("alter table dagster.runs set (toast_tuple_target = 128)")
        conn.execute("reindex table concurrently dagster.runs")
        for forbidden in (
            "create role other",
            "create database other",
            "set role postgres",
            "copy public.round from program 'true'",
            "copy public.round to '/tmp/never'",
            "select pg_read_file('PG_VERSION')",
            "alter system set fsync = off",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(forbidden.encode())
        conn.execute("drop schema dagster cascade")


@pytest.mark.parametrize("joined", [False, True], ids=["started", "joined"])
def test_a_home_that_the_superuser_filled_is_handed_over_at_the_next_start(
    home: Settings, joined: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as former:
        former.setattr(embedded, "prepare_embedded", lambda url: None)
        start_embedded(home.postgres_dir)
        as_superuser = Database(superuser_url(home.postgres_dir))
        migrate(as_superuser)
        with as_superuser.transaction() as conn:
            conn.execute(_ROWS)
            conn.execute("create view public.of_somebody as select 1 as number")
        with dagster_instance(home.model_copy(update={"postgres_url": "given"}), as_superuser) as instance:
            instance.add_dynamic_partitions("rounds", ["one"])
        forget_idle()
        if joined:
            embedded._users.clear()  # as in a process that begins
        else:
            stop_embedded(home.postgres_dir)

    database = open_database(home)
    with dagster_instance(home, database) as instance:
        instance.add_dynamic_partitions("rounds", ["two"])
        assert instance.get_dynamic_partitions("rounds") == ["one", "two"]
    assert owners(database.url) == _AS_THEY_SHOULD_BE
    with database.connect() as conn:
        assert conn.execute("select count(*) from file_content").fetchone() == {"count": 1000}
    with psycopg.connect(site_url(database.url, roles.PAGES)) as pages:
        pages.execute("select from site.round")
    assert migrate(database) == []


def test_tables_that_somebody_keeps_in_use_are_handed_over_later_and_that_is_said(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(home)
    with psycopg.connect(superuser_url(home.postgres_dir), autocommit=True) as conn:
        conn.execute("create table late (number int)")
        conn.execute("create table later (number int)")
        monkeypatch.setattr("slomix_pipeline.warehouse.ownership.LOCK_TIMEOUT_SECONDS", 0.05)
        with database.connect() as busy:
            busy.execute("select from round")
            conn.execute("begin")
            conn.execute("lock table later")
            embedded._users.clear()
            with pytest.raises(OwnershipError, match="end what is connected"):
                start_embedded(home.postgres_dir)
            conn.execute("commit")
    assert dict(owners(database.url))["public"] == ["postgres", "slomix"]
    start_embedded(home.postgres_dir)
    assert dict(owners(database.url))["public"] == ["slomix"]


def test_on_a_server_of_ones_own_dagster_works_as_the_writer_until_it_has_a_role(
    database: Database, postgres_server: str, tmp_path: Path
) -> None:
    own = load_settings(home=tmp_path, postgres_url=database.url)
    with dagster_instance(own, database) as instance:
        instance.add_dynamic_partitions("rounds", ["one"])
    assert dict(owners(database.url))["dagster"] == ["slomix"]
    apart = load_settings(
        home=tmp_path, postgres_url=database.url, dagster_postgres_url=site_url(database.url, roles.DAGSTER)
    )
    assert "SLOMIX_DAGSTER_POSTGRES_URL" not in dagster_environment(apart, database)
    with dagster_instance(apart, database) as instance:
        assert instance.get_dynamic_partitions("rounds") == ["one"]
    assert dict(owners(database.url))["dagster"] == ["slomix_dagster"]

    nobody = load_settings(
        home=tmp_path, postgres_url=database.url, dagster_postgres_url=site_url(database.url, "somebody_else")
    )
    with pytest.raises(OwnershipError, match="create role somebody_else login.*grant") as told:
        dagster_environment(nobody, database)
    statements = str(told.value).split("run: ")[1]
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(statements.encode())
    dagster_environment(nobody, database)
    with psycopg.connect(
        postgres_server.replace("/postgres?", f"/{database.name.split()[0]}?"), autocommit=True
    ) as conn:
        conn.execute(sql.SQL("drop owned by somebody_else cascade"))
        conn.execute("drop role somebody_else")
