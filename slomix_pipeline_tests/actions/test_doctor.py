"""``slomix doctor`` about the game-side scripts and the database: what it sees of them, and what to do."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from slomix_pipeline.actions.doctor import examine
from slomix_pipeline.actions.lua_scripts import TIMING_SCRIPT
from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.reports.findings import Finding
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import roles, timing_records
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline_tests.kept import served_page


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The game server's folder of scripts."""
    folder = tmp_path / "server" / "legacy"
    folder.mkdir(parents=True)
    return folder


def diagnosis(database: Database, tmp_path: Path, **changed: object) -> dict[str, Finding]:
    settings = load_settings(home=tmp_path, postgres_url=database.url, gameserver_dir=tmp_path / "server", **changed)
    return {finding.what: finding for finding in examine(settings)}


def test_the_doctor_looks_at_the_scripts_the_log_and_the_newest_record(
    database: Database, there: Path, tmp_path: Path
) -> None:
    found = diagnosis(database, tmp_path, scripts_folder="legacy")
    assert found["scripts folder legacy"].fine and f"no {TIMING_SCRIPT}" in found["scripts folder legacy"].text
    assert not {"timing records"} & found.keys()
    assert found["size"].text.startswith("0 rounds: our tables are ")
    assert not any(what.startswith("console log") for what in found)

    shutil.copy(bundled_folder("lua") / TIMING_SCRIPT, there)
    (there / "etconsole.log").write_text(
        "slomix_timing: version 2.0.0, server main, records in gametimes/, webhook off\n"
    )
    store_record(database, datetime(2026, 2, 2, 20, 13, 52, tzinfo=UTC))
    found = diagnosis(database, tmp_path, scripts_folder="legacy", console_log="legacy/etconsole.log")
    assert f"{TIMING_SCRIPT} is there" in found["scripts folder legacy"].text
    assert found["console log legacy/etconsole.log"] == Finding(
        "console log legacy/etconsole.log", True, "readable, shows version 2.0.0 of the timing script"
    )
    assert "2026-02-02 20:13 UTC" in found["timing records"].text


def test_the_doctor_tells_of_a_database_that_breaks_off_while_it_is_asked(
    database: Database, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(conn: psycopg.Connection[Any], _: str) -> None:
        conn.execute("select pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(timing_records, "newest_end", break_off)
    found = diagnosis(database, tmp_path)["database"]
    assert not found.fine and "terminating connection" in found.text


def test_the_doctor_says_what_to_do_about_a_log_that_is_not_there_and_one_that_complains(
    database: Database, there: Path, tmp_path: Path
) -> None:
    found = diagnosis(database, tmp_path, scripts_folder="nowhere", console_log="legacy/legacy3.log")
    assert not found["scripts folder nowhere"].fine
    assert "SLOMIX_SCRIPTS_FOLDER" in found["scripts folder nowhere"].text
    assert not found["console log legacy/legacy3.log"].fine
    assert "check SLOMIX_CONSOLE_LOG" in found["console log legacy/legacy3.log"].text

    (there / "legacy3.log").write_text(
        "33421250 slomix_timing: CAN'T WRITE gametimes/gametime-supply-R1-1767982961.json\n"
    )
    complains = diagnosis(database, tmp_path, console_log="legacy/legacy3.log")["console log legacy/legacy3.log"]
    assert (complains.fine, "CAN'T WRITE gametimes/" in complains.text) == (False, True)


def store_record(database: Database, ended_at: datetime) -> None:
    with database.connect() as conn:
        conn.execute("insert into file_content (sha256, bytes) values (repeat('a', 64), '')")
        conn.execute(
            "insert into file (server, name, kind, partition_key, status) values ('main', 'x', 'timing', 'main:x', 'ingested')"
        )
        conn.execute(
            """insert into timing_record (record_key, server, name, sha256, map, label, ended_at)
               values ('main:x', 'main', 'x', repeat('a', 64), 'supply', 1, %s)""",
            [ended_at],
        )


def test_each_webhook_is_asked_for_without_posting_and_its_setting_is_named(
    database: Database, there: Path, tmp_path: Path
) -> None:
    with served_page(tmp_path / "discord") as page:
        found = diagnosis(
            database,
            tmp_path,
            discord_webhook=f"{page.webhook_url}?thread_id=123",
            discord_dev_webhook=f"{page.webhook_url}?thread_id=[b]",
            discord_admin_webhook="https://example.invalid/",
        )
        assert page.messages() == []
        both = diagnosis(database, tmp_path, discord_webhook=page.webhook_url, discord_admin_webhook=page.webhook_url)
        page.replace_webhook()
        gone = diagnosis(database, tmp_path, discord_admin_webhook=page.webhook_url.replace("webhooks/", "webhooks/9"))
    assert found["Discord"].fine and "into thread 123" in found["Discord"].text
    assert found["Discord dev channel"] == Finding(
        "Discord dev channel", False, "the thread_id at the end of SLOMIX_DISCORD_DEV_WEBHOOK is no number"
    )
    assert not found["Discord admin channel"].fine and "SLOMIX_DISCORD_ADMIN" in found["Discord admin channel"].text
    assert not both["Discord admin channel"].fine and "which players read" in both["Discord admin channel"].text
    assert "check SLOMIX_DISCORD_ADMIN_WEBHOOK" in gone["Discord admin channel"].text


def test_the_doctor_says_what_slash_commands_lack(database: Database, there: Path, tmp_path: Path) -> None:
    assert diagnosis(database, tmp_path)["slash commands"].fine
    given: dict[str, object] = {"discord_application_id": "1" * 18, "discord_guild": "2" * 18}
    found = diagnosis(database, tmp_path, **given)["slash commands"]
    assert not found.fine and "SLOMIX_DISCORD_PUBLIC_KEY" in found.text
    with served_page(tmp_path / "discord") as page:
        given |= {"discord_public_key": "ab" * 32, "discord_api": page.api_url}
        found = diagnosis(database, tmp_path, **given)["slash commands"]
        assert not found.fine and "SLOMIX_SITE_ADDRESS" in found.text
        whole = diagnosis(database, tmp_path, **given, site_address="https://stats.example.org")
        assert (
            whole["slash commands"].fine
            and "https://stats.example.org/discord/interactions" in whole["slash commands"].text
        )
        assert whole["clock"].fine and "/link" not in whole
        nowhere = "postgresql://slomix_link@127.0.0.1:1/nowhere"
        found = diagnosis(database, tmp_path, **given, link_postgres_url=nowhere)["/link"]
        assert not found.fine and "set SLOMIX_LINK_POSTGRES_URL" in found.text
    with database.connect() as conn:
        conn.execute("revoke insert on link_request from slomix_link")
    found = diagnosis(database, tmp_path, **given)["/link"]
    assert not found.fine and found.text.endswith("grant insert on link_request to slomix_link;")
    away = diagnosis(database, tmp_path, **given | {"discord_api": "http://127.0.0.1:1/api"})["clock"]
    assert not away.fine and "can't be compared" in away.text


def test_the_doctor_says_how_dagster_gets_a_role_of_its_own(database: Database, tmp_path: Path) -> None:
    found = diagnosis(database, tmp_path)["Dagster's records"]
    assert (
        found.fine and "create role slomix_dagster" in found.text and 'grant "slomix_dagster" to "slomix"' in found.text
    )
    apart = site_url(database.url, roles.DAGSTER)
    found = diagnosis(database, tmp_path, dagster_postgres_url=apart)["Dagster's records"]
    assert found == Finding("Dagster's records", True, "kept as slomix_dagster")
    found = diagnosis(database, tmp_path, dagster_postgres_url=site_url(database.url, "nobody"))["Dagster's records"]
    assert not found.fine and "SLOMIX_DAGSTER_POSTGRES_URL" in found.text
