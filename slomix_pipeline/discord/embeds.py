"""What Discord can be told: messages and embeds as values, its limits, and text made safe for it.

Belongs here: the shape of a message and of its files, Discord's limits, escaping and packing of text.
Does not belong here: what is said (``messages``) and how it is sent (``client``), cutting text (``formats.names``).

Lengths count UTF-16 units. Discord does not say what it counts; no other count of a text is higher.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slomix_pipeline.formats.names import clip as clip
from slomix_pipeline.formats.names import plain as plain

# Discord's documentation, "Message Resource": "Embed Limits" and "Create Message".
TITLE_LIMIT = 256
DESCRIPTION_LIMIT = 4096
FIELDS_LIMIT = 25
FIELD_NAME_LIMIT = 256
FIELD_VALUE_LIMIT = 1024
FOOTER_LIMIT = 2048
TOTAL_LIMIT = 6000  # over ALL embeds of one message: titles, descriptions, field names and values, footers
CONTENT_LIMIT = 2000  # "Execute Webhook"
EMBEDS_LIMIT = 10  # "Execute Webhook"
COLOR_LIMIT = 0xFFFFFF
ATTACHMENTS_LIMIT = 10  # "Create Message"
ATTACHMENT_LIMIT = 10 * 2**20  # bytes of each: "Uploading Files"
ALT_LIMIT = 1024  # "Attachment Structure", description
EPHEMERAL = 64  # "Message Flags": only who asked sees it
CUSTOM_ID_LIMIT = 100  # "Component Reference"

BLANK = "\u200b"  # shows nothing, yet counts as text where Discord wants some

# What starts markup, a mention, an emoji, a time tag or a link in Discord's client ("1." starts a list, "discord.gg/"
# an invite). A backslash before any of them shows the bare character.
_ACTIVE = re.compile(r"[\\`*_~|<>()\[\]#@:/.-]")
_ATTACHED = "attachment://"
_FILE_NAME = re.compile(r"\w[\w.-]{0,99}", re.ASCII)  # Discord changes others, and then nothing finds them


@dataclass(frozen=True)
class Field:
    """A titled block of an embed; ``inline`` ones stand side by side, three in a row."""

    name: str
    value: str
    inline: bool = False


@dataclass(frozen=True)
class Attachment:
    """A file of a message. ``alt``: in words, for who does not see it; ``data`` None: it is there already and stays."""

    name: str
    alt: str
    sha256: str
    data: bytes | None = None

    @classmethod
    def of(cls, name: str, alt: str, data: bytes) -> "Attachment":
        """A file to be sent."""
        return cls(name, alt, hashlib.sha256(data).hexdigest(), data)


@dataclass(frozen=True)
class Embed:
    """A card. ``color`` is 0xRRGGBB (0: Discord's default), ``timestamp`` must know its zone, ``image`` is the name of
    an attachment of its message."""

    title: str
    description: str = ""
    color: int = 0
    fields: tuple[Field, ...] = ()
    footer: str = ""
    timestamp: datetime | None = None
    url: str | None = None
    image: str | None = None


@dataclass(frozen=True)
class Message:
    """One message of a channel. Its ``attachments`` are all sent with it, or all there already."""

    content: str = ""
    embeds: tuple[Embed, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    @property
    def keeps_attachments(self) -> bool:
        """Whether those that are there stay."""
        return any(file.data is None for file in self.attachments)


def to_payload(message: Message) -> dict[str, Any]:
    """The JSON body for sending or editing; it states every part but files, so an edit replaces them all. Nobody is
    pinged."""
    return {
        "content": message.content,
        "embeds": [_embed_payload(embed) for embed in message.embeds],
        "allowed_mentions": {"parse": []},
    }


def from_payload(payload: Mapping[str, Any]) -> Message:
    """The message of a body that ``to_payload`` made; its files are not in there."""
    return Message(payload["content"], tuple(map(_embed_of, payload["embeds"])))


def attachments_payload(message: Message) -> list[dict[str, Any]]:
    """What the body says of the files that are sent along; an edit that says it takes all others away."""
    return [
        {"id": number, "filename": file.name, "description": file.alt}
        for number, file in enumerate(message.attachments)
    ]


def digest(message: Message) -> str:
    """A digest of all that a message shows, its files with it, whether they are sent or there already."""
    shown = to_payload(message)
    if message.attachments:
        shown["attachments"] = [[file.name, file.alt, file.sha256] for file in message.attachments]
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def _embed_payload(embed: Embed) -> dict[str, Any]:
    payload = {
        "title": embed.title,
        "description": embed.description,
        "color": embed.color,
        "fields": [{"name": field.name, "value": field.value, "inline": field.inline} for field in embed.fields],
        "footer": {"text": embed.footer} if embed.footer else None,
        "timestamp": embed.timestamp.isoformat() if embed.timestamp else None,
        "url": embed.url,
        "image": {"url": f"{_ATTACHED}{embed.image}"} if embed.image else None,
    }
    return {key: value for key, value in payload.items() if value}


def _embed_of(payload: Mapping[str, Any]) -> Embed:
    timestamp, image = payload.get("timestamp"), payload.get("image")
    return Embed(
        title=payload.get("title", ""),
        description=payload.get("description", ""),
        color=payload.get("color", 0),
        fields=tuple(Field(**field) for field in payload.get("fields", ())),
        footer=payload["footer"]["text"] if "footer" in payload else "",
        timestamp=datetime.fromisoformat(timestamp) if timestamp else None,
        url=payload.get("url"),
        image=image["url"].removeprefix(_ATTACHED) if image else None,
    )


def length(text: str) -> int:
    """Length of ``text`` in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def size(embed: Embed) -> int:
    """What ``embed`` takes of ``TOTAL_LIMIT``."""
    texts = [embed.title, embed.description, embed.footer]
    return sum(map(length, texts)) + sum(length(field.name) + length(field.value) for field in embed.fields)


def violations(message: Message) -> list[str]:
    """Why Discord would refuse ``message``, in words; empty when it fits."""
    return list(_violations(message))


def _violations(message: Message) -> Iterator[str]:
    if not message.content.strip() and not message.embeds and not message.attachments:
        yield "the message is empty"
    yield from _too_long("content", message.content, CONTENT_LIMIT)
    if len(message.embeds) > EMBEDS_LIMIT:
        yield f"{len(message.embeds)} embeds, {EMBEDS_LIMIT} are allowed"
    total = sum(map(size, message.embeds))
    if total > TOTAL_LIMIT:
        yield f"all embeds together have {total} characters, {TOTAL_LIMIT} are allowed"
    for number, embed in enumerate(message.embeds, start=1):
        for violation in _embed_violations(embed):
            yield f"embed {number}: {violation}"
        if embed.image and embed.image not in {file.name for file in message.attachments}:
            yield f"embed {number}: its image is no attachment of the message"
    yield from _attachment_violations(message)


def _attachment_violations(message: Message) -> Iterator[str]:
    if len(message.attachments) > ATTACHMENTS_LIMIT:
        yield f"{len(message.attachments)} attachments, {ATTACHMENTS_LIMIT} are allowed"
    names = Counter(file.name for file in message.attachments)
    for number, file in enumerate(message.attachments, start=1):
        if not _FILE_NAME.fullmatch(file.name) or names[file.name] > 1:
            yield f"attachment {number}: its name can't be kept"
        yield from _too_long(f"attachment {number}: alt text", file.alt, ALT_LIMIT)
        if file.data is not None and not 0 < len(file.data) <= ATTACHMENT_LIMIT:
            yield f"attachment {number} has {len(file.data)} bytes, 1 to {ATTACHMENT_LIMIT} are allowed"
    if message.keeps_attachments and any(file.data is not None for file in message.attachments):
        yield "some attachments are new and some are to stay"


def _embed_violations(embed: Embed) -> Iterator[str]:
    if not (embed.title.strip() or embed.description.strip() or embed.fields or embed.image):
        yield "title, description and fields are empty"
    yield from _too_long("title", embed.title, TITLE_LIMIT)
    yield from _too_long("description", embed.description, DESCRIPTION_LIMIT)
    yield from _too_long("footer", embed.footer, FOOTER_LIMIT)
    if len(embed.fields) > FIELDS_LIMIT:
        yield f"{len(embed.fields)} fields, {FIELDS_LIMIT} are allowed"
    for number, field in enumerate(embed.fields, start=1):
        for part, text, limit in (("name", field.name, FIELD_NAME_LIMIT), ("value", field.value, FIELD_VALUE_LIMIT)):
            if not text.strip():
                yield f"field {number}: {part} is empty"
            yield from _too_long(f"field {number}: {part}", text, limit)
    if not 0 <= embed.color <= COLOR_LIMIT:
        yield f"color {embed.color} is not 0xRRGGBB"
    if embed.timestamp and embed.timestamp.tzinfo is None:
        yield "timestamp has no zone"
    if embed.url and not embed.url.startswith(("https://", "http://")):
        yield "url is not a web address"


def _too_long(what: str, text: str, limit: int) -> Iterator[str]:
    if length(text) > limit:
        yield f"{what} has {length(text)} characters, {limit} are allowed"


def escape(text: str) -> str:
    """A name as text for titles, descriptions, fields and content that Discord shows exactly as it is.

    No Markdown, mention, emoji, time tag or link of ``text`` works; line breaks become spaces. Within code and in
    footers backslashes show: not for there.
    """
    return _ACTIVE.sub(r"\\\g<0>", plain(text))


def block(name: str, lines: Sequence[str]) -> tuple[Field, ...]:
    """``lines`` as fields, the first one called ``name``; none without lines. None is left out, so they may be more
    than a message holds (``pages``); one that is longer than a field goes on in the next, from a space on."""
    values = _pack([piece for line in lines for piece in _pieces(line)])
    return tuple(Field(BLANK if number else name, value) for number, value in enumerate(values))


def _pieces(line: str) -> Iterator[str]:
    """A line in pieces of whole words, each no longer than a field."""
    words = line.split(" ")
    while length(" ".join(words)) > FIELD_VALUE_LIMIT and len(words) > 1:
        kept = len(words) - 1
        while kept > 1 and length(" ".join(words[:kept])) > FIELD_VALUE_LIMIT:
            kept -= 1
        yield " ".join(words[:kept])
        words = words[kept:]
    yield " ".join(words)


def fields_of_lines(
    name: str,
    lines: Sequence[str],
    *,
    more: str = "… and {n} more",
    max_fields: int = FIELDS_LIMIT,
    room: int = TOTAL_LIMIT,
) -> tuple[Field, ...]:
    """``lines`` as fields, the first one called ``name``. No line is cut; those that don't fit are counted in ``more``.

    ``room`` is what all these fields may take together, their names included (UTF-16 units).

    Raises:
        ValueError: not even the line ``more`` fits.
    """
    for kept in range(len(lines), -1, -1):
        missing = len(lines) - kept
        fields = block(name, [*lines[:kept], *([more.format(n=missing)] if missing else [])])
        taken = sum(length(field.name) + length(field.value) for field in fields)
        fits = all(length(field.value) <= FIELD_VALUE_LIMIT for field in fields)
        if len(fields) <= max_fields and taken <= room and fits:
            return fields
    raise ValueError(f"no room for {len(lines)} lines of {name!r}")


def _pack(lines: Sequence[str]) -> list[str]:
    values: list[str] = []
    for line in lines:
        line = line if line.strip() else BLANK
        if values and length(values[-1]) + 1 + length(line) <= FIELD_VALUE_LIMIT:
            values[-1] += "\n" + line
        else:
            values.append(line)
    return values
