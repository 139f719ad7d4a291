"""A database of the first schema with evenings in it is brought up to today's, migration by migration, and its rounds
then give the same numbers as the same files imported today."""

import gzip
import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from slomix_pipeline.actions.importing import import_folder
from slomix_pipeline.actions.reworking import work_out_anew
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.settings import Settings, load_settings, project_folder
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.digests import Digest, differences, digests, tables_of
from slomix_pipeline.warehouse.migrations import migrate, pending, read_migrations
from slomix_pipeline.warehouse.rework import stale_rounds

FIRST = Path(__file__).with_name("first_schema.sql.gz")
SQL = project_folder() / "sql"


def of_the_first_schema(database: Database) -> None:
    """Has a database hold what the program of that time made."""
    with database.transaction() as conn:
        conn.execute(gzip.decompress(FIRST.read_bytes()))
        conn.execute("set search_path = public")


@pytest.fixture
def settings() -> Settings:
    return load_settings(server="demo")


@pytest.fixture
def upgraded(empty_database: Database, tmp_path: Path) -> Iterator[Database]:
    """That database after each migration by itself: whatever one of them takes for granted has to be there."""
    of_the_first_schema(empty_database)
    step = tmp_path / "sql"
    step.mkdir()
    numbers = [migration.number for migration in read_migrations(SQL)]
    assert [migration.number for migration in pending(empty_database)] == numbers[4:]
    for number, file in enumerate(sorted(SQL.glob("*.sql")), 1):
        (step / file.name).write_bytes(file.read_bytes())
        if number > 4:
            assert migrate(empty_database, step) == [file.name]
    assert migrate(empty_database) == ["views"]
    yield empty_database


def files_in(database: Database, folder: Path) -> Path:
    """The files of which a database has the bytes, as the game server had them."""
    with database.connect() as conn:
        rows = conn.execute("select name, kind, bytes from file join file_content using (sha256)").fetchall()
    for kind in ("gamestats", "gametimes"):
        (folder / kind).mkdir(parents=True)
    for row in rows:
        (folder / ("gametimes" if row["kind"] == "timing" else "gamestats") / row["name"]).write_bytes(row["bytes"])
    return folder


# How files came, what was told, and what checks saw of both, is of each database.
OF_EACH = (
    "file",
    "file_content",
    "folder_look",
    "server_zone",
    "post",
    "due",
    "uncatalogued",
    "data_version",
    "schema_views",
    "schema_migration",
    "published_result",
    "session_report",
    "check_result",
)
_MOMENTS = re.compile("(stored|worked|checked|parsed|scored|rules|awarded|timed|found)_at")


def numbers_of(database: Database) -> dict[str, Digest]:
    """What a database holds of what was played, without the moments at which it was worked out."""
    with database.connect() as conn:
        tables = [table for table in tables_of(conn) if table not in OF_EACH]
        columns = conn.execute(
            "select table_name, column_name from information_schema.columns where table_schema = 'public'"
        ).fetchall()
        moments: dict[str, list[str]] = {table: [] for table in tables}
        for row in columns:
            if row["table_name"] in moments and _MOMENTS.fullmatch(row["column_name"]):
                moments[row["table_name"]].append(row["column_name"])
        return digests(conn, tables, moments)


def test_an_upgraded_database_gives_the_numbers_of_a_fresh_import(
    upgraded: Database, database: Database, settings: Settings, tmp_path: Path
) -> None:
    with upgraded.connect() as conn:
        stale = [one.round_key for one in stale_rounds(conn, settings)]
    assert len(stale) == 17
    work_out_anew(settings, upgraded, stale, lambda *_: None)
    with upgraded.connect() as conn:
        assert stale_rounds(conn, settings) == []
    tools = Tools(database, settings, NoGameServer(), Channels())
    files = files_in(upgraded, tmp_path / "files")
    summary = import_folder(files, tools, lambda: nullcontext(Channels()), timezone=None, progress=lambda *_: None)
    assert (summary.ingested, len(summary.quarantined)) == (35, 1)
    found = numbers_of(upgraded)
    assert found["round_player"].rows == 130
    assert "\n".join(differences(numbers_of(database), found)) == ""
