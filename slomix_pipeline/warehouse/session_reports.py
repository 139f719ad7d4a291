"""Which sessions have a report, and which need one (again).

Belongs here: the fingerprint of what a report is made from. What the report says is read by ``reading``.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse import reading
from slomix_pipeline.warehouse.session_evidence import SessionEvidence, session_evidence


def fingerprint(evidence: SessionEvidence, players: Sequence[DictRow]) -> str:
    """A digest of everything a session's report and its message show. ``players``: the session's totals."""
    return hashlib.sha256(repr((evidence, players)).encode()).hexdigest()


def remember(conn: Connection[DictRow], session_key: str, fingerprint: str) -> None:
    """Notes what a session's latest report was made from."""
    conn.execute(
        """insert into session_report (session_key, fingerprint) values (%s, %s)
           on conflict (session_key) do update set fingerprint = excluded.fingerprint, reported_at = now()""",
        [session_key, fingerprint],
    )


def sessions_to_report(
    conn: Connection[DictRow], quiet_since: datetime, publish_max_age: timedelta, limit: int
) -> list[tuple[str, str]]:
    """Sessions that are over and differ from their report, or whose message surely was not delivered: key and
    fingerprint, newest first.

    Over means that none of their files arrived after ``quiet_since``. Only sessions whose rounds or results were
    written after their report are looked at closely.
    """
    rows = conn.execute(
        """select s.session_key, r.fingerprint, undelivered.thing is not null as undelivered
           from session s
           join session_round sr using (session_key)
           join round x using (round_key)
           left join round_timing t using (round_key)
           join parsed_round p using (round_key)
           join file f on f.server = p.server and f.name = p.name
           left join session_report r using (session_key)
           left join post undelivered on undelivered.thing = 'session:' || s.session_key
                and (undelivered.state = 'failed' or undelivered.state = 'sent' and undelivered.payload_sha256 is null)
                and undelivered.claimed_at > now() - %(max_age)s
           where s.team_confidence is not null   -- else it is being worked out
           group by s.session_key, s.server, s.ended_at, r.fingerprint, r.reported_at, undelivered.thing
           having max(f.arrived_at) <= %(quiet_since)s
              and (r.reported_at is null or greatest(max(x.rules_at), max(t.timed_at)) > r.reported_at
                   or undelivered.thing is not null
                   or exists (select from file q where q.server = s.server and q.kind = 'stats'
                              and q.status = 'quarantined' and q.finished_at > r.reported_at
                              and left(q.name, 17) between min(left(f.name, 17)) and max(left(f.name, 17))))
           order by s.ended_at desc limit %(limit)s""",
        {"max_age": publish_max_age, "quiet_since": quiet_since, "limit": limit},
    ).fetchall()
    due = []
    for row in rows:
        key = row["session_key"]
        now = fingerprint(session_evidence(conn, key), reading.session_players(conn, key))
        if now != row["fingerprint"] or row["undelivered"]:
            due.append((row["session_key"], now))
        else:
            remember(conn, row["session_key"], now)
    return due
