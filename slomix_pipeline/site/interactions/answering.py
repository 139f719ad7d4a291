"""From a call that is Discord's to its answer: which function says it, and what is said when none can.

Whatever stands in the call, there is an answer, and it never holds a token.

Does not belong here: the functions (``sessions``, ``players``, ``choosing``), HTTP (``endpoint``).
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from slomix_pipeline.discord.embeds import EPHEMERAL
from slomix_pipeline.settings import Settings
from slomix_pipeline.site.interactions import balancing, players, sessions
from slomix_pipeline.site.interactions.choosing import choices_for
from slomix_pipeline.site.interactions.commands import CommandName
from slomix_pipeline.site.interactions.received import Call, CallKind
from slomix_pipeline.site.interactions.replies import Asked, Refused, Reply, ReplyKind, body, choices, refusal
from slomix_pipeline.stages.asked_content import NothingToTell
from slomix_pipeline.warehouse import link_requests
from slomix_pipeline.warehouse.choosing import Everybody
from slomix_pipeline.warehouse.link_requests import NotNoted, Wish
from slomix_pipeline.warehouse.site_store import Moment, SiteStore, StoreUnavailable

Answer = dict[str, Any]
_log = logging.getLogger(__name__)

_COMMANDS: dict[str, Callable[[Asked], Reply]] = {
    CommandName.SESSION: sessions.session,
    CommandName.MATCH: sessions.match,
    CommandName.PLAYER: players.player,
    CommandName.COMPARE: players.compare,
    CommandName.BALANCE: balancing.balance,
    CommandName.TOP: players.top,
    CommandName.RECORDS: players.records,
    CommandName.MAP: players.map_,
    CommandName.STATUS: sessions.status,
    CommandName.LINK: players.link,
}
_FOR_ONE = (CommandName.LINK,)  # whose answers are nobody else's business


class Answering:
    """Answers calls of what ``store`` holds. ``link_url``: where is noted who asks to be linked."""

    def __init__(self, store: SiteStore, settings: Settings, link_url: str | None) -> None:
        self._store, self._settings, self._link_url = store, settings, link_url
        self._everybody = Everybody()

    def answer(self, call: Call, base: str) -> Answer:
        """The answer to any call but a ping. ``base``: the address of the pages, without a slash at its end."""
        try:
            with self._store.moment() as moment:
                answer, wish = self._said(self._asked(call, moment, base))
            if wish is not None and self._link_url is not None:  # no page waits for that
                link_requests.note(self._link_url, wish)
            return answer
        except NotNoted as error:
            _log.warning("a wish to be linked could not be noted: %s", error)
            return _refusal(call, "that could not be noted just now; try again later")
        except StoreUnavailable as error:
            _log.warning("the database: %s", error)
            return _refusal(call, "the database does not answer just now; try again in a moment")
        except Exception:
            _log.exception("a call of Discord's could not be answered")
            return _refusal(call, "this could not be answered; the log of the site says why")

    def _asked(self, call: Call, moment: Moment, base: str) -> Asked:
        now = datetime.now(self._settings.zone)
        can_link = self._link_url is not None
        return Asked(call, moment, base, now, self._settings, self._everybody, can_link)

    @staticmethod
    def _said(asked: Asked) -> tuple[Answer, Wish | None]:
        """The answer, or why there is none; and what has to be noted before it is given. To be refused is no error,
        after which the moment's connection would have to plan anew."""
        try:
            return _made(asked)
        except Refused as refused:
            return _refusal(asked.call, refused.text, refused.hits), None
        except NothingToTell as nothing:
            return _refusal(asked.call, str(nothing)), None


def _made(asked: Asked) -> tuple[Answer, Wish | None]:
    call = asked.call
    if call.type is CallKind.AUTOCOMPLETE:
        return {"type": ReplyKind.CHOICES, "data": choices(choices_for(asked))}, None
    if call.type is CallKind.COMPONENT:
        return {"type": ReplyKind.UPDATE, "data": body(players.turned(asked))}, None
    if call.type is not CallKind.COMMAND or call.data.name not in _COMMANDS:
        raise Refused("there is no such command any more")
    reply = _COMMANDS[call.data.name](asked)
    return {"type": ReplyKind.MESSAGE, "data": body(reply) | _flags(call)}, reply.wish


def later(call: Call) -> Answer:
    """What is said at once of an answer that takes longer."""
    match call.type:
        case CallKind.AUTOCOMPLETE:  # which can't be told later
            return {"type": ReplyKind.CHOICES, "data": choices([])}
        case CallKind.COMPONENT:
            return {"type": ReplyKind.UPDATE_LATER}
    flags = _flags(call)
    return {"type": ReplyKind.LATER} | ({"data": flags} if flags else {})


def takes_its_place(call: Call, answer: Answer) -> bool:
    """Whether an answer can be told in the place of what ``later`` said: who sees it was decided by that, and a message
    whose button does nothing stays as it is."""
    if call.type is CallKind.COMPONENT:
        return bool(answer["type"] == ReplyKind.UPDATE)
    return bool(answer["data"].get("flags") == _flags(call).get("flags"))


def _flags(call: Call) -> dict[str, int]:
    return {"flags": EPHEMERAL} if call.data.name in _FOR_ONE else {}


def _refusal(call: Call, text: str, hits: tuple[str, ...] = ()) -> Answer:
    if call.type is CallKind.AUTOCOMPLETE:
        return {"type": ReplyKind.CHOICES, "data": choices([])}
    return {"type": ReplyKind.MESSAGE, "data": refusal(text, hits)}
