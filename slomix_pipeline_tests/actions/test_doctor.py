"""``slomix doctor`` only looks: what it sees of everything the pipeline needs, what to do about it, and that it ends."""

import json
import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest

from slomix_pipeline.actions.doctor import examine, gameserver
from slomix_pipeline.actions.doctor.discord import webhooks
from slomix_pipeline.actions.doctor.looking import Look, carried_out
from slomix_pipeline.actions.lua_scripts import TIMING_SCRIPT
from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.reports.findings import Finding, Found, ok
from slomix_pipeline.rules.backups import Verdict
from slomix_pipeline.runtime.home import sole_owner
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import embedded_state, roles
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.embedded import start_embedded, stop_embedded
from slomix_pipeline_tests.gameserver_fixtures import PASSWORD, USER
from slomix_pipeline_tests.kept import served_page
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.reports.test_pipeline_report import a_backup


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The game server's folder of scripts."""
    folder = tmp_path / "server" / "legacy"
    folder.mkdir(parents=True)
    return folder


def diagnosis(database: Database, tmp_path: Path, **changed: object) -> dict[str, Finding]:
    values: dict[str, object] = {
        "home": tmp_path / "home",
        "postgres_url": database.url,
        "gameserver_dir": tmp_path / "server",
    }
    return {finding.what: finding for finding in examine(load_settings(**values | changed))}


def test_every_failure_says_what_to_do_and_no_secret_is_told(
    empty_database: Database, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOMIX_SFTP_PASSWORD", "s3cret")
    found = diagnosis(
        empty_database,
        tmp_path,
        sftp_host="127.0.0.1",
        sftp_port=1,
        sftp_user="u",
        sftp_password="s3cret",
        postgres_url="postgresql://nobody:p4ss@127.0.0.1:1/nowhere",
        discord_webhook="https://discord.com/api/webhooks/1/t0ken x",
        site_postgres_url="postgresql://web:p4ss@127.0.0.1:1/nowhere",
    )
    wrong = [finding for finding in found.values() if finding.status in (Found.FAILED, Found.WARNING)]
    assert {"database", "game server", "Discord"} <= {finding.what for finding in wrong}
    assert [finding for finding in wrong if not finding.fix] == []
    assert not [own for own in found.values() for secret in ("s3cret", "p4ss", "t0ken") if secret in str(own)]
    assert found["SLOMIX_SFTP_PASSWORD"].text == "set (from the environment)"


# --- settings ---


def test_every_setting_is_told_with_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SLOMIX_SERVER=second\nSLOMIX_SFTP_HOTS=x\nSLOMIX_LINK_POSTGRES_URL=\n")
    monkeypatch.setenv("SLOMIX_ENV_FILE", str(tmp_path / ".env"))
    monkeypatch.setenv("SLOMIX_SESSION_GAP", "2 h")
    monkeypatch.setenv("SLOMIX_NOTHING_OF_THE_KIND", "x")
    settings = load_settings(home=tmp_path / "home")
    found = {finding.what: finding for finding in examine(settings)}
    assert found["SLOMIX_SERVER"].text == f"second (from {tmp_path / '.env'})"
    assert found["SLOMIX_SESSION_GAP"].text == "2 h (from the environment)"
    assert found["SLOMIX_PAIRING_WINDOW"].text == "45 min (default)"
    assert found["SLOMIX_LINK_POSTGRES_URL"].text == "not set (default)"
    assert found["SLOMIX_WEEKLY_BOARDS"].text == "dpm,kd,kills (default)"
    assert (
        found["SLOMIX_SFTP_HOTS"].status is Found.WARNING and found["SLOMIX_SFTP_HOTS"].fix == "write SLOMIX_SFTP_HOST"
    )
    assert found["SLOMIX_NOTHING_OF_THE_KIND"].status is Found.WARNING
    assert "SLOMIX_ENV_FILE" not in found
    told = {f"SLOMIX_{name.upper()}" for name in type(settings).model_fields} - {"SLOMIX_TEXTS_OF_SERVERS"}
    assert told <= found.keys()


def test_settings_that_can_not_be_used_are_failures_and_not_a_crash(pipeline: Pipeline) -> None:
    done = pipeline.slomix("doctor", "--json", SLOMIX_TIMEZONE="Middle/Earth", SLOMIX_SITE_PORT="many")
    found = {own["name"]: own for own in json.loads(done.stdout)["findings"]}
    assert done.exit_code == 1 and {own["status"] for own in found.values()} == {"failed"}
    assert found.keys() == {"SLOMIX_TIMEZONE", "SLOMIX_SITE_PORT"} and all(own["fix"] for own in found.values())


def test_a_file_of_settings_that_can_not_be_read_is_a_failure_and_not_a_crash(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    (tmp_path / "latin.env").write_bytes(b"SLOMIX_SITE_CONTACT=J\xf6rg\n")
    given = {"SLOMIX_ENV_FILE": str(tmp_path / "latin.env")}
    done = pipeline.slomix("doctor", "--json", **given)
    (found,) = json.loads(done.stdout)["findings"]
    assert done.exit_code == 1 and "latin.env" in found["text"] and "UTF-8" in found["fix"]
    other = pipeline.slomix("sessions", **given)
    assert other.exit_code == 2 and "latin.env" in other.stderr and "Traceback" not in other.stderr


def test_programs_get_what_people_get_and_every_setting(pipeline: Pipeline, tmp_path: Path) -> None:
    own = {"SLOMIX_HOME": str(tmp_path / "home"), "SLOMIX_SITE_PORT": "0", "SLOMIX_UI_PORT": "0"}
    own["SLOMIX_SCRIPTS_FOLDER"] = "gamestats"
    done, text = pipeline.slomix("doctor", "--json", **own), pipeline.slomix("doctor", **own)
    told = json.loads(done.stdout)
    assert told["schema"] == "slomix.doctor/1" and all(
        own.keys() == {"name", "status", "text", "fix"} for own in told["findings"]
    )
    assert {own["status"] for own in told["findings"]} <= {"ok", "warning", "failed", "unknown"}
    failed = [own["name"] for own in told["findings"] if own["status"] == "failed"]
    assert (failed, done.exit_code, text.exit_code) == ([], 0, 0), done.stdout
    assert "warning" in text.stdout.split("\n")[0] and "SLOMIX_SESSION_GAP" not in text.stdout
    assert "SLOMIX_SESSION_GAP: 1 h (default)" in pipeline.slomix("doctor", "--settings", **own).stdout


# --- time ---


def test_what_takes_too_long_is_told_with_what_was_found_until_then() -> None:
    goes_on = threading.Event()

    def stalls() -> Iterator[Finding]:
        yield ok("first", "seen")
        goes_on.wait(60)

    def breaks() -> Iterator[Finding]:
        raise ValueError("a s3cret")

    try:
        found = carried_out(
            [
                Look("x", "slow", stalls, "end it"),
                Look("x", "broken", breaks),
                Look("y", "quick", lambda: [ok("a", "b")]),
            ],
            1,
        )
    finally:
        goes_on.set()
    assert [(own.what, own.status.value, own.subject) for own in found] == [
        ("first", "ok", "x"),
        ("slow", "failed", "x"),
        ("broken", "failed", "x"),
        ("a", "ok", "y"),
    ]
    assert "not all of it was looked at" in found[1].text and found[1].fix == "end it"
    assert found[2].text == "could not be looked at (ValueError)"


@contextmanager
def stalled() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield int(listening.getsockname()[1])


def test_a_game_server_and_a_database_that_never_answer_are_failures(tmp_path: Path, database: Database) -> None:
    with stalled() as port:
        found = diagnosis(
            database,
            tmp_path,
            postgres_url=f"postgresql://u:p@127.0.0.1:{port}/x?connect_timeout=2",
            sftp_host="127.0.0.1",
            sftp_port=port,
            sftp_user="u",
            sftp_password="p",
            sftp_timeout=timedelta(seconds=0.5),
        )
    assert found["database"].status is found["game server"].status is Found.FAILED
    assert "did not answer in time" in found["game server"].text and "that machine" in found["game server"].fix


def test_an_embedded_server_that_is_frozen_is_told_as_such(server_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_state, "ANSWERS_WITHIN", 1)
    settings = load_settings(home=server_home / "home")
    start_embedded(settings.postgres_dir)
    server = psutil.Process(int((settings.postgres_dir / "postmaster.pid").read_text().split()[0]))
    server.send_signal(signal.SIGSTOP)
    try:
        found = {finding.what: finding for finding in examine(settings)}
    finally:
        server.send_signal(signal.SIGCONT)
    assert found["database"].status is Found.FAILED and "runs and does not answer" in found["database"].text
    assert found["home"].fine  # which was not kept waiting


# --- the database ---


def test_nothing_is_started_made_or_migrated(server_home: Path, empty_database: Database, tmp_path: Path) -> None:
    settings = load_settings(home=server_home / "home")
    found = {finding.what: finding for finding in examine(settings)}
    assert found["database"].status is Found.UNKNOWN and "made by the first" in found["database"].text
    assert not settings.home.exists()
    start_embedded(settings.postgres_dir)
    stop_embedded(settings.postgres_dir)
    found = {finding.what: finding for finding in examine(settings)}
    assert found["database"].status is Found.UNKNOWN and "stopped in order" in found["database"].text
    found = diagnosis(empty_database, tmp_path)
    assert found["schema"].text == "empty: the next start makes all of it"
    with empty_database.connect() as conn:
        assert conn.execute("select from pg_class where relnamespace = 'public'::regnamespace").fetchall() == []


def test_what_the_next_start_would_apply_is_told(database: Database, there: Path, tmp_path: Path) -> None:
    assert diagnosis(database, tmp_path)["schema"].text.endswith(", up to date")
    with database.connect() as conn:
        conn.execute("delete from schema_migration where number >= 42")
    told = diagnosis(database, tmp_path)["schema"].text
    assert told.startswith("version 41; the next start applies ") and "042_expected_nights.sql" in told
    with database.connect() as conn:
        conn.execute("insert into schema_migration (number, name, sha256) values (999, '999_later.sql', 'x')")
    found = diagnosis(database, tmp_path)["schema"]
    assert found.status is Found.FAILED and "999_later.sql" in found.text


def test_a_role_that_may_too_little_is_told_what_it_lacks(database: Database, there: Path, tmp_path: Path) -> None:
    role, whole = f"weak_{os.getpid()}", Database(site_url(database.url, "postgres"))
    with whole.connect() as conn:
        conn.execute(f"create role {role} login")
    try:
        found = diagnosis(database, tmp_path, postgres_url=site_url(database.url, role))["database"]
    finally:
        with whole.connect() as conn:
            conn.execute(f"drop role {role}")
    assert found.status is Found.FAILED and f"to {role};" in found.fix
    found = diagnosis(whole, tmp_path)["database"]
    assert found.status is Found.OK and "as postgres, who may do everything" in found.text


def test_a_connection_that_breaks_off_while_it_is_asked_is_told(
    database: Database, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slomix_pipeline.actions.doctor import database as look

    def break_off(conn: "psycopg.Connection[dict[str, object]]") -> None:
        conn.execute("select pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(look, "sizes", break_off)
    found = diagnosis(database, tmp_path)["database"]
    assert not found.fine and "terminating connection" in found.text


def test_a_backup_that_is_not_what_was_backed_up_is_a_warning(database: Database, there: Path, tmp_path: Path) -> None:
    assert "none yet" in diagnosis(database, tmp_path)["backups"].text
    a_backup(tmp_path / "home" / "backups", datetime.now(UTC), Verdict.DIFFERS)
    found = diagnosis(database, tmp_path)["backups"]
    assert found.status is Found.WARNING and "slomix backup" in found.fix


# --- the game server ---


def test_the_scripts_the_log_and_the_newest_record_are_looked_at(
    database: Database, there: Path, tmp_path: Path
) -> None:
    (tmp_path / "server" / "gamestats").mkdir()
    found = diagnosis(database, tmp_path, scripts_folder="legacy")
    assert found["scripts folder legacy"].text.startswith("readable and writable")
    assert found[TIMING_SCRIPT].status is Found.WARNING and "slomix lua deploy" in found[TIMING_SCRIPT].fix
    assert found["folder gametimes"].status is Found.WARNING and found["folder gamestats"].status is Found.OK
    assert "timing records" not in found and found["size"].text.startswith("0 rounds: our tables are ")
    assert not any(what.startswith("console log") for what in found)

    shutil.copy(bundled_folder("lua") / TIMING_SCRIPT, there)
    (there / "etconsole.log").write_text(
        "slomix_timing: version 2.0.0, server main, records in gametimes/, webhook off\n"
    )
    store_record(database, datetime(2026, 2, 2, 20, 13, 52, tzinfo=UTC))
    found = diagnosis(database, tmp_path, scripts_folder="legacy", console_log="legacy/etconsole.log")
    assert TIMING_SCRIPT not in found
    assert found["console log legacy/etconsole.log"].in_words == (
        "console log legacy/etconsole.log: readable, shows version 2.0.0 of the timing script"
    )
    assert "2026-02-02 20:13 UTC" in found["timing records"].text


def test_a_log_that_is_not_there_and_one_that_complains_say_what_to_do(
    database: Database, there: Path, tmp_path: Path
) -> None:
    found = diagnosis(database, tmp_path, scripts_folder="nowhere", console_log="legacy/legacy3.log")
    assert not found["scripts folder nowhere"].fine and not found["folder gamestats"].fine
    assert "SLOMIX_SCRIPTS_FOLDER" in found["scripts folder nowhere"].fix
    assert not found["console log legacy/legacy3.log"].fine
    assert "check SLOMIX_CONSOLE_LOG" in found["console log legacy/legacy3.log"].fix

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


@pytest.mark.parametrize(
    ("seconds", "status", "said"),
    [
        (3, "ok", "it agrees with ours"),
        (-40, "warning", "ahead of ours by 40 s"),
        (500, "warning", "it is behind ours"),
    ],
)
def test_the_clock_of_the_game_server_is_told_by_when_its_files_were_seen(
    database: Database, there: Path, tmp_path: Path, seconds: int, status: str, said: str
) -> None:
    assert diagnosis(database, tmp_path)["clock of the game server"].status is Found.UNKNOWN
    with database.connect() as conn:
        conn.execute(
            """insert into file (server, name, kind, partition_key, status, by_sensor, first_seen_at, modified_at)
               select 'main', n::text, 'stats', 'main:' || n, 'ingested', true, now(),
                      now() - make_interval(secs => case when n = 1 then 9999 else %s end)
               from generate_series(1, 5) n""",
            [seconds],
        )
    found = diagnosis(database, tmp_path)["clock of the game server"]
    assert found.status == status and said in found.text


def test_each_of_several_game_servers_is_named(
    database: Database, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server" / "gamestats").mkdir()
    monkeypatch.setenv("SLOMIX_SERVERS", "eu,us")
    monkeypatch.setenv("SLOMIX_EU_GAMESERVER_DIR", str(tmp_path / "server"))
    monkeypatch.setenv("SLOMIX_US_SFTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SLOMIX_US_SFTP_PORT", "1")
    monkeypatch.setenv("SLOMIX_US_SFTP_USER", "u")
    monkeypatch.setenv("SLOMIX_US_SFTP_PASSWORD", "s3cret")
    found = {own.what: own for own in examine(load_settings(home=tmp_path, postgres_url=database.url))}
    assert found["game server of eu"].fine and not found["game server of us"].fine
    assert found["folder gamestats of eu"].fine and "folder gamestats of us" not in found
    assert found["SLOMIX_US_SFTP_PASSWORD"].text == "set (from the environment)"
    assert found["SLOMIX_US_SFTP_PORT"].text == "1 (from the environment)"
    assert not [own for own in found.values() if own.what.startswith("SLOMIX") and own.status is not Found.OK]


def test_a_game_server_without_a_place_beside_one_that_has_one_is_a_failure(tmp_path: Path) -> None:
    settings = load_settings(servers="a,b", a_gameserver_dir=str(tmp_path), home=tmp_path / "home")
    one = gameserver.servers(settings)[1]
    (found,) = one.find()
    assert one.name == "game server of b" and not found.fine and "set SLOMIX_B_SFTP_HOST" in found.fix


def test_over_sftp_the_right_to_write_is_told_without_writing(database: Database, files: Path, tmp_path: Path) -> None:
    from slomix_pipeline.simulator.sftp_server import SftpServer

    with SftpServer(files, USER, PASSWORD) as running:
        given = {
            "sftp_host": "127.0.0.1",
            "sftp_port": running.port,
            "sftp_user": USER,
            "sftp_password": PASSWORD,
            "sftp_host_key": running.host_key_fingerprint,
        }
        told = [diagnosis(database, tmp_path, **given)["scripts folder ."].text]
        files.chmod(0o555)
        told.append(diagnosis(database, tmp_path, **given)["scripts folder ."].text)
        files.chmod(0o755)
        refused = diagnosis(database, tmp_path, **given | {"sftp_password": "wrong"})["game server"]
    assert told[0].startswith("readable and writable") and "may not write there" in told[1]
    assert not refused.fine and "refuses the login" in refused.text and "wrong" not in str(refused)


# --- this machine ---


def test_ports_that_are_taken_are_told_unless_they_are_our_own(database: Database, there: Path, tmp_path: Path) -> None:
    with stalled() as port:
        found = diagnosis(database, tmp_path, site_port=port, ui_port=0)
        assert found[f"port {port}"].status is Found.WARNING and "SLOMIX_SITE_PORT" in found[f"port {port}"].fix
        with sole_owner(tmp_path / "home"):
            found = diagnosis(database, tmp_path, site_port=port, ui_port=0)
            assert f"port {port}" not in found and f"process {os.getpid()}" in found["slomix run"].text


def test_a_home_that_can_not_be_is_a_failure(database: Database, there: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = diagnosis(database, tmp_path, home=tmp_path / "file" / "home")["home"]
    assert not found.fine and "is no folder" in found.text and "SLOMIX_HOME" in found.fix


def test_a_pipeline_at_work_that_stands_still_is_told(stored_pipeline: Pipeline, there: Path, tmp_path: Path) -> None:
    with stored_pipeline.database.transaction() as conn:
        conn.execute(
            """insert into dagster.daemon_heartbeats (daemon_type, daemon_id, timestamp, body)
               values ('SENSOR', 'x', now() at time zone 'UTC' - interval '1 hour', '');
               insert into folder_look values ('main', 'gamestats', now() - interval '2 hours'),
                                              ('main', 'of_before', now() - interval '2 days');
               insert into file (server, name, kind, partition_key, status, requested_at)
               values ('main', 'x', 'stats', 'main:x', 'requested', now() - interval '1 hour')"""
        )
    database = stored_pipeline.database
    with sole_owner(tmp_path / "home"):
        found = diagnosis(database, tmp_path)
    assert "sensor for 60 min" in found["Dagster's daemons"].text and not found["Dagster's daemons"].fine
    assert not found["freshness of gamestats of main"].fine and "freshness of of_before of main" not in found
    assert found["files"].status is Found.WARNING and "the oldest for 60 min" in found["files"].text
    found = diagnosis(database, tmp_path)  # nobody has to be at work
    assert found["Dagster's daemons"].status is Found.WARNING and "freshness of gamestats of main" not in found
    with database.transaction() as conn:
        conn.execute("update dagster.daemon_heartbeats set timestamp = now() at time zone 'UTC'")
    found = diagnosis(database, tmp_path)  # slomix serve daemon
    assert found["Dagster's daemons"].fine and not found["freshness of gamestats of main"].fine


# --- Discord ---


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
    nobody = diagnosis(database, tmp_path, discord_webhook="http://127.0.0.1:1/api/webhooks/1/x")["Discord"]
    assert not nobody.fine and "make it anew" not in nobody.fix and "try again" in nobody.fix
    assert "make it anew" in gone["Discord admin channel"].fix
    assert found["Discord"].fine and "into thread 123" in found["Discord"].text
    assert found["Discord dev channel"].text == "the thread_id at the end of SLOMIX_DISCORD_DEV_WEBHOOK is no number"
    assert not found["Discord admin channel"].fine and "SLOMIX_DISCORD_ADMIN" in found["Discord admin channel"].text
    assert not both["Discord admin channel"].fine and "which players read" in both["Discord admin channel"].text
    assert "check SLOMIX_DISCORD_ADMIN_WEBHOOK" in gone["Discord admin channel"].text


def test_posts_of_a_schedule_without_a_channel_are_told(tmp_path: Path) -> None:
    own = {f"{server}_discord_webhook": f"https://discord.com/api/webhooks/1/{server}" for server in "ab"}
    settings = load_settings(servers="a,b", morning_digest_at="07:00", **own)
    found = [finding for one in webhooks(settings) if one.name == "Discord posts" for finding in one.find()]
    assert not found[0].fine and "SLOMIX_MORNING_DIGEST_AT" in found[0].text and "BOARD_WEBHOOK" in found[0].fix
    quiet = load_settings(servers="a,b", **own)
    assert "Discord posts" not in {one.name for one in webhooks(quiet)}


def test_what_slash_commands_lack_is_told(database: Database, there: Path, tmp_path: Path) -> None:
    assert diagnosis(database, tmp_path)["slash commands"].fine
    given: dict[str, object] = {"discord_application_id": "1" * 18, "discord_guild": "2" * 18}
    found = diagnosis(database, tmp_path, **given)["slash commands"]
    assert not found.fine and "SLOMIX_DISCORD_PUBLIC_KEY" in found.fix
    with served_page(tmp_path / "discord") as page:
        given |= {"discord_public_key": "ab" * 32, "discord_api": page.api_url}
        found = diagnosis(database, tmp_path, **given)["slash commands"]
        assert not found.fine and "SLOMIX_SITE_ADDRESS" in found.fix
        whole = diagnosis(database, tmp_path, **given, site_address="https://stats.example.org")
        assert (
            whole["slash commands"].fine
            and "https://stats.example.org/discord/interactions" in whole["slash commands"].text
        )
        assert whole["clock"].fine and whole["/link"].fine
        nowhere = "postgresql://slomix_link@127.0.0.1:1/nowhere"
        found = diagnosis(database, tmp_path, **given, link_postgres_url=nowhere)["/link"]
        assert not found.fine and "set SLOMIX_LINK_POSTGRES_URL" in found.fix
    with database.connect() as conn:
        conn.execute("revoke insert on link_request from slomix_link")
    found = diagnosis(database, tmp_path, **given)["/link"]
    assert not found.fine and found.fix.endswith("grant insert on link_request to slomix_link;")
    away = diagnosis(database, tmp_path, **given | {"discord_api": "http://127.0.0.1:1/api"})["clock"]
    assert not away.fine and "can't be compared" in away.text


def test_the_doctor_says_how_dagster_gets_a_role_of_its_own(database: Database, tmp_path: Path) -> None:
    found = diagnosis(database, tmp_path)["Dagster's records"]
    assert (
        found.fine and "create role slomix_dagster" in found.text and 'grant "slomix_dagster" to "slomix"' in found.text
    )
    apart = site_url(database.url, roles.DAGSTER)
    found = diagnosis(database, tmp_path, dagster_postgres_url=apart)["Dagster's records"]
    assert found.fine and found.text == "kept as slomix_dagster"
    found = diagnosis(database, tmp_path, dagster_postgres_url=site_url(database.url, "nobody"))["Dagster's records"]
    assert not found.fine and "SLOMIX_DAGSTER_POSTGRES_URL" in found.text and "create role" in found.fix
