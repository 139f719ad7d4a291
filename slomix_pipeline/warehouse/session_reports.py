"""Which sessions have a report, and which need one (again).

Belongs here: the fingerprint of what a report is made from. What the report says is read by ``reading``.
"""

from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow

_FINGERPRINT = """
    select md5(string_agg(line, E'\n' order by line)) as fingerprint from (
        select concat_ws('|', m.match_key, m.position, m.winner, m.status, m.reason) as line
        from match m where m.session_key = %(key)s
        union all
        select concat_ws('|', p.guid, p.name, p.team, p.rounds, p.kills, p.deaths, p.damage_given, p.damage_received,
                         p.hits, p.shots, p.headshots, p.seconds_played)
        from session_player_metric p where p.session_key = %(key)s
        union all
        select concat_ws('|', t.round_key, t.duration_seconds, t.timing_status)
        from session_round s join round_timing t using (round_key) where s.session_key = %(key)s
    ) lines"""


def fingerprint(conn: Connection[DictRow], session_key: str) -> str:
    """A digest of everything a session's report shows."""
    found = conn.execute(_FINGERPRINT, {"key": session_key}).fetchone()
    return str(found["fingerprint"]) if found else ""


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
           group by s.session_key, s.ended_at, r.fingerprint, r.reported_at, undelivered.thing
           having max(f.arrived_at) <= %(quiet_since)s
              and (r.reported_at is null or greatest(max(x.rules_at), max(t.timed_at)) > r.reported_at
                   or undelivered.thing is not null)
           order by s.ended_at desc limit %(limit)s""",
        {"max_age": publish_max_age, "quiet_since": quiet_since, "limit": limit},
    ).fetchall()
    due = []
    for row in rows:
        now = fingerprint(conn, row["session_key"])
        if now != row["fingerprint"] or row["undelivered"]:
            due.append((row["session_key"], now))
        else:
            remember(conn, row["session_key"], now)
    return due
