"""What every check found for every round: the latest outcome each, from which reports and receipts read.

Belongs here: ``check_result``. Which checks exist, and how Dagster is told, is the business of ``checks``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse.rows import rows_of


class CheckName(StrEnum):
    """Every check there is, as Dagster and ``check_result`` name it. What each looks at: ``checks.layers.CHECKS``."""

    TRANSFER = "transfer"
    DUPLICATES = "duplicates"
    PARSE = "parse"
    READ_BACK = "read_back"
    CONSTRAINTS = "constraints"
    PAIRING = "pairing"
    CONSERVATION_LAWS = "conservation_laws"
    PLAUSIBILITY = "plausibility"
    SEVEN_COMPARISONS = "seven_comparisons"
    TIMING_LINK = "timing_link"
    TIMING_CHAIN = "timing_chain"
    TEAMS = "teams"
    SCORE_SOURCES = "score_sources"
    ENDSTATS_LINK = "endstats_link"
    RECORD_PARSE = "record_parse"
    TIMING_TOLD = "timing_told"
    TOLD_ONCE = "told_once"
    PICTURES = "pictures"


class Layer(StrEnum):
    """The layers of validation, in their order; behind the six of them: were the results told?"""

    TRANSFER = "transfer"
    DUPLICATES = "duplicates"
    PARSER = "parser"
    COMPARISONS = "comparisons"
    READ_BACK = "read-back"
    CONSTRAINTS = "constraints"
    POSTS = "posts"

    @property
    def number(self) -> int:
        return list(Layer).index(self) + 1


LAYERS = {
    CheckName.TRANSFER: Layer.TRANSFER,
    CheckName.DUPLICATES: Layer.DUPLICATES,
    CheckName.PARSE: Layer.PARSER,
    CheckName.READ_BACK: Layer.READ_BACK,
    CheckName.CONSTRAINTS: Layer.CONSTRAINTS,
    CheckName.PAIRING: Layer.PARSER,
    CheckName.CONSERVATION_LAWS: Layer.COMPARISONS,
    CheckName.PLAUSIBILITY: Layer.COMPARISONS,
    CheckName.SEVEN_COMPARISONS: Layer.COMPARISONS,
    CheckName.TIMING_LINK: Layer.COMPARISONS,
    CheckName.TIMING_CHAIN: Layer.COMPARISONS,
    CheckName.TEAMS: Layer.COMPARISONS,
    CheckName.SCORE_SOURCES: Layer.COMPARISONS,
    CheckName.ENDSTATS_LINK: Layer.COMPARISONS,
    CheckName.RECORD_PARSE: Layer.PARSER,
    CheckName.TIMING_TOLD: Layer.POSTS,
    CheckName.TOLD_ONCE: Layer.POSTS,
    CheckName.PICTURES: Layer.POSTS,
}
"""The layer that each check is of."""
ABOUT_MESSAGES = [CheckName.TOLD_ONCE, CheckName.TIMING_TOLD]  # which are looked after as messages


class Severity(StrEnum):
    """How bad a check that did not pass is: an ERROR stops a run of one round when the check blocks."""

    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True)
class Outcome:
    """What a check found for one round; ``facts`` are the numbers it saw, in the order in which they are shown."""

    passed: bool
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: bool = False
    """Whether a failure is an ERROR rather than a WARN."""

    @property
    def severity(self) -> Severity:
        return Severity.ERROR if self.error else Severity.WARN


def store_outcomes(conn: Connection[DictRow], check: CheckName, outcomes: Mapping[str, Outcome]) -> None:
    """Writes what a check found, by partition key, in place of what it found before."""
    conn.execute(
        """insert into check_result (partition_key, check_name, passed, severity, metadata)
           select partition_key, %s, passed, severity, metadata::json
           from unnest(%s::text[], %s::boolean[], %s::text[], %s::text[])
                as found (partition_key, passed, severity, metadata)
           on conflict (partition_key, check_name) do update
           set (passed, severity, metadata, checked_at)
             = (excluded.passed, excluded.severity, excluded.metadata, now())""",
        [
            check,
            list(outcomes),
            [outcome.passed for outcome in outcomes.values()],
            [outcome.severity for outcome in outcomes.values()],
            [json.dumps(dict(outcome.facts)) for outcome in outcomes.values()],
        ],
    )


@dataclass(frozen=True)
class OutcomeStored:
    """The latest outcome of a check for one round; ``facts`` as it told them."""

    check_name: CheckName
    passed: bool
    severity: Severity
    facts: dict[str, Any]
    checked_at: datetime


def outcomes_of(conn: Connection[DictRow], key: str) -> list[OutcomeStored]:
    """The latest outcome of every check that looked at the round, those not passed first."""
    with conn.cursor(row_factory=rows_of(OutcomeStored)) as cursor:
        return cursor.execute(
            """select check_name, passed, severity, metadata as facts, checked_at from check_result
               where partition_key = %s order by passed, check_name""",
            [key],
        ).fetchall()


def failed(conn: Connection[DictRow]) -> list[tuple[str, CheckName, Severity]]:
    """Partition key, check and severity of everything that did not pass."""
    rows = conn.execute(
        """select partition_key, check_name, severity from check_result where not passed
           order by partition_key, check_name"""
    )
    return [(row["partition_key"], CheckName(row["check_name"]), Severity(row["severity"])) for row in rows]


def failures_of(conn: Connection[DictRow], check: CheckName, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What a check saw of the rounds for which it did not pass, by round key."""
    rows = conn.execute(
        """select partition_key, metadata from check_result
           where check_name = %s and not passed and partition_key = any(%s)""",
        [check, list(keys)],
    )
    return {row["partition_key"]: row["metadata"] for row in rows}


def passed_of(conn: Connection[DictRow], keys: Sequence[str]) -> dict[tuple[str, CheckName], bool]:
    """Whether the checks of partitions passed, by key and check."""
    rows = conn.execute(
        "select partition_key, check_name, passed from check_result where partition_key = any(%s)", [keys]
    )
    return {(row["partition_key"], CheckName(row["check_name"])): row["passed"] for row in rows}
