"""How pictures stand in a message: the first below its text, the others in cards of their own.

Does not belong here: what is drawn (``charts``), when it is sent (``stages.session_pictures``).
"""

from collections.abc import Sequence
from dataclasses import replace

from slomix_pipeline.discord.embeds import Attachment, Embed, Message


def with_pictures(message: Message, pictures: Sequence[Attachment]) -> Message:
    """The message of one embed or more with these pictures; without any, as it is."""
    if not pictures:
        return message
    *others, last = message.embeds
    below, *rest = pictures
    cards = (Embed("", color=last.color, image=picture.name) for picture in rest)
    return replace(message, embeds=(*others, replace(last, image=below.name), *cards), attachments=tuple(pictures))
