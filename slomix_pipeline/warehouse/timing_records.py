"""Timing records in the database: what each says, and why one has no round.

Belongs here: writing and reading ``timing_record``, and what is known of records that are not there.
Does not belong here: which record belongs to which round (``rules.timing_records``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta, tzinfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.formats.names import readable
from slomix_pipeline.rules import linking
from slomix_pipeline.rules.linking import CANDIDATE_WINDOW, Clocked
from slomix_pipeline.rules.reach import ReachOf
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.timing_records import FiledRecord, Unlinked, UnreadFile, clocked_file
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.warehouse.files import FileRow
from slomix_pipeline.warehouse.spans import ANY_ZONE, as_arrays, joined, span_of, those_in

_ENOUGH_FOR_A_ZONE = 50  # records: every one is held against all rounds


def store_records(conn: Connection[DictRow], records: Iterable[tuple[FileRow, TimingRecord]]) -> None:
    """Writes timing records, in place of earlier versions of them; the same bytes again don't make one newer."""
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into timing_record (record_key, server, name, sha256, map, label, started_at, ended_at,
               duration_seconds, limit_seconds, pause_seconds, pause_count, warmup_seconds, winner_side,
               defender_side, end_reason, surrender_side, script_version, schema, server_id, aborted, restarts,
               exit_print)
           values (%(record_key)s, %(server)s, %(name)s, %(sha256)s, %(map_name)s, %(number)s, %(started_at)s,
               %(ended_at)s, %(duration_seconds)s, %(limit_seconds)s, %(pause_seconds)s, %(pause_count)s,
               %(warmup_seconds)s, %(winner_side)s, %(defender_side)s, %(end_reason)s, %(surrender_side)s,
               %(script_version)s, %(schema)s, %(server_id)s, %(aborted)s, %(restarts)s, %(exit_print)s)
           on conflict (record_key) do update set (sha256, map, label, started_at, ended_at, duration_seconds,
               limit_seconds, pause_seconds, pause_count, warmup_seconds, winner_side, defender_side, end_reason,
               surrender_side, script_version, schema, server_id, aborted, restarts, exit_print,
               unlinked_class, unlinked_reason, stored_at)
             = (excluded.sha256, excluded.map, excluded.label, excluded.started_at, excluded.ended_at,
               excluded.duration_seconds, excluded.limit_seconds, excluded.pause_seconds, excluded.pause_count,
               excluded.warmup_seconds, excluded.winner_side, excluded.defender_side, excluded.end_reason,
               excluded.surrender_side, excluded.script_version, excluded.schema, excluded.server_id,
               excluded.aborted, excluded.restarts, excluded.exit_print,
               case when timing_record.sha256 = excluded.sha256 then timing_record.unlinked_class end,
               case when timing_record.sha256 = excluded.sha256 then timing_record.unlinked_reason end,
               case when timing_record.sha256 = excluded.sha256 then timing_record.stored_at else now() end)""",
            [
                said_by(record)
                | {"record_key": row.partition_key, "server": row.server, "name": row.name, "sha256": row.sha256}
                for row, record in records
            ],
        )


_FIELDS = [field.name for field in fields(TimingRecord)]


def said_by(record: TimingRecord) -> dict[str, object]:
    """What a record says, as it is stored."""
    return {name: getattr(record, name) for name in _FIELDS} | {"map_name": readable(record.map_name)}


_READ = """select record_key, map as map_name, label as number, started_at, ended_at, duration_seconds, limit_seconds,
                  pause_seconds, pause_count, warmup_seconds, winner_side, defender_side, end_reason, surrender_side,
                  script_version, schema, server_id, aborted, restarts, exit_print
           from timing_record"""


def records_between(conn: Connection[DictRow], server: str, start: datetime, end: datetime) -> list[FiledRecord]:
    """The timing records of a server that ended between two moments, in order of their ends."""
    rows = conn.execute(
        f"{_READ} where server = %s and ended_at between %s and %s order by ended_at, record_key", [server, start, end]
    ).fetchall()
    return [_filed(row) for row in rows]


def records_around(
    conn: Connection[DictRow], server: str, sessions: Sequence[Sequence[Stamped]], within: timedelta
) -> list[FiledRecord]:
    """The timing records that ended while one of these sessions was played or so long before or after, in order of
    their ends."""
    spans = joined(span_of(session).widened(within) for session in sessions)
    rows = conn.execute(
        f"""{_READ} join unnest(%(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) as s (first, last)
              on ended_at between s.first and s.last
            where server = %(server)s order by ended_at, record_key""",
        {"server": server, **as_arrays(spans)},
    ).fetchall()
    return [_filed(row) for row in rows]


def stored_records(conn: Connection[DictRow], keys: Sequence[str]) -> dict[str, tuple[str, TimingRecord]]:
    """The sha256 of the bytes of records, and what is stored of them, by key."""
    rows = conn.execute(
        f"{_READ.replace('from timing_record', ', sha256 from timing_record')} where record_key = any(%s)", [keys]
    ).fetchall()
    return {row["record_key"]: (row.pop("sha256"), _filed(row).record) for row in rows}


def keys_between(conn: Connection[DictRow], reach: ReachOf) -> list[str]:
    """The keys of the records that ended within a reach, in order of their ends."""
    rows = conn.execute("select server, record_key, ended_at from timing_record order by ended_at, record_key")
    return [row["record_key"] for row in rows if reach(row["server"]).holds(row["ended_at"])]


def those_around(
    records: Sequence[FiledRecord], session: Sequence[Stamped], within: timedelta
) -> Sequence[FiledRecord]:
    """Those of ``records_around`` that are around one session; ``within``: no longer than they were read for."""
    return those_in(span_of(session).widened(within), records, lambda entry: entry.record.ended_at)


def records_near(
    conn: Connection[DictRow], server: str, sessions: Sequence[Sequence[Stamped]]
) -> list[Sequence[FiledRecord]]:
    """The timing records that may be of rounds of each session."""
    records = records_around(conn, server, sessions, CANDIDATE_WINDOW)
    return [those_around(records, session, CANDIDATE_WINDOW) for session in sessions]


def _filed(row: DictRow) -> FiledRecord:
    return FiledRecord(row.pop("record_key"), TimingRecord(**row, raw={}))


def newest_end(conn: Connection[DictRow], server: str) -> datetime | None:
    """When the last round ended that a server has a timing record of; None when it has none."""
    row = conn.execute("select max(ended_at) as at from timing_record where server = %s", [server]).fetchone()
    return row["at"] if row else None


def store_unlinked(conn: Connection[DictRow], keys: Iterable[str], unlinked: Mapping[str, Unlinked]) -> None:
    """Writes why records have no round, and nothing for those of ``keys`` that are not among them.

    A record that a round of another session has keeps it.
    """
    conn.execute(
        """update timing_record set unlinked_class = null, unlinked_reason = null
           where record_key = any(%s) and unlinked_reason is not null""",
        [[key for key in keys if key not in unlinked]],
    )
    conn.execute(
        """update timing_record w set unlinked_class = given.unlinked_class, unlinked_reason = given.unlinked_reason
           from unnest(%s::text[], %s::text[], %s::text[]) as given (record_key, unlinked_class, unlinked_reason)
           where w.record_key = given.record_key
             and not exists (select from round_timing t where t.record_key = w.record_key)""",
        [list(unlinked), [why.unlinked_class for why in unlinked.values()], [why.reason for why in unlinked.values()]],
    )


def how_many_linked(conn: Connection[DictRow], round_keys: Collection[str]) -> int:
    """How many of these rounds have a timing record."""
    row = conn.execute(
        "select count(*) as linked from round_timing where record_key is not null and round_key = any(%s)",
        [list(round_keys)],
    ).fetchone()
    assert row is not None
    return int(row["linked"])


def zone_off_by(conn: Connection[DictRow], round_keys: Sequence[str], record_keys: Sequence[str]) -> timedelta | None:
    """What the time zone of these rounds' stamps seems to be off by; see ``rules.linking.zone_off_by``."""
    rounds = conn.execute(
        "select round_key as key, map, label, stamp as at from parsed_round where round_key = any(%s)",
        [list(round_keys)],
    )
    records = conn.execute(
        "select record_key as key, map, label, ended_at as at from timing_record where record_key = any(%s) limit %s",
        [list(record_keys), _ENOUGH_FOR_A_ZONE],
    )
    clocked = [[Clocked(row["key"], row["map"], row["label"], row["at"]) for row in rows] for rows in (rounds, records)]
    return linking.zone_off_by(*clocked)


def rounds_without_record(conn: Connection[DictRow], server: str, keys: Iterable[str]) -> list[Clocked]:
    """Those rounds of a server, from its own files, near whose end no record of their map is stored, of any number.

    In the hour that a clock change repeats a round is there twice: it may have been the later hour.
    """
    rows = conn.execute(
        """select p.round_key, p.map, p.label, moment.at
           from parsed_round p
           join file f using (server, name)
           cross join lateral (
               select p.stamp as at union all select p.stamp + clock_change() where p.stamp_ambiguous
           ) moment
           where p.server = %(server)s and p.round_key = any(%(keys)s) and not f.imported
             and not exists (select from (
                                 select w.map
                                 from timing_record w
                                 where w.server = p.server
                                   and w.ended_at between moment.at - link_window() and moment.at + link_window()
                                 offset 0
                             ) near
                             where map_key(near.map) = map_key(p.map))
           order by moment.at, p.round_key""",
        {"server": server, "keys": list(keys)},
    )
    return [Clocked(row["round_key"], row["map"], row["label"], row["at"]) for row in rows]


def unread_files(
    conn: Connection[DictRow], server: str, zone: tzinfo, sessions: Sequence[Sequence[Stamped]]
) -> list[UnreadFile]:
    """The timing files of a server, of the days of these sessions, that gave no record so far. ``zone``: of stamps in
    names."""
    days = joined(span_of(session).widened(ANY_ZONE) for session in sessions)
    rows = conn.execute(
        """select name, status, reason
           from file join unnest(%(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) as s (first, last)
             on coalesce(named_end, named_stamp at time zone 'UTC') between s.first and s.last
           where server = %(server)s and kind = %(kind)s and status <> 'ingested'""",
        {"server": server, "kind": FileKind.TIMING, **as_arrays(days)},
    )
    named = [(clocked_file(parse_file_name(row["name"]), zone), row) for row in rows]
    return [UnreadFile(clocked, FileStatus(row["status"]), row["reason"]) for clocked, row in named if clocked]
