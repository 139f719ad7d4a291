"""Decisions of people in the database: made, taken back, read by the stages.

Belongs here: ``override``, which is added to and marked, never deleted from; what a decision has to know first.
Does not belong here: what a decision changes (``rules``), working rounds out anew (``actions.overriding``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.overrides import Override, OverrideKind
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse.database import locked_server
from slomix_pipeline.warehouse.hiding import hiding
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class DecisionMade:
    """A decision as it was made. ``guid``: of the player that it is about, if it is about one; ``roster``: who was in
    the team that ``value`` meant, if it meant one."""

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


@dataclass(frozen=True)
class DecisionListed(DecisionMade):
    """With who took it back, why and when; None: it is in force."""

    revoked_by: str | None
    revoked_reason: str | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class DecisionSeen(DecisionMade):
    """One in force as people see it: with ``map`` of its round and ``player``, the name to show of who it is about."""

    map: str | None
    player: str | None


_LISTED = (
    "id, kind, server, round_key, guid, value, roster, reason, made_by, made_at, revoked_by, revoked_reason, revoked_at"
)


@dataclass(frozen=True)
class MatchOfRound:
    """The match that a round is part of; a round of it that is not there is None."""

    match_key: str
    session_key: str
    r1_key: str | None
    r2_key: str | None


@dataclass(frozen=True)
class PlaceOfRound:
    """What became of a placed round; without a session, ``session_key``, ``position`` and ``at_start`` are None.

    ``at_start``: whether its session's first round ended in the same second; ``open_match``: the round 1 before it
    whose round 2 is not before it; ``has_earlier``: whether any round of the server was before it.
    """

    status: Status
    reason: str | None
    number: int
    partner_key: str | None
    map: str
    position: int | None
    session_key: str | None
    open_match: str | None
    at_start: bool | None
    has_earlier: bool


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


def revoke(conn: Connection[DictRow], number: int, *, reason: str, revoked_by: str) -> DecisionListed | None:
    """Takes a decision back. Returns it; None when there is none of that number in force. It waits as ``add`` does."""
    made = conn.execute("select server from override where id = %s", [number]).fetchone()
    if made is None:
        return None
    locked_server(conn, made["server"])
    with conn.cursor(row_factory=rows_of(DecisionListed)) as cursor:
        return cursor.execute(
            f"""update override set revoked_at = clock_timestamp(), revoked_by = %s, revoked_reason = %s
                where id = %s and revoked_at is null returning {_LISTED}""",
            [revoked_by, reason, number],
        ).fetchone()


def listed(conn: Connection[DictRow], *, also_revoked: bool) -> list[DecisionListed]:
    """All decisions for people, oldest first."""
    with conn.cursor(row_factory=rows_of(DecisionListed)) as cursor:
        return cursor.execute(
            f"select {_LISTED} from override where revoked_at is null or %s order by id", [also_revoked]
        ).fetchall()


def about(conn: Connection[DictRow], round_keys: Iterable[str]) -> list[DecisionSeen]:
    """The decisions in force that concern any of these rounds, oldest first; who is hidden is not named in them."""
    hidden = hiding(conn)
    with conn.cursor(row_factory=rows_of(DecisionSeen)) as cursor:
        found = cursor.execute(
            """select o.id, o.kind, o.server, o.round_key, o.guid, o.value, o.roster, o.reason, o.made_by, o.made_at,
                      p.map,
                      (select n.called from session_round sr join session_name n using (session_key)
                       where sr.round_key = o.round_key and n.guid = o.guid) as player
               from override o left join parsed_round p using (round_key)
               where o.round_key = any(%s) and o.revoked_at is null order by o.id""",
            [list(round_keys)],
        ).fetchall()
    return [replace(row, reason=hidden.text(row.reason), made_by=hidden.text(row.made_by)) for row in found]


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


def match_of_round(conn: Connection[DictRow], round_key: str) -> MatchOfRound | None:
    """The match that a round is part of, if it is scored."""
    with conn.cursor(row_factory=rows_of(MatchOfRound)) as cursor:
        return cursor.execute(
            """select m.match_key, m.session_key, m.r1_key, m.r2_key
               from round r join match m using (match_key) where r.round_key = %s""",
            [round_key],
        ).fetchone()


def place_of_round(conn: Connection[DictRow], round_key: str) -> PlaceOfRound | None:
    """What became of a round; None: it is not placed."""
    with conn.cursor(row_factory=rows_of(PlaceOfRound)) as cursor:
        return cursor.execute(
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
