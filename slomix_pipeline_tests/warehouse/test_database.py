"""Addresses without leaks, connections as promised, Dagster beside our tables, the lock per game server."""

import shutil
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster import DagsterInstance

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import roles
from slomix_pipeline.warehouse.database import (
    Database,
    DatabaseUnavailable,
    dagster_url,
    locked_server,
    postgres_url,
    site_url,
)
from slomix_pipeline.warehouse.ownership import make_dagster_schema


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://vid:swordfish@127.0.0.1:1/db",
        "postgresql://vid@127.0.0.1:1/db?password=swordfish",
        "postgresql://vid:a@swordfish@127.0.0.1:1/db",
        "postgresql://vid:swordfish/9@127.0.0.1:1/db",
        "postgresql://vid:9#swordfish@127.0.0.1:1/db",
        "host=127.0.0.1 port=1 password=swordfish",
        "postgresql+psycopg2://vid:swordfish@127.0.0.1:1/db",
        "postgresql://vid:swordfish@127.0.0.1:1/db?no_such_thing=swordfish",
    ],
)
def test_no_error_or_repr_shows_the_password(url: str) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        database = Database(url)
        assert "swordfish" not in repr(database)
        database.connect()
    assert "swordfish" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_given_address_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOMIX_ENV_FILE", "")
    url = "postgresql://vid:swordfish@db.example/slomix"
    assert postgres_url(load_settings(postgres_url=url)) == url


def test_a_snapshot_sees_nothing_of_what_others_commit_while_it_reads(empty_database: Database) -> None:
    with empty_database.transaction() as conn:
        conn.execute("CREATE TABLE round AS SELECT 1 AS number")
    with empty_database.snapshot() as reading:
        before = reading.execute("SELECT number FROM round").fetchall()
        with empty_database.transaction() as conn:
            conn.execute("DELETE FROM round")
        assert reading.execute("SELECT number FROM round").fetchall() == before == [{"number": 1}]


def test_a_connection_speaks_utc_dicts_and_transactions(empty_database: Database) -> None:
    with empty_database.transaction() as conn:
        conn.execute("CREATE TABLE moment (at timestamptz)")
        conn.execute("INSERT INTO moment VALUES ('2026-10-25 02:30:00+02')")
    with pytest.raises(ZeroDivisionError), empty_database.transaction() as conn:
        conn.execute("DELETE FROM moment")
        raise ZeroDivisionError
    with empty_database.transaction() as conn:
        row: dict[str, Any] | None = conn.execute(
            "SELECT at, current_setting('application_name') AS who FROM moment"
        ).fetchone()
    assert row == {"at": datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "who": "slomix"}
    assert row["at"].isoformat() == "2026-10-25T00:30:00+00:00"


def test_a_game_server_is_locked_to_the_end_of_the_transaction_and_others_are_not(empty_database: Database) -> None:
    with empty_database.connect() as holder, empty_database.connect() as other:
        locked_server(holder, "main")
        other.execute("SET lock_timeout = '20ms'")
        locked_server(other, "second")
        other.commit()
        with pytest.raises(psycopg.errors.LockNotAvailable):
            locked_server(other, "main")
        other.rollback()
        holder.commit()
        locked_server(other, "main")


def test_the_dagster_address_keeps_what_the_given_one_says(empty_database: Database) -> None:
    make_dagster_schema(empty_database, None)
    url = dagster_url(empty_database.url + "&options=-cwork_mem%3D8MB")
    assert url.startswith("postgresql+psycopg2://slomix@/test_")
    with psycopg.connect(url.replace("+psycopg2", "")) as conn:
        assert conn.execute("SELECT current_setting('work_mem'), current_schema()").fetchone() == ("8MB", "dagster")


def test_dagster_runs_with_the_configuration_we_ship_and_keeps_to_its_schema(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @dg.op
    def say() -> str:
        return "gg"

    @dg.job
    def greeting() -> None:
        say()

    make_dagster_schema(empty_database, roles.DAGSTER)
    monkeypatch.setenv("SLOMIX_DAGSTER_PG_URL", dagster_url(site_url(empty_database.url, roles.DAGSTER)))
    shutil.copy(bundled_folder("deploy") / "dagster.yaml", tmp_path)
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        assert greeting.execute_in_process(instance=instance).success
        assert instance.get_runs_count() == 1
    with empty_database.connect() as conn:
        schemas = conn.execute("SELECT DISTINCT schemaname FROM pg_stat_user_tables").fetchall()
    assert schemas == [{"schemaname": "dagster"}]


def test_bundled_folders_are_found_packed_first_then_beside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "slomix_pipeline"
    (tmp_path / "sql").mkdir()
    assert bundled_folder("sql", package) == tmp_path / "sql"
    (package / "bundled" / "sql").mkdir(parents=True)
    assert bundled_folder("sql", package) == package / "bundled" / "sql"
    with pytest.raises(FileNotFoundError, match="deploy"):
        bundled_folder("deploy", package)


def test_a_wheel_takes_both_folders_along() -> None:
    project = bundled_folder("sql").parent / "pyproject.toml"
    wheel = tomllib.loads(project.read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {name: f"slomix_pipeline/bundled/{name}" for name in ("sql", "deploy", "lua")}
