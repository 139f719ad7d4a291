"""The words of the database are those of the program: every enumeration against the constraint of its column, and the
words in SQL against the enumeration of the column that they are compared with."""

import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from pathlib import Path

from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.reports.receipt_text import FLAGS
from slomix_pipeline.rules.alarms import AlarmCause
from slomix_pipeline.rules.asked import What
from slomix_pipeline.rules.differential import CUMULATIVE, NO_IDENTITY
from slomix_pipeline.rules.endstats import Scope
from slomix_pipeline.rules.expected import Metric
from slomix_pipeline.rules.forecast_report import Foretells, ReportOf
from slomix_pipeline.rules.linking import LinkClass
from slomix_pipeline.rules.overrides import OverrideKind
from slomix_pipeline.rules.pairing import PLAYED_AS_FIRST
from slomix_pipeline.rules.people import IdentityKind
from slomix_pipeline.rules.scoring import Confidence, Faster, Source, Winner
from slomix_pipeline.rules.team_names import NameSource
from slomix_pipeline.rules.teams import Team, TeamConfidence
from slomix_pipeline.rules.things import PostState, ThingKind, Trouble
from slomix_pipeline.rules.timing import LengthFrom, TimingStatus
from slomix_pipeline.rules.timing_records import UnlinkedClass
from slomix_pipeline.rules.values import FileStatus, Status
from slomix_pipeline.settings import project_folder
from slomix_pipeline.warehouse.catalogue import Partitions
from slomix_pipeline.warehouse.check_results import Severity
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.fitted import Model, Step
from slomix_pipeline.warehouse.rebuilds import Rebuild

WORDS: dict[str, type[StrEnum]] = {
    "file.kind": FileKind,
    "file.status": FileStatus,
    "rebuild.what": Rebuild,
    "round.status": Status,
    "match.status": Status,
    "check_result.severity": Severity,
    "match.winner": Winner,
    "match.source": Source,
    "match.confidence": Confidence,
    "match.by_header": Faster,
    "match.by_time": Faster,
    "match.attackers_first": Team,
    "match.attackers_second": Team,
    "session_player.team": Team,
    "session_team.team": Team,
    "session_team.name_source": NameSource,
    "session.team_confidence": TeamConfidence,
    "round_timing.duration_source": LengthFrom,
    "round_timing.timing_status": TimingStatus,
    "round_timing.link_class": LinkClass,
    "timing_record.unlinked_class": UnlinkedClass,
    "override.kind": OverrideKind,
    "identity_decision.kind": IdentityKind,
    "award.scope": Scope,
    "alarm.cause": AlarmCause,
    "asked_post.what": What,
    "post.kind": ThingKind,
    "post.state": PostState,
    "due.kind": ThingKind,
    "uncatalogued.kind": Partitions,
    "fitted.model": Model,
    "learned.step": Step,
    "expected_night.metric": Metric,
    "told_surprise.metric": Metric,
    "prediction.kind": Foretells,
    "forecast_report.kind": Foretells,
    "forecast_report.source": ReportOf,
}
LINKED_OR_NOT = "round_endstats.link_class"  # takes those of LinkClass but fuzzy: an endstats file is no candidate


def constrained(database: Database) -> dict[str, set[str]]:
    """The words that each column may hold which is constrained to some."""
    with database.connect() as conn:
        rows = conn.execute(
            """select c.conrelid::regclass || '.' || a.attname as name, pg_get_constraintdef(c.oid) as text
               from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and c.conkey = array[a.attnum]
               where c.contype = 'c' and c.connamespace = 'public'::regnamespace"""
        ).fetchall()
    found = {row["name"].replace('"', ""): set(re.findall(r"'([^']*)'::text", row["text"])) for row in rows}
    return {name: words for name, words in found.items() if len(words) > 1}


def test_columns_take_the_words_of_their_enumerations_and_no_others(database: Database) -> None:
    found = constrained(database)
    assert found.pop(LINKED_OR_NOT) == set(LinkClass) - {LinkClass.FUZZY}
    assert found == {name: set(words) for name, words in WORDS.items()}


# --- words in SQL ---

_TABLES = re.compile(r"\b(?:from|join|update)\s+(\w+)(?:\s+(\w+))?")
_WORD = "'[^']*'"
_COMPARED = re.compile(
    rf"(?:(\w+)\.)?\b(\w+)\s*(?:=|<>|\bis (?:not )?distinct from|\b(?:not )?in \(|\bwhen)\s*({_WORD}(?:,\s*{_WORD})*)"
)
_FLAGS = re.compile(rf"({_WORD}) = any\((?:\w+\.)?flags\)|flags && array\[({_WORD}(?:,\s*{_WORD})*)\]")


def enumerations(column: str, tables: Collection[str]) -> list[type[StrEnum]]:
    """Those of a column of any of these tables; of any table when it is of none of them, as in a subquery."""
    named = {name: words for name, words in WORDS.items() if name.partition(".")[2] == column}
    own = [words for name, words in named.items() if name.partition(".")[0] in tables]
    return own or list(named.values())


def compared(sql: str) -> Iterator[tuple[str, str, bool]]:
    """Every word that an enumerated column is compared with: the column, the word, whether its enumeration has it."""
    tables = _TABLES.findall(sql)
    for alias, column, words in _COMPARED.findall(sql):
        known = enumerations(column, [table for table, short in tables if alias in ("", table, short)])
        for word in re.findall("'([^']*)'", words) if known else ():
            yield column, word, any(word in tuple(words) for words in known)


def sql_files() -> list[Path]:
    """The views, and the modules that have queries of their own; but for the one whose words are Dagster's."""
    modules = (project_folder() / "slomix_pipeline").rglob("*.py")
    ours = [module for module in modules if module.name != "dagster_records.py"]
    return [*(project_folder() / "sql" / "views").glob("*.sql"), *ours]


def test_words_in_sql_are_those_of_the_column_that_they_are_compared_with() -> None:
    found = [(path.name, *one) for path in sql_files() for one in compared(path.read_text())]
    assert [one for one in found if not one[-1]] == []
    seen = {one[:3] for one in found}
    assert {("05_awards.sql", "status", "superseded"), ("09_messages.sql", "state", "refused")} <= seen


def test_flags_in_sql_are_flags_that_there_are() -> None:
    found = [word for path in sql_files() for either in _FLAGS.findall(path.read_text()) for word in either if word]
    words = {word for words in found for word in re.findall("'([^']*)'", words)}
    assert {NO_IDENTITY, CUMULATIVE, PLAYED_AS_FIRST} <= words <= set(FLAGS)


def test_words_that_the_views_of_messages_make_are_words_of_messages() -> None:
    sql = (project_folder() / "sql" / "views" / "09_messages.sql").read_text()
    words = set(re.findall(r"'([a-z]\w*)'", sql))
    assert {Trouble.WAITS, ThingKind.RESULT} <= words <= {*ThingKind, *PostState, *Trouble, *Status}


def test_the_troubles_of_messages_are_those_that_the_view_names(database: Database) -> None:
    with database.connect() as conn:
        (row,) = conn.execute("select obj_description('message_trouble'::regclass) as text")
    named = row["text"].partition("trouble: ")[2].partition(". session_key")[0]
    assert set(re.findall(r"[a-z_]+(?= (?:and \w+ )?\()", named)) | {"failed"} == set(Trouble)
