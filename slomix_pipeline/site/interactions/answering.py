"""From a call that is Discord's to its answer: which function says it, and what is said when none can.

Whatever stands in the call, there is an answer, and it never holds a token.

Does not belong here: the functions (``sessions``, ``players``, ``choosing``), HTTP (``endpoint``).
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from slomix_pipeline.site.interactions import players, sessions
from slomix_pipeline.site.interactions.choosing import choices_for
from slomix_pipeline.site.interactions.commands import CommandName
from slomix_pipeline.site.interactions.received import Call, CallKind
from slomix_pipeline.site.interactions.replies import (
    EPHEMERAL,
    Asked,
    Refused,
    Reply,
    ReplyKind,
    body,
    choices,
    refusal,
)
from slomix_pipeline.stages.asked_content import NothingToTell
from slomix_pipeline.warehouse.site_store import SiteStore, StoreUnavailable

Answer = dict[str, Any]
_log = logging.getLogger(__name__)

_COMMANDS: dict[str, Callable[[Asked], Reply]] = {
    CommandName.SESSION: sessions.session,
    CommandName.MATCH: sessions.match,
    CommandName.PLAYER: players.player,
    CommandName.COMPARE: players.compare,
    CommandName.TOP: players.top,
    CommandName.RECORDS: players.records,
    CommandName.MAP: players.map_,
    CommandName.STATUS: sessions.status,
    CommandName.LINK: players.link,
}
_FOR_ONE = (CommandName.LINK,)  # whose answers are nobody else's business


class Answering:
    """Answers calls of what ``store`` holds. ``link_url``: where is noted who asks to be linked."""

    def __init__(self, store: SiteStore, zone: ZoneInfo, link_url: str | None) -> None:
        self._store, self._zone, self._link_url = store, zone, link_url

    def answer(self, call: Call, base: str) -> Answer:
        """The answer to any call but a ping. ``base``: the address of the pages, without a slash at its end."""
        try:
            with self._store.moment() as moment:
                now = datetime.now(self._zone)
                return self._made(Asked(call, moment.conn, base, now, self._zone, self._link_url))
        except Refused as refused:
            return _refusal(call, refused.text, refused.hits)
        except NothingToTell as nothing:
            return _refusal(call, str(nothing))
        except StoreUnavailable as error:
            _log.warning("the database: %s", error)
            return _refusal(call, "the database does not answer just now; try again in a moment")
        except Exception:
            _log.exception("a call of Discord's could not be answered")
            return _refusal(call, "this could not be answered; the log of the site says why")

    @staticmethod
    def _made(asked: Asked) -> Answer:
        call = asked.call
        if call.type is CallKind.AUTOCOMPLETE:
            return {"type": ReplyKind.CHOICES, "data": choices(choices_for(asked))}
        if call.type is CallKind.COMPONENT:
            return {"type": ReplyKind.UPDATE, "data": body(players.turned(asked))}
        if call.type is not CallKind.COMMAND or call.data.name not in _COMMANDS:
            raise Refused("there is no such command any more")
        return {"type": ReplyKind.MESSAGE, "data": body(_COMMANDS[call.data.name](asked))}


def later(call: Call) -> Answer:
    """What is said at once of an answer that takes longer."""
    match call.type:
        case CallKind.AUTOCOMPLETE:  # which can't be told later
            return {"type": ReplyKind.CHOICES, "data": choices([])}
        case CallKind.COMPONENT:
            return {"type": ReplyKind.UPDATE_LATER}
    own = {"data": {"flags": EPHEMERAL}} if call.data.name in _FOR_ONE else {}
    return {"type": ReplyKind.LATER, **own}


def _refusal(call: Call, text: str, hits: tuple[str, ...] = ()) -> Answer:
    if call.type is CallKind.AUTOCOMPLETE:
        return {"type": ReplyKind.CHOICES, "data": choices([])}
    return {"type": ReplyKind.MESSAGE, "data": refusal(text, hits)}
