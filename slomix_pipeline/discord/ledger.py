"""The ledger of what was said: at most one message per thing, edited when it changes.

Belongs here: claim, send, remember; what to do after a crash in between; which pictures a message has.
Does not belong here: what is said (``discord.messages``), whether it should be (``warehouse.due``), which pictures it
should have (``stages.session_pictures``).

Discord has no memory that could be asked, so in doubt nothing is sent twice: the row stays ``in_doubt`` for a person.
"""

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
from slomix_pipeline.discord.embeds import Attachment, Message, digest
from slomix_pipeline.discord.pictures import with_pictures
from slomix_pipeline.formats.keys import prefix_of
from slomix_pipeline.rules.corrections import Published
from slomix_pipeline.rules.things import NOT_THERE, THERE, UNCHECKED, PostState, Thing, ThingKind, ToldAs
from slomix_pipeline.warehouse import corrections, due
from slomix_pipeline.warehouse.database import Database, DatabaseUnavailable
from slomix_pipeline.warehouse.rows import rows_of

_PATIENCE = 30.0  # seconds for a database that restarts while a message is on its way
SENDER_DIED = "the sender ended before it knew whether the message arrived"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """What became of telling, and why."""

    outcome: ToldAs
    detail: str = ""
    goes_on: bool = True
    """Whether Discord can be expected to take the next message."""


@dataclass(frozen=True)
class _Post:
    """A row of ``post``. Of a refused message ``payload_sha256`` is the content that Discord refused, None when it was
    the webhook; of the others it is what was sent last, None when an edit did not get through."""

    thing: str
    state: PostState
    message_id: str | None
    payload_sha256: str | None
    error: str | None
    claimed_at: datetime
    sent_at: datetime | None
    edited_at: datetime | None
    webhook_id: str | None
    thread_id: str | None
    stands_since: datetime | None
    pictures: tuple[dict[str, Any], ...]

    @property
    def attached(self) -> tuple[Attachment, ...]:
        """The pictures that the message has."""
        return tuple(Attachment(**picture) for picture in self.pictures)


def _post(conn: Connection[DictRow], thing: Thing) -> _Post | None:
    with conn.cursor(row_factory=rows_of(_Post)) as cursor:
        return cursor.execute(
            """select thing, state, message_id, payload_sha256, error, claimed_at, sent_at, edited_at,
                      webhook_id, thread_id, stands_since, pictures
               from post where thing = %s""",
            [thing.name],
        ).fetchone()


def state_of(conn: Connection[DictRow], thing: Thing) -> PostState | None:
    """What is known of the message of a thing; None when nobody tried to send one."""
    row = _post(conn, thing)
    return None if row is None else row.state


def lock_of(thing: Thing) -> str:
    """The name of the lock that whoever sends a thing, or changes what is known of it, holds."""
    return f"post {thing.name}"


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
    keeps_pictures: bool = False,
    others: Sequence[Discord] = (),
) -> Told:
    """Sends a message, or edits the one already sent. Without ``announce`` only what was said before is corrected.
    With ``keeps_pictures`` those that it was given since stay; else they go.

    ``max_age``: for how long a correction that fails now is tried again. ``result``: what the message tells of a match,
    to be kept with it. With ``held``, the reason, Discord is not called:
    what should be said waits for the outbox. ``others``: webhooks that are set for other things; what one of them
    sent, before the settings were changed, it corrects. Never raises for Discord's sake: its troubles are outcomes,
    kept in the ledger.
    """
    with database.hold(lock_of(thing)) as conn:  # two runs never send the same thing
        row = _post(conn, thing)
        if row and row.state in THERE and keeps_pictures:
            message = with_pictures(message, row.attached)
        shown = digest(message)
        if row is None or row.state in NOT_THERE:
            if not announce:
                return _not_told(conn, thing)
            if row and row.state is PostState.REFUSED and row.payload_sha256 == shown:
                return Told(ToldAs.REFUSED, row.error or "")
            due.note_held(conn, thing, held)
            if held is not None:
                return Told(ToldAs.FAILED, held, goes_on=False)
            return _send(database, conn, discord, thing, message, shown, result)
        if row.state in THERE:
            if row.payload_sha256 == shown:
                if row.stands_since is not None:  # what it says is right again
                    conn.execute("update post set stands_since = null, error = null where thing = %s", [thing.name])
                return Told(ToldAs.UNCHANGED)
            if row.state is PostState.TOLD and row.payload_sha256 is None:  # it shows this, for all we know
                conn.execute("update post set payload_sha256 = %s where thing = %s", [shown, thing.name])
                return Told(ToldAs.UNCHANGED)
            return _correct(conn, _sender(row, (discord, *others)), row, message, shown, held, max_age)
        if row.state is PostState.CLAIMED:  # we hold the lock, so whoever claimed it died on the way
            _set_aside(conn, thing, SENDER_DIED)
            return Told(ToldAs.IN_DOUBT, SENDER_DIED)
        return Told(ToldAs.IN_DOUBT, row.error or "")


def _not_told(conn: Connection[DictRow], thing: Thing) -> Told:
    """What may not be announced is nobody's trouble, unless it was due until it was too old."""
    missed = conn.execute("select from due where thing = %s and missed_at is not null", [thing.name]).fetchone()
    return Told(ToldAs.SILENT) if missed is None else Told(ToldAs.MISSED, "never told, and too old to be tried again")


def _send(
    database: Database,
    conn: Connection[DictRow],
    discord: Discord,
    thing: Thing,
    message: Message,
    shown: str,
    result: Published | None,
) -> Told:
    with conn.transaction():  # what is told is known before it is: after a crash too
        conn.execute(
            """insert into post (thing, kind, partition_key, part, state, payload_sha256)
               values (%s, %s, %s, %s, %s, %s)
               on conflict (thing) do update
               set (state, payload_sha256, error, claimed_at, deleted_at, pictures)
                 = (excluded.state, excluded.payload_sha256, null, now(), null, default)""",
            [thing.name, thing.kind, thing.partition_key, thing.part, PostState.CLAIMED, shown],
        )
        if result is not None:
            corrections.remember(conn, thing.name, result)
    try:
        sent = discord.send(message)
    except NotSent as error:
        state = PostState.FAILED if error.retriable else PostState.REFUSED
        kept = shown if isinstance(error, ContentRefused) else None
        values = {"state": state, "error": str(error), "payload_sha256": kept}
        _note(database, conn, thing.name, values)
        return Told(ToldAs(state), str(error), goes_on=kept is not None)
    except InDoubt as error:
        _note(database, conn, thing.name, {"state": PostState.IN_DOUBT, "error": str(error)})
        return Told(ToldAs.IN_DOUBT, str(error), goes_on=False)
    _note(
        database,
        conn,
        thing.name,
        {
            "state": PostState.SENT,
            "message_id": sent.message_id,
            "webhook_id": discord.webhook_id,
            "thread_id": discord.thread_id,
            "sent_at": datetime.now(UTC),
            "error": None,
        },
    )
    return Told(ToldAs.SENT)


def _note(database: Database, conn: Connection[DictRow], thing: str, values: dict[str, Any]) -> None:
    """Writes what became of a claimed message, though the database restarts just then: nobody else knows it."""
    fields = ", ".join(f"{name} = %({name})s" for name in values)
    query = f"update post set {fields} where thing = %(thing)s and state = any(%(open)s)"
    values = values | {"thing": thing, "open": [PostState.CLAIMED, PostState.IN_DOUBT]}
    gives_up = time.monotonic() + _PATIENCE
    try:
        conn.execute(query, values)
        return
    except psycopg.OperationalError:
        _log.warning("the database went away while %s was sent; waiting for it", thing)
    while True:
        try:
            with database.connect() as another:
                another.execute(query, values)
            return
        except (psycopg.OperationalError, DatabaseUnavailable):
            if time.monotonic() > gives_up:
                _log.error("can't keep what became of %s: %s", thing, values["state"])
                raise
            time.sleep(0.5)


def _correct(
    conn: Connection[DictRow],
    sender: Discord | None,
    row: _Post,
    message: Message,
    shown: str,
    held: str | None,
    max_age: timedelta,
) -> Told:
    """Edits a message that shows something else than it should, if that can be done. ``sender``: see ``_sender``."""
    since = f"stands as it was sent at {_when(row)}"
    if row.state is PostState.TOLD:
        return _stands(conn, row, f"a person noted it as told, without its id: it can't be corrected, {since}")
    if sender is None:
        return _stands(
            conn,
            row,
            f"another webhook or thread sent it (webhook {row.webhook_id}): it can't be corrected any more, {since}; "
            "it can be again with that webhook",
        )
    if held is not None:
        return _uncorrected(conn, row, held, max_age)
    try:
        sender.edit(str(row.message_id), message)
    except MessageGone as error:
        outcome = Told(ToldAs.UNCHANGED, f"{error}; it is not said again")
    except DiscordError as error:
        return _uncorrected(conn, row, str(error), max_age)
    else:
        outcome = Told(ToldAs.EDITED)
    _note_edited(conn, sender, row, message, shown, outcome.detail or None)
    return outcome


def _sender(row: _Post, channels: Sequence[Discord]) -> Discord | None:
    """Which webhook sent the message into which thread, as far as is known: only that one can edit it. None: it is not
    set any more."""
    for discord in channels:
        if row.webhook_id is None or (row.webhook_id, row.thread_id) == (discord.webhook_id, discord.thread_id):
            return discord
    return None


def _note_edited(
    conn: Connection[DictRow], discord: Discord, row: _Post, message: Message, shown: str, gone: str | None
) -> None:
    """``gone``: in words, that somebody deleted the message."""
    pictures = [{"name": file.name, "alt": file.alt, "sha256": file.sha256} for file in message.attachments]
    conn.execute(
        """update post set payload_sha256 = %s, error = %s, edited_at = now(), stands_since = null, webhook_id = %s,
                           thread_id = %s, pictures = %s, deleted_at = case when %s then now() end
           where thing = %s""",
        [shown, gone, discord.webhook_id, discord.thread_id, json.dumps(pictures), gone is not None, row.thing],
    )


def illustrate(
    database: Database, channels: Sequence[Discord], thing: Thing, message: Message, pictures: Sequence[Attachment]
) -> Told:
    """Gives a message that was told, and says what it should, these pictures in place of those that it has.

    Whatever becomes of that, its text stands as it is, so a failure is noted nowhere but in the outcome. Never raises
    for Discord's sake.
    """
    with database.hold(lock_of(thing)) as conn:
        row = _post(conn, thing)
        if row is None or row.state is not PostState.SENT:
            return Told(ToldAs.SILENT, "there is no message to edit")
        sender = _sender(row, channels)
        if sender is None:
            return Told(ToldAs.SILENT, "another webhook or thread sent the message")
        if digest(with_pictures(message, row.attached)) != row.payload_sha256:
            return Told(ToldAs.FAILED, "its text comes first, and is not told as it is now")
        message = with_pictures(message, pictures)
        shown = digest(message)
        if shown == row.payload_sha256:
            return Told(ToldAs.UNCHANGED)
        try:
            sender.edit(str(row.message_id), message)
        except MessageGone as error:
            outcome = Told(ToldAs.UNCHANGED, f"{error}; it is not said again")
        except NotSent as error:
            return Told(ToldAs.FAILED if error.retriable else ToldAs.REFUSED, str(error), goes_on=not error.retriable)
        except DiscordError as error:
            return Told(ToldAs.FAILED, str(error), goes_on=False)
        else:
            outcome = Told(ToldAs.EDITED)
        _note_edited(conn, sender, row, message, shown, outcome.detail or None)
        return outcome


def _uncorrected(conn: Connection[DictRow], row: _Post, why: str, max_age: timedelta) -> Told:
    """Without a digest the message is known to show something else than it should: it is edited again."""
    if row.payload_sha256 is not None:
        due.note(conn, Thing.named(row.thing), datetime.now(UTC) + max_age)
    conn.execute(
        "update post set payload_sha256 = null, error = %s, stands_since = null where thing = %s", [why, row.thing]
    )
    return Told(ToldAs.UNCORRECTED, why, goes_on=False)


def _stands(conn: Connection[DictRow], row: _Post, why: str) -> Told:
    conn.execute(
        "update post set error = %s, stands_since = coalesce(stands_since, now()) where thing = %s",
        [why, row.thing],
    )
    return Told(ToldAs.STANDS, why)


def _when(row: _Post) -> str:
    return f"{(row.edited_at or row.sent_at or row.claimed_at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _set_aside(conn: Connection[DictRow], thing: Thing, why: str) -> None:
    conn.execute("update post set state = %s, error = %s where thing = %s", [PostState.IN_DOUBT, why, thing.name])


# Of the game servers that a channel is for; of what was asked for and of alarms, which are of none, always.
_OF_ITS_SERVERS = """(%(prefixes)s::text[] is null or kind = any(%(of_none)s)
                      or exists (select from unnest(%(prefixes)s::text[]) prefix
                                 where starts_with(partition_key, prefix)))"""


def what_holds(
    database: Database, discord: Discord, kinds: Sequence[ThingKind], servers: Sequence[str] | None = None
) -> str | None:
    """Why Discord can't be expected to take a message now; None when it can. ``servers``: those that the channel is
    for, None: all.

    As long as the latest message of these kinds of things came to nothing, it is asked something harmless first: so an
    outage puts one message in doubt, however long it takes, and not every one that is due.
    """
    with database.connect() as conn:
        trouble = conn.execute(
            f"""select from post
               where kind = any(%(kinds)s) and {_OF_ITS_SERVERS}
                 and ((state = %(sent)s and payload_sha256 is null and stands_since is null)
                      or (state = any(%(troubled)s)
                          and claimed_at > coalesce((select max(greatest(claimed_at, edited_at)) from post
                                                     where state = %(sent)s and payload_sha256 is not null
                                                       and kind = any(%(kinds)s) and {_OF_ITS_SERVERS}),
                                                    '-infinity')))
               limit 1""",
            {
                "kinds": list(kinds),
                "prefixes": servers and [prefix_of(server) for server in servers],
                "of_none": list(UNCHECKED),
                "sent": PostState.SENT,
                "troubled": [PostState.IN_DOUBT, *NOT_THERE],
            },
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


def adopt(
    conn: Connection[DictRow], discord: Discord, kinds: Sequence[ThingKind], servers: Sequence[str] | None = None
) -> None:
    """Messages from before the webhook was kept count as today's webhook's: later it may be another one."""
    conn.execute(
        f"""update post set webhook_id = %(webhook)s, thread_id = %(thread)s
            where webhook_id is null and state = %(sent)s and kind = any(%(kinds)s) and {_OF_ITS_SERVERS}""",
        {
            "webhook": discord.webhook_id,
            "thread": discord.thread_id,
            "sent": PostState.SENT,
            "kinds": list(kinds),
            "prefixes": servers and [prefix_of(server) for server in servers],
            "of_none": list(UNCHECKED),
        },
    )
