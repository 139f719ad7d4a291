"""What was made without a run of Dagster's, and is to be reported to it: partitions by kind and key.

Belongs here: the table ``uncatalogued``. Reporting is the business of ``checks.catalogue``, when that is done of
``sensors.catalogue``.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg import Connection
from psycopg.rows import DictRow


class Partitions(StrEnum):
    """The kinds of partitions, as Dagster has them."""

    ROUNDS = "rounds"
    TIMINGS = "timings"
    SESSIONS = "sessions"


@dataclass(frozen=True)
class Uncatalogued:
    """A partition of which Dagster does not know yet that it was made. ``since``: when it was, last."""

    kind: Partitions
    key: str
    since: datetime


def note(conn: Connection[DictRow], kind: Partitions, keys: Iterable[str]) -> None:
    """Notes that partitions were made just now."""
    conn.execute(
        """insert into uncatalogued (kind, key) select %s, key from unnest(%s::text[]) key
           on conflict (kind, key) do update set since = now()""",
        [kind, sorted(set(keys))],
    )


def note_everything(conn: Connection[DictRow]) -> None:
    """Notes that Dagster knows of nothing that was made: its records are lost."""
    conn.execute(
        """insert into uncatalogued (kind, key)
           select 'rounds', round_key from parsed_round
           union all select 'timings', record_key from timing_record
           union all select 'sessions', session_key from session
           on conflict (kind, key) do nothing"""
    )


def note_reported(conn: Connection[DictRow], reported: Collection[Uncatalogued]) -> None:
    """Notes that Dagster knows of partitions; not of those that were made anew meanwhile."""
    conn.execute(
        """delete from uncatalogued u using unnest(%s::text[], %s::text[], %s::timestamptz[]) r (kind, key, since)
           where (u.kind, u.key, u.since) = (r.kind, r.key, r.since)""",
        [[str(r.kind) for r in reported], [r.key for r in reported], [r.since for r in reported]],
    )


def next_ones(conn: Connection[DictRow], limit: int) -> list[Uncatalogued]:
    """The partitions that wait for longest."""
    rows = conn.execute("select kind, key, since from uncatalogued order by since, kind, key limit %s", [limit])
    return [Uncatalogued(Partitions(row["kind"]), row["key"], row["since"]) for row in rows]


def how_many(conn: Connection[DictRow]) -> int:
    """How many partitions wait."""
    row = conn.execute("select count(*) as n from uncatalogued").fetchone()
    return int(row["n"]) if row else 0


def keys_waiting(conn: Connection[DictRow]) -> Mapping[Partitions, list[str]]:
    """The keys of all that wait, by kind, in order of play."""
    rows = conn.execute(
        """select kind, key from uncatalogued left join partition_played on partition_key = key
           order by since, played_at, key"""
    ).fetchall()
    return {kind: [row["key"] for row in rows if row["kind"] == kind] for kind in Partitions}
