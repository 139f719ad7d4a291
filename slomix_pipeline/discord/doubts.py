"""Messages of which nobody knows whether they arrived: found after their sender died, resolved by a person.

Belongs here: changes of the ledger's rows that no sender makes, under the lock that a sender holds.
Does not belong here: sending (``ledger``), the command (``actions.posting``).
"""

from datetime import datetime
from enum import StrEnum

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.ledger import SENDER_DIED, lock_of
from slomix_pipeline.rules.things import THERE, PostState, Thing
from slomix_pipeline.warehouse import due
from slomix_pipeline.warehouse.database import Database


class Resolution(StrEnum):
    """What a person knows of a message: it is not there and is to be sent, or it is there."""

    SEND_AGAIN = "retry"
    IS_THERE = "told"


def settle_abandoned(database: Database) -> None:
    """Sets aside as in doubt what somebody claimed who is gone: the lock that he held is free. It is to be reported."""
    with database.connect() as conn:
        rows = conn.execute("select thing from post where state = %s", [PostState.CLAIMED])
        claimed = [Thing.named(row["thing"]) for row in rows]
    for thing in claimed:
        with database.try_hold(lock_of(thing)) as held:
            if held is not None:
                held.execute(
                    """update post set state = %s, error = %s, unreported = true
                       where thing = %s and state = %s""",
                    [PostState.IN_DOUBT, SENDER_DIED, thing.name, PostState.CLAIMED],
                )


def take_up_again(database: Database, discord: Discord, until: datetime) -> None:
    """Makes due, as a correction, what stands as this webhook sent it into this thread: it can be edited again."""
    with database.transaction() as conn:
        rows = conn.execute(
            """update post set payload_sha256 = null, stands_since = null
               where stands_since is not null and state = %s
                 and webhook_id = %s and thread_id is not distinct from %s
               returning thing""",
            [PostState.SENT, discord.webhook_id, discord.thread_id],
        ).fetchall()
        for row in rows:
            due.note(conn, Thing.named(row["thing"]), until)


def resolve(
    database: Database, thing: Thing, how: Resolution, *, until: datetime, message_id: str | None = None
) -> str | None:
    """Writes down what a person found out about a message. Returns None, or why there is nothing to resolve.

    What is to be sent again, or corrected again, is due until ``until``. With ``message_id`` a message that is there
    can be corrected later; without it stands as it is.
    """
    with database.try_hold(lock_of(thing)) as conn:
        if conn is None:
            return "somebody is sending it just now"
        with conn.transaction():
            return _resolve(conn, thing, how, until, message_id)


def _resolve(
    conn: Connection[DictRow], thing: Thing, how: Resolution, until: datetime, message_id: str | None
) -> str | None:
    row = conn.execute(
        "select state, payload_sha256, stands_since, deleted_at from post where thing = %s", [thing.name]
    ).fetchone()
    there = row is not None and row["state"] in THERE and not (row["deleted_at"] and how is Resolution.SEND_AGAIN)
    if row is not None and there:
        uncorrected = row["state"] == PostState.SENT and row["payload_sha256"] is None
        if how is Resolution.SEND_AGAIN and not uncorrected:
            return "it stands as it was sent; --told accepts that" if row["stands_since"] else f"it is {row['state']}"
        wrong = uncorrected or row["stands_since"] is not None
        if how is Resolution.IS_THERE and not wrong and (message_id is None or row["state"] == PostState.SENT):
            return f"it is {row['state']}"
    if how is Resolution.SEND_AGAIN:
        due.note(conn, thing, until)
        if not there:
            conn.execute(
                "update post set state = %s, message_id = null, payload_sha256 = null, error = null where thing = %s",
                [PostState.FAILED, thing.name],
            )
        return None
    conn.execute(
        """insert into post (thing, kind, partition_key, part, state, message_id)
           values (%(thing)s, %(kind)s, %(key)s, %(part)s, %(state)s, %(id)s)
           on conflict (thing) do update
           set state = excluded.state, message_id = excluded.message_id, error = null, stands_since = null,
               unreported = false, sent_at = coalesce(post.sent_at, now()),
               pictures = case when post.message_id = excluded.message_id then post.pictures else '[]' end,
               payload_sha256 = case when excluded.message_id is null and not %(there)s then post.payload_sha256 end""",
        {
            "thing": thing.name,
            "kind": thing.kind,
            "key": thing.partition_key,
            "part": thing.part,
            "state": PostState.SENT if message_id else PostState.TOLD,
            "id": message_id,
            "there": there,
        },
    )
    return None
