"""The words of the database are those of the program: every enumeration against the constraint of its column."""

import re
from enum import StrEnum

import pytest

from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.rules.endstats import Scope
from slomix_pipeline.rules.linking import LinkClass
from slomix_pipeline.rules.overrides import OverrideKind
from slomix_pipeline.rules.scoring import Confidence, Faster, Source, Winner
from slomix_pipeline.rules.team_names import NameSource
from slomix_pipeline.rules.teams import Team, TeamConfidence
from slomix_pipeline.rules.things import PostState, ThingKind, Trouble
from slomix_pipeline.rules.timing import LengthFrom, TimingStatus
from slomix_pipeline.rules.timing_records import UnlinkedClass
from slomix_pipeline.rules.values import FileStatus, Status
from slomix_pipeline.warehouse.check_results import Severity
from slomix_pipeline.warehouse.database import Database

WORDS: dict[str, type[StrEnum]] = {
    "file.kind": FileKind,
    "file.status": FileStatus,
    "round.status": Status,
    "match.status": Status,
    "check_result.severity": Severity,
    "match.winner": Winner,
    "match.source": Source,
    "match.confidence": Confidence,
    "match.by_header": Faster,
    "match.by_time": Faster,
    "match.attackers_first": Team,
    "session_player.team": Team,
    "session_team.team": Team,
    "session_team.name_source": NameSource,
    "session.team_confidence": TeamConfidence,
    "round_timing.duration_source": LengthFrom,
    "round_timing.timing_status": TimingStatus,
    "round_timing.link_class": LinkClass,
    "timing_record.unlinked_class": UnlinkedClass,
    "override.kind": OverrideKind,
    "award.scope": Scope,
    "post.kind": ThingKind,
    "post.state": PostState,
    "due.kind": ThingKind,
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


def test_the_troubles_of_messages_are_those_that_the_view_names(database: Database) -> None:
    with database.connect() as conn:
        (row,) = conn.execute("select obj_description('message_trouble'::regclass) as text")
    named = row["text"].partition("trouble: ")[2].partition(". session_key")[0]
    assert set(re.findall(r"[a-z_]+(?= (?:and \w+ )?\()", named)) | {"failed"} == set(Trouble)
