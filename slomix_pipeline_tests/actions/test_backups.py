"""Backups of a real database: made, restored and compared, brought back, moved to another server and back."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import DictRow
from pydantic import SecretStr

from slomix_pipeline.actions import backing_up, restoring
from slomix_pipeline.actions.moving import move, must_differ
from slomix_pipeline.actions.restoring import RestoreRefused, restore
from slomix_pipeline.definitions import build_defs
from slomix_pipeline.rules.alarms import AlarmCause
from slomix_pipeline.rules.backups import BackupKind, Verdict
from slomix_pipeline.rules.things import RESULTS
from slomix_pipeline.runtime import home as homes
from slomix_pipeline.runtime.home import bring_up_to_date, sole_owner, working_alone
from slomix_pipeline.runtime.supervisor import free_port
from slomix_pipeline.settings import Settings, load_settings, project_folder
from slomix_pipeline.stages.backup_trouble import trouble_with_backups
from slomix_pipeline.warehouse import backup_files, due, embedded, migrations, site_schema
from slomix_pipeline.warehouse.backup_files import Backup, BackupError, list_backups
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.dumping import _address, check_version
from slomix_pipeline.warehouse.migrations import migrate
from slomix_pipeline.warehouse.scratch import _prefix
from slomix_pipeline.warehouse.server_account import server_account
from slomix_pipeline_tests.cli.test_commands import slomix
from slomix_pipeline_tests.postgres_fixtures import copied_database, databases_may_be_made
from slomix_pipeline_tests.warehouse.test_upgrades import of_the_first_schema

PASSWORD = "p@ss/w#rd"


@pytest.fixture(scope="module")
def full(postgres_server: str) -> Iterator[Database]:
    """A database of the first schema with evenings in it, brought up to date, which no test changes; with a table of
    Dagster's. Its role may make databases, as a given server's may."""
    with databases_may_be_made(postgres_server), copied_database(postgres_server, "template0") as database:
        of_the_first_schema(database)
        migrate(database)
        with database.transaction() as conn:
            conn.execute("create schema dagster; create table dagster.event_logs (id serial primary key, event text)")
            conn.execute("insert into dagster.event_logs (event) values ('STEP_START'), ('ASSET_MATERIALIZATION')")
        yield database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


@pytest.fixture(scope="module")
def kept(full: Database, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    """A backup of it, which no test changes."""
    settings = load_settings(home=tmp_path_factory.mktemp("kept"))
    return backing_up.check(settings, full, backing_up.back_up(settings, full, BackupKind.NIGHTLY))


@pytest.fixture
def copied(kept: Backup, settings: Settings) -> Backup:
    """A copy of the backup in a home of the test's own."""
    backup_files.prepare(settings.backups)
    path = settings.backups / kept.path.name
    shutil.copy(kept.path, path)
    backup_files.describe(path, kept.described)
    return replace(kept, path=path)


def newest() -> int:
    return migrations.read_migrations(project_folder() / "sql")[-1].number


def databases(server: Database) -> set[str]:
    with server.connect() as conn:
        return {row["datname"] for row in conn.execute("select datname from pg_database")}


# --- made ---


def test_a_backup_is_restored_and_found_to_be_the_same(full: Database, kept: Backup) -> None:
    assert (kept.described.verdict, kept.described.rounds, kept.described.schema) == (Verdict.SAME, 17, newest())
    assert kept.described.tables["public.round_player"].rows == 130
    assert kept.described.tables["dagster.event_logs"].rows == 2
    assert not [name for name in databases(full) if name.startswith("slomix_check")]


def test_only_its_owner_can_read_it_and_it_is_as_it_is_described(kept: Backup) -> None:
    for path in (kept.path, backup_files.description_of(kept.path)):
        assert path.stat().st_mode & 0o777 == 0o600
    assert kept.path.parent.stat().st_mode & 0o777 == 0o700
    assert kept.path.stat().st_size == kept.described.size
    backup_files.check_bytes(kept.path, kept.described)
    assert [one.path for one in list_backups(kept.path.parent)] == [kept.path]


def test_what_is_written_meanwhile_is_neither_in_the_dump_nor_in_what_is_noted(
    full: Database, settings: Settings
) -> None:
    def write(what: str, done: int, total: int) -> None:
        with full.connect() as conn:
            conn.autocommit = True
            conn.execute("insert into folder_look values (%s, 'x', now())", [os.urandom(8).hex()])

    try:
        made = backing_up.back_up(settings, full, BackupKind.BY_HAND, progress=write)
        assert backing_up.check(settings, full, made).described.verdict is Verdict.SAME
    finally:
        with full.transaction() as conn:
            conn.execute("delete from folder_look where folder = 'x'")


def test_a_difference_is_said_table_by_table(full: Database, settings: Settings, copied: Backup) -> None:
    tables = dict(copied.described.tables)
    tables["public.round"] = replace(tables["public.round"], rows=18)
    tables["public.match"] = replace(tables["public.match"], digest="0")
    del tables["public.file"]
    wrong = replace(copied, described=replace(copied.described, tables=tables))
    checked = backing_up.check(settings, full, wrong).described
    assert (checked.verdict, checked.said) == (
        Verdict.DIFFERS,
        "public.file is one too many; public.match has other content in its 9 rows; public.round has 17 rows instead "
        "of 18",
    )
    assert list_backups(settings.backups)[0].described.verdict is Verdict.DIFFERS


def test_what_a_killed_backup_and_a_killed_check_left_goes_with_the_next(full: Database, settings: Settings) -> None:
    backup_files.prepare(settings.backups)
    partial = settings.backups / "slomix-20310506-043000-nightly.dump.partial"
    foreign = settings.backups / "somebody.partial"
    for path in (partial, foreign):
        path.write_bytes(b"half")
        os.utime(path, (0, 0))
    made = backing_up.back_up(settings, full, BackupKind.NIGHTLY)
    assert (partial.exists(), foreign.exists()) == (False, True)
    left = f"{_prefix(full)}left"
    with psycopg.connect(full.url, autocommit=True) as conn:
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(left)))
    backing_up.check(settings, full, made)
    assert left not in databases(full)


def test_homes_that_share_a_folder_leave_each_others_backups_alone(
    full: Database, empty_database: Database, settings: Settings, copied: Backup
) -> None:
    migrate(empty_database)
    keep_one = settings.model_copy(update={"backup_keep": 1})
    for days in range(2, 60):
        older = settings.backups / f"slomix-20300101-{days:06}-nightly.dump"
        older.write_bytes(b"")
        made_at = copied.described.made_at - timedelta(days=days)
        backup_files.describe(older, replace(copied.described, made_at=made_at))
    running = settings.backups / "slomix-20310506-043000-nightly.dump"
    with backup_files.written(running) as file:
        file.write(b"of another home")
        backup_files.prepare(settings.backups)
        with pytest.raises(BackupError, match="File exists"), backup_files.written(running):
            pass
    assert running.read_bytes() == b"of another home"
    with empty_database.connect() as conn:
        assert backup_files.backups_of(conn, settings.backups) == []
    assert backing_up.rotate(keep_one, empty_database) == []
    assert len(backing_up.rotate(keep_one, full)) > 50


def test_too_little_room_is_said_before_it_begins(
    full: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(BackupError, match=r"no room for a backup in .*SLOMIX_BACKUP_FOLDER"):
        backing_up.back_up(settings, full, BackupKind.NIGHTLY)
    assert list(settings.backups.iterdir()) == []


def test_a_disk_that_gets_full_leaves_no_half_backup(
    full: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(BackupError, match="No space left on device"):
        backing_up.back_up(settings, full, BackupKind.NIGHTLY)
    assert list(settings.backups.iterdir()) == []


def test_a_server_newer_than_the_programs_is_refused() -> None:
    with pytest.raises(BackupError, match="PostgreSQL 19, and the pg_dump that comes with slomix is of 18"):
        check_version(190001)
    check_version(180004)


def test_a_password_is_in_no_argument() -> None:
    arguments, environment = _address(Database("postgresql://ada:s3cr%40t@db.example/slomix?sslpassword=s3cr"))
    assert "s3cr" not in " ".join(arguments)
    assert environment == {"PGPASSWORD": "s3cr@t"}


# --- brought back ---


def test_a_restored_database_holds_the_same_and_works(
    full: Database, empty_database: Database, settings: Settings, copied: Backup
) -> None:
    restored = restore(settings, empty_database, copied.path, backing_up.quiet)
    assert (restored.wrong, restored.before, restored.dagster_lost) == ([], None, False)
    assert migrate(empty_database) == []
    with empty_database.connect() as conn:
        assert conn.execute("select count(*) as n from site.valid_round").fetchone() == {"n": 17}
        assert site_schema.trouble_with_role(conn) is None


def test_a_restore_that_was_interrupted_is_finished_by_the_next_start(
    empty_database: Database, settings: Settings, copied: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restoring, "compare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        restore(settings, empty_database, copied.path, backing_up.quiet)
    with empty_database.transaction() as conn:
        conn.execute("drop schema dagster cascade")
    assert migrate(empty_database) == ["views"]
    with empty_database.connect() as conn:
        assert conn.execute("select count(*) as n from site.valid_round").fetchone() == {"n": 17}
        assert conn.execute("select count(*) as n from uncatalogued").fetchone() == {"n": 37}


def test_what_may_have_been_told_since_is_not_announced(empty_database: Database, settings: Settings) -> None:
    def announced(conn: psycopg.Connection[DictRow]) -> set[str]:
        sessions = [row["session_key"] for row in conn.execute("select session_key from session")]
        due.note_news(conn, sessions, RESULTS, timedelta(days=36500))
        return due.wanted(conn)

    of_the_first_schema(empty_database)
    migrate(empty_database)
    with empty_database.transaction() as conn:
        conn.execute("update file set by_sensor = true")
        conn.execute("delete from published_result; delete from post")
        assert announced(conn)
    made = backing_up.back_up(settings, empty_database, BackupKind.BY_HAND)
    restore(settings, empty_database, made.path, backing_up.quiet, replace=True)
    with empty_database.transaction() as conn:
        assert due.wanted(conn) == set()
        conn.execute("update restored set restored_at = 'infinity'")  # whenever these rounds were played
        assert announced(conn) == set()
    restore(settings, empty_database, made.path, backing_up.quiet, replace=True, silent=False)
    with empty_database.connect() as conn:
        assert due.wanted(conn)


def test_rounds_go_only_when_somebody_says_so_and_are_kept(
    full: Database, empty_database: Database, settings: Settings, copied: Backup
) -> None:
    restore(settings, empty_database, copied.path, backing_up.quiet)
    with empty_database.transaction() as conn:
        conn.execute("delete from check_result")
    with pytest.raises(RestoreRefused, match="holds 17 rounds"):
        restore(settings, empty_database, copied.path, backing_up.quiet)
    restored = restore(settings, empty_database, copied.path, backing_up.quiet, replace=True)
    assert restored.wrong == []
    assert restored.before is not None
    assert restored.before.described.tables["public.check_result"].rows == 0


def test_decisions_without_rounds_and_what_is_not_ours_are_not_taken_unasked(
    empty_database: Database, settings: Settings, copied: Backup
) -> None:
    def refused(match: str) -> None:
        with pytest.raises(RestoreRefused, match=match):
            restore(settings, empty_database, copied.path, backing_up.quiet)

    migrate(empty_database)
    restore(settings, empty_database, copied.path, backing_up.quiet)  # of a new home nothing is kept
    with empty_database.transaction() as conn:
        conn.execute("truncate parsed_round, file, file_content cascade")
        conn.execute("insert into known_team values ('Red', null, '{a}')")
    refused("holds 1 known teams")
    with empty_database.transaction() as conn:
        conn.execute("create schema other; create view other.theirs as select * from site.valid_round")
    refused(r"built on what is ours \(other.theirs\)")
    with empty_database.transaction() as conn:
        conn.execute("drop schema other cascade; create table theirs ()")
    refused(r"not of slomix \(theirs\)")


def test_a_damaged_dump_changes_nothing(empty_database: Database, settings: Settings, copied: Backup) -> None:
    data = copied.path.read_bytes()
    copied.path.write_bytes(data[: len(data) // 2])
    with pytest.raises(RestoreRefused, match=r"is damaged: its bytes are not those that were written"):
        restore(settings, empty_database, copied.path, backing_up.quiet)
    with pytest.raises(BackupError, match="pg_restore failed"):
        backing_up.restore_into(empty_database, copied.path, "create schema dagster;", "", backing_up.quiet)
    with empty_database.connect() as conn:
        assert conn.execute("select to_regnamespace('dagster') as made").fetchone() == {"made": None}


def test_what_is_no_dump_of_ours_and_a_database_of_somebody_else_are_refused(
    empty_database: Database, settings: Settings, copied: Backup, tmp_path: Path
) -> None:
    (tmp_path / "x.dump").write_bytes(b"no dump")
    with pytest.raises(RestoreRefused, match="pg_restore failed"):
        restore(settings, empty_database, tmp_path / "x.dump", backing_up.quiet)
    with empty_database.transaction() as conn:
        conn.execute("create table theirs ()")
    with pytest.raises(RestoreRefused, match="tables that are not of slomix"):
        restore(settings, empty_database, copied.path, backing_up.quiet)


def test_a_dump_of_a_newer_program_is_refused_in_words(
    empty_database: Database, settings: Settings, copied: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    *older, newest = migrations.read_migrations(project_folder() / "sql")
    monkeypatch.setattr(restoring, "read_migrations", lambda _: older)
    with pytest.raises(RestoreRefused, match=rf"newer program: {newest.name} is applied by slomix .*Update slomix"):
        restore(settings, empty_database, copied.path, backing_up.quiet)


def test_without_dagsters_records_it_is_told_of_everything_anew(
    empty_database: Database, postgres_server: str, settings: Settings
) -> None:
    with copied_database(postgres_server, "template0") as old:
        of_the_first_schema(old)
        made = backing_up.back_up(settings, old, BackupKind.BY_HAND)
    restored = restore(settings, empty_database, made.path, backing_up.quiet)
    assert (restored.wrong, restored.dagster_lost) == ([], True)
    assert restored.migrated[0] == "005_endstats.sql"
    with empty_database.connect() as conn:
        waiting = conn.execute("select kind, count(*) as n from uncatalogued group by kind order by kind").fetchall()
    assert [(row["kind"], row["n"]) for row in waiting] == [("rounds", 17), ("sessions", 2), ("timings", 18)]


# --- before an upgrade ---


def test_before_an_upgrade_rounds_are_backed_up(
    empty_database: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    of_the_first_schema(empty_database)
    assert bring_up_to_date(settings, empty_database)[0] == "005_endstats.sql"
    (made,) = list_backups(settings.backups)
    assert (made.described.kind, made.described.schema, made.described.rounds) == (BackupKind.BEFORE_UPGRADE, 4, 17)
    assert f"from schema 004 to {newest():03}" in caplog.text and str(made.path) in caplog.text


def test_an_upgrade_goes_on_without_a_backup_and_says_why(
    empty_database: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    of_the_first_schema(empty_database)
    settings.home.mkdir()
    settings.backups.write_text("no folder")
    bring_up_to_date(settings, empty_database)
    assert "No backup is made before" in caplog.text
    assert migrate(empty_database) == []


def test_a_new_home_needs_none(empty_database: Database, settings: Settings) -> None:
    bring_up_to_date(settings, empty_database)
    assert not settings.backups.exists()


# --- every night ---


def run_nightly(database: Database, settings: Settings) -> "tuple[bool, dict[str, object]]":
    job = build_defs(settings=settings, database=database).resolve_job_def("nightly_backup")
    done = job.execute_in_process(
        raise_on_error=False, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    )
    said = [event.event_specific_data for event in done.all_events if event.event_type_value == "STEP_OUTPUT"]
    return done.success, {name: value.value for name, value in said[0].metadata.items()} if said else {}  # type: ignore[union-attr]


def test_the_nightly_job_says_what_it_made_and_fails_where_it_differs(
    full: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine, said = run_nightly(full, settings)
    assert fine and said["rounds"] == 17 and str(said["compared"]).startswith("same: ")
    monkeypatch.setattr(backing_up, "differences", lambda *_: ["public.round is missing"])
    (made,) = list_backups(settings.backups)
    backup_files.remove(settings.backups, made.path.name)
    assert not run_nightly(full, settings)[0]


def test_what_is_overdue_or_differs_is_an_alarm(full: Database, settings: Settings, copied: Backup) -> None:
    now = copied.described.made_at
    later = now + timedelta(days=3)
    with full.connect() as conn:
        assert trouble_with_backups(conn, settings, now) == []
        (overdue,) = trouble_with_backups(conn, settings, later)
        assert (overdue.cause, overdue.subject) == (AlarmCause.BACKUPS, "overdue")
        off = settings.model_copy(update={"backup_at": "off"})
        assert trouble_with_backups(conn, off, later) == []
        backup_files.note_verdict(copied, Verdict.DIFFERS, "public.round is missing")
        (differs,) = trouble_with_backups(conn, off, now)
        unchecked = replace(copied.described, kind=BackupKind.BY_HAND, made_at=later)
        backup_files.describe(copied.path, unchecked)
        assert len(trouble_with_backups(conn, settings, later)) == 0
        backup_files.describe(copied.path, replace(unchecked, verdict=None))
        assert [own.subject for own in trouble_with_backups(conn, settings, later)] == ["overdue"]
    assert differs.detail == "public.round is missing"


# --- a server of one's own ---


@pytest.fixture
def own_server(made_cluster: Path, server_home: Path) -> Iterator[str]:
    """A server with passwords, over TCP, and a role that may do nothing but own its database: the address by it."""
    folder = server_home / "own"
    subprocess.run(["cp", "-a", str(made_cluster), str(folder)], check=True)
    (folder / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    account = server_account(folder, embedded.programs())
    port = free_port(0)
    options = f"-k . -p {port} -h 127.0.0.1 -c fsync=off"
    embedded._run("pg_ctl", "start", "-w", "-D", ".", "-l", "log", "-o", options, folder=folder, account=account)
    try:
        with psycopg.connect(f"host={folder} port={port} user=postgres dbname=postgres", autocommit=True) as conn:
            conn.execute(sql.SQL("create role own login password {}").format(PASSWORD))
            conn.execute("create database slomix owner own")
        yield f"postgresql://own:p%40ss%2Fw%23rd@127.0.0.1:{port}/slomix"
    finally:
        embedded._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", ".", folder=folder, account=account)


def test_a_home_moves_to_a_server_of_ones_own_and_back(
    full: Database, own_server: str, empty_database: Database, settings: Settings
) -> None:
    here = settings.model_copy(update={"postgres_url": SecretStr(full.url)})
    own = Database(own_server)
    moved = move(here, own, backing_up.quiet)
    assert moved.restored.wrong == []
    assert [advice.split(" login")[0] for advice in moved.advice] == [
        "create role slomix_web",
        "create role slomix_link",
    ]
    there = settings.model_copy(update={"postgres_url": SecretStr(own_server)})
    with pytest.raises(RestoreRefused, match="uses already"):
        must_differ(own, Database(own_server))
    checked = backing_up.check(there, own, moved.backup).described
    assert checked.verdict is Verdict.NOT_CHECKED and "alter role own createdb;" in checked.said
    back = move(there, empty_database, backing_up.quiet)
    assert back.restored.wrong == []
    with full.connect() as conn, empty_database.connect() as other:
        for asked in ("select * from round_player order by round_key, guid", "select * from dagster.event_logs"):
            assert conn.execute(asked).fetchall() == other.execute(asked).fetchall()


# --- commands ---


def test_commands_say_what_was_made_and_restored_and_never_a_password(
    full: Database, own_server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = settings.home
    made = slomix(home, "backup", "--check", SLOMIX_POSTGRES_URL=full.url)
    assert made.exit_code == 0 and "17 rounds" in made.stdout and "same: restored" in made.stdout
    (listed,) = json.loads(slomix(home, "backup", "list", "--json").stdout)
    assert (listed["kind"], listed["verdict"], listed["rounds"]) == ("by-hand", "same", 17)
    first = slomix(home, "restore", listed["file"], SLOMIX_POSTGRES_URL=own_server)
    assert first.exit_code == 0, first.stderr
    assert "tables are the same" in first.stdout
    again = slomix(home, "restore", listed["file"], SLOMIX_POSTGRES_URL=own_server)
    assert again.exit_code == 1 and "Nothing was changed." in again.stderr
    with sole_owner(home):
        refused = slomix(home, "restore", listed["file"], SLOMIX_POSTGRES_URL=own_server)
    assert refused.exit_code == 1 and "already runs" in refused.stderr
    monkeypatch.setattr(homes, "IN_A_RUN", 0.01)
    with working_alone(Database(own_server)):
        at_work = [
            slomix(home, *asked, SLOMIX_POSTGRES_URL=url)
            for asked, url in (
                (("restore", listed["file"]), own_server),
                (("move", "--to", full.url), own_server),
                (("move", "--to", own_server), full.url),
            )
        ]
    assert all(one.exit_code == 1 and "another command" in one.stderr for one in at_work)
    same = slomix(home, "move", "--to", own_server, SLOMIX_POSTGRES_URL=own_server)
    assert same.exit_code == 1 and "uses already" in same.stderr
    for result in (made, first, again, refused, *at_work, same):
        assert "p@ss" not in result.output and "p%40ss" not in result.output
