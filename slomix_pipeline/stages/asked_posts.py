"""What people and schedules ask to be posted: asked for first, told then, each at most once, and taken back.

Belongs here: noting it, telling what waits as it is said once and for all, giving it its picture, taking it back from
those who are to be unnamed. Does not belong here: what can be asked for (``rules.asked``), what is said and pictured
(``stages.asked_content``, ``stages.asked_pictures``), when what waits is tried again.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.charts.facts import MapFacts
from slomix_pipeline.rules.asked import Asking
from slomix_pipeline.rules.people import holds_one_of
from slomix_pipeline.rules.things import THERE, PostState, Thing, ThingKind, ToldAs
from slomix_pipeline.stages import asked_pictures
from slomix_pipeline.stages.asked_content import NothingToTell, message_of
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.stages.telling import sole_teller_of_asked
from slomix_pipeline.warehouse import asked_posts, due
from slomix_pipeline.warehouse.asked_posts import AskedPost

if TYPE_CHECKING:
    from slomix_pipeline.discord.embeds import Message
    from slomix_pipeline.discord.ledger import Told
    from slomix_pipeline.discord.telling import Telling


@dataclass(frozen=True)
class _Said:
    """What is said of something, and what a picture of it shows: none of what was said before."""

    messages: "tuple[Message, ...]"
    picture: MapFacts | None = None


def ask(tools: Tools, askings: Sequence[Asking]) -> None:
    """Notes what is to be posted; what was asked for under one of these keys before stays as it is."""
    until = datetime.now(UTC) + tools.settings.publish_max_age
    with tools.database.transaction() as conn:
        for asking in askings:
            asked_posts.note(conn, asking, until)


def tell_asked(keys: Sequence[str], tools: Tools) -> dict[str, "Told"]:
    """Posts what was asked for under these keys and waits, as things stand now, in the order in which it was asked for.

    What was told stays as it was said then, in all its messages; what can't be said any more is struck out with the
    reason. A picture follows once all is told; where that fails the text stands without. Returns what became of each;
    nothing without a channel, or while somebody else tells for long: what waits stays due.
    """
    channel = tools.channels.of(ThingKind.ASKED)
    if channel is None:
        return {}
    # Loaded here: telling needs requests, which loading the definitions doesn't.
    from slomix_pipeline.discord.telling import Telling

    with sole_teller_of_asked(tools) as alone:
        if not alone:
            return {}
        with tools.database.connect() as conn:
            waiting, wanted = asked_posts.read(conn, keys), due.wanted(conn)
        telling = Telling(tools, channel, tools.channels.kinds_in(channel), wanted)
        told = {post.key: _tell(tools, telling, post, post.thing.name in wanted) for post in waiting}
    for post in waiting:
        said = told[post.key][1]
        if said is not None and said.picture is not None:
            _illustrate(tools, telling, post.thing, said.messages[0], said.picture)
    return {key: outcome for key, (outcome, _) in told.items()}


def _tell(tools: Tools, telling: "Telling", post: AskedPost, wanted: bool) -> "tuple[Told, _Said | None]":
    """Tells one, if it is to be told, with all its messages. Also returns what was told just now."""
    from slomix_pipeline.discord.embeds import from_payload
    from slomix_pipeline.discord.ledger import Told
    from slomix_pipeline.discord.pages import TAKEN_BACK

    with tools.database.connect() as conn:
        now, final = due.standing(conn, post.thing), asked_posts.is_final(conn, post.key)
    if now.state is PostState.IN_DOUBT:
        return Told(ToldAs.IN_DOUBT, now.error), None
    if now.state not in THERE and not wanted:
        struck_out = Told(ToldAs.SILENT, post.struck_out or "")
        return struck_out if post.struck_out else Told(ToldAs.MISSED, "too old by now"), None
    if final and post.said is None:  # from before what is said was kept
        return Told(ToldAs.UNCHANGED), None
    said = _Said(tuple(map(from_payload, post.said or ()))) if final else _said_now(tools, post)
    if isinstance(said, Told):
        return said, None
    taken_back = said.messages == (TAKEN_BACK,)
    told = telling.tell_pages(post.thing, said.messages, keeps_pictures=not taken_back)
    if taken_back:  # though the first message can't be edited
        telling.end_after(post.thing, 1)
    return told, said if told.outcome.is_right else None


def _illustrate(tools: Tools, telling: "Telling", thing: Thing, message: "Message", picture: MapFacts) -> None:
    """Puts its picture to a message that was told just now, unless it says something else by then."""
    try:
        drawn = asked_pictures.drawn(picture)
    except Exception:  # whatever it is: the text stands
        tools.log.exception(f"the picture of {thing.name} could not be drawn")
        return
    with sole_teller_of_asked(tools) as alone:  # not while drawing, which takes a second
        if alone:
            telling.illustrate(thing, message, [drawn])


def _said_now(tools: Tools, post: AskedPost) -> "_Said | Told":
    """What is said of one as things stand now, kept before anybody tells it; or why there is nothing."""
    from slomix_pipeline.discord.embeds import to_payload
    from slomix_pipeline.discord.ledger import Told
    from slomix_pipeline.discord.pages import pages

    try:
        with tools.database.snapshot() as conn:
            said = pages(message_of(conn, post.asked, tools.settings.zone, datetime.now(UTC)))
            picture = asked_pictures.pictured(conn, post.asked)
    except NothingToTell as nothing:
        with tools.database.transaction() as conn:
            asked_posts.strike_out(conn, post.key, str(nothing))
        return Told(ToldAs.SILENT, str(nothing))
    except Exception as error:  # the others are told all the same
        tools.log.exception(f"message {post.thing.name} could not be made")
        with tools.database.transaction() as conn:
            due.note_held(conn, post.thing, f"it could not be made: {type(error).__name__}")
        return Told(ToldAs.FAILED, f"it could not be made: {type(error).__name__}")
    with tools.database.transaction() as conn:
        asked_posts.keep_said(conn, post.key, list(map(to_payload, said)))
    return _Said(said, picture)


def take_back(tools: Tools, conn: Connection[DictRow], names: Collection[str]) -> list[str]:
    """What was told and has one of these names or GUIDs is to say no more than that it was taken back.

    Belongs into the transaction that decides it; then it is told (``tell_asked``), or found to be due by the outbox.
    Returns the keys of what may be there to be read.
    """
    from slomix_pipeline.discord.embeds import to_payload
    from slomix_pipeline.discord.pages import TAKEN_BACK
    from slomix_pipeline.discord.wording import player_text, unbroken

    shown = {player_text(name) for name in names} - {player_text("")}  # which tells nobody who it is
    said = asked_posts.all_said(conn)
    keys = [key for key, bodies in said.items() if any(holds_one_of(unbroken(text), shown) for text in _texts(bodies))]
    until = datetime.now(UTC) + tools.settings.publish_max_age
    return asked_posts.take_back(conn, keys, to_payload(TAKEN_BACK), until)


def _texts(body: Any) -> Iterator[str]:
    """All texts of a body of Discord's."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, (dict, list)):
        for own in body.values() if isinstance(body, dict) else body:
            yield from _texts(own)
