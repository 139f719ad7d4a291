"""Which sessions have a report, and which need one (again).

Belongs here: the fingerprint of what a report and its message are made from, and what tells cheaply that it may be
another one. What the report says is read by ``reading``.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.rules.things import THERE, Thing, ThingKind
from slomix_pipeline.warehouse import due, reading
from slomix_pipeline.warehouse.highlights import highlights_of
from slomix_pipeline.warehouse.reading import PlayerTotals
from slomix_pipeline.warehouse.rows import rows_of
from slomix_pipeline.warehouse.session_evidence import SessionEvidence, session_evidence

LOOKS_FOR = 10.0  # seconds: a close look at a session with a message takes up to one, with years of history


@dataclass(frozen=True)
class MadeOf:
    """How a session stood, and all before it: a row of ``session_past``, see there. While it stays the same, so does
    what is said of the session."""

    worked_at: datetime
    awarded_at: datetime | None
    past: Decimal


def made_of(conn: Connection[DictRow], session_key: str) -> MadeOf:
    """To be asked before what a report is made from, and given to ``remember``.

    Raises:
        KeyError: there is no such session.
    """
    with conn.cursor(row_factory=rows_of(MadeOf)) as cursor:
        row = cursor.execute(
            "select worked_at, awarded_at, past from session_past where session_key = %s", [session_key]
        ).fetchone()
    if row is None:
        raise KeyError(session_key)
    return row


@dataclass(frozen=True)
class Shown:
    """What a session's report shows, and its message, if there is one. ``fingerprint``: a digest of all of it;
    ``names``: GUIDs of players who are named though they may not have been there."""

    fingerprint: str
    names: Sequence[str]


def shown(
    conn: Connection[DictRow], session_key: str, evidence: SessionEvidence, players: Sequence[PlayerTotals]
) -> Shown:
    """What a session's report and message show now. ``players``: the session's totals."""
    highlights = highlights_of(conn, session_key) if _has_message(conn, session_key) else None
    digest = hashlib.sha256(repr((evidence, players, highlights)).encode()).hexdigest()
    return Shown(digest, highlights.named_from_before if highlights else [])


def _has_message(conn: Connection[DictRow], session_key: str) -> bool:
    """Whether a session's message was told or is due: most of history's have none, and highlights cost most."""
    return due.thing_named(conn, Thing(ThingKind.SESSION, session_key).name) is not None


def remember(conn: Connection[DictRow], session_key: str, shown: Shown, made_of: MadeOf) -> None:
    """Notes what a session's latest report shows, and what it was made from."""
    conn.execute(
        """insert into session_report (session_key, fingerprint, names, worked_at, awarded_at, past)
           values (%s, %s, %s, %s, %s, %s)
           on conflict (session_key) do update
           set (fingerprint, names, worked_at, awarded_at, past, reported_at, changed_at)
             = (excluded.fingerprint, excluded.names, excluded.worked_at, excluded.awarded_at, excluded.past, now(),
                case when excluded.fingerprint = session_report.fingerprint then session_report.changed_at
                     else now() end)""",
        [
            session_key,
            shown.fingerprint,
            list(shown.names),
            made_of.worked_at,
            made_of.awarded_at,
            made_of.past,
        ],
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
    with_messages: Mapping[str, bool] | None = None,
) -> list[tuple[str, str]]:
    """Sessions that are over and differ from their report, or whose message was not compared with it: key and
    fingerprint, newest first.

    ``with_messages``: of which game servers messages are told, ``""`` of all others, None: of all; of the rest only
    reports are asked for.

    Over means that none of their files arrived after ``quiet_since``. Only sessions that were worked out after their
    report, that a file was set aside of since, or whose message may tell otherwise of endstats or of what came before,
    are looked at closely; after ``LOOKS_FOR`` seconds the others are left to the next time.
    """
    tells_otherwise = _tells_otherwise(conn)
    concerned = [*_concerned(conn), *tells_otherwise]
    if not concerned:
        return []
    rows = conn.execute(
        """select s.session_key, r.fingerprint, told.thing is not null as uncompared
           from session s
           join session_round sr using (session_key)
           join parsed_round p using (round_key)
           join file f on f.server = p.server and f.name = p.name
           left join session_report r using (session_key)
           -- Its report was made anew, and the run ended before the message was compared with it.
           left join post told on told.kind = %(session)s and told.partition_key = s.session_key and told.part = 1
                and told.state = any(%(there)s)
                and coalesce(%(messages)s -> s.server, %(messages)s -> '')::boolean
                and r.told_fingerprint is distinct from r.fingerprint
           where s.session_key = any(%(concerned)s)
             and s.team_confidence is not null   -- else it is being worked out
           group by s.session_key, r.session_key, told.thing
           having max(f.arrived_at) <= %(quiet_since)s
              and (s.worked_at is distinct from r.worked_at
                   or told.thing is not null
                   or s.session_key = any(%(tells_otherwise)s)
                   or exists (select from file q where q.server = s.server and q.kind = 'stats'
                              and q.status = 'quarantined' and q.finished_at > r.reported_at
                              and q.named_stamp between min(p.stamp_local) and max(p.stamp_local)))
           order by s.ended_at desc limit %(limit)s""",
        {
            "concerned": concerned,
            "tells_otherwise": tells_otherwise,
            "quiet_since": quiet_since,
            "limit": limit,
            "messages": Jsonb({"": True} if with_messages is None else dict(with_messages)),
            "session": ThingKind.SESSION,
            "there": list(THERE),
        },
    ).fetchall()
    behind = []
    until = time.monotonic() + LOOKS_FOR
    for row in rows:
        if time.monotonic() > until:
            break
        key = row["session_key"]
        state = made_of(conn, key)
        now = shown(conn, key, session_evidence(conn, key), reading.session_players(conn, key))
        if now.fingerprint != row["fingerprint"] or row["uncompared"]:
            behind.append((key, now.fingerprint))
        else:
            remember(conn, key, now, state)
    return behind


def _tells_otherwise(conn: Connection[DictRow]) -> list[str]:
    """The sessions whose message was told, and endstats of theirs or sessions before them changed since: what they tell
    beside their result may be otherwise."""
    rows = conn.execute(
        """select session_key
           from session_report r
           join post told on told.partition_key = session_key and told.kind = %(session)s and told.part = 1
                and told.state = any(%(there)s)
           join session_past now using (session_key)
           where now.past <> r.past or now.awarded_at is distinct from r.awarded_at""",
        {"session": ThingKind.SESSION, "there": list(THERE)},
    )
    return [row["session_key"] for row in rows]


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
