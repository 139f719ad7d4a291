"""Which sessions have a report, and which need one (again).

Belongs here: the fingerprint of what a report is made from. What the report says is read by ``reading``.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.things import THERE, ThingKind
from slomix_pipeline.warehouse import reading
from slomix_pipeline.warehouse.reading import PlayerTotals
from slomix_pipeline.warehouse.session_evidence import SessionEvidence, session_evidence


def fingerprint(evidence: SessionEvidence, players: Sequence[PlayerTotals]) -> str:
    """A digest of everything a session's report and its message show. ``players``: the session's totals."""
    return hashlib.sha256(repr((evidence, players)).encode()).hexdigest()


def worked_at(conn: Connection[DictRow], session_key: str) -> datetime | None:
    """When a session was worked out last; to be asked before what a report is made from, and given to ``remember``."""
    row = conn.execute("select worked_at from session where session_key = %s", [session_key]).fetchone()
    return None if row is None else row["worked_at"]


def remember(conn: Connection[DictRow], session_key: str, fingerprint: str, worked_at: datetime | None) -> None:
    """Notes what a session's latest report was made from."""
    conn.execute(
        """insert into session_report (session_key, fingerprint, worked_at) values (%s, %s, %s)
           on conflict (session_key) do update
           set (fingerprint, worked_at, reported_at) = (excluded.fingerprint, excluded.worked_at, now())""",
        [session_key, fingerprint, worked_at],
    )


def fingerprint_of(conn: Connection[DictRow], session_key: str) -> str | None:
    """The fingerprint of a session's latest report: to be given to ``note_told`` by who compares its message."""
    row = conn.execute("select fingerprint from session_report where session_key = %s", [session_key]).fetchone()
    return None if row is None else str(row["fingerprint"])


def note_told(conn: Connection[DictRow], session_key: str, fingerprint: str | None) -> None:
    """Notes that the message of a session, with its pictures, was compared with the report of this fingerprint, or with
    a newer one."""
    conn.execute("update session_report set told_fingerprint = %s where session_key = %s", [fingerprint, session_key])


def sessions_to_report(
    conn: Connection[DictRow],
    quiet_since: datetime,
    limit: int,
    *,
    with_messages: bool = True,
) -> list[tuple[str, str]]:
    """Sessions that are over and differ from their report, or whose message was not compared with it: key and
    fingerprint, newest first.

    Without ``with_messages`` (no webhook is set) only reports are asked for.

    Over means that none of their files arrived after ``quiet_since``. Only sessions that were worked out after their
    report, or that a file was set aside of since, are looked at closely.
    """
    concerned = _concerned(conn)
    if not concerned:
        return []
    rows = conn.execute(
        """select s.session_key, s.worked_at, r.fingerprint,
                  told.thing is not null as uncompared
           from session s
           join session_round sr using (session_key)
           join parsed_round p using (round_key)
           join file f on f.server = p.server and f.name = p.name
           left join session_report r using (session_key)
           -- Its report was made anew, and the run ended before the message was compared with it.
           left join post told on told.kind = %(session)s and told.partition_key = s.session_key and told.part = 1
                and told.state = any(%(there)s)
                and %(messages)s and r.told_fingerprint is distinct from r.fingerprint
           where s.session_key = any(%(concerned)s)
             and s.team_confidence is not null   -- else it is being worked out
           group by s.session_key, r.session_key, told.thing
           having max(f.arrived_at) <= %(quiet_since)s
              and (s.worked_at is distinct from r.worked_at
                   or told.thing is not null
                   or exists (select from file q where q.server = s.server and q.kind = 'stats'
                              and q.status = 'quarantined' and q.finished_at > r.reported_at
                              and q.named_stamp between min(p.stamp_local) and max(p.stamp_local)))
           order by s.ended_at desc limit %(limit)s""",
        {
            "concerned": concerned,
            "quiet_since": quiet_since,
            "limit": limit,
            "messages": with_messages,
            "session": ThingKind.SESSION,
            "there": list(THERE),
        },
    ).fetchall()
    behind = []
    for row in rows:
        key = row["session_key"]
        now = fingerprint(session_evidence(conn, key), reading.session_players(conn, key))
        if now != row["fingerprint"] or row["uncompared"]:
            behind.append((row["session_key"], now))
        else:
            remember(conn, row["session_key"], now, row["worked_at"])
    return behind


def _concerned(conn: Connection[DictRow]) -> list[str]:
    """The sessions that may have to be reported: mostly none, which is known without a look at all their rounds."""
    rows = conn.execute(
        """select session_key from session left join session_report r using (session_key)
           where session.worked_at is distinct from r.worked_at
           union
           select session_key from session_report join post on partition_key = session_key and kind = %(session)s
           where state = any(%(there)s) and told_fingerprint is distinct from fingerprint
           union
           select session_key
           from file q
           cross join lateral (
               select round_key from parsed_round p
               where p.server = q.server and p.stamp_local <= q.named_stamp
               order by p.stamp_local desc limit 1
           ) before
           join session_round using (round_key)
           join session_report using (session_key)
           where q.kind = 'stats' and q.status = 'quarantined' and q.finished_at > reported_at""",
        {"session": ThingKind.SESSION, "there": list(THERE)},
    )
    return [row["session_key"] for row in rows]
