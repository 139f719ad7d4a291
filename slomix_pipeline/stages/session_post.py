"""The summary of a session that is over, as one message.

Does not belong here: when it is over (``sensors.session_over``), the words (``discord``), the pictures, which follow it
(``stages.session_pictures``).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.things import Thing, ThingKind
from slomix_pipeline.stages.common import Done, Tools
from slomix_pipeline.stages.telling import note_asked, sole_teller
from slomix_pipeline.warehouse import due, reading, surprises
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.highlights import Highlights, highlights_of
from slomix_pipeline.warehouse.session_evidence import session_evidence

if TYPE_CHECKING:
    from slomix_pipeline.discord.client import Discord
    from slomix_pipeline.discord.embeds import Message
    from slomix_pipeline.discord.telling import Telling


def session_post(keys: Sequence[str], tools: Tools) -> Done:
    """Announces the summaries of these sessions that are due, and corrects those that were told."""
    outcomes: dict[str, Outcome] = {}
    told: dict[str, str] = {}
    if (channel := tools.channels.of(ThingKind.SESSION)) is not None:
        told, outcomes = _tell(tools, channel, keys)
    return Done({CheckName.TOLD_ONCE: outcomes}, {"messages": told})


def _tell(tools: Tools, discord: "Discord", keys: Sequence[str]) -> tuple[dict[str, str], dict[str, Outcome]]:
    """Tells the summaries of sessions. Returns what became of each thing, and the outcome of each session."""
    # Loaded here: the messages need requests, which loading the definitions doesn't.
    from slomix_pipeline.discord.telling import Telling

    note_asked(tools, keys)
    with tools.database.connect() as conn:
        wanted = due.wanted(conn) if tools.wish else set()
    telling = Telling(tools, discord, tools.channels.kinds_in(discord), wanted)
    outcomes: dict[str, Outcome] = {}
    for key in keys:
        with tools.database.connect() as conn:
            highlights = highlights_of(conn, key)  # takes a look at all of history: nobody is kept waiting for that
        with sole_teller(tools, [key]) as alone:
            if not alone:
                continue
            with tools.database.connect() as conn:
                message = session_summary(conn, key, highlights)
                if message is None:
                    due.strike_out(conn, Thing(ThingKind.SESSION, key))
                    continue
                surprises.note_told(conn, key, highlights.surprise)
            outcomes[key] = telling.outcome(_tell_session(tools.database, telling, key, message))
    return {thing: said.outcome.value for thing, said in telling.said.items()}, outcomes


def session_summary(conn: Connection[DictRow], key: str, highlights: Highlights) -> "Message | None":
    """What is said of a session as it is now; None when another session swallowed it."""
    from slomix_pipeline.discord.session_messages import session_message

    if not reading.session_rows(conn, key):
        return None
    matches = reading.matches(conn, [key])
    players = reading.session_players(conn, key)
    evidence = session_evidence(conn, key)
    return session_message(
        evidence.session,
        matches,
        players,
        evidence.grade,
        evidence.decisions,
        evidence.corrections,
        highlights,
    )


def _tell_session(database: Database, telling: "Telling", key: str, message: "Message") -> list[str]:
    """Tells the summary; what was said of sessions this one swallowed shrinks to a pointer. Returns the names of the
    things in the ledger."""
    from slomix_pipeline.discord.session_messages import session_pointer

    thing = Thing(ThingKind.SESSION, key)
    telling.tell(thing, message, keeps_pictures=True)
    said = [thing.name]
    with database.connect() as conn:
        swallowed = reading.swallowed_sessions(conn, key)
    for old in swallowed:
        thing = Thing(ThingKind.SESSION, old)
        telling.tell(thing, session_pointer(old, key), news=False)
        said.append(thing.name)
    return said
