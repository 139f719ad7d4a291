"""The answer to ``/balance``: the most even teams of who is there.

Does not belong here: the teams (``warehouse.lobbies``), the words (``discord.balance_messages``).
"""

from urllib.parse import urlencode

from slomix_pipeline.discord.balance_messages import balance_message
from slomix_pipeline.reports.balance_words import names_typed
from slomix_pipeline.reports.career_words import found_text
from slomix_pipeline.site.interactions.commands import OptionName
from slomix_pipeline.site.interactions.replies import Asked, Refused, Reply
from slomix_pipeline.warehouse.careers import NotOnePlayer
from slomix_pipeline.warehouse.lobbies import NoSplit, suggest

_WISHES = (OptionName.TOGETHER, OptionName.APART)


def balance(asked: Asked) -> Reply:
    """The most even teams of those who are named; who wished to be hidden is nobody."""
    typed = {option: asked.call.option(option) for option in (OptionName.PLAYERS, *_WISHES)}
    players, *wishes = (names_typed(text) for text in typed.values())
    together, apart = ([names] if names else [] for names in wishes)
    try:
        found = suggest(asked.conn, players, together, apart)
    except NotOnePlayer as error:
        raise Refused(str(error), [found_text(own) for own in error.found]) from None
    except NoSplit as error:
        raise Refused(str(error)) from None
    query = urlencode({option.value: text for option, text in typed.items() if text})
    return Reply(balance_message(found, asked.now), f"{asked.base}/balance?{query}")
