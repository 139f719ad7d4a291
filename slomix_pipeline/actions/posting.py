"""``slomix post``: what a person decides about a message that nobody knows to be there.

Belongs here: finding the thing, sending it again, noting that it is there. Does not belong here: telling itself
(``discord.ledger``, ``discord.doubts``), what is said (``discord.messages``).
"""

from datetime import UTC, datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.discord.channels import Channels, channels_in_use
from slomix_pipeline.discord.doubts import Resolution, resolve
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.runtime.home import open_database, working_alone
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import OF_A_ROUND, OF_A_SESSION, Progress, run_stages
from slomix_pipeline.stages.common import Tools, Wish
from slomix_pipeline.warehouse import due
from slomix_pipeline.warehouse.database import Database


class UnknownThing(SlomixError):
    """The ledger has no such thing; the text names those that somebody has to look at."""


class NothingToResolve(SlomixError):
    """The thing is not in doubt and not refused, or can't be sent; the text says what it is."""


def send_again(settings: Settings, thing: str, progress: Progress) -> str:
    """Sends a message that is in doubt, was refused or came to nothing. Returns what became of it, in words.

    Raises:
        UnknownThing, NothingToResolve: see there; also when Discord did not take it.
    """
    database = open_database(settings)
    with channels_in_use(settings) as channels:
        if (channels.dev if thing.startswith("timing:") else channels.results) is None:
            raise NothingToResolve("no webhook is set for it: slomix doctor says which setting is missing")
        key = _resolved(settings, database, thing, Resolution.SEND_AGAIN)
        _run(settings, database, channels, thing, key, progress)
    with database.transaction() as conn:
        row = _row(conn, thing)
        if row["state"] == "sent" and not row["uncorrected"]:
            return f"{thing} is sent."
        if thing not in due.wanted(conn):  # the run found that there is nothing to tell of it any more
            return f"{thing} was not sent: it is no news any more (its match or session is told otherwise)."
    raise NothingToResolve(f"{thing} was not sent: {row['state']}: {row['error']}")


def note_told(settings: Settings, thing: str, message_id: str | None, progress: Progress) -> str:
    """Notes that a message is there to be read. Returns what that means, in words.

    Raises:
        UnknownThing, NothingToResolve: see there.
    """
    database = open_database(settings)
    with channels_in_use(settings) as channels:
        channel = channels.dev if thing.startswith("timing:") else channels.results
        if message_id is not None and channel is None:
            raise NothingToResolve("no webhook is set for it: without one no message can be corrected")
        key = _resolved(settings, database, thing, Resolution.IS_THERE, message_id)
        _run(settings, database, channels, thing, key, progress)
    if message_id is None:
        return f"{thing} is noted as told. Without its message id it stands as it is and can't be corrected later."
    with database.connect() as conn:
        row = _row(conn, thing)
    outcome = f" It could not be edited just now: {row['error']}" if row["error"] else ""
    return f"{thing} is noted as told, as message {message_id}; it is corrected when something changes.{outcome}"


def _resolved(
    settings: Settings, database: Database, thing: str, how: Resolution, message_id: str | None = None
) -> str:
    """Writes what was decided into the ledger. Returns the key of the round or session."""
    with database.connect() as conn:
        known = conn.execute(
            """select partition_key from post where thing = %(thing)s
               union select partition_key from due where thing = %(thing)s""",
            {"thing": thing},
        ).fetchone()
        if known is None:
            raise UnknownThing(f"the ledger has no {thing!r}; {_to_look_at(conn)}")
    until = datetime.now(UTC) + settings.publish_max_age
    if (state := resolve(database, thing, how, until=until, message_id=message_id)) is not None:
        raise NothingToResolve(f"there is nothing to decide about {thing}: {state}")
    return str(known["partition_key"])


def _to_look_at(conn: Connection[DictRow]) -> str:
    found = [row["thing"] for row in due.troubles(conn)]
    return f"to look at: {', '.join(found)}" if found else "no message is in doubt or refused"


def _run(settings: Settings, database: Database, channels: Channels, thing: str, key: str, progress: Progress) -> None:
    """Has the thing told or corrected as a sensor would: the same stages, and the checks with them."""
    stages = OF_A_SESSION if thing.startswith("session:") else OF_A_ROUND
    with working_alone(database):
        run_stages(stages, [key], Tools(database, settings, NoGameServer(), channels, Wish.LIVE), progress)


def _row(conn: Connection[DictRow], thing: str) -> DictRow:
    row = conn.execute(
        """select thing, coalesce(p.state, 'not told') as state, coalesce(d.held, p.error, '') as error,
                  coalesce(p.state = 'sent' and p.payload_sha256 is null, false) as uncorrected
           from (select %s as thing) asked left join post p using (thing) left join due d using (thing)""",
        [thing],
    ).fetchone()
    assert row is not None
    return row
