"""The ledger of what was said: at most one message per thing, edited when it changes.

Belongs here: claim, send, remember; what to do after a crash in between.
Does not belong here: what is said (``discord.messages``), whether it should be (``warehouse.due``).

Discord has no memory that could be asked, so in doubt nothing is sent twice: the row stays ``in_doubt`` for a person.
"""

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.discord.client import ContentRefused, Discord, DiscordError, InDoubt, MessageGone, NotSent
from slomix_pipeline.discord.embeds import Message, to_payload
from slomix_pipeline.rules.corrections import Published
from slomix_pipeline.warehouse import corrections, due
from slomix_pipeline.warehouse.database import Database, DatabaseUnavailable

_PATIENCE = 30.0  # seconds for a database that restarts while a message is on its way
RESULTS = ("round1", "result", "session")  # the kinds of things that the channel of results is told
TIMINGS = ("timing",)  # and the dev channel
SENDER_DIED = "the sender ended before it knew whether the message arrived"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Thing:
    """Something that is told at most once: ``round1`` or ``result`` of a round's key, ``session`` of a session's."""

    kind: str
    partition_key: str

    @property
    def name(self) -> str:
        """Its name in the ledger."""
        return f"{self.kind}:{self.partition_key}"


@dataclass(frozen=True)
class Told:
    """What became of telling: ``silent``, ``sent``, ``edited``, ``unchanged``, ``failed`` (tried again), ``refused``
    (the webhook or this content; tried again with others), ``uncorrected`` (an edit failed, tried again), ``stands``
    (can't be edited any more), ``missed`` (too old to be told by now) or ``in_doubt``."""

    outcome: str
    detail: str = ""
    goes_on: bool = True
    """Whether Discord can be expected to take the next message."""

    @property
    def is_trouble(self) -> bool:
        return self.outcome in ("failed", "refused", "uncorrected", "stands", "missed", "in_doubt")

    @property
    def stands(self) -> bool:
        """Whether the message is there to be read, as far as is known."""
        return self.outcome in ("sent", "edited", "unchanged", "uncorrected", "stands", "in_doubt")


def lock_of(thing: str) -> str:
    """The name of the lock that whoever sends a thing, or changes what is known of it, holds."""
    return f"post {thing}"


def tell(
    database: Database,
    discord: Discord,
    thing: Thing,
    message: Message,
    *,
    announce: bool,
    max_age: timedelta,
    result: Published | None = None,
    held: str | None = None,
) -> Told:
    """Sends a message, or edits the one already sent. Without ``announce`` only what was said before is corrected.

    ``max_age``: for how long a correction that fails now is tried again. ``result``: what the message tells of a match,
    to be kept with it. With ``held``, the reason, Discord is not called:
    what should be said is left to the next run. Never raises for Discord's sake: its troubles are outcomes, kept in
    the ledger.
    """
    digest = hashlib.sha256(json.dumps(to_payload(message), sort_keys=True).encode()).hexdigest()
    with database.hold(lock_of(thing.name)) as conn:  # two runs never send the same thing
        row = conn.execute("select * from post where thing = %s", [thing.name]).fetchone()
        if row is None or row["state"] in ("failed", "refused"):
            if not announce:
                return _not_told(conn, thing)
            if row and row["state"] == "refused" and row["payload_sha256"] == digest:
                return Told("refused", row["error"])
            due.note_held(conn, thing.name, held)
            if held is not None:
                return Told("failed", held, goes_on=False)
            return _send(database, conn, discord, thing, message, digest, result)
        if row["state"] in ("sent", "told"):
            if row["payload_sha256"] == digest:
                if row["stands_since"] is not None:  # what it says is right again
                    conn.execute("update post set stands_since = null, error = null where thing = %s", [thing.name])
                return Told("unchanged")
            if row["state"] == "told" and row["payload_sha256"] is None:  # it shows this, for all we know
                conn.execute("update post set payload_sha256 = %s where thing = %s", [digest, thing.name])
                return Told("unchanged")
            return _correct(conn, discord, row, message, digest, held, max_age)
        if row["state"] == "claimed":  # we hold the lock, so whoever claimed it died on the way
            _set_aside(conn, thing.name, SENDER_DIED)
            return Told("in_doubt", SENDER_DIED)
        return Told("in_doubt", row["error"] or "")


def _not_told(conn: Connection[DictRow], thing: Thing) -> Told:
    """What may not be announced is nobody's trouble, unless it was due until it was too old."""
    missed = conn.execute("select from due where thing = %s and missed_at is not null", [thing.name]).fetchone()
    return Told("silent") if missed is None else Told("missed", "never told, and too old to be tried again")


def _send(
    database: Database,
    conn: Connection[DictRow],
    discord: Discord,
    thing: Thing,
    message: Message,
    digest: str,
    result: Published | None,
) -> Told:
    with conn.transaction():  # what is told is known before it is: after a crash too
        conn.execute(
            """insert into post (thing, partition_key, state, payload_sha256) values (%s, %s, 'claimed', %s)
               on conflict (thing) do update
               set state = 'claimed', payload_sha256 = excluded.payload_sha256, error = null, claimed_at = now()""",
            [thing.name, thing.partition_key, digest],
        )
        if result is not None:
            corrections.remember(conn, thing.name, result)
    try:
        sent = discord.send(message)
    except NotSent as error:
        state = "failed" if error.retriable else "refused"
        kept = digest if isinstance(error, ContentRefused) else None
        values = {"state": state, "error": str(error), "payload_sha256": kept}
        _note(database, conn, thing.name, values)
        return Told(state, str(error), goes_on=kept is not None)
    except InDoubt as error:
        _note(database, conn, thing.name, {"state": "in_doubt", "error": str(error)})
        return Told("in_doubt", str(error), goes_on=False)
    _note(
        database,
        conn,
        thing.name,
        {
            "state": "sent",
            "message_id": sent.message_id,
            "webhook_id": discord.webhook_id,
            "thread_id": discord.thread_id,
            "sent_at": datetime.now(UTC),
            "error": None,
        },
    )
    return Told("sent")


def _note(database: Database, conn: Connection[DictRow], thing: str, values: dict[str, Any]) -> None:
    """Writes what became of a claimed message, though the database restarts just then: nobody else knows it."""
    fields = ", ".join(f"{name} = %({name})s" for name in values)
    query = f"update post set {fields} where thing = %(thing)s and state in ('claimed', 'in_doubt')"
    gives_up = time.monotonic() + _PATIENCE
    try:
        conn.execute(query, values | {"thing": thing})
        return
    except psycopg.OperationalError:
        _log.warning("the database went away while %s was sent; waiting for it", thing)
    while True:
        try:
            with database.connect() as another:
                another.execute(query, values | {"thing": thing})
            return
        except (psycopg.OperationalError, DatabaseUnavailable):
            if time.monotonic() > gives_up:
                _log.error("can't keep what became of %s: %s", thing, values["state"])
                raise
            time.sleep(0.5)


def _correct(
    conn: Connection[DictRow],
    discord: Discord,
    row: DictRow,
    message: Message,
    digest: str,
    held: str | None,
    max_age: timedelta,
) -> Told:
    """Edits a message that shows something else than it should, if that can be done."""
    since = f"stands as it was sent at {_when(row)}"
    if row["state"] == "told":
        return _stands(conn, row, f"a person noted it as told, without its id: it can't be corrected, {since}")
    theirs = (row["webhook_id"] or discord.webhook_id, row["thread_id"] if row["webhook_id"] else discord.thread_id)
    if theirs != (discord.webhook_id, discord.thread_id):
        return _stands(
            conn,
            row,
            f"another webhook or thread sent it (webhook {theirs[0]}): it can't be corrected any more, {since}; it can "
            "be again with that webhook",
        )
    if held is not None:
        return _uncorrected(conn, row, held, max_age)
    try:
        discord.edit(row["message_id"], message)
    except MessageGone as error:
        outcome = Told("unchanged", f"{error}; it is not said again")
    except DiscordError as error:
        return _uncorrected(conn, row, str(error), max_age)
    else:
        outcome = Told("edited")
    conn.execute(
        """update post set payload_sha256 = %s, error = %s, edited_at = now(), stands_since = null, webhook_id = %s,
                           thread_id = %s
           where thing = %s""",
        [digest, outcome.detail or None, discord.webhook_id, discord.thread_id, row["thing"]],
    )
    return outcome


def _uncorrected(conn: Connection[DictRow], row: DictRow, why: str, max_age: timedelta) -> Told:
    """Without a digest the message is known to show something else than it should: it is edited again."""
    if row["payload_sha256"] is not None:
        due.note(conn, row["thing"], row["partition_key"], datetime.now(UTC) + max_age)
    conn.execute(
        "update post set payload_sha256 = null, error = %s, stands_since = null where thing = %s", [why, row["thing"]]
    )
    return Told("uncorrected", why, goes_on=False)


def _stands(conn: Connection[DictRow], row: DictRow, why: str) -> Told:
    conn.execute(
        "update post set error = %s, stands_since = coalesce(stands_since, now()) where thing = %s", [why, row["thing"]]
    )
    return Told("stands", why)


def _when(row: DictRow) -> str:
    return f"{(row['edited_at'] or row['sent_at'] or row['claimed_at']).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _set_aside(conn: Connection[DictRow], thing: str, why: str) -> None:
    conn.execute("update post set state = 'in_doubt', error = %s where thing = %s", [why, thing])


def what_holds(database: Database, discord: Discord, kinds: Sequence[str]) -> str | None:
    """Why Discord can't be expected to take a message now; None when it can.

    As long as the latest message of these kinds of things came to nothing, it is asked something harmless first: so an
    outage puts one message in doubt, however long it takes, and not every one that is due.
    """
    with database.connect() as conn:
        trouble = conn.execute(
            """select from post
               where split_part(thing, ':', 1) = any(%(kinds)s)
                 and ((state = 'sent' and payload_sha256 is null)
                      or (state in ('in_doubt', 'failed', 'refused')
                          and claimed_at > coalesce((select max(greatest(claimed_at, edited_at)) from post
                                                     where state = 'sent' and payload_sha256 is not null
                                                       and split_part(thing, ':', 1) = any(%(kinds)s)), '-infinity')))
               limit 1""",
            {"kinds": list(kinds)},
        ).fetchone()
    if trouble is None:
        return None
    try:
        discord.check()
    except DiscordError as error:
        return not_tried(str(error))
    return None


def not_tried(why: str) -> str:
    """What is said of a message for which Discord was not called."""
    return f"not tried, Discord takes no messages just now: {why}"


def adopt(conn: Connection[DictRow], discord: Discord, kinds: Sequence[str]) -> None:
    """Messages from before the webhook was kept count as today's webhook's: later it may be another one."""
    conn.execute(
        """update post set webhook_id = %s, thread_id = %s
           where webhook_id is null and state = 'sent' and split_part(thing, ':', 1) = any(%s)""",
        [discord.webhook_id, discord.thread_id, list(kinds)],
    )
