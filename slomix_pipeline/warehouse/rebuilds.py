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
from slomix_pipeline.warehouse.derived import Compared
from slomix_pipeline.warehouse.digests import Digest


class Rebuild(StrEnum):
    """What a rebuild does with what is there."""

    EVERYTHING = "everything"  # works it out again
    FROM_SCRATCH = "from scratch"  # takes it away before, and proves that it is the same after


def begin(conn: Connection[DictRow], what: Rebuild) -> bool:
    """Notes all stats files and timing records whose bytes are here and that no run is at, as to be taken through; not
    where an earlier rebuild left some. Returns whether one did."""
    if conn.execute("insert into rebuild (what) values (%s) on conflict do nothing", [what]).rowcount == 0:
        return True
    conn.execute(
        """insert into rebuild_left (what, kind, partition_key)
           select %s, kind, partition_key from file
           where kind in ('stats', 'timing') and partition_key is not null and sha256 is not null
             and status in ('ingested', 'known', 'quarantined')""",
        [what],
    )
    return False


def left(conn: Connection[DictRow], what: Rebuild, kind: FileKind) -> list[str]:
    """What a rebuild has to take through yet, of a kind of files, in order of the keys."""
    rows = conn.execute(
        "select partition_key from rebuild_left where what = %s and kind = %s order by 1", [what, kind]
    ).fetchall()
    return [row["partition_key"] for row in rows]


def note_through(conn: Connection[DictRow], what: Rebuild, kind: FileKind, keys: Iterable[str]) -> None:
    """Notes what a rebuild took through. Belongs into the transaction of the last change."""
    conn.execute(
        "delete from rebuild_left where what = %s and kind = %s and partition_key = any(%s)", [what, kind, list(keys)]
    )


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


def stamps_of(conn: Connection[DictRow], keys: Iterable[str], zone: str) -> dict[str, dict[str, datetime]]:
    """When the rounds of stats files ended, as far as it is known, by server and key: as they were read, else by the
    file's name. ``zone``: of the stamps of files that name none of their own."""
    rows = conn.execute(
        """select f.server, f.partition_key,
                  coalesce(p.stamp, f.named_stamp at time zone coalesce(f.timezone, %s)) as at
           from file f left join parsed_round p on p.round_key = f.partition_key
           where f.kind = 'stats' and f.partition_key = any(%s) and f.named_stamp is not null
           order by f.server, at, f.partition_key""",
        [zone, list(keys)],
    ).fetchall()
    found: dict[str, dict[str, datetime]] = {}
    for row in rows:
        found.setdefault(row["server"], {})[row["partition_key"]] = row["at"]
    return found
