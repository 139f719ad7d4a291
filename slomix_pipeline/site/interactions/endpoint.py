"""The one address that Discord calls: what a call goes through before it is read, and in which time it is answered.

In this order: no more than so many bytes, the headers, the signature over timestamp and bytes as they came, the age;
only then is it read, and must be for this application and its server. Discord sends wrong signatures on purpose: 401.

Does not belong here: what is answered (``answering``).
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from slomix_pipeline.discord import api
from slomix_pipeline.settings import Settings
from slomix_pipeline.site.interactions.answering import Answer, Answering, later, takes_its_place
from slomix_pipeline.site.interactions.received import Call, CallKind
from slomix_pipeline.site.interactions.replies import ReplyKind
from slomix_pipeline.site.interactions.signing import is_discords
from slomix_pipeline.warehouse.site_store import SiteStore

PATH = "/discord/interactions"
LONGEST_BODY = 256_000  # bytes
AT_ONCE_WITHIN = 1.5  # seconds; after 3 Discord gives up
ARRIVES_WITHIN = 3.0  # seconds; a call is short
TOLD_LATER_WITHIN = 10.0  # seconds, for each call that does so
AGAIN_AFTER = 1.0  # seconds
_log = logging.getLogger(__name__)


def add_interactions(app: FastAPI, settings: Settings, store: SiteStore) -> None:
    """Adds the address where slash commands are set up; else there is none."""
    if settings.answers_commands:
        app.add_route(PATH, _Endpoint(settings, store).called, methods=["POST"], include_in_schema=False)


class _Endpoint:
    def __init__(self, settings: Settings, store: SiteStore) -> None:
        assert settings.discord_public_key is not None
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(settings.discord_public_key))
        self._application, self._guild = settings.discord_application_id, settings.discord_guild
        self._api, self._base = settings.discord_api, settings.site_address
        noting = settings.link_postgres_url
        link_url = None if noting is None else noting.get_secret_value()
        self._answering = Answering(store, settings, link_url)

    async def called(self, request: Request) -> Response:
        """Any call."""
        try:
            async with asyncio.timeout(ARRIVES_WITHIN):
                body = await _read(request)
        except TimeoutError:
            return PlainTextResponse("Too slow", 408)
        if body is None:
            return PlainTextResponse("Too long", 413)
        signature, timestamp = (request.headers.get(f"X-Signature-{name}", "") for name in ("Ed25519", "Timestamp"))
        if not is_discords(self._key, signature, timestamp, body, time.time()):
            return PlainTextResponse("Not signed by Discord, or not lately", 401)
        try:
            call = Call.model_validate_json(body)
        except ValidationError:  # which holds what was sent: not for the log
            return PlainTextResponse("Not understood", 400)
        if call.application_id != self._application:
            return PlainTextResponse("Another application's", 403)
        if call.type is CallKind.PING:
            return JSONResponse({"type": ReplyKind.PONG})
        if call.guild_id != self._guild:
            return PlainTextResponse("Another server's", 403)
        return await self._answered(call, self._base or str(request.base_url).rstrip("/"))

    async def _answered(self, call: Call, base: str) -> Response:
        """The answer, or that it comes later: then it is told when it is there."""
        making = asyncio.ensure_future(run_in_threadpool(self._answering.answer, call, base))
        done, _ = await asyncio.wait([making], timeout=AT_ONCE_WITHIN)
        if done:
            return JSONResponse(making.result())
        return JSONResponse(later(call), background=BackgroundTask(self._tell_later, call, making))

    async def _tell_later(self, call: Call, making: "asyncio.Future[Answer]") -> None:
        answer = await making
        if answer["type"] == ReplyKind.CHOICES:  # which come too late
            return
        for method, url, message in self._calls(call, answer):
            if trouble := await run_in_threadpool(_told, method, url, message):
                _log.warning("an answer that took longer could not be told: %s", trouble)

    def _calls(self, call: Call, answer: Answer) -> Iterator[tuple[str, str, dict[str, Any] | None]]:
        """The calls that tell an answer after something else was said. Their addresses hold a token."""
        webhook = f"{self._api}/webhooks/{self._application}/{quote(call.token, safe='')}"
        message = answer["data"]
        if takes_its_place(call, answer):
            yield "PATCH", f"{webhook}/messages/@original", {own: message[own] for own in message if own != "flags"}
            return
        if call.type is CallKind.COMMAND:
            yield "DELETE", f"{webhook}/messages/@original", None
        yield "POST", webhook, message


async def _read(request: Request) -> bytes | None:
    """The bytes of a call; None: too many, or they broke off."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > LONGEST_BODY:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)


def _told(method: str, url: str, message: dict[str, Any] | None) -> str | None:
    """Makes a call, and once more where our first answer is not there yet or there were too many. Returns what went
    wrong, without the address."""
    try:
        answer = api.call(method, url, TOLD_LATER_WITHIN, body=message)
        if answer.status_code in (404, 429):
            time.sleep(AGAIN_AFTER)
            answer = api.call(method, url, TOLD_LATER_WITHIN, body=message)
    except api.Unreachable as error:
        return str(error)
    return None if answer.ok else f"status {answer.status_code}"
