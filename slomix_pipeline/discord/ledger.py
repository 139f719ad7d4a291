"""The ledger of what was said: at most one message per thing, edited when it changes.

Belongs here: claim, send, remember; what to do after a crash in between.
Does not belong here: what is said (``discord.messages``), whether it should be (``assets.match_post``).

Discord has no memory that could be asked, so in doubt nothing is sent twice: the row stays ``in_doubt`` for a person.
"""

import hashlib
import json
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.discord.client import Discord, DiscordError, InDoubt, MessageGone, NotSent
from slomix_pipeline.discord.embeds import Message, to_payload
from slomix_pipeline.warehouse.database import Database


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
    (the same would fail again), ``uncorrected`` (an edit failed, tried again) or ``in_doubt``."""

    outcome: str
    detail: str = ""

    @property
    def is_trouble(self) -> bool:
        return self.outcome in ("failed", "refused", "uncorrected", "in_doubt")

    @property
    def stands(self) -> bool:
        """Whether the message is there to be read, as far as is known."""
        return self.outcome in ("sent", "edited", "unchanged", "uncorrected", "in_doubt")


def tell(database: Database, discord: Discord, thing: Thing, message: Message, *, announce: bool) -> Told:
    """Sends a message, or edits the one already sent. Without ``announce`` only what was said before is corrected.

    Never raises for Discord's sake: its troubles are outcomes, kept in the ledger.
    """
    digest = hashlib.sha256(json.dumps(to_payload(message), sort_keys=True).encode()).hexdigest()
    with database.hold(f"post {thing.name}") as conn:  # two runs never send the same thing
        row = conn.execute("select * from post where thing = %s", [thing.name]).fetchone()
        if row is None or row["state"] in ("failed", "refused"):
            return _send(conn, discord, thing, message, digest) if announce else Told("silent")
        if row["state"] == "sent":
            return Told("unchanged") if row["payload_sha256"] == digest else _edit(conn, discord, row, message, digest)
        if row["state"] == "claimed":  # we hold the lock, so whoever claimed it died on the way
            return _set_aside(conn, thing, "the sender ended before it knew whether the message arrived")
        return Told("in_doubt", row["error"] or "")


def _send(conn: Connection[DictRow], discord: Discord, thing: Thing, message: Message, digest: str) -> Told:
    conn.execute(
        """insert into post (thing, partition_key, state) values (%s, %s, 'claimed')
           on conflict (thing) do update set state = 'claimed', error = null""",
        [thing.name, thing.partition_key],
    )
    try:
        sent = discord.send(message)
    except NotSent as error:
        state = "failed" if error.retriable else "refused"
        conn.execute("update post set state = %s, error = %s where thing = %s", [state, str(error), thing.name])
        return Told(state, str(error))
    except InDoubt as error:
        return _set_aside(conn, thing, str(error))
    conn.execute(
        "update post set state = 'sent', message_id = %s, payload_sha256 = %s, sent_at = now() where thing = %s",
        [sent.message_id, digest, thing.name],
    )
    return Told("sent")


def _edit(conn: Connection[DictRow], discord: Discord, row: DictRow, message: Message, digest: str) -> Told:
    try:
        discord.edit(row["message_id"], message)
    except MessageGone as error:
        outcome = Told("unchanged", f"{error}; it is not said again")
    except DiscordError as error:
        # Without a digest the message is known to show something else than it should: it is edited again.
        conn.execute("update post set payload_sha256 = null, error = %s where thing = %s", [str(error), row["thing"]])
        return Told("uncorrected", str(error))
    else:
        outcome = Told("edited")
    conn.execute(
        "update post set payload_sha256 = %s, error = %s, edited_at = now() where thing = %s",
        [digest, outcome.detail or None, row["thing"]],
    )
    return outcome


def _set_aside(conn: Connection[DictRow], thing: Thing, why: str) -> Told:
    conn.execute("update post set state = 'in_doubt', error = %s where thing = %s", [why, thing.name])
    return Told("in_doubt", why)
