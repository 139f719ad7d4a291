"""How good what was foretold was: what the reports are made of, and the reports as they are kept.

Belongs here: the table ``forecast_report``, reading ``prediction_scored``. Does not belong here: the scores
(``rules``), making the reports (``stages.forecast_reports``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import DictRow, tuple_row
from psycopg.types.json import Jsonb

from slomix_pipeline.rules.attack_model import VERSION
from slomix_pipeline.rules.forecast_report import Foretells, Report, ReportOf, as_json, from_json
from slomix_pipeline.rules.odds import TEMPERATURE_AT_FIRST


class Scored(NamedTuple):
    """Something that was foretold before it was over, and whether it came true. ``night``: its session."""

    round_key: str
    night: str
    chance: float
    came_true: bool


@dataclass(frozen=True)
class ReportKept:
    """A report, None of no forecasts, with what it was made of and when."""

    version: str
    fingerprint: str
    report: Report | None
    temperature: float | None
    made_at: datetime


Reports = Mapping[tuple[Foretells, ReportOf], ReportKept]


def scored(conn: Connection[DictRow], kind: Foretells) -> list[Scored]:
    """What the ledger says of a kind by the rules of today and is decided by now, in order of play; of matches without
    the draws."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(
            """select round_key, session_key, chance, came_true from prediction_scored
               where kind = %s and version = %s and not late and not (kind = 'match' and drawn)
               order by ended_at, round_key""",
            [kind, VERSION],
        ).fetchall()
    return [Scored(*row) for row in rows]


def reports(conn: Connection[DictRow]) -> dict[tuple[Foretells, ReportOf], ReportKept]:
    """All reports."""
    return {
        (Foretells(row["kind"]), ReportOf(row["source"])): ReportKept(
            row["version"],
            row["fingerprint"],
            row["numbers"] and from_json(row["numbers"]),
            row["temperature"],
            row["made_at"],
        )
        for row in conn.execute("select * from forecast_report")
    }


def store(conn: Connection[DictRow], made: Reports) -> None:
    """Keeps reports in place of those before."""
    for (kind, source), own in made.items():
        conn.execute(
            """insert into forecast_report (kind, source, version, fingerprint, numbers, temperature, made_at)
               values (%s, %s, %s, %s, %s, %s, %s)
               on conflict (kind, source) do update
               set (version, fingerprint, numbers, temperature, made_at)
                   = (excluded.version, excluded.fingerprint, excluded.numbers, excluded.temperature,
                      excluded.made_at)""",
            [
                kind,
                source,
                own.version,
                own.fingerprint,
                own.report and Jsonb(as_json(own.report)),
                own.temperature,
                own.made_at,
            ],
        )


def temperature(conn: Connection[DictRow]) -> float:
    """What the logits of odds before a match are multiplied by, as history says so far."""
    row = conn.execute(
        "select temperature from forecast_report where kind = %s and source = %s", [Foretells.MATCH, ReportOf.BACKTEST]
    ).fetchone()
    return TEMPERATURE_AT_FIRST if row is None or row["temperature"] is None else float(row["temperature"])
