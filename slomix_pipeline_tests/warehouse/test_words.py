"""The words of the database are those of the program: every enumeration against the constraint of its column."""

import re
from enum import StrEnum

import pytest

from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.rules.values import FileStatus, Status
from slomix_pipeline.warehouse.check_results import Severity
from slomix_pipeline.warehouse.database import Database

WORDS: dict[str, type[StrEnum]] = {
    "file.kind": FileKind,
    "file.status": FileStatus,
    "round.status": Status,
    "match.status": Status,
    "check_result.severity": Severity,
}


def words_of(database: Database, table: str, column: str) -> set[str]:
    """The words that a column may hold."""
    with database.connect() as conn:
        rows = conn.execute(
            """select pg_get_constraintdef(c.oid) as text
               from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and c.conkey = array[a.attnum]
               where c.contype = 'c' and c.conrelid = %s::regclass and a.attname = %s""",
            [table, column],
        ).fetchall()
    return {word for row in rows for word in re.findall(r"'([^']*)'::text", row["text"])}


@pytest.mark.parametrize("column", WORDS)
def test_a_column_takes_the_words_of_its_enumeration_and_no_others(database: Database, column: str) -> None:
    assert words_of(database, *column.split(".")) == set(WORDS[column])
