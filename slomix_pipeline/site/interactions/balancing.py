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
from slomix_pipeline.warehouse.lobbies import NoSplit, Suggestions, suggest

_WISHES = (OptionName.TOGETHER, OptionName.APART)


def balance(asked: Asked) -> Reply:
    """The most even teams of those who are named; who wished to be hidden is nobody."""
    call = asked.call
    players, *wishes = (names_typed(call.option(name)) for name in (OptionName.PLAYERS, *_WISHES))
    together, apart = ([names] if names else [] for names in wishes)
    try:
        found = suggest(asked.conn, players, together, apart)
    except NotOnePlayer as error:
        raise Refused(str(error), [found_text(own) for own in error.found]) from None
    except NoSplit as error:
        raise Refused(str(error)) from None
    return Reply(balance_message(found, asked.now), f"{asked.base}/balance?{urlencode(_asks(found))}")


def _asks(found: Suggestions) -> dict[str, str]:
    """The same question to the page, by GUIDs: an address has an end, and names need not."""
    own = {OptionName.PLAYERS: [player.guid for player in found.players]}
    wished = {OptionName.TOGETHER: found.together, OptionName.APART: found.apart}
    own |= {name: list(guids) for name, groups in wished.items() for guids in groups}
    return {name.value: ",".join(guids) for name, guids in own.items()}
