"""Messages of which nobody knows whether they arrived: found after their sender died, resolved by a person.

Belongs here: both changes of the ledger's rows, under the lock that a sender holds. Does not belong here: sending
(``ledger``), the command (``commands.posting``).
"""

from enum import StrEnum

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.discord.ledger import SENDER_DIED
from slomix_pipeline.warehouse.database import Database, advisory_key
from slomix_pipeline.warehouse.due import Alarm


class Resolution(StrEnum):
    """What a person knows of a message: it is not there and is to be sent, or it is there."""

    SEND_AGAIN = "retry"
    IS_THERE = "told"


def settle_abandoned(database: Database) -> list[Alarm]:
    """Sets aside as in doubt what somebody claimed who is gone: the lock that he held is free."""
    found = []
    with database.connect() as conn:
        conn.autocommit = True
        for row in conn.execute("select thing, partition_key from post where state = 'claimed'").fetchall():
            key = advisory_key(f"post {row['thing']}")
            if not _got(conn, "pg_try_advisory_lock", key):
                continue
            try:
                done = conn.execute(
                    "update post set state = 'in_doubt', error = %s where thing = %s and state = 'claimed'",
                    [SENDER_DIED, row["thing"]],
                )
            finally:
                _got(conn, "pg_advisory_unlock", key)
            if done.rowcount:
                found.append(Alarm(row["thing"], row["partition_key"], "in_doubt", SENDER_DIED))
    return found


def resolve(database: Database, thing: str, how: Resolution, message_id: str | None = None) -> str | None:
    """Writes down what a person found out about a message. Returns None, or why there is nothing to resolve.

    With ``message_id`` a message that is there can be corrected later; without it stands as it is.
    """
    with database.connect() as conn:
        conn.autocommit = True
        key = advisory_key(f"post {thing}")
        if not _got(conn, "pg_try_advisory_lock", key):
            return "somebody is sending it just now"
        row = conn.execute("select state from post where thing = %s", [thing]).fetchone()
        state = row["state"] if row else None
        correctable = message_id is not None and state == "told"
        if state in ("sent", "told") and not correctable:
            return f"it is {state}"
        if how is Resolution.SEND_AGAIN:
            conn.execute(
                """update post set state = 'failed', payload_sha256 = null, error = 'a person had it sent again'
                   where thing = %s""",
                [thing],
            )
            return None
        conn.execute(
            """insert into post (thing, partition_key, state, message_id, error)
               select thing, partition_key, %(state)s, %(id)s, null
               from (select thing, partition_key from post where thing = %(thing)s
                     union select thing, partition_key from due where thing = %(thing)s) known
               on conflict (thing) do update
               set state = excluded.state, message_id = excluded.message_id, error = null, stands_since = null,
                   sent_at = coalesce(post.sent_at, now()),
                   payload_sha256 = case when excluded.message_id is null then post.payload_sha256 end""",
            {"thing": thing, "state": "sent" if message_id else "told", "id": message_id},
        )
        return None


def _got(conn: Connection[DictRow], function: str, key: int) -> bool:
    row = conn.execute(f"select {function}(%s) as got", [key]).fetchone()
    return bool(row and row["got"])
