"""What was begun and is not through yet: by round or timing record, the stages that nothing comes after.

Belongs here: the table ``unfinished``. A stage notes nothing here before its work is committed, so a process that is
killed at any point leaves behind what has to be gone through again: by ``sensors.rework`` and by ``slomix import``.
Does not belong here: a round that went through and is behind its inputs (``rework``), messages to tell (``due``).
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.warehouse.database import COMMAND_WORKS, Database


class Stage(StrEnum):
    """A stage that nothing comes after: whatever comes before it is through, too, when it is."""

    MATCH_POST = "match_post"
    ROUND_AWARDS = "round_awards"
    TIMING_COMPARISON = "timing_comparison"
    TIMING_RECORD = "timing_record"
    SESSION_POST = "session_post"  # only of rounds whose import is to announce them


ROUND_ENDS = (Stage.MATCH_POST, Stage.ROUND_AWARDS, Stage.TIMING_COMPARISON)


@dataclass(frozen=True)
class Begun:
    """What a stage found begun when it started, by round or record: that is what it takes through. Bytes that come
    while it works begin the same anew."""

    stage: Stage
    since: dict[str, datetime]

    def only(self, keys: Container[str]) -> "Begun":
        """That of some rounds or records."""
        return Begun(self.stage, {key: since for key, since in self.since.items() if key in keys})


def note_begun(conn: Connection[DictRow], keys: Iterable[str], stages: Sequence[Stage]) -> None:
    """Notes that rounds or records have to go through these stages."""
    conn.execute(
        """insert into unfinished (partition_key, stage)
           select key, stage from unnest(%s::text[]) key cross join unnest(%s::text[]) stage
           on conflict (partition_key, stage) do update set since = now()""",
        [list(keys), list(stages)],
    )


def begun(conn: Connection[DictRow], keys: Iterable[str], stage: Stage) -> Begun:
    """What a stage has to take through; to be read before its inputs are."""
    rows = conn.execute(
        "select partition_key, since from unfinished where stage = %s and partition_key = any(%s)", [stage, list(keys)]
    )
    return Begun(stage, {row["partition_key"]: row["since"] for row in rows})


def note_done(conn: Connection[DictRow], through: Begun) -> None:
    """Notes that rounds or records went through a stage; not those that were begun anew meanwhile."""
    conn.execute(
        """delete from unfinished u using unnest(%s::text[], %s::timestamptz[]) through (partition_key, since)
           where u.stage = %s and u.partition_key = through.partition_key and u.since = through.since""",
        [list(through.since), list(through.since.values()), through.stage],
    )


def command_works(database: Database) -> bool:
    """Whether a command works rounds out at this moment."""
    with database.try_hold(COMMAND_WORKS) as conn:
        return conn is None


def in_command(database: Database) -> set[str]:
    """The imported rounds and records that a command is taking through at this moment; without one, nobody does."""
    if not command_works(database):
        return set()
    with database.connect() as conn:
        rows = conn.execute(
            "select distinct partition_key from unfinished join file using (partition_key) where imported"
        )
        return {row["partition_key"] for row in rows}


def stages_left(conn: Connection[DictRow], server: str) -> dict[str, set[Stage]]:
    """The stages that rounds and records of a game server have to go through yet, by key."""
    rows = conn.execute("select partition_key, array_agg(stage) as stages from unfinished group by partition_key")
    left = {row["partition_key"]: set(map(Stage, row["stages"])) for row in rows}
    return {key: stages for key, stages in left.items() if server_of(key) == server}
