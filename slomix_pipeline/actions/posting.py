"""``slomix post`` and the job ``post_again``: what a person decides about a message that nobody knows to be there.

Belongs here: finding the thing, sending it again, noting that it is there. Does not belong here: telling itself
(``discord.ledger``, ``discord.doubts``), what is said (``discord.messages``).
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.actions.asking import OTHERS_TELL, waits_text
from slomix_pipeline.discord.channels import Channels, OpenChannels
from slomix_pipeline.discord.doubts import Resolution, resolve
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.rules.things import ALARMS, ASKED, UNCHECKED, PostState, Thing, ThingKind
from slomix_pipeline.runtime.home import working_alone
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.alarms import tell_alarms
from slomix_pipeline.stages.asked_posts import tell_asked
from slomix_pipeline.stages.chain import OF_A_ROUND, OF_A_SESSION, Progress, run_stages
from slomix_pipeline.stages.common import Tools, Wish
from slomix_pipeline.warehouse import asked_posts, due
from slomix_pipeline.warehouse.database import Database

if TYPE_CHECKING:
    from slomix_pipeline.discord.client import Discord


class UnknownThing(SlomixError):
    """The ledger has no such thing; the text names those that somebody has to look at."""


class NothingToResolve(SlomixError):
    """The thing is not in doubt and not refused, or can't be sent; the text says what it is."""


def send_again(
    settings: Settings, database: Database, open_channels: OpenChannels, name: str, progress: Progress
) -> str:
    """Sends a message that is in doubt, was refused or came to nothing. Returns what became of it, in words.

    Raises:
        UnknownThing, NothingToResolve: see there; also when Discord refused it, or did not say whether it took it.
    """
    with open_channels() as channels:
        thing = _named(database, name)
        if _channel(channels, thing) is None:
            raise NothingToResolve("no webhook is set for it: slomix doctor says which setting is missing")
        _resolve(settings, database, thing, Resolution.SEND_AGAIN)
        _run(settings, database, channels, thing, progress)
    with database.transaction() as conn:
        now = due.standing(conn, thing)
        if now.state is PostState.SENT and not now.uncorrected:
            return f"{name} is sent."
        if name not in due.wanted(conn):  # the run found that there is nothing to tell of it any more
            why = asked_posts.struck_out(conn, thing) or "its match or session is told otherwise"
            return f"{name} was not sent: it is no news any more ({why})."
        if now.state in (None, PostState.FAILED):
            return waits_text(name, now.error or OTHERS_TELL)
    raise NothingToResolve(f"{name} was not sent: {now.state or 'not told'}: {now.error}")


def note_told(
    settings: Settings,
    database: Database,
    open_channels: OpenChannels,
    name: str,
    message_id: str | None,
    progress: Progress,
) -> str:
    """Notes that a message is there to be read. Returns what that means, in words.

    Raises:
        UnknownThing, NothingToResolve: see there.
    """
    with open_channels() as channels:
        thing = _named(database, name)
        if message_id is not None and _channel(channels, thing) is None:
            raise NothingToResolve("no webhook is set for it: without one no message can be corrected")
        _resolve(settings, database, thing, Resolution.IS_THERE, message_id)
        _run(settings, database, channels, thing, progress)
    if message_id is None:
        return f"{name} is noted as told. Without its message id it stands as it is and can't be corrected later."
    with database.connect() as conn:
        error = due.standing(conn, thing).error
    outcome = f" It could not be edited just now: {error}" if error else ""
    return f"{name} is noted as told, as message {message_id}; it is corrected when something changes.{outcome}"


def _channel(channels: Channels, thing: Thing) -> "Discord | None":
    """Where a thing is told: what is of a round or a session, as its game server has it."""
    of_none = thing.kind in UNCHECKED
    return (channels if of_none else channels.at(server_of(thing.partition_key))).of(thing.kind)


def _named(database: Database, name: str) -> Thing:
    """The thing of a name that the ledger knows."""
    with database.connect() as conn:
        thing = due.thing_named(conn, name)
        if thing is None:
            raise UnknownThing(f"the ledger has no {name!r}; {_to_look_at(conn)}")
    return thing


def _resolve(
    settings: Settings, database: Database, thing: Thing, how: Resolution, message_id: str | None = None
) -> None:
    """Writes what was decided into the ledger."""
    until = datetime.now(UTC) + settings.publish_max_age
    if (state := resolve(database, thing, how, until=until, message_id=message_id)) is not None:
        raise NothingToResolve(f"there is nothing to decide about {thing.name}: {state}")


def _to_look_at(conn: Connection[DictRow]) -> str:
    found = [trouble.thing for trouble in due.troubles(conn)]
    return f"to look at: {', '.join(found)}" if found else "no message is in doubt or refused"


def _run(settings: Settings, database: Database, channels: Channels, thing: Thing, progress: Progress) -> None:
    """Has the thing told or corrected as a sensor would: the same stages, and the checks with them."""
    if thing.kind in ALARMS:
        tell_alarms(Tools(database, settings, NoGameServer(), channels, Wish.LIVE), datetime.now(UTC))
        return
    if thing.kind in ASKED:
        tell_asked([thing.partition_key], Tools(database, settings, NoGameServer(), channels))
        return
    stages = OF_A_SESSION if thing.kind is ThingKind.SESSION else OF_A_ROUND
    with working_alone(database):
        run_stages(
            stages, [thing.partition_key], Tools(database, settings, NoGameServer(), channels, Wish.LIVE), progress
        )
