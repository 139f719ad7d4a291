"""What is stored, counted for the audit: missing rounds by month, what does not count, files, checks, timing.

Belongs here: reading over everything, or over one server and the months from one on.
Does not belong here: how the report is worded (``reports.audit``), one round's story (``receipts``).

Months and dates are those of the file stamps, the game server's own calendar; timing records, whose names may carry
none, are taken by their end in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.rules.pairing import BROKEN_OFF
from slomix_pipeline.rules.timing_chain import BROKEN_LINK, ChainLink
from slomix_pipeline.rules.timing_records import UnlinkedClass
from slomix_pipeline.rules.values import FileStatus, Status
from slomix_pipeline.warehouse.check_results import CheckName, Severity
from slomix_pipeline.warehouse.due import MessageTrouble
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class Scope:
    """What is looked at. ``server``: an id, None for all; ``since``: first month as ``YYYY-MM``, "" for all.

    ``now`` and ``window`` (longest time from round 1 to round 2) tell which round 2 may still come; ``rules`` are those
    in force.
    """

    server: str | None
    since: str
    now: datetime
    window: timedelta
    rules: str

    def values(self, **more: Any) -> dict[str, Any]:
        """For the queries below."""
        return {
            "server": self.server,
            "since": datetime.fromisoformat(f"{self.since}-01") if self.since else datetime.min,
            "now": self.now,
            "window": self.window,
            "rules": self.rules,
            "broken_off": BROKEN_OFF,
            **more,
        }


# Every query over rounds begins with this. ``missing_*_strict``: what file names alone tell, by date and map.
# ``missing_*``: what pairing tells; a round 2 that may still come, or that was broken off, is not missing.
ROUNDS = """
with looked_at as (
    select p.round_key, p.server, p.name, p.label, p.stamp, p.stamp_local, f.named_map,
           date_trunc('month', p.stamp_local)::date as month, r.number, r.status, r.reason, r.invalid_reason,
           coalesce(r.valid, false) as valid, r.rules,
           t.link_class, t.timing_status, t.record_key, e.link_class as endstats,
           p.label = 2 and coalesce(min(p.stamp_local) filter (where p.label = 1) over day >= p.stamp_local, true)
               as missing_r1_strict,
           p.label = 1 and coalesce(max(p.stamp_local) filter (where p.label = 2) over day <= p.stamp_local, true)
               as missing_r2_strict,
           coalesce(r.status = 'r2_only', false) as missing_r1,
           coalesce(r.status = 'r1_only' and r.reason <> %(broken_off)s
                    and p.stamp < %(now)s::timestamptz - %(window)s::interval, false) as missing_r2
    from parsed_round p
    join file f using (server, name)
    left join round r using (round_key)
    left join round_timing t using (round_key)
    left join round_endstats e using (round_key)
    where (%(server)s::text is null or p.server = %(server)s) and p.stamp_local >= %(since)s
    window day as (partition by p.server, p.stamp_local::date, f.named_map)
)
"""

# Names that tell no time are of every month.
_FILES = """
    (%(server)s::text is null or f.server = %(server)s)
    and coalesce(f.named_stamp, f.named_end at time zone 'UTC', 'infinity') >= %(since)s
"""
# Of what stands behind a partition's key.
_PLAYED = """
    (%(server)s::text is null or played.server = %(server)s) and (played.played_at >= %(since)s) is not false
"""


def servers(conn: Connection[DictRow]) -> list[str]:
    """Every server that a file was seen of."""
    return [row["server"] for row in conn.execute("select distinct server from file order by server")]


@dataclass(frozen=True)
class Month:
    """Rounds counted of one month (its first day), or of all, where ``month`` is None.

    ``missing_*_strict`` is by file names alone, the others by pairing; ``complete`` counts matches; ``linked`` to
    ``differing`` are of timing records, ``with_endstats`` only of rounds that count.
    """

    month: date | None
    rounds: int
    valid: int
    not_worked_out: int
    outdated: int
    complete: int
    missing_r1_strict: int
    missing_r1: int
    missing_r2_strict: int
    missing_r2: int
    linked: int
    candidates: int
    ties: int
    differing: int
    with_endstats: int
    endstats_ties: int


def months(conn: Connection[DictRow], scope: Scope) -> list[Month]:
    """Counts by month, oldest first, and last over all of them."""
    with conn.cursor(row_factory=rows_of(Month)) as cursor:
        return cursor.execute(
            ROUNDS
            + """
            select month, count(*) as rounds, count(*) filter (where valid) as valid,
                   count(*) filter (where status is null) as not_worked_out,
                   count(*) filter (where status is not null and rules is distinct from %(rules)s) as outdated,
                   count(*) filter (where status = 'complete' and number = 1) as complete,
                   count(*) filter (where missing_r1_strict) as missing_r1_strict,
                   count(*) filter (where missing_r1) as missing_r1,
                   count(*) filter (where missing_r2_strict) as missing_r2_strict,
                   count(*) filter (where missing_r2) as missing_r2,
                   count(*) filter (where record_key is not null) as linked,
                   count(*) filter (where link_class = 'fuzzy') as candidates,
                   count(*) filter (where link_class = 'tie') as ties,
                   count(*) filter (where timing_status in ('MINOR DIFF', 'DISCREPANCY')) as differing,
                   count(*) filter (where valid and endstats = 'exact_end') as with_endstats,
                   count(*) filter (where endstats = 'tie') as endstats_ties
            from looked_at group by grouping sets ((month), ()) order by month nulls last""",
            scope.values(),
        ).fetchall()


@dataclass(frozen=True)
class MissingRound:
    """A round without its other round, whose number is ``lost``. ``file_*``: of the file that it may be in, which was
    seen at the right time but could not be read or was never fetched; None when there is none."""

    round_key: str
    reason: str | None
    stamp: datetime
    lost: int
    file_name: str | None
    file_status: FileStatus | None
    file_reason: str | None


def missing(conn: Connection[DictRow], scope: Scope) -> list[MissingRound]:
    """Rounds without their other round, newest first."""
    with conn.cursor(row_factory=rows_of(MissingRound)) as cursor:
        return cursor.execute(
            ROUNDS
            + """
            select m.round_key, m.reason, m.stamp, 3 - m.label as lost,
                   seen.name as file_name, seen.status as file_status, seen.reason as file_reason
            from looked_at m
            left join lateral (
                select f.name, f.status, f.reason
                from file f
                cross join lateral (select f.named_stamp - m.stamp_local as later) apart
                where f.server = m.server and f.kind = 'stats' and f.status in ('quarantined', 'listed', 'requested')
                  and f.named_map = m.named_map and f.named_number = 3 - m.label
                  and f.named_stamp between m.stamp_local - %(window)s::interval
                                        and m.stamp_local + %(window)s::interval
                  and case m.label when 2 then later < interval '0' else later > interval '0' end
                order by abs(extract(epoch from later)) limit 1
            ) seen on true
            where m.missing_r1 or m.missing_r2
            order by m.stamp desc, m.round_key""",
            scope.values(),
        ).fetchall()


@dataclass(frozen=True)
class CountedDifferently:
    """Rounds of a status (None: not worked out) that one count of missing rounds sees alone: how many each."""

    status: Status | None
    strict: int
    real: int


def counted_differently(conn: Connection[DictRow], scope: Scope) -> list[CountedDifferently]:
    """How often each count of missing rounds sees what the other does not, by what became of the round."""
    with conn.cursor(row_factory=rows_of(CountedDifferently)) as cursor:
        return cursor.execute(
            ROUNDS
            + """
            select status,
                   count(*) filter (where missing_r1_strict or missing_r2_strict) as strict,
                   count(*) filter (where missing_r1 or missing_r2) as real
            from looked_at
            where (missing_r1_strict or missing_r2_strict) <> (missing_r1 or missing_r2)
            group by status order by coalesce(status, 'not worked out')""",
            scope.values(),
        ).fetchall()


@dataclass(frozen=True)
class NotCounting:
    """Rounds that count nowhere for one reason; ``keys`` newest first."""

    status: Status
    reason: str
    rounds: int
    oldest: datetime
    newest: datetime
    keys: tuple[str, ...]


def not_counting(conn: Connection[DictRow], scope: Scope) -> list[NotCounting]:
    """Rounds that count nowhere, by status and reason, most first."""
    with conn.cursor(row_factory=rows_of(NotCounting)) as cursor:
        return cursor.execute(
            ROUNDS
            + """
            select status, invalid_reason as reason,
                   count(*) as rounds, min(stamp) as oldest, max(stamp) as newest,
                   array_agg(round_key order by stamp desc, round_key) as keys
            from looked_at where status is not null and not valid
            group by 1, 2 order by rounds desc, 1, 2""",
            scope.values(),
        ).fetchall()


@dataclass(frozen=True)
class Quarantined:
    """Files nothing could be made of for one reason; ``names`` newest first."""

    kind: FileKind
    reason: str | None
    files: int
    names: tuple[str, ...]


def quarantined(conn: Connection[DictRow], scope: Scope) -> list[Quarantined]:
    """Files nothing could be made of, by kind and reason, most first."""
    with conn.cursor(row_factory=rows_of(Quarantined)) as cursor:
        return cursor.execute(
            f"""select f.kind, f.reason, count(*) as files, array_agg(f.name order by f.name desc) as names
                from file f where f.status = 'quarantined' and {_FILES}
                group by 1, 2 order by files desc, 1, 2""",
            scope.values(),
        ).fetchall()


@dataclass(frozen=True)
class NeverFetched:
    """Files that were seen and whose bytes never came; ``oldest``: when the first was seen, ``names`` newest first."""

    kind: FileKind
    status: FileStatus
    reason: str | None
    files: int
    oldest: datetime
    names: tuple[str, ...]


def never_fetched(conn: Connection[DictRow], scope: Scope) -> list[NeverFetched]:
    """Files that were seen and whose bytes never came, by kind, status and reason, most first."""
    with conn.cursor(row_factory=rows_of(NeverFetched)) as cursor:
        return cursor.execute(
            f"""select f.kind, f.status, f.reason, count(*) as files, min(f.first_seen_at) as oldest,
                       array_agg(f.name order by f.name desc) as names
                from file f where f.sha256 is null and f.status in ('listed', 'requested') and {_FILES}
                group by 1, 2, 3 order by files desc, 1, 2, 3""",
            scope.values(),
        ).fetchall()


@dataclass(frozen=True)
class CheckFailed:
    """A check that did not pass for ``failed`` of the ``looked`` keys it looked at. ``newest``: keys of the newest of
    them, ``facts``: what it saw of each."""

    check_name: CheckName
    looked: int
    failed: int
    errors: int
    newest: tuple[str, ...]
    facts: tuple[Mapping[str, Any], ...]


def checks(conn: Connection[DictRow], scope: Scope, newest: int) -> list[CheckFailed]:
    """Checks that did not pass, most first: how many of how many, and the ``newest`` of them with what they saw."""
    with conn.cursor(row_factory=rows_of(CheckFailed)) as cursor:
        return cursor.execute(
            f"""
            with looked_at as (
                select c.*, played.played_at
                from check_result c join partition_played played using (partition_key)
                where {_PLAYED}
                  and check_name <> %(chain)s   -- has lines of its own
            ), failed as (
                select *, row_number() over (partition by check_name order by played_at desc, partition_key desc) as age
                from looked_at where not passed
            )
            select check_name, (select count(*) from looked_at l where l.check_name = f.check_name) as looked,
                   count(*) as failed, count(*) filter (where severity = %(error)s) as errors,
                   array_agg(partition_key order by age) filter (where age <= %(newest)s) as newest,
                   array_agg(metadata order by age) filter (where age <= %(newest)s) as facts
            from failed f group by check_name order by failed desc, check_name""",
            scope.values(newest=newest, chain=CheckName.TIMING_CHAIN, error=Severity.ERROR),
        ).fetchall()


def message_troubles(conn: Connection[DictRow], scope: Scope) -> list[MessageTrouble]:
    """Messages somebody has to look at, newest first."""
    with conn.cursor(row_factory=rows_of(MessageTrouble)) as cursor:
        return cursor.execute(
            f"""select t.thing, t.kind, t.partition_key, t.trouble, t.detail, t.since, t.session_key
                from message_trouble t join partition_played played using (partition_key)
                where {_PLAYED}
                order by since desc, thing""",
            scope.values(),
        ).fetchall()


def rounds_without_endstats(conn: Connection[DictRow], scope: Scope) -> list[str]:
    """Rounds that count and have no endstats, of the months in which some round has, newest first."""
    rows = conn.execute(
        ROUNDS
        + """
        select round_key from looked_at join round_without_endstats using (round_key)
        where month in (select month from looked_at where endstats = 'exact_end')
        order by looked_at.stamp desc, round_key""",
        scope.values(),
    )
    return [row["round_key"] for row in rows]


@dataclass(frozen=True)
class LostTiming:
    """Rounds whose timing record got lost at one link; ``newest``: keys, at most 3."""

    link: ChainLink
    rounds: int
    newest: tuple[str, ...]


def broken_links(conn: Connection[DictRow], scope: Scope) -> list[LostTiming]:
    """Rounds without a timing record by where it got lost, most first."""
    with conn.cursor(row_factory=rows_of(LostTiming)) as cursor:
        return cursor.execute(
            f"""select metadata ->> %(name)s as link, count(*) as rounds,
                      (array_agg(partition_key order by played_at desc, partition_key desc))[:3] as newest
               from check_result join partition_played played using (partition_key)
               where check_name = %(chain)s and not passed and {_PLAYED}
               group by 1 order by rounds desc, link""",
            scope.values(name=BROKEN_LINK, chain=CheckName.TIMING_CHAIN),
        ).fetchall()


@dataclass(frozen=True)
class UnusedRecords:
    """Timing records that no round uses, of one class (None: not looked at yet, or no round within 45 min);
    ``newest``: keys and reasons, at most 3."""

    unlinked_class: UnlinkedClass | None
    records: int
    newest: tuple[str, ...]


def records_without_round(conn: Connection[DictRow], scope: Scope) -> list[UnusedRecords]:
    """Timing records that no round uses, by why not, most first."""
    with conn.cursor(row_factory=rows_of(UnusedRecords)) as cursor:
        return cursor.execute(
            """select unlinked_class, count(*) as records,
                      (array_agg(concat_ws(': ', record_key, unlinked_reason)
                                 order by ended_at desc, record_key))[:3] as newest
               from timing_record w
               where not exists (select from round_timing t where t.record_key = w.record_key)
                 and (%(server)s::text is null or w.server = %(server)s)
                 and w.ended_at at time zone 'UTC' >= %(since)s
               group by unlinked_class order by records desc, unlinked_class""",
            scope.values(),
        ).fetchall()
