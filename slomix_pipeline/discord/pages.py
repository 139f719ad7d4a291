"""A message that has more to say than one may hold, as several in order.

Belongs here: where it is parted: between fields, none is cut. Does not belong here: Discord's limits (``embeds``), what
is said, and that the parts are told in order (``telling``).
"""

from collections.abc import Iterator
from dataclasses import replace

from slomix_pipeline.discord.embeds import BLANK, FIELDS_LIMIT, TOTAL_LIMIT, Embed, Field, Message, size

NOTHING_MORE = Message(embeds=(Embed("", "-# Nothing more: all of it stands above by now."),))
"""What becomes of a further message when one less is needed."""
TAKEN_BACK = Message(embeds=(Embed("", "-# Taken back: somebody who was named here wished not to be."),))
"""What becomes of what was asked for when it names somebody whom nothing may name any more."""


def pages(message: Message) -> tuple[Message, ...]:
    """The message with as many fields of its first embed as fit, and the others in messages below it."""
    if not message.embeds:
        return (message,)
    first, *others = message.embeds
    head, *more = _parted(first, sum(map(size, others)))
    return (replace(message, embeds=(head, *others)), *(Message(embeds=(embed,)) for embed in more))


def _parted(embed: Embed, taken: int) -> Iterator[Embed]:
    """The embed with its first fields, and embeds with the rest. ``taken``: what others take of the first message."""
    page = replace(embed, fields=())
    title = ""
    for field in embed.fields:
        title = title if field.name == BLANK else field.name
        longer = replace(page, fields=(*page.fields, field))
        if len(longer.fields) > FIELDS_LIMIT or size(longer) + taken > TOTAL_LIMIT:
            yield page
            taken = 0
            # A block goes on under its title.
            longer = Embed("", color=embed.color, fields=(Field(title or BLANK, field.value, field.inline),))
        page = longer
    yield page
