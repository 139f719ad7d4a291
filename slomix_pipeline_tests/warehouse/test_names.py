"""What names and keys say is in columns from the first sight of a file on; no statement takes them apart again."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.filenames import FileName, parse_file_name
from slomix_pipeline.formats.keys import file_key
from slomix_pipeline.gameserver.source import RemoteFile
from slomix_pipeline.rules.linking import LINK_WINDOW
from slomix_pipeline.rules.values import map_key
from slomix_pipeline.settings import project_folder
from slomix_pipeline.warehouse import files, reading, windows
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.migrations import migrate

NAMES = [
    "2026-03-04-210509-Supply-round-1.txt",
    "2026-03-04-210509-etl_sp-delivery.v1+2-round-2-endstats.txt",
    "2026-03-29-023000-supply-round-2.txt",  # a moment that no clock of Europe shows
    "2024-02-29-235959-round-1-round-2.txt",
    "2026-03-04-210509-supply-round-1_ws.txt",
    "2026-03-04-210509-supply-round-2-timing.txt",
    "gametime-Supply-R1-1772658309.json",
    "gametime-supply-R0-999999999.json",
]
OF_NO_PATTERN = [
    "2026-13-04-210509-supply-round-1.txt",
    "2026-02-30-210509-supply-round-1.txt",
    "2026-03-04-250509-supply-round-1.txt",
    "2026-03-04-210509-supply-round-3.txt",
    "gametime-supply-R1-12345678.json",
    "notes.txt",
]


def said(name: FileName) -> tuple[object, ...]:
    return name.stamp, name.ended_at, None if name.map_name is None else map_key(name.map_name), name.number


def columns(conn: Connection[DictRow]) -> dict[str, tuple[object, ...]]:
    rows = conn.execute("select name, named_stamp, named_end, named_map, named_number from file")
    return {row.pop("name"): tuple(row.values()) for row in rows}


def see(conn: Connection[DictRow], name: FileName) -> None:
    files.note_seen(conn, "main", [(listed(name), name, None)])


def listed(name: FileName) -> RemoteFile:
    return RemoteFile(name.name, 9, 1_772_658_309)


def find(conn: Connection[DictRow], name: FileName) -> None:
    files.note_found(conn, "main", listed(name), name, name.name.encode())


def take_in(conn: Connection[DictRow], name: FileName) -> None:
    files.note_imported(conn, "main", [(name, name.name.encode())], None)


@pytest.mark.parametrize("first_sight", [see, find, take_in])
def test_what_a_name_says_is_stored_when_the_file_is_first_seen(
    database: Database, first_sight: Callable[[Connection[DictRow], FileName], None]
) -> None:
    names = [name for name in map(parse_file_name, NAMES) if first_sight is not find or file_key("main", name)]
    with database.transaction() as conn:
        for name in names:
            first_sight(conn, name)
        assert columns(conn) == {name.name: said(name) for name in names}


def test_many_files_are_seen_at_once_with_names_of_no_pattern_among_them(database: Database) -> None:
    names = [parse_file_name(name) for name in NAMES + OF_NO_PATTERN]
    with database.transaction() as conn:
        files.note_seen(conn, "main", [(RemoteFile(name.name, 9, 0), name, None) for name in names])
        assert columns(conn) == {name.name: said(name) for name in names}


def test_a_database_of_before_gets_its_columns_filled_and_no_impossible_name_stops_it(
    empty_database: Database, tmp_path: Path
) -> None:
    (tmp_path / "views").mkdir()
    ours = sorted((project_folder() / "sql").glob("*.sql"))
    before = [file for file in ours if file.name < "016"]
    for file in before:
        (tmp_path / file.name).write_text(file.read_text("utf-8"), "utf-8")
    migrate(empty_database, tmp_path)
    with empty_database.transaction() as conn:
        for name in map(parse_file_name, NAMES + OF_NO_PATTERN):
            enter(conn, "main", name.name, name.kind)
            # As a grammar of before may have taken it.
            enter(conn, "old", name.name, "timing" if name.name.startswith("gametime") else "stats")
        conn.execute("insert into file_content (sha256, bytes) values (repeat('a', 64), '')")
        conn.execute(
            """insert into parsed_round (round_key, server, name, sha256, stamp_local, stamp, stamp_ambiguous, label, map,
                   server_name, config, limit_text, attack_time_text, tail_fields, generation)
               values ('main:2026-03-04-210509-Supply-round-1', 'main', '2026-03-04-210509-Supply-round-1.txt',
                       repeat('a', 64), '2026-03-04 21:05:09', '2026-03-04 20:05:09Z', false, 1, 'Supply', '', '', '',
                       '', 38, '');
               insert into round (round_key, match_key, number, status) select round_key, round_key, 1, 'r1_only'
               from parsed_round;
               insert into session (session_key, server, started_at, ended_at)
               values ('main:2026-03-04-200000', 'main', now(), now());
               insert into session_round select round_key, 'main:2026-03-04-200000', 1 from parsed_round"""
        )
    assert migrate(empty_database)[0] == "016_names.sql"
    with empty_database.connect() as conn:
        conn.execute("delete from file where server = 'old' and name = any(%s)", [NAMES])
        assert columns(conn) == {name: said(parse_file_name(name)) for name in NAMES + OF_NO_PATTERN}
        assert reading.resolve_session(conn, "main:2026-03-04-210509") == "main:2026-03-04-200000"


def enter(conn: Connection[DictRow], server: str, name: str, kind: str) -> None:
    conn.execute("insert into file (server, name, kind, status) values (%s, %s, %s, 'listed')", [server, name, kind])


def test_the_database_has_the_windows_of_the_rules(database: Database) -> None:
    with database.connect() as conn:
        for name, span in windows.WINDOWS.items():
            assert conn.execute(f"select {name}() as span").fetchone() == {"span": span}
        for name, number in windows.LEAST.items():
            assert conn.execute(f"select {name}() as least").fetchone() == {"least": number}
    assert windows.WINDOWS["link_window"] == LINK_WINDOW


# --- no statement takes names or keys apart ---

TAKES_APART = re.compile(
    r"\b(split_part|to_char|substring|substr|left|right|regexp_\w+|starts_with|strpos|position|to_timestamp)\s*\((?!thing)"  # the kind of a message is in its thing
    r"|\b(name|\w+_key)\s+(not\s+)?(like|~)"
    r"|(server|session_key) \|\| ':'",
    re.IGNORECASE,
)
ALLOWED = {
    "slomix_pipeline/warehouse/receipts.py": {"starts_with("},  # what a person typed is a name's beginning
    "slomix_pipeline/discord/ledger.py": {"starts_with("},  # what keys.py says all keys of a server begin with
    "slomix_pipeline/warehouse/digests.py": {"substr("},  # of a hash
    "slomix_pipeline/warehouse/scratch.py": {"starts_with("},  # names of databases
}


def statements() -> dict[str, str]:
    """The SQL of the program by file: views, and what stands in texts of modules."""
    root, views = project_folder(), (project_folder() / "sql" / "views").glob("*.sql")
    found = {str(path.relative_to(root)): re.sub(r"--.*", "", path.read_text("utf-8")) for path in views}
    for path in (root / "slomix_pipeline").rglob("*.py"):
        texts = [node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)]
        found[str(path.relative_to(root))] = "\n".join(
            text
            for text in texts
            if isinstance(text, str) and re.search(r"\b(select|from|where|update|insert)\b", text)
        )
    return found


def test_no_statement_takes_a_name_or_a_key_apart() -> None:
    found = {name: {match[0] for match in TAKES_APART.finditer(text)} for name, text in statements().items()}
    taken = {name: calls - ALLOWED.get(name, set()) for name, calls in found.items()}
    assert {name: calls for name, calls in taken.items() if calls} == {}


def test_keys_are_read_and_made_in_one_module() -> None:
    root = project_folder() / "slomix_pipeline"
    made = re.compile(r"""(?<!thing\.)partition\(":"\)|split\(":"|\[:17\]|f"\{[\w.]*(server|SERVER)\}:(?! )""")
    sources = [path for path in root.rglob("*.py") if path.name not in ("keys.py", "things.py", "standin_commands.py")]
    assert [str(path) for path in sources if made.search(path.read_text("utf-8"))] == []
