"""What a command is answered with, as Discord takes it; and what stands in the way of an answer.

Belongs here: the shape of answers ("Receiving and Responding", "Component Reference"), links to the pages. Every answer
pings nobody. Does not belong here: what is said (``sessions``, ``players``), the limits of messages (``discord``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.discord.embeds import (
    CONTENT_LIMIT,
    CUSTOM_ID_LIMIT,
    EPHEMERAL,
    Embed,
    Message,
    length,
    to_payload,
)
from slomix_pipeline.discord.pages import pages
from slomix_pipeline.discord.wording import short_text
from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.settings import Settings
from slomix_pipeline.site.interactions.commands import OptionName
from slomix_pipeline.site.interactions.received import Call
from slomix_pipeline.warehouse.choosing import Everybody
from slomix_pipeline.warehouse.link_requests import Wish
from slomix_pipeline.warehouse.site_store import Moment

MOST_CHOICES = 25  # "Application Command Option Structure"
_ROW, _BUTTON, _GREY = 1, 2, 2  # "Component Reference"
_LONGEST = 300  # visible characters of a sentence
_MOST_HITS = 15
_LONGEST_CHOICE = 100  # of its label, and of its value
_MORE = "-# One message does not hold all of it; the rest stands on the page behind the title."


class ReplyKind(IntEnum):
    """How a call is answered."""

    PONG = 1
    MESSAGE = 4
    LATER = 5
    UPDATE_LATER = 6
    UPDATE = 7
    CHOICES = 8


@dataclass(frozen=True)
class Asked:
    """A call, and of which moment it is answered: ``now``, in the zone of the server. ``base``: that of the pages,
    without a slash at its end; ``can_link``: it can be noted who asks to be linked."""

    call: Call
    moment: Moment
    base: str
    now: datetime
    settings: Settings
    everybody: Everybody
    can_link: bool

    @property
    def zone(self) -> ZoneInfo:
        """That of the server."""
        return self.settings.zone

    def zone_of(self, key: str) -> ZoneInfo:
        """That of the game server that a key is of."""
        return self.settings.of_server(server_of(key)).zone

    @property
    def conn(self) -> Connection[DictRow]:
        """Everything as it is at that moment."""
        return self.moment.conn

    def is_running(self, ended_at: datetime) -> bool:
        """Whether a session that ended then, so far, may go on: the same as pages say."""
        return ended_at in self.moment.version.running(self.now, self.settings.session_gap)


@dataclass(frozen=True)
class Button:
    """A button below an answer. ``id``: what we are told when it is pressed."""

    label: str
    id: str
    is_active: bool = True


@dataclass(frozen=True)
class Reply:
    """An answer. ``url``: the page of the same; ``picture``: the address of one; ``believed``: how far it can be, where
    it is about a result; ``wish``: what has to be noted before this is said."""

    message: Message
    url: str | None = None
    picture: str | None = None
    believed: str | None = None
    buttons: Sequence[Button] = ()
    wish: Wish | None = None


class Refused(Exception):
    """It can't be answered: the text says why, to who asked alone. ``hits``: what may be meant, of several."""

    def __init__(self, text: str, hits: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.text, self.hits = text, tuple(hits)


Word = TypeVar("Word", bound=StrEnum)


def chosen(call: Call, option: OptionName, usual: Word) -> Word:
    """What was chosen for an option of which there are only some; ``usual``: if nothing was."""
    given = call.option(option)
    try:
        return type(usual)(given) if given else usual
    except ValueError:
        raise Refused(f"there is no {option} {given}") from None


def body(reply: Reply) -> dict[str, Any]:
    """The message of an answer."""
    # The whole footer first: what it takes, no field can.
    first, *more = pages(replace(reply.message, embeds=tuple(_whole(embed, reply) for embed in reply.message.embeds)))
    if more and reply.url:
        first = replace(first, content=_MORE)
    payload = to_payload(first) | {"components": _components(reply.buttons)}
    if reply.picture:
        payload["embeds"][0]["image"] = {"url": reply.picture}
    return payload


def _whole(embed: Embed, reply: Reply) -> Embed:
    return replace(embed, url=reply.url, footer=" · ".join(filter(None, (embed.footer, reply.believed))))


def refusal(text: str, hits: Sequence[str] = ()) -> dict[str, Any]:
    """The message that says why there is no answer."""
    shown = [f"- {short_text(hit, _LONGEST)}" for hit in hits[:_MOST_HITS]]
    more = [f"- and {len(hits) - _MOST_HITS} more"] if len(hits) > _MOST_HITS else []
    said = short_text(text[:1].upper() + text[1:], _LONGEST)
    for line in [*shown, *more]:  # which may be long, of marks that stand on one character
        if length(f"{said}\n{line}") <= CONTENT_LIMIT:
            said = f"{said}\n{line}"
    return to_payload(Message(content=said)) | {"components": [], "flags": EPHEMERAL}


def choices(found: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Choices while somebody types: label and value of each."""
    fitting = [(label, value) for label, value in found if 0 < len(value) <= _LONGEST_CHOICE]
    return {
        "choices": [
            {"name": (label or value)[:_LONGEST_CHOICE], "value": value} for label, value in fitting[:MOST_CHOICES]
        ]
    }


def _components(buttons: Sequence[Button]) -> list[dict[str, Any]]:
    if not buttons or any(len(button.id) > CUSTOM_ID_LIMIT for button in buttons):
        return []
    own = [
        {"type": _BUTTON, "style": _GREY, "label": own.label, "custom_id": own.id, "disabled": not own.is_active}
        for own in buttons
    ]
    return [{"type": _ROW, "components": own}]
