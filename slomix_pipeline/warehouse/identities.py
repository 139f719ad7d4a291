"""Decisions of people about who is who, in the database: made, taken back, listed; and which messages they concern.

Belongs here: ``identity_decision``, which is added to and marked, never deleted from.
Does not belong here: what can't be decided (``rules.people``), who is who by them (the views ``person_decided`` and
``person``), telling messages anew (``actions.identifying``).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.people import IdentityKind, Person
from slomix_pipeline.rules.things import THERE, ThingKind
from slomix_pipeline.warehouse import unfinished
from slomix_pipeline.warehouse.database import advisory_key
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class IdentityDecision:
    """A decision: a row of ``identity_decision``. What its kind has not is None; ``player``, ``other_player``: the
    names that the GUIDs play under; ``revoked_by`` is None while it is in force."""

    id: int
    kind: IdentityKind
    guid: str
    player: str | None
    other_guid: str | None
    other_player: str | None
    discord_id: str | None
    name: str | None
    reason: str
    made_by: str
    made_at: datetime
    revoked_by: str | None
    revoked_reason: str | None
    revoked_at: datetime | None


_LISTED = """
    select d.id, d.kind, d.guid, own.name as player, d.other_guid, other.name as other_player, d.discord_id, d.name,
           d.reason, d.made_by, d.made_at, d.revoked_by, d.revoked_reason, d.revoked_at
    from identity_decision d
    left join player_name own on own.guid = d.guid
    left join player_name other on other.guid = d.other_guid"""


# Sessions that may name a player: he was there, maybe without a GUID, or people typed why they decided something.
_NAMED_IN = """
    select session_key from session_player where guid = any(%(guids)s)
    union
    select session_key from session_round join override using (round_key)
    union
    select session_key from session_round join round_player p using (round_key)
    where 'no_identity' = any(p.flags)
      and lower(p.name) in (select lower(a.name) from alias a where a.guid = any(%(guids)s))"""


@dataclass(frozen=True)
class Concerned:
    """What has to be told anew: rounds by which all of their sessions' messages about results, and their own about
    timing, are compared with how players are called now; sessions by their summaries."""

    rounds: tuple[str, ...]
    sessions: tuple[str, ...]


def hold_decisions(conn: Connection[DictRow]) -> None:
    """Waits until nobody else decides who is who, and keeps others waiting to the end of this transaction."""
    conn.execute("select pg_advisory_xact_lock(%s)", [advisory_key("identity")])


def person_of(conn: Connection[DictRow], guid: str) -> Person | None:
    """Who a GUID is so far; None: nobody played under it."""
    with conn.cursor(row_factory=rows_of(Person)) as cursor:
        return cursor.execute(
            """select coalesce(d.person_guid, n.guid) as guid, coalesce(d.guids, array[n.guid]) as guids,
                      (select l.guid from identity_decision l
                       where l.kind = 'link' and l.revoked_at is null
                         and l.guid = any(coalesce(d.guids, array[n.guid]))
                       order by l.id limit 1) as linked_guid,
                      d.hidden_as is not null as hidden
               from player_name n left join person_decided d using (guid) where n.guid = %s""",
            [guid],
        ).fetchone()


def holder_of(conn: Connection[DictRow], discord_id: str) -> str | None:
    """The GUID that a Discord user is linked to."""
    row = conn.execute(
        "select guid from identity_decision where discord_id = %s and revoked_at is null", [discord_id]
    ).fetchone()
    return None if row is None else str(row["guid"])


def link_of(conn: Connection[DictRow], guids: Collection[str]) -> int | None:
    """The number of the decision that links somebody of these GUIDs to a Discord user."""
    row = conn.execute(
        """select id from identity_decision where kind = 'link' and revoked_at is null and guid = any(%s)
           order by id limit 1""",
        [list(guids)],
    ).fetchone()
    return None if row is None else int(row["id"])


def rejected_pairs(conn: Connection[DictRow]) -> list[tuple[str, str]]:
    """The pairs of GUIDs that are not the same person."""
    rows = conn.execute(
        "select guid, other_guid from identity_decision where kind = 'reject' and revoked_at is null order by id"
    )
    return [(row["guid"], row["other_guid"]) for row in rows]


def met_in(conn: Connection[DictRow], guids: Collection[str], others: Collection[str]) -> str | None:
    """A round in which somebody of both played; None: they never met."""
    row = conn.execute(
        """select round_key from round_player one join round_player other using (round_key)
           where one.guid = any(%s) and other.guid = any(%s) order by round_key limit 1""",
        [list(guids), list(others)],
    ).fetchone()
    return None if row is None else str(row["round_key"])


def names_of_hidden(conn: Connection[DictRow]) -> set[str]:
    """The names that were ever shown instead of somebody's."""
    rows = conn.execute("select name from identity_decision where kind = 'hide'")
    return {row["name"] for row in rows}


def add(
    conn: Connection[DictRow],
    kind: IdentityKind,
    guid: str,
    *,
    other_guid: str | None = None,
    discord_id: str | None = None,
    name: str | None = None,
    reason: str,
    made_by: str,
) -> int:
    """Stores a decision; an earlier one about the same thing is taken back by it. Returns its number."""
    conn.execute(
        """update identity_decision
           set revoked_at = clock_timestamp(), revoked_by = %(by)s, revoked_reason = %(why)s
           where kind = %(kind)s and guid = %(guid)s and revoked_at is null
             and (kind <> 'reject' or other_guid = %(other)s)""",
        {"by": made_by, "why": f"decided anew: {reason}", "kind": kind, "guid": guid, "other": other_guid},
    )
    made = conn.execute(
        """insert into identity_decision (kind, guid, other_guid, discord_id, name, reason, made_by, made_at)
           values (%s, %s, %s, %s, %s, %s, %s, clock_timestamp()) returning id""",
        [kind, guid, other_guid, discord_id, name, reason, made_by],
    ).fetchone()
    assert made is not None
    return int(made["id"])


def learn_hidden(conn: Connection[DictRow]) -> None:
    """Has PostgreSQL look at how many are hidden. By itself it never does, takes hundreds for granted even where nobody
    is, and plans what pages read as if nobody were left to be shown."""
    conn.execute("analyze hidden_player")


def in_force(conn: Connection[DictRow], number: int) -> IdentityDecision | None:
    """The decision of a number, if nobody took it back."""
    with conn.cursor(row_factory=rows_of(IdentityDecision)) as cursor:
        return cursor.execute(f"{_LISTED} where d.id = %s and d.revoked_at is null", [number]).fetchone()


def revoke(conn: Connection[DictRow], number: int, *, reason: str, revoked_by: str) -> None:
    """Takes a decision that is in force back."""
    conn.execute(
        """update identity_decision set revoked_at = clock_timestamp(), revoked_by = %s, revoked_reason = %s
           where id = %s and revoked_at is null""",
        [revoked_by, reason, number],
    )


def listed(conn: Connection[DictRow], *, also_revoked: bool) -> list[IdentityDecision]:
    """All decisions for people, oldest first."""
    with conn.cursor(row_factory=rows_of(IdentityDecision)) as cursor:
        return cursor.execute(f"{_LISTED} where d.revoked_at is null or %s order by d.id", [also_revoked]).fetchall()


def session_of_each_server(conn: Connection[DictRow]) -> list[str]:
    """A key of every game server that has sessions."""
    return [row["key"] for row in conn.execute("select max(session_key) as key from session group by server")]


def note_called_otherwise(conn: Connection[DictRow], guids: Collection[str]) -> Concerned:
    """Notes that what was told of these players' sessions has to be compared with how they are called now. Belongs into
    the transaction that decides it: who dies afterwards leaves it to be done."""
    asked = {"guids": list(guids), "there": list(THERE)}
    results = conn.execute(
        f"""update session s set told_of = null
           where session_key in ({_NAMED_IN})
             and exists (select from session_round r join post p on p.partition_key = r.round_key
                         where r.session_key = s.session_key and p.state = any(%(there)s) and p.kind <> %(timing)s)
           returning (select round_key from session_round r where r.session_key = s.session_key and position = 1)
                     as round_key""",
        asked | {"timing": ThingKind.TIMING},
    ).fetchall()
    summaries = conn.execute(
        f"""update session_report r set told_fingerprint = null
           where (r.names && %(guids)s or session_key in ({_NAMED_IN}))
             and exists (select from post p where p.kind = %(session)s and p.partition_key = r.session_key
                                              and p.state = any(%(there)s))
           returning session_key""",
        asked | {"session": ThingKind.SESSION},
    ).fetchall()
    timings = conn.execute(
        """select round_key from post p join round_player r on r.round_key = p.partition_key
           where p.kind = %(timing)s and p.state = any(%(there)s) and r.guid = any(%(guids)s)""",
        asked | {"timing": ThingKind.TIMING},
    ).fetchall()
    compared = {row["round_key"] for row in timings}
    unfinished.note_begun(conn, compared, [unfinished.Stage.TIMING_COMPARISON])
    rounds = compared | {row["round_key"] for row in results}
    return Concerned(tuple(sorted(rounds)), tuple(sorted(row["session_key"] for row in summaries)))
