"""What people and schedules ask to be posted: asked for first, told then, each at most once.

Belongs here: noting it, and telling what waits. Does not belong here: what can be asked for (``rules.asked``), what is
said (``stages.asked_content``), when what waits is tried again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from slomix_pipeline.rules.asked import Asking
from slomix_pipeline.rules.things import THERE, PostState, ThingKind, ToldAs
from slomix_pipeline.stages.asked_content import NothingToTell, message_of
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse import asked_posts, due
from slomix_pipeline.warehouse.asked_posts import AskedPost
from slomix_pipeline.warehouse.database import StillHeld

if TYPE_CHECKING:
    from slomix_pipeline.discord.ledger import Told
    from slomix_pipeline.discord.telling import Telling


def ask(tools: Tools, askings: Sequence[Asking]) -> None:
    """Notes what is to be posted; what was asked for under one of these keys before stays as it is."""
    until = datetime.now(UTC) + tools.settings.publish_max_age
    with tools.database.transaction() as conn:
        for asking in askings:
            asked_posts.note(conn, asking, until)


def tell_asked(keys: Sequence[str], tools: Tools) -> dict[str, "Told"]:
    """Posts what was asked for under these keys and waits, as things stand now, in the order in which it was asked for.

    What was told stays as it is, whatever it would say by now; what can't be said any more is struck out with the
    reason. Returns what became of each; nothing without a channel, or while somebody else tells for long: what waits
    stays due.
    """
    channel = tools.channels.of(ThingKind.ASKED)
    if channel is None:
        return {}
    # Loaded here: telling needs requests, which loading the definitions doesn't.
    from slomix_pipeline.discord.telling import Telling

    try:
        with tools.patience.waiting() as seconds, tools.database.hold("telling what was asked for", patience=seconds):
            with tools.database.connect() as conn:
                waiting, wanted = asked_posts.read(conn, keys), due.wanted(conn)
            telling = Telling(tools, channel, tools.channels.kinds_in(channel), wanted)
            return {post.key: _tell(tools, telling, post, post.thing.name in wanted) for post in waiting}
    except StillHeld:
        tools.log.warning("somebody else tells what was asked for, for long: it stays due")
        return {}


def _tell(tools: Tools, telling: "Telling", post: AskedPost, wanted: bool) -> "Told":
    """Tells one, if it is to be told."""
    from slomix_pipeline.discord.ledger import Told

    with tools.database.connect() as conn:
        now, parts_wait = due.standing(conn, post.thing), due.parts_wait(conn, post.thing)
    if now.state is PostState.IN_DOUBT:
        return Told(ToldAs.IN_DOUBT, now.error)
    if now.state in THERE and not now.uncorrected and not parts_wait:
        return Told(ToldAs.UNCHANGED)
    if now.state not in THERE and not wanted:
        return Told(ToldAs.SILENT, post.struck_out) if post.struck_out else Told(ToldAs.MISSED, "too old by now")
    try:
        with tools.database.snapshot() as conn:
            message = message_of(conn, post.asked, tools.settings.zone, datetime.now(UTC))
    except NothingToTell as nothing:
        with tools.database.transaction() as conn:
            asked_posts.strike_out(conn, post.key, str(nothing))
        return Told(ToldAs.SILENT, str(nothing))
    except Exception as error:  # the others are told all the same
        tools.log.exception(f"message {post.thing.name} could not be made")
        with tools.database.transaction() as conn:
            due.note_held(conn, post.thing, f"it could not be made: {type(error).__name__}")
        return Told(ToldAs.FAILED, f"it could not be made: {type(error).__name__}")
    return telling.tell(post.thing, message)
