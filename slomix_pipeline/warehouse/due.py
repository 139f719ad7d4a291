"""What is to be told: noted before telling is tried, so that a message that was due is told or reported.

Belongs here: the table ``due``, and what of it has no outcome yet. Does not belong here: sending, and what became of it
(``discord.ledger``), which messages there are (``sql/views/09_messages.sql``).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.rules.things import ALARMS, NOT_THERE, PostState, Thing, ThingKind, Trouble
from slomix_pipeline.warehouse.rows import rows_of

# Due for longer than it was known to be: that is news, and asked for from the start.
_PROLONGED = """on conflict (thing) do update
           set due_until = excluded.due_until, noted_at = now(), missed_at = null, attempts = 0, asked_at = null
           where excluded.due_until > due.due_until"""


@dataclass(frozen=True)
class Alarm:
    """A message that somebody has to look at, when it is first found: in doubt or missed."""

    thing: Thing
    trouble: Trouble
    detail: str


@dataclass(frozen=True)
class MessageTrouble:
    """A message that somebody has to look at: a row of the view ``message_trouble``. ``session_key``: of the session it
    belongs to now, the partition's key when there is none."""

    thing: str
    kind: ThingKind
    partition_key: str
    trouble: Trouble
    detail: str | None
    since: datetime
    session_key: str


@dataclass(frozen=True)
class Standing:
    """How a message stands now. ``state`` is None when nobody tried to send it; ``uncorrected``: an edit failed."""

    state: PostState | None
    error: str
    uncorrected: bool


def note_news(
    conn: Connection[DictRow], session_keys: Sequence[str], kinds: Sequence[ThingKind], max_age: timedelta
) -> None:
    """Notes what of these kinds sessions, as they stand, give to tell: what a sensor brought and is not older than
    ``max_age``, nor than the last restore.

    What was due and is no news any more (half a match that became whole, a session that was swallowed) is struck out,
    unless it was told. Belongs into the transaction that makes the results: there is none without its being due.
    """
    conn.execute(
        f"""insert into due (thing, kind, partition_key, due_until)
            select thing, kind, partition_key, ended_at + %(max_age)s from news
            where session_key = any(%(sessions)s) and kind = any(%(kinds)s)
              and by_sensor and ended_at + %(max_age)s > now() and ended_at > silent_before()
            {_PROLONGED}""",
        {"sessions": list(session_keys), "kinds": list(kinds), "max_age": max_age},
    )
    conn.execute(
        """delete from due d
           where (d.partition_key = any(%(sessions)s)
                  or d.partition_key in (select round_key from session_round where session_key = any(%(sessions)s))
                  or (d.kind = %(summary)s
                      and exists (select from parsed_round p where p.session_if_first = d.partition_key
                                                               and p.server = any(%(servers)s))
                      and not exists (select from session s where s.session_key = d.partition_key)))
             and d.kind <> %(timing)s
             and not exists (select from news n where n.session_key = any(%(sessions)s)
                             and n.kind = d.kind and n.partition_key = d.partition_key)
             and not exists (select from post p where p.thing = d.thing and p.state <> all(%(not_there)s))""",
        {
            "sessions": list(session_keys),
            "servers": list({server_of(key) for key in session_keys}),
            "summary": ThingKind.SESSION,
            "timing": ThingKind.TIMING,
            "not_there": list(NOT_THERE),
        },
    )


def note_asked(conn: Connection[DictRow], keys: Sequence[str], kinds: Sequence[ThingKind], max_age: timedelta) -> None:
    """Notes what of these kinds rounds or sessions give to tell because a person asked for it, however old it is."""
    conn.execute(
        f"""insert into due (thing, kind, partition_key, due_until)
            select thing, kind, partition_key, now() + %(max_age)s from news
            where kind = any(%(kinds)s)
              and case kind when %(summary)s then session_key = any(%(keys)s) else rounds && %(keys)s end
            {_PROLONGED}""",
        {"keys": list(keys), "kinds": list(kinds), "max_age": max_age, "summary": ThingKind.SESSION},
    )


def leave_out(conn: Connection[DictRow], kinds: Sequence[ThingKind], before: datetime) -> None:
    """What of these kinds was due before is not to be told any more, unless some of it was. What is noted since is
    asked for by a person."""
    conn.execute(
        """delete from due d
           where kind = any(%(kinds)s) and noted_at < %(before)s
             and not exists (select from post p where p.kind = d.kind and p.partition_key = d.partition_key
                                                  and p.state <> all(%(not_there)s))""",
        {"kinds": list(kinds), "before": before, "not_there": list(NOT_THERE)},
    )


def forget_told(conn: Connection[DictRow]) -> None:
    """What was told while it was due, and would be too old by now, is due no more."""
    conn.execute(
        """delete from due d
           where due_until < now() and missed_at is null
             and exists (select from post p where p.thing = d.thing
                         and (p.state = %(told)s or p.state = %(sent)s and p.payload_sha256 is not null))""",
        {"told": PostState.TOLD, "sent": PostState.SENT},
    )


def note(conn: Connection[DictRow], thing: Thing, until: datetime) -> None:
    """Notes one message as due."""
    conn.execute(
        f"insert into due (thing, kind, partition_key, part, due_until) values (%s, %s, %s, %s, %s) {_PROLONGED}",
        [thing.name, thing.kind, thing.partition_key, thing.part, until],
    )


def note_part(conn: Connection[DictRow], part: Thing, until: datetime) -> None:
    """Notes a further message of something whose first one is there; one that was due before stays as it was."""
    conn.execute(
        """insert into due (thing, kind, partition_key, part, due_until) values (%s, %s, %s, %s, %s)
           on conflict (thing) do nothing""",
        [part.name, part.kind, part.partition_key, part.part, until],
    )


def strike_out_parts(conn: Connection[DictRow], thing: Thing, after: int) -> list[Thing]:
    """Nobody needs more of this thing than so many messages. Returns those that may be there all the same."""
    values = {"kind": thing.kind, "key": thing.partition_key, "after": after, "not_there": list(NOT_THERE)}
    there = conn.execute(
        """with needless as (
               delete from due d
               where kind = %(kind)s and partition_key = %(key)s and part > %(after)s
                 and not exists (select from post p where p.thing = d.thing and p.state <> all(%(not_there)s))
           )
           select thing from post
           where kind = %(kind)s and partition_key = %(key)s and part > %(after)s and state <> all(%(not_there)s)
           order by part""",
        values,
    ).fetchall()
    return [Thing.named(row["thing"]) for row in there]


def strike_out(conn: Connection[DictRow], thing: Thing) -> None:
    """Nobody needs to hear of it any more, with all its messages; unless it was told, and is to be corrected."""
    conn.execute(
        """delete from due d
           where kind = %(kind)s and partition_key = %(key)s
             and not exists (select from post p where p.thing = d.thing and p.state <> all(%(not_there)s))""",
        {"kind": thing.kind, "key": thing.partition_key, "not_there": list(NOT_THERE)},
    )


def strike_out_untold(conn: Connection[DictRow]) -> None:
    """What is due may have been told, as after a restore: nothing of it is. What was told can be corrected."""
    conn.execute(
        """with needless as (
               delete from due d
               where not exists (select from post p where p.thing = d.thing and p.state <> all(%(not_there)s))
               returning kind, partition_key
           )
           update asked_post set struck_out = 'a backup was brought back since'
           from needless n where n.kind = %(asked)s and n.partition_key = key and struck_out is null""",
        {"not_there": list(NOT_THERE), "asked": ThingKind.ASKED},
    )


def anything(conn: Connection[DictRow]) -> bool:
    """Whether anything was ever told or is due."""
    row = conn.execute("select exists (select from due) or exists (select from post) as found").fetchone()
    return row is not None and bool(row["found"])


def quiet_matches(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, list[list[str]]]:
    """Those of the sessions of whose rounds nothing was ever told or is due, with the rounds of each of their matches:
    of them there is nothing to tell or to correct."""
    rows = conn.execute(
        """select session_key, array_agg(array_to_json(array_remove(array[r1_key, r2_key], null))) as matches
           from match
           where session_key = any(%(sessions)s) and session_key not in (
               select session_key from session_round
               where session_key = any(%(sessions)s)
                 and (round_key in (select partition_key from due) or round_key in (select partition_key from post)))
           group by session_key""",
        {"sessions": list(session_keys)},
    )
    return {row["session_key"]: row["matches"] for row in rows}


def note_results(conn: Connection[DictRow], session_keys: Sequence[str]) -> None:
    """Notes that sessions have new results, with which what was told of them is to be compared."""
    # A report made meanwhile is older than these, too.
    conn.execute(
        "update session set scored_at = now(), worked_at = now() where session_key = any(%s)", [list(session_keys)]
    )


def results_made(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, datetime | None]:
    """When the results of sessions were made last: to be given to ``note_compared`` by who compares what was told."""
    rows = conn.execute("select session_key, scored_at from session where session_key = any(%s)", [list(session_keys)])
    return {row["session_key"]: row["scored_at"] for row in rows}


def note_compared(conn: Connection[DictRow], made: dict[str, datetime | None]) -> None:
    """Notes that what was told of sessions was compared with these of their results, and corrected."""
    conn.execute(
        """update session s set told_of = made.at
           from unnest(%s::text[], %s::timestamptz[]) made (session_key, at) where s.session_key = made.session_key""",
        [list(made), list(made.values())],
    )


def wanted(conn: Connection[DictRow]) -> set[str]:
    """The things that may be announced now."""
    return {row["thing"] for row in conn.execute("select thing from due where due_until > now()")}


@dataclass(frozen=True)
class Waiting:
    """Something that is due and surely did not arrive. ``session_key``: of the session that it is of now; of what is of
    none its own key; the same of all that was asked for."""

    thing: str
    kind: ThingKind
    partition_key: str
    session_key: str


def waiting(
    conn: Connection[DictRow], kinds: Collection[ThingKind], settled_by: datetime, started_at: datetime
) -> list[Waiting]:
    """What can be told now, session by session and in the order in which it is told live, then what was asked for, in
    that order. What waits since after ``settled_by`` is left to the run that is at it.

    Everything is tried with growing pauses, and at once by a process that started (at ``started_at``) after the last
    time: its settings may be others. A summary waits until its session is over and reported.
    """
    with conn.cursor(row_factory=rows_of(Waiting)) as cursor:
        return cursor.execute(
            """select u.thing, u.kind, u.partition_key,
                      case u.kind when %(asked)s then u.kind
                                  else coalesce(r.session_key, merged.session_key, u.partition_key) end as session_key
               from undelivered u
               left join session_round r on r.round_key = u.partition_key
               left join lateral (   -- of a session that was merged away
                   select x.session_key from parsed_round p join session_round x using (round_key)
                   where u.kind = %(summary)s and p.session_if_first = u.partition_key limit 1
               ) merged on true
               left join asked_post a on u.kind = %(asked)s and a.key = u.partition_key
               where u.kind = any(%(kinds)s) and u.due_until > now()
                 and u.since <= %(settled_by)s
                 and (u.ask_again_at <= now() or u.asked_at < %(started_at)s)
                 and (u.kind <> %(summary)s
                      or exists (select from session s join session_report using (session_key)
                                 where s.session_key = coalesce(merged.session_key, u.partition_key)
                                   and s.worked_at = session_report.worked_at
                                   and session_report.reported_at <= %(settled_by)s))
               order by u.kind = %(asked)s, session_key, a.id, u.kind = %(summary)s, u.kind = %(timing)s, u.due_until,
                        u.thing""",
            {
                "kinds": list(kinds),
                "summary": ThingKind.SESSION,
                "timing": ThingKind.TIMING,
                "asked": ThingKind.ASKED,
                "settled_by": settled_by,
                "started_at": started_at,
            },
        ).fetchall()


def note_tried(conn: Connection[DictRow], things: Collection[str]) -> None:
    """Notes that telling these is tried: the next pause is longer."""
    conn.execute("update due set attempts = attempts + 1, asked_at = now() where thing = any(%s)", [list(things)])


def next_alarm(conn: Connection[DictRow]) -> Alarm | None:
    """A message that is in doubt or too old to be told by now, once each; None when all are reported. Alarms are none:
    who raises them tells them as long as they last.

    Belongs into the transaction that reports it: what could not be reported is found again.
    """
    row = conn.execute(
        """update post set unreported = false
           where thing = (select thing from post where unreported and kind <> all(%s)
                          order by claimed_at, thing limit 1)
           returning thing, error""",
        [list(ALARMS)],
    ).fetchone()
    if row is not None:
        return Alarm(Thing.named(row["thing"]), Trouble.IN_DOUBT, row["error"] or "")
    row = conn.execute(
        """update due d set missed_at = now()
           from (select * from undelivered u
                 where due_until <= now() and kind <> all(%s)
                   and exists (select from due x where x.thing = u.thing and missed_at is null)
                 order by due_until, thing limit 1) u
           where u.thing = d.thing
           returning d.thing, u.state, u.error""",
        [list(ALARMS)],
    ).fetchone()
    return None if row is None else Alarm(Thing.named(row["thing"]), Trouble.MISSED, _missed(row))


def _missed(row: DictRow) -> str:
    what = "never corrected" if row["state"] == PostState.SENT else "never told"
    why = row["error"] or "its run ended before it came to the message"
    return f"{what}, and too old to be tried again: {why}"


def note_held(conn: Connection[DictRow], thing: Thing, why: str | None) -> None:
    """Notes why Discord was not called for a message when it was its turn; None: it was."""
    conn.execute("update due set held = %s where thing = %s and held is distinct from %s", [why, thing.name, why])


def troubles(conn: Connection[DictRow]) -> list[MessageTrouble]:
    """Messages somebody has to look at, oldest first."""
    with conn.cursor(row_factory=rows_of(MessageTrouble)) as cursor:
        return cursor.execute(
            """select thing, kind, partition_key, trouble, detail, since, session_key
               from message_trouble order by since, thing"""
        ).fetchall()


def standing(conn: Connection[DictRow], thing: Thing) -> Standing:
    """How the message of a thing stands."""
    with conn.cursor(row_factory=rows_of(Standing)) as cursor:
        (row,) = cursor.execute(
            """select p.state, coalesce(d.held, p.error, '') as error,
                      coalesce(p.state = %(sent)s and p.payload_sha256 is null, false) as uncorrected
               from (select %(name)s as thing) asked left join post p using (thing) left join due d using (thing)""",
            {"name": thing.name, "sent": PostState.SENT},
        )
    return row


def thing_named(conn: Connection[DictRow], name: str) -> Thing | None:
    """The thing of a name that was told or is due; None when there is none."""
    row = conn.execute(
        "select from post where thing = %(name)s union all select from due where thing = %(name)s", {"name": name}
    ).fetchone()
    return None if row is None else Thing.named(name)
