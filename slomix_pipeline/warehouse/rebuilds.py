"""Rebuilds under way: what each has to take through yet, and what was proved of what is through.

Belongs here: the tables ``rebuild``, ``rebuild_left``, ``rebuild_proof``. Does not belong here: what is rebuilt how
(``actions.rebuilding``), what a proof compares (``derived``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.derived import Compared
from slomix_pipeline.warehouse.digests import Digest
from slomix_pipeline.warehouse.unfinished import command_works


class Rebuild(StrEnum):
    """What a rebuild does with what is there."""

    EVERYTHING = "everything"  # works it out again
    FROM_SCRATCH = "from scratch"  # takes it away before, and proves that it is the same after


def begin(conn: Connection[DictRow], what: Rebuild, rules: str) -> datetime | None:
    """Notes all stats files and timing records whose bytes are here and that no run is at, as to be taken through; but
    for what an earlier rebuild by the same rules took through. Returns when that began, None where there is none."""
    conn.execute("delete from rebuild where what = %s and rules <> %s", [what, rules])
    earlier = conn.execute("select begun_at from rebuild where what = %s", [what]).fetchone()
    conn.execute("insert into rebuild (what, rules) values (%s, %s) on conflict do nothing", [what, rules])
    conn.execute(
        """insert into rebuild_left (what, kind, partition_key)
           select %s, kind, partition_key from file
           where kind in ('stats', 'timing') and partition_key is not null and sha256 is not null
             and status in ('ingested', 'known', 'quarantined')
           on conflict do nothing""",
        [what],
    )
    return earlier["begun_at"] if earlier else None


def left(conn: Connection[DictRow], what: Rebuild, kind: FileKind) -> list[str]:
    """What a rebuild has to take through yet, of a kind of files, in order of the keys."""
    rows = conn.execute(
        """select partition_key from rebuild_left where what = %s and kind = %s and not is_through order by 1""",
        [what, kind],
    ).fetchall()
    return [row["partition_key"] for row in rows]


def note_through(conn: Connection[DictRow], what: Rebuild, kind: FileKind, keys: Iterable[str]) -> None:
    """Notes what a rebuild took through. Belongs into the transaction of the last change."""
    conn.execute(
        """update rebuild_left set is_through = true
           where what = %s and kind = %s and partition_key = any(%s)""",
        [what, kind, list(keys)],
    )


def left_out(conn: Connection[DictRow], what: Rebuild) -> list[str]:
    """The rounds and records that are here and that a rebuild did not take through, in order of their keys: a run is
    at them, or nothing dates them. Not those that were read since it began: they are new."""
    rows = conn.execute(
        """select key from (select round_key as key, 'stats' as kind, parsed_at as read_at from parsed_round
                            union all select record_key, 'timing', stored_at from timing_record) there
           join rebuild b on b.what = %(what)s
           where there.read_at < b.begun_at
             and not exists (select from rebuild_left l where l.what = b.what and l.kind = there.kind
                             and l.partition_key = there.key and l.is_through)
           order by key""",
        {"what": what},
    ).fetchall()
    return [row["key"] for row in rows]


def in_rebuild(database: Database) -> set[str]:
    """What a rebuild has to take through or to tell of yet, while a command works."""
    if not command_works(database):
        return set()
    with database.connect() as conn:
        rows = conn.execute(
            """select partition_key from rebuild_left l
               where not is_through or exists (select from unfinished u where u.partition_key = l.partition_key)"""
        )
        return {row["partition_key"] for row in rows}


def note_proof(conn: Connection[DictRow], what: Rebuild, part: str, proof: Mapping[str, Compared]) -> None:
    """Keeps what was compared of a part, by table. Belongs into the transaction that made it anew."""
    conn.execute(
        """insert into rebuild_proof (what, part, proof) values (%s, %s, %s)
           on conflict (what, part) do update set proof = excluded.proof""",
        [what, part, Jsonb({table: asdict(compared) for table, compared in proof.items()})],
    )


def proofs(conn: Connection[DictRow], what: Rebuild) -> list[dict[str, Compared]]:
    """What was compared of each part, by table."""
    rows = conn.execute("select proof from rebuild_proof where what = %s order by part", [what]).fetchall()
    return [{table: _compared(**stored) for table, stored in row["proof"].items()} for row in rows]


def _compared(before: Mapping[str, object], after: Mapping[str, object], keys: Iterable[str]) -> Compared:
    return Compared(Digest(**before), Digest(**after), tuple(keys))  # type: ignore[arg-type]  # as asdict wrote it


def end(conn: Connection[DictRow], what: Rebuild) -> None:
    """Forgets a rebuild that is through."""
    conn.execute("delete from rebuild where what = %s", [what])


def stamps_of(conn: Connection[DictRow], server: str, keys: Iterable[str], zone: str) -> dict[str, datetime]:
    """When the rounds of a game server's stats files ended, as far as it is known: as they were read, else by the
    file's name. ``zone``: of the stamps of files that name none of their own."""
    rows = conn.execute(
        """select f.partition_key,
                  coalesce(p.stamp, f.named_stamp at time zone coalesce(f.timezone, %s)) as at
           from file f left join parsed_round p on p.round_key = f.partition_key
           where f.kind = 'stats' and f.server = %s and f.partition_key = any(%s) and f.named_stamp is not null
           order by at, f.partition_key""",
        [zone, server, list(keys)],
    ).fetchall()
    return {row["partition_key"]: row["at"] for row in rows}
