"""What was begun and is not through yet: by round or timing record, the stages that nothing comes after.

Belongs here: the table ``unfinished``. A stage notes nothing here before its work is committed, so a process that is
killed at any point leaves behind what has to be gone through again: by ``sensors.rework`` and by ``slomix import``.
"""

from collections.abc import Iterable, Sequence

from psycopg import Connection
from psycopg.rows import DictRow

# The ends of a run: whatever comes before them is through, too, when they are.
ROUND_ENDS = ("match_post", "round_awards", "timing_comparison")
RECORD_END = "timing_record"
TOLD = "session_post"  # only of rounds whose import is to tell them


def begin(conn: Connection[DictRow], keys: Iterable[str], stages: Sequence[str]) -> None:
    """Notes that rounds or records have to go through these stages."""
    conn.execute(
        """insert into unfinished (partition_key, stage)
           select key, stage from unnest(%s::text[]) key cross join unnest(%s::text[]) stage
           on conflict (partition_key, stage) do update set since = now()""",
        [list(keys), list(stages)],
    )


def end(conn: Connection[DictRow], keys: Iterable[str], stage: str) -> None:
    """Notes that rounds or records went through a stage."""
    conn.execute("delete from unfinished where stage = %s and partition_key = any(%s)", [stage, list(keys)])


def left(conn: Connection[DictRow], server: str) -> dict[str, set[str]]:
    """The stages that rounds and records of a game server have to go through yet, by key."""
    rows = conn.execute(
        """select partition_key, array_agg(stage) as stages from unfinished
           where split_part(partition_key, ':', 1) = %s group by partition_key""",
        [server],
    )
    return {row["partition_key"]: set(row["stages"]) for row in rows}
