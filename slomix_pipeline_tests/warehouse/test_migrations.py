"""Migrations and views: what is applied when, and what is refused."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from slomix_pipeline.settings import project_folder
from slomix_pipeline.warehouse import migrations
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.migrations import MigrationError, SchemaDrift, migrate

_MIGRATE = """
import sys
from pathlib import Path
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.migrations import migrate
migrate(Database(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "views").mkdir()
    _write(tmp_path, "001_rounds.sql", "CREATE TABLE round (key text, seconds integer);")
    _write(tmp_path, "002_players.sql", "CREATE TABLE player (guid text); INSERT INTO player VALUES ('AAAA0001');")
    yield tmp_path


def _write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8", newline="")


def _value(database: Database, question: str) -> Any:
    with database.connect() as conn:
        row = conn.execute(question.encode()).fetchone()
        return row and next(iter(row.values()))


def test_migrations_are_applied_by_number_and_only_once(empty_database: Database, folder: Path) -> None:
    assert migrate(empty_database, folder) == ["001_rounds.sql", "002_players.sql"]
    assert migrate(empty_database, folder) == []
    _write(folder, "010_more.sql", "INSERT INTO player VALUES ('AAAA0002');")
    assert migrate(empty_database, folder) == ["010_more.sql"]
    assert _value(empty_database, "SELECT count(*) FROM player") == 2


def test_an_applied_file_that_was_changed_is_named_with_what_to_do(empty_database: Database, folder: Path) -> None:
    migrate(empty_database, folder)
    _write(folder, "001_rounds.sql", "CREATE TABLE round (key text);")
    with pytest.raises(SchemaDrift, match=r"001_rounds\.sql was changed after.*new migration with the next number"):
        migrate(empty_database, folder)


def test_other_line_endings_are_no_change(empty_database: Database, folder: Path) -> None:
    _write(folder, "001_rounds.sql", "CREATE TABLE round (\n  key text\n);\n")
    migrate(empty_database, folder)
    _write(folder, "001_rounds.sql", "CREATE TABLE round (\r\n  key text\r\n);\r\n")
    assert migrate(empty_database, folder) == []


def test_a_database_of_a_newer_program_is_refused(empty_database: Database, folder: Path) -> None:
    migrate(empty_database, folder)
    (folder / "002_players.sql").unlink()
    with pytest.raises(
        SchemaDrift, match=r"newer program: 002_players\.sql is applied by slomix \d.*nothing after 001\. Update"
    ):
        migrate(empty_database, folder)


def test_a_number_that_comes_too_late_is_refused(empty_database: Database, folder: Path) -> None:
    (folder / "001_rounds.sql").rename(folder / "003_rounds.sql")
    migrate(empty_database, folder)
    _write(folder, "001_late.sql", "SELECT 1;")
    with pytest.raises(SchemaDrift, match=r"001_late\.sql is not applied, but 003_rounds\.sql is"):
        migrate(empty_database, folder)


@pytest.mark.parametrize("name", ["002_again.sql", "2_short.sql", "notes.sql"])
def test_a_number_used_twice_or_a_misnamed_file_stops_before_anything_is_applied(
    empty_database: Database, folder: Path, name: str
) -> None:
    _write(folder, name, "SELECT 1;")
    with pytest.raises(MigrationError, match=name):
        migrate(empty_database, folder)
    assert _value(empty_database, "SELECT to_regclass('round')") is None


def test_a_failing_migration_leaves_nothing_of_itself_and_can_be_mended(empty_database: Database, folder: Path) -> None:
    _write(folder, "002_players.sql", "CREATE TABLE player (guid text);\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(MigrationError, match=r'002_players\.sql failed and was rolled back: relation "nowhere"'):
        migrate(empty_database, folder)
    assert _value(empty_database, "SELECT to_regclass('player')") is None
    _write(folder, "002_players.sql", "CREATE TABLE player (guid text);")
    assert migrate(empty_database, folder) == ["001_rounds.sql", "002_players.sql"]


def test_views_are_made_again_when_a_text_changes_and_only_then(empty_database: Database, folder: Path) -> None:
    _write(folder, "views/01_short.sql", "CREATE VIEW short_round AS SELECT * FROM round WHERE seconds < 60;")
    _write(folder, "views/02_count.sql", "CREATE VIEW short_count AS SELECT count(*) AS n FROM short_round;")
    assert migrate(empty_database, folder) == ["001_rounds.sql", "002_players.sql", "views"]
    assert migrate(empty_database, folder) == []
    _write(folder, "views/01_short.sql", "CREATE VIEW short_round AS SELECT key FROM round WHERE seconds < 90;")
    (folder / "views" / "02_count.sql").unlink()
    assert migrate(empty_database, folder) == ["views"]
    assert (
        _value(empty_database, "SELECT string_agg(viewname, ' ') FROM pg_views WHERE schemaname = 'public'")
        == "short_round"
    )


def test_a_migration_may_change_a_table_under_a_view(empty_database: Database, folder: Path) -> None:
    _write(folder, "views/01_short.sql", "CREATE VIEW short_round AS SELECT * FROM round WHERE seconds < 60;")
    migrate(empty_database, folder)
    _write(folder, "003_wide.sql", "ALTER TABLE round ALTER COLUMN seconds TYPE double precision;")
    assert migrate(empty_database, folder) == ["003_wide.sql", "views"]
    assert _value(empty_database, "SELECT pg_typeof(seconds)::text FROM short_round UNION SELECT 'none'") == "none"


def test_a_failed_migration_leaves_the_views_to_who_works_with_them(empty_database: Database, folder: Path) -> None:
    _write(folder, "views/01_short.sql", "CREATE VIEW short_round AS SELECT * FROM round WHERE seconds < 60;")
    migrate(empty_database, folder)
    _write(folder, "003_wrong.sql", "no such thing;")
    with pytest.raises(MigrationError, match=r"003_wrong\.sql"):
        migrate(empty_database, folder)
    assert _value(empty_database, "SELECT count(*) FROM short_round") == 0


def test_who_reads_the_tables_for_long_is_named_as_the_cause(
    empty_database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_SECONDS", 0.1)
    _write(folder, "views/01_short.sql", "CREATE VIEW short_round AS SELECT * FROM round WHERE seconds < 60;")
    migrate(empty_database, folder)
    _write(folder, "views/01_short.sql", "CREATE VIEW short_round AS SELECT * FROM round WHERE seconds < 90;")
    with empty_database.transaction() as conn:
        conn.execute("SELECT * FROM short_round")
        with pytest.raises(MigrationError, match="reading the tables"):
            migrate(empty_database, folder)
    assert migrate(empty_database, folder) == ["views"]


def test_a_failing_view_is_named(empty_database: Database, folder: Path) -> None:
    _write(folder, "views/01_wrong.sql", "CREATE VIEW wrong AS SELECT nothing FROM round;")
    with pytest.raises(MigrationError, match=r"views/01_wrong\.sql failed"):
        migrate(empty_database, folder)


def test_a_view_that_somebody_built_on_ours_is_never_dropped(empty_database: Database, folder: Path) -> None:
    _write(folder, "views/01_short.sql", "CREATE VIEW short_round AS SELECT * FROM round WHERE seconds < 60;")
    migrate(empty_database, folder)
    with empty_database.transaction() as conn:
        conn.execute("CREATE VIEW admins_board AS SELECT count(*) FROM short_round")
    _write(folder, "views/01_short.sql", "CREATE VIEW short_round AS SELECT * FROM round WHERE seconds < 90;")
    with pytest.raises(MigrationError, match="admins_board"):
        migrate(empty_database, folder)
    assert _value(empty_database, "SELECT count FROM admins_board") == 0


def test_processes_that_migrate_at_once_all_succeed_and_one_does_the_work(
    empty_database: Database, folder: Path
) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: migrate(empty_database, folder), range(4)))
    assert sorted(done) == [[], [], [], ["001_rounds.sql", "002_players.sql"]]


def test_a_killed_migration_leaves_no_lock_and_no_half_schema(empty_database: Database, folder: Path) -> None:
    _write(folder, "003_slow.sql", "CREATE TABLE half (); SELECT pg_sleep(3600);")
    with subprocess.Popen([sys.executable, "-c", _MIGRATE, empty_database.url, str(folder)]) as killed:
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        while not _value(empty_database, sleeping):
            assert killed.poll() is None
            time.sleep(0.05)
        killed.kill()
    _write(folder, "003_slow.sql", "CREATE TABLE whole ();")
    assert migrate(empty_database, folder) == ["001_rounds.sql", "002_players.sql", "003_slow.sql"]
    assert _value(empty_database, "SELECT to_regclass('half')") is None


def test_the_schema_that_comes_with_the_program_is_up_to_date_after_one_start(database: Database) -> None:
    assert migrate(database) == []


def test_of_old_messages_only_those_that_are_still_news_become_due(empty_database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "before"
    (folder / "views").mkdir(parents=True)
    ours = sorted((project_folder() / "sql").glob("*.sql"))
    for file in ours[:13]:
        _write(folder, file.name, file.read_text(encoding="utf-8"))
    migrate(empty_database, folder)
    with empty_database.transaction() as conn:
        conn.execute(
            "insert into session (session_key, server, started_at, ended_at) values ('a:s', 'a', now(), now())"
        )
        for thing, state in (("session:a:s", "refused"), ("session:a:gone", "failed"), ("result:a:gone", "refused")):
            conn.execute(
                "insert into post (thing, partition_key, state, payload_sha256) values (%s, %s, %s, 'x')",
                [thing, thing.partition(":")[2], state],
            )
    _write(folder, ours[13].name, ours[13].read_text(encoding="utf-8"))
    assert migrate(empty_database, folder) == ["014_due.sql"]
    assert _value(empty_database, "select string_agg(thing, ' ') from due") == "session:a:s"
    assert _value(empty_database, "select count(*) from post where payload_sha256 is not null") == 1


def test_messages_from_before_kinds_were_kept_know_what_they_are_about(
    empty_database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "before"
    (folder / "views").mkdir(parents=True)
    ours = sorted((project_folder() / "sql").glob("*.sql"))
    kept = [file for file in ours if file.name < "019"]
    for file in kept:
        _write(folder, file.name, file.read_text(encoding="utf-8"))
    migrate(empty_database, folder)
    with empty_database.transaction() as conn:
        for table, column in (("post", "state"), ("due", "due_until")):
            value = {"state": "'failed'", "due_until": "now()"}[column]
            for thing in ("round1:a:one", "result:a:two", "session:a:s", "timing:a:two"):
                conn.execute(
                    f"insert into {table} (thing, partition_key, {column}) values (%s, %s, {value})",
                    [thing, thing.partition(":")[2]],
                )
    for file in ours[len(kept) :]:
        _write(folder, file.name, file.read_text(encoding="utf-8"))
    migrate(empty_database, folder)
    for table in ("post", "due"):
        kinds = _value(empty_database, f"select string_agg(kind, ' ' order by kind) from {table}")
        assert kinds == "result round1 session timing"
