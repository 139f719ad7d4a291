"""Dagster's own records of long ago: what is taken away, and what stays for ever.

Belongs here: the SQL on Dagster's tables, as the pinned version makes them; how large everything is.
Does not belong here: when that is done and who says so (``sensors.pruning``).

``DagsterInstance.delete_run`` takes the materialisations of a run too: its rounds would look as if they had never been
made, and a backfill of what is missing would make them again. So of a run of long ago the row and all events go but
its materialisations, and of those the newest of each partition stays; of an asset without partitions all do, a few each
evening, as the UI plots what they say over time. Of the evaluations of checks the newest of each
partition stays when it failed; what passed is in ``check_result``.

All of it in portions, each a transaction of its own: nothing is locked for long, and what is interrupted goes on the
next time. Whoever does so is logged in as the owner of these tables (``sensors.pruning``), and reads nothing but tables
here: what else its owner put in their place would run with the reader's rights. PostgreSQL gives the room of deleted
rows to new ones, not back to the disk: files stop growing, they don't become smaller.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, LiteralString

from psycopg import Connection, sql
from psycopg.rows import DictRow

from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.rows import rows_of

KEEP = timedelta(days=7)  # runs that succeeded, what was superseded, and checks that passed
KEEP_FAILED = timedelta(days=90)  # runs that did not; and ticks, whatever came of them
KEEP_SKIPPED = timedelta(hours=1)  # ticks that found nothing: 50,000 a day, and Dagster itself keeps them for days
_RUNS_AT_ONCE = 50  # a run of one round has about a hundred events
_ROWS_AT_ONCE = 5000


@dataclass(frozen=True)
class Pruned:
    """How many rows were taken away: runs, events of the log, evaluations of checks."""

    runs: int = 0
    events: int = 0
    evaluations: int = 0

    def __add__(self, other: "Pruned") -> "Pruned":
        return Pruned(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def prune(database: Database, now: datetime) -> Iterator[Pruned]:
    """Takes away what is old at ``now``, and says after each portion what that was: whoever has no more time stops
    asking. Nothing, where Dagster keeps its records elsewhere."""
    if _are_here(database):
        _pack(database)
        taken = Pruned()
        for portion in chain(_runs(database, now), _events(database, now), _evaluations(database, now)):
            taken += portion
            yield portion
        if taken.events:
            _rebuild_indexes(database)


def forget_ticks(database: Database, now: datetime) -> int:
    """Takes away old ticks of sensors and schedules, also of those that exist no more. Returns how many."""
    if not _are_here(database):
        return 0
    with database.transaction() as conn:
        return conn.execute(
            """delete from dagster.job_ticks
               where status = 'SKIPPED' and timestamp < %s or timestamp < %s""",
            [_written(now - KEEP_SKIPPED), _written(now - KEEP_FAILED)],
        ).rowcount


def _are_here(database: Database) -> bool:
    with database.connect() as conn:
        row = conn.execute("select to_regclass('dagster.event_logs') is not null as here").fetchone()
    return row is not None and bool(row["here"])


def _pack(database: Database) -> None:
    """Has PostgreSQL pack every event that is written from now on: as it is set up, it packs those above 2 kB only, and
    most are smaller, with long words that return in all of them."""
    with database.transaction() as conn:
        row = conn.execute(
            """select coalesce('toast_tuple_target=128' = any(reloptions), false) as is_set
               from pg_class where oid = 'dagster.event_logs'::regclass"""
        ).fetchone()
        assert row is not None
        if not row["is_set"]:
            conn.execute("alter table dagster.event_logs set (toast_tuple_target = 128)")
            conn.execute("alter table dagster.event_logs alter column event set storage main")  # packed, but in its row


def _runs(database: Database, now: datetime) -> Iterator[Pruned]:
    """Runs that ended long ago. One that failed stays for as long as it is the last that tried to make a partition:
    that is what shows as failed."""
    runs = _found(
        database,
        """select r.run_id as found from dagster.runs r
           where r.status = 'SUCCESS' and r.update_timestamp < %(kept)s
              or r.status = 'CANCELED' and r.update_timestamp < %(failed_kept)s
              or r.status = 'FAILURE' and r.update_timestamp < %(failed_kept)s and not exists (
                     select from dagster.event_logs planned
                     where planned.run_id = r.run_id
                       and planned.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'
                       and not exists (
                           select from dagster.event_logs later
                           where later.asset_key = planned.asset_key
                             and later.dagster_event_type
                                 in ('ASSET_MATERIALIZATION', 'ASSET_MATERIALIZATION_PLANNED')
                             and later.partition is not distinct from planned.partition
                             and later.id > planned.id))
           order by r.id""",
        now,
    )
    for some in _portions(runs, _RUNS_AT_ONCE):
        with database.transaction() as conn:
            events = conn.execute(
                """delete from dagster.event_logs
                   where run_id = any(%s) and dagster_event_type is distinct from 'ASSET_MATERIALIZATION'""",
                [some],
            ).rowcount
            gone = conn.execute("delete from dagster.runs where run_id = any(%s)", [some]).rowcount  # tags go with it
        yield Pruned(runs=gone, events=events)


def _events(database: Database, now: datetime) -> Iterator[Pruned]:
    """Events that belong to no run (any more), but for the last materialisation of every partition."""
    events = _found(
        database,
        """select e.id as found
           from (select id, run_id, dagster_event_type, partition, timestamp,
                        dagster_event_type = 'ASSET_MATERIALIZATION'
                        and id = max(id) over (partition by dagster_event_type, asset_key, partition) as is_last
                 from dagster.event_logs) e
           where e.is_last is not true and e.timestamp < %(kept)s
             and not (e.dagster_event_type = 'ASSET_MATERIALIZATION' and e.partition is null)
             and not exists (select from dagster.runs r where r.run_id = e.run_id)
           order by e.id""",
        now,
    )
    for some in _portions(events, _ROWS_AT_ONCE):
        with database.transaction() as conn:
            conn.execute("delete from dagster.asset_event_tags where event_id = any(%s)", [some])
            gone = conn.execute("delete from dagster.event_logs where id = any(%s)", [some]).rowcount
        yield Pruned(events=gone)


def _evaluations(database: Database, now: datetime) -> Iterator[Pruned]:
    """Evaluations of checks that belong to no run (any more), but for the last of every check and partition where that
    failed. One that was only planned goes, too: for want of its run Dagster would show it as in progress for ever."""
    evaluations = _found(
        database,
        """select c.id as found
           from (select id, run_id, create_timestamp, execution_status,
                        max(id) filter (where execution_status <> 'PLANNED')
                            over (partition by asset_key, check_name, partition) as last
                 from dagster.asset_check_executions) c
           where (c.execution_status <> 'FAILED' or c.id < c.last) and c.create_timestamp < %(kept)s
             and not exists (select from dagster.runs r where r.run_id = c.run_id)
           order by c.id""",
        now,
    )
    for some in _portions(evaluations, _ROWS_AT_ONCE):
        with database.transaction() as conn:
            gone = conn.execute("delete from dagster.asset_check_executions where id = any(%s)", [some]).rowcount
        yield Pruned(evaluations=gone)


def _rebuild_indexes(database: Database) -> None:
    """Gives back what indexes of the log hold for rows that are gone: every page keeps a few of those that stay. Nobody
    waits meanwhile, and what an interrupted one left is taken away by the next."""
    with database.connect() as conn:
        conn.autocommit = True
        left = conn.execute(
            """select indexrelid::regclass::text as name from pg_index
               where has_schema_privilege((select relnamespace from pg_class where oid = indexrelid), 'usage')
                 and indrelid in (select unnest(array[oid, reltoastrelid]) from pg_class
                                  where oid = 'dagster.event_logs'::regclass)
                 and not indisvalid"""
        ).fetchall()
        for row in left:
            conn.execute(sql.SQL("drop index {}").format(sql.SQL(row["name"])))
        conn.execute("reindex table concurrently dagster.event_logs")


def _found(database: Database, query: LiteralString, now: datetime) -> list[Any]:
    """The ids that a query finds."""
    with database.connect() as conn:
        bounds = {"kept": _written(now - KEEP), "failed_kept": _written(now - KEEP_FAILED)}
        return [row["found"] for row in conn.execute(query, bounds)]


def _written(at: datetime) -> datetime:
    """A time as Dagster writes it: in UTC, without saying so."""
    return at.astimezone(UTC).replace(tzinfo=None)


def _portions(ids: Sequence[Any], at_once: int) -> Iterator[list[Any]]:
    for first in range(0, len(ids), at_once):
        yield list(ids[first : first + at_once])


@dataclass(frozen=True)
class Sizes:
    """Bytes of our tables and of Dagster's, with their indexes, and of how many rounds they are."""

    ours: int
    dagsters: int
    rounds: int

    @property
    def in_words(self) -> str:
        return f"our tables are {self.ours / 1e6:,.0f} MB, Dagster's records {self.dagsters / 1e6:,.0f} MB"


def sizes(conn: Connection[DictRow]) -> Sizes:
    with conn.cursor(row_factory=rows_of(Sizes)) as cursor:
        found = cursor.execute(
            """select coalesce(sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'public'), 0)::bigint
                          as ours,
                      coalesce(sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'dagster'), 0)::bigint
                          as dagsters,
                      (select count(*) from parsed_round) as rounds
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where c.relkind in ('r', 'm')"""
        ).fetchone()
    assert found is not None
    return found


def _is_table(conn: Connection[DictRow], name: str) -> bool:
    row = conn.execute("select site.is_mere_table(%s) as so", [name]).fetchone()
    return row is not None and bool(row["so"])


def oldest_run(conn: Connection[DictRow]) -> datetime | None:
    """Since when there are runs; None where there is none, or they are kept elsewhere."""
    if not _is_table(conn, "dagster.runs"):
        return None
    row = conn.execute("select min(create_timestamp) at time zone 'UTC' as since from dagster.runs").fetchone()
    return None if row is None else row["since"]


def heartbeats(conn: Connection[DictRow]) -> dict[str, datetime]:
    """The last sign of life of each of Dagster's daemons; none where its records are kept elsewhere."""
    if not _is_table(conn, "dagster.daemon_heartbeats"):
        return {}
    rows = conn.execute("select daemon_type, timestamp at time zone 'UTC' as at from dagster.daemon_heartbeats")
    return {row["daemon_type"]: row["at"] for row in rows}
