"""What goes wrong between us and Discord, on demand: for tests of what is told then.

Belongs here: faults of the network, of Discord, of the webhook's setting. Does not belong here: a Discord that works
(``standin``), limits that calls reach by their number (``standin_limits``).
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator
from enum import StrEnum

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from slomix_pipeline.discord.standin_limits import CALLS_ALLOWED, bucket_headers, refused_for

_DRIP_SECONDS = 0.05  # between two bytes, below any limit per read
_LONG_WAIT = 3600.0  # seconds that a 429 asks for
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, no seconds


class Fault(StrEnum):
    """How a call goes wrong. Of those in ``TAKEN`` the message is there, of the others it is not."""

    LOST_ANSWER = "taken, and the answer is a failing gateway's"
    DRIPPING = "taken, and the answer comes byte by byte, without end"
    LATE_ANSWER = "taken, and the answer comes when nobody waits for it any more"
    RESET_AFTER_TAKING = "taken, and the connection is reset instead of an answer"
    RESET = "not taken: the connection is reset"
    FAILING = "not taken: 503"
    RATE_LIMITED = "not taken: 429, to be tried again in an hour, with no word of a bucket"
    BUCKET_LIMITED = "not taken: 429 for calls of this kind, to be tried again in an hour"
    GLOBALLY_LIMITED = "not taken: 429 for all calls, to be tried again in an hour"
    WRONG_TOKEN = "not taken: 401"
    UNKNOWN_WEBHOOK = "not taken: 404, the webhook was deleted"
    WRONG_CHANNEL = "not taken: 400, it would need a thread"
    REFUSED_CONTENT = "not taken: 400, because of what it says"


TAKEN = frozenset({Fault.LOST_ANSWER, Fault.DRIPPING, Fault.LATE_ANSWER, Fault.RESET_AFTER_TAKING})

_ANSWERS = {
    Fault.RATE_LIMITED: (
        429,
        {"message": "You are being rate limited.", "retry_after": _LONG_WAIT, "global": False},
    ),
    Fault.LOST_ANSWER: (502, {}),
    Fault.FAILING: (503, {}),
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
    """Stands before the stand-in; each call that sends or edits takes the next of the ``coming`` faults, and goes well
    where that is None. While it is ``down`` every call fails, also those that only ask."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.coming: deque[Fault | None] = deque()
        self.down = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.down:
            await JSONResponse({}, _ANSWERS[Fault.FAILING][0])(scope, receive, send)
            return
        changes = scope["type"] == "http" and scope["method"] in ("POST", "PATCH")
        fault = self.coming.popleft() if changes and self.coming else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault in TAKEN:
            await self._app(scope, receive, _nowhere)
        elif fault is Fault.RESET:
            await _whole(receive)
        if fault in (Fault.RESET, Fault.RESET_AFTER_TAKING):
            _reset(scope["state"]["transport"])
        if fault in (Fault.RESET, Fault.RESET_AFTER_TAKING, Fault.LATE_ANSWER):
            await _hung_up(receive)
        else:
            await _answer(fault)(scope, receive, send)


class Connection(H11Protocol):
    """A connection that a fault can reset: its calls find it as ``scope["state"]["transport"]``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def _answer(fault: Fault) -> Response:
    if fault is Fault.DRIPPING:
        return StreamingResponse(_drops(), media_type="application/json")
    if fault is Fault.GLOBALLY_LIMITED:
        return refused_for(_LONG_WAIT, {}, everywhere=True)
    if fault is Fault.BUCKET_LIMITED:
        return refused_for(_LONG_WAIT, bucket_headers("standin-fault", CALLS_ALLOWED, CALLS_ALLOWED, _LONG_WAIT))
    status, body = _ANSWERS[fault]
    return JSONResponse(body, status)


def _reset(transport: asyncio.Transport) -> None:
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


async def _whole(receive: Receive) -> None:
    """Wait for the last of a call: who is cut off while sending may see another error than one of a reset."""
    while (await receive()).get("more_body"):
        pass


async def _hung_up(receive: Receive) -> None:
    """Wait until the connection is no more."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nowhere(message: Message) -> None:
    """Where an answer goes that nobody gets."""


async def _drops() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(_DRIP_SECONDS)
