"""The one address that Discord calls: what a call goes through before it is read, and in which time it is answered.

In this order: no more than so many bytes, the headers, the signature over timestamp and bytes as they came, the age;
only then is it read, and must be for this application and its server. Discord sends wrong signatures on purpose: 401.

Does not belong here: what is answered (``answering``).
"""

import asyncio
import logging
import time
from typing import Any
from urllib.parse import quote

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from slomix_pipeline.settings import Settings
from slomix_pipeline.site.interactions.answering import Answer, Answering, later
from slomix_pipeline.site.interactions.received import Call, CallKind
from slomix_pipeline.site.interactions.replies import ReplyKind
from slomix_pipeline.site.interactions.signing import is_discords
from slomix_pipeline.warehouse.site_store import SiteStore

PATH = "/discord/interactions"
LONGEST_BODY = 256_000  # bytes
AT_ONCE_WITHIN = 1.5  # seconds; after 3 Discord gives up
TOLD_LATER_WITHIN = 10.0  # seconds, for the call that does so
AGENT = "DiscordBot (slomix, 1)"  # Discord takes no calls of nameless programs
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
        self._answering = Answering(store, settings.zone, None if noting is None else noting.get_secret_value())

    async def called(self, request: Request) -> Response:
        """Any call."""
        body = await _read(request)
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
        wanted = ReplyKind.MESSAGE if call.type is CallKind.COMMAND else ReplyKind.UPDATE
        if answer["type"] != wanted:  # choices, which come too late, or why a button does nothing: all stays as it is
            return
        url = f"{self._api}/webhooks/{self._application}/{quote(call.token, safe='')}/messages/@original"
        if trouble := await run_in_threadpool(_change, url, answer["data"]):
            _log.warning("an answer that took longer could not be told: %s", trouble)


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


def _change(url: str, message: dict[str, Any]) -> str | None:
    """Changes the message at an address, which holds a token: no error tells more than its kind."""
    own = {name: value for name, value in message.items() if name != "flags"}  # fixed by the first answer
    try:
        answer = requests.patch(url, json=own, timeout=TOLD_LATER_WITHIN, headers={"User-Agent": AGENT})
    except requests.RequestException as error:
        return type(error).__name__
    return None if answer.ok else f"status {answer.status_code}"
