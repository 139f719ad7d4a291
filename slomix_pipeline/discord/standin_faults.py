"""What goes wrong between us and Discord, on demand: for tests of what is told then.

Belongs here: faults of the network, of Discord, of the webhook's setting. Does not belong here: a Discord that works
(``standin``).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from enum import StrEnum

from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DRIP_SECONDS = 0.05  # between two bytes, below any limit per read


class Fault(StrEnum):
    """How a call goes wrong. Of ``LOST_ANSWER`` and ``DRIPPING`` the message is there, of the others it is not."""

    LOST_ANSWER = "taken, and the answer is a failing gateway's"
    DRIPPING = "taken, and the answer comes byte by byte, without end"
    FAILING = "not taken: 503"
    RATE_LIMITED = "not taken: 429, to be tried again in an hour"
    WRONG_TOKEN = "not taken: 401"
    UNKNOWN_WEBHOOK = "not taken: 404, the webhook was deleted"
    WRONG_CHANNEL = "not taken: 400, it would need a thread"
    REFUSED_CONTENT = "not taken: 400, because of what it says"


_ANSWERS = {
    Fault.LOST_ANSWER: (502, {}),
    Fault.FAILING: (503, {}),
    Fault.RATE_LIMITED: (429, {"message": "You are being rate limited.", "retry_after": 3600, "global": False}),
    Fault.WRONG_TOKEN: (401, {"message": "Invalid Webhook Token", "code": 50027}),
    Fault.UNKNOWN_WEBHOOK: (404, {"message": "Unknown Webhook", "code": 10015}),
    Fault.WRONG_CHANNEL: (400, {"message": "Webhooks posted to forum channels must have a thread", "code": 220001}),
    Fault.REFUSED_CONTENT: (
        400,
        {
            "message": "Invalid Form Body",
            "code": 50035,
            "errors": {"embeds": {"0": {"_errors": [{"code": "BASE_TYPE_BAD", "message": "Refused"}]}}},
        },
    ),
}


class Faults:
    """Stands before the stand-in; each call that sends or edits takes the next of the ``coming`` faults. While it is
    ``down`` every call fails, also those that only ask."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.coming: deque[Fault] = deque()
        self.down = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.down:
            await JSONResponse({}, _ANSWERS[Fault.FAILING][0])(scope, receive, send)
            return
        if scope["type"] != "http" or scope["method"] not in ("POST", "PATCH") or not self.coming:
            await self._app(scope, receive, send)
            return
        fault = self.coming.popleft()
        if fault in (Fault.LOST_ANSWER, Fault.DRIPPING):
            await self._app(scope, receive, _nowhere)
        if fault is Fault.DRIPPING:
            await StreamingResponse(_drops(), media_type="application/json")(scope, receive, send)
        else:
            status, body = _ANSWERS[fault]
            await JSONResponse(body, status)(scope, receive, send)


async def _nowhere(message: Message) -> None:
    """Where an answer goes that nobody gets."""


async def _drops() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(_DRIP_SECONDS)
