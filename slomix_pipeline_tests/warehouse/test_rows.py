"""Rows as values: a renamed column is an error of the query, an unknown word one of the row."""

from dataclasses import dataclass

import pytest

from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class Seen:
    name: str
    status: FileStatus | None
    flags: tuple[str, ...]


def read(database: Database, columns: str) -> Seen:
    with database.connect() as conn, conn.cursor(row_factory=rows_of(Seen)) as cursor:
        (row,) = cursor.execute(f"select {columns}")
    return row


def test_words_become_their_enumeration_and_lists_tuples(database: Database) -> None:
    row = read(database, "'a' as name, 'known' as status, array['x', 'y'] as flags")
    assert row == Seen("a", FileStatus.KNOWN, ("x", "y")) and row.status is FileStatus.KNOWN
    assert read(database, "'a' as name, null as status, '{}'::text[] as flags").status is None


@pytest.mark.parametrize("columns", ["'a' as title, null as status, null as flags", "'a' as name, null as status"])
def test_a_column_that_was_renamed_or_is_gone_fails_at_once(database: Database, columns: str) -> None:
    with pytest.raises(TypeError):
        read(database, columns)


def test_a_word_that_nobody_knows_fails_at_once(database: Database) -> None:
    with pytest.raises(ValueError, match="perhaps"):
        read(database, "'a' as name, 'perhaps' as status, null as flags")
