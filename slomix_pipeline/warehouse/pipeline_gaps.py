"""Where something is missing, and what nobody looked at so far: what the nightly report asks beside ``pipeline_facts``.

Belongs here: reading it, as the owner. Does not belong here: what the audit lists in full (``audit``), words
(``reports.pipeline_report``).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.warehouse.audit import ROUNDS, Scope
from slomix_pipeline.warehouse.check_results import ABOUT_MESSAGES
from slomix_pipeline.warehouse.rebuilds import Rebuild
from slomix_pipeline.warehouse.rows import rows_of

SPANS = (timedelta(days=7), timedelta(days=30))  # of which coverage is told


@dataclass(frozen=True, slots=True)
class Unaccounted:
    """Files whose status says what nothing in the database shows; ``names``: at most 3, the newest first."""

    server: str
    kind: FileKind
    status: FileStatus
    files: int
    names: tuple[str, ...]


def unaccounted(conn: Connection[DictRow]) -> list[Unaccounted]:
    """Files that are said to be taken in, and nothing of them is there; copies whose other is not there; files that
    were set aside, and nobody knows why. There should be none."""
    with conn.cursor(row_factory=rows_of(Unaccounted)) as cursor:
        return cursor.execute(
            """select f.server, f.kind, f.status, count(*) as files,
                      (array_agg(f.name order by f.first_seen_at desc, f.name))[1:3] as names
               from file f
               where case f.status
                         when 'ingested' then case f.kind
                             when 'stats' then not exists (select from parsed_round p
                                                           where p.server = f.server and p.name = f.name)
                             when 'timing' then not exists (select from timing_record t
                                                            where t.server = f.server and t.name = f.name)
                             when 'endstats' then not exists (select from endstats_file e
                                                              where e.file_key = f.partition_key)
                             else true end
                         when 'known' then not exists (select from file o
                                                       where o.server = f.server and o.sha256 = f.sha256
                                                         and o.name <> f.name)
                         when 'quarantined' then f.reason is null
                         else false end
               group by f.server, f.kind, f.status order by f.server, f.kind, f.status"""
        ).fetchall()


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of rounds that ended within the last ``days`` by the game server's clock: how many have a timing record, and of
    those that count how many have endstats."""

    days: int
    rounds: int
    valid: int
    with_timing: int
    with_endstats: int


def coverage(conn: Connection[DictRow], scope: Scope, span: timedelta) -> Coverage:
    """How much of the rounds of lately is known beside their own numbers."""
    with conn.cursor(row_factory=rows_of(Coverage)) as cursor:
        row = cursor.execute(
            ROUNDS
            + """
            select %(days)s::integer as days, count(*) as rounds, count(*) filter (where valid) as valid,
                   count(*) filter (where record_key is not null) as with_timing,
                   count(*) filter (where valid and endstats = 'exact_end') as with_endstats
            from looked_at where stamp > %(now)s::timestamptz - %(span)s::interval""",
            scope.values(days=span.days, span=span),
        ).fetchone()
    assert row is not None
    return row


@dataclass(frozen=True, slots=True)
class Left:
    """Things of one kind that nobody looked at, the oldest since then."""

    things: int
    since: datetime | None


def link_requests(conn: Connection[DictRow]) -> Left:
    """Who asked to be linked, and nobody answered."""
    return _left(conn, "select count(*) as things, min(asked_at) as since from link_request")


def open_alarms(conn: Connection[DictRow]) -> Left:
    """Alarms that go on."""
    return _left(conn, "select count(*) as things, min(opened_at) as since from alarm where closed_at is null")


def ambiguous_rounds(conn: Connection[DictRow]) -> int:
    """Rounds of which can't be told what they are."""
    return _left(conn, "select count(*) as things, null as since from round where status = 'ambiguous'").things


@dataclass(frozen=True, slots=True)
class New:
    """What came up lately: files that can't be read, failed checks, rounds of which can't be told what they are."""

    quarantined: int
    checks: int
    ambiguous: int


def new(conn: Connection[DictRow], since: datetime) -> New:
    """What came up since then. As alarms have it, of the game server itself and of what was played since: an import
    says what is wrong with its files where it is typed."""
    with conn.cursor(row_factory=rows_of(New)) as cursor:
        row = cursor.execute(
            """select (select count(*) from file
                       where status = 'quarantined' and by_sensor and finished_at > %(since)s) as quarantined,
                      (select count(*) from check_result c join partition_played p using (partition_key)
                       where not c.passed and c.severity = 'ERROR' and c.checked_at > %(since)s
                         and p.played_at > %(since)s at time zone 'UTC'
                         and c.check_name <> all(%(about_messages)s)) as checks,
                      (select count(*) from round r join parsed_round p using (round_key)
                       where r.status = 'ambiguous' and p.stamp > %(since)s) as ambiguous""",
            {"since": since, "about_messages": ABOUT_MESSAGES},
        ).fetchone()
    assert row is not None
    return row


def rebuilding(conn: Connection[DictRow]) -> bool:
    """Whether a rebuild is under way, or was stopped and has to go on."""
    row = conn.execute(
        "select exists (select from rebuild where what = %s) as going_on", [Rebuild.FROM_SCRATCH]
    ).fetchone()
    assert row is not None
    return bool(row["going_on"])


def _left(conn: Connection[DictRow], query: str) -> Left:
    with conn.cursor(row_factory=rows_of(Left)) as cursor:
        row = cursor.execute(query.encode()).fetchone()
    assert row is not None
    return row
