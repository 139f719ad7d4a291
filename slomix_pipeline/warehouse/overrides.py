"""Decisions of people in the database: made, taken back, read by the stages.

Belongs here: ``override``, which is added to and marked, never deleted from; what a decision has to know first.
Does not belong here: what a decision changes (``rules``), working rounds out anew (``actions.overriding``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.overrides import Override, OverrideKind
from slomix_pipeline.warehouse.database import locked_server
from slomix_pipeline.warehouse.rows import rows_of


def in_force(conn: Connection[DictRow], server: str) -> list[Override]:
    """The decisions of a server that nobody took back, in the order in which they were made."""
    rows = conn.execute(
        """select id, kind, round_key, guid, value, coalesce(roster, '{}') as roster, reason, made_by, made_at
           from override where server = %s and revoked_at is null order by id""",
        [server],
    )
    return [
        Override(**row | {"kind": OverrideKind(row["kind"]), "roster": tuple(row["roster"])}) for row in rows.fetchall()
    ]


def add(
    conn: Connection[DictRow],
    kind: OverrideKind,
    server: str,
    round_key: str,
    value: str,
    *,
    instead_of: Sequence[str] = (),
    guid: str | None = None,
    roster: Sequence[str] | None = None,
    reason: str,
    made_by: str,
) -> int:
    """Stores a decision; an earlier one about the same thing is taken back by it. Returns its number.

    ``instead_of``: the other rounds by which the same thing may have been named.

    It waits for whoever works on the server's rounds, and is made after that: who did not see it is older than it.
    """
    locked_server(conn, server)
    conn.execute(
        """update override set revoked_at = clock_timestamp(), revoked_by = %(by)s, revoked_reason = %(why)s
           where kind = %(kind)s and round_key = any(%(rounds)s) and guid is not distinct from %(guid)s
             and revoked_at is null""",
        {
            "by": made_by,
            "why": f"decided anew: {reason}",
            "kind": kind,
            "rounds": [round_key, *instead_of],
            "guid": guid,
        },
    )
    made = conn.execute(
        """insert into override (kind, server, round_key, guid, value, roster, reason, made_by, made_at)
           values (%s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp()) returning id""",
        [kind, server, round_key, guid, value, None if roster is None else list(roster), reason, made_by],
    ).fetchone()
    assert made is not None
    return int(made["id"])


def revoke(conn: Connection[DictRow], number: int, *, reason: str, revoked_by: str) -> DictRow | None:
    """Takes a decision back. Returns it; None when there is none of that number in force. It waits as ``add`` does."""
    made = conn.execute("select server from override where id = %s", [number]).fetchone()
    if made is None:
        return None
    locked_server(conn, made["server"])
    return conn.execute(
        """update override set revoked_at = clock_timestamp(), revoked_by = %s, revoked_reason = %s
           where id = %s and revoked_at is null returning *""",
        [revoked_by, reason, number],
    ).fetchone()


def listed(conn: Connection[DictRow], *, also_revoked: bool) -> list[DictRow]:
    """All decisions for people, oldest first."""
    return conn.execute("select * from override where revoked_at is null or %s order by id", [also_revoked]).fetchall()


@dataclass(frozen=True)
class DecisionSeen:
    """A decision in force as people see it: with ``map`` of its round and ``player``, the name of who it is about."""

    id: int
    kind: OverrideKind
    server: str
    round_key: str
    guid: str | None
    value: str
    roster: tuple[str, ...] | None
    reason: str
    made_by: str
    made_at: datetime
    map: str | None
    player: str | None


def about(conn: Connection[DictRow], round_keys: Iterable[str]) -> list[DecisionSeen]:
    """The decisions in force that concern any of these rounds, oldest first."""
    with conn.cursor(row_factory=rows_of(DecisionSeen)) as cursor:
        return cursor.execute(
            """select o.id, o.kind, o.server, o.round_key, o.guid, o.value, o.roster, o.reason, o.made_by, o.made_at,
                      p.map,
                      (select sp.name from session_round sr join session_player sp using (session_key)
                       where sr.round_key = o.round_key and sp.guid = o.guid) as player
               from override o left join parsed_round p using (round_key)
               where o.round_key = any(%s) and o.revoked_at is null order by o.id""",
            [list(round_keys)],
        ).fetchall()


def decided_sessions(conn: Connection[DictRow]) -> dict[str, int]:
    """How many decisions are in force about each session that has any, by key."""
    rows = conn.execute(
        """select session_key, count(*) as decisions from override join session_round using (round_key)
           where revoked_at is null group by session_key"""
    )
    return {row["session_key"]: row["decisions"] for row in rows}


def rounds_of(conn: Connection[DictRow], session_key: str) -> list[str]:
    """The rounds of a session, in order."""
    rows = conn.execute("select round_key from session_round where session_key = %s order by position", [session_key])
    return [row["round_key"] for row in rows]


def match_of_round(conn: Connection[DictRow], round_key: str) -> DictRow | None:
    """``match_key``, ``session_key`` and both rounds of the match that a round is part of."""
    return conn.execute(
        """select m.match_key, m.session_key, m.r1_key, m.r2_key
           from round r join match m using (match_key) where r.round_key = %s""",
        [round_key],
    ).fetchone()


def place_of_round(conn: Connection[DictRow], round_key: str) -> DictRow | None:
    """What became of a placed round: status, reason, number, partner, map, its position in its session.

    ``at_start``: whether its session's first round ended in the same second; ``open_match``: the round 1 before it
    whose round 2 is not before it; ``has_earlier``: whether any round of the server was before it.
    """
    return conn.execute(
        """select r.status, r.reason, r.number, r.partner_key, map_key(p.map) as map, s.position,
                  s.session_key,
                  (select first.round_key
                   from session_round f join round first using (round_key)
                   join session_round l on l.session_key = f.session_key and l.round_key = first.partner_key
                   where f.session_key = s.session_key and f.position < s.position and s.position <= l.position
                   order by f.position limit 1) as open_match,
                  (select first.stamp = p.stamp from session_round f join parsed_round first using (round_key)
                   where f.session_key = s.session_key and f.position = 1) as at_start,
                  exists (select from parsed_round e where e.server = p.server and e.stamp < p.stamp) as has_earlier
           from round r join parsed_round p using (round_key) left join session_round s using (round_key)
           where r.round_key = %s""",
        [round_key],
    ).fetchone()
