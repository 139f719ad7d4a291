"""Slash commands on the stand-in: what somebody types is signed and sent to the pages, as Discord does, and their
answer is shown like a message.

Belongs here: the application with its key pair, what was registered, calls and their answers ("Receiving and
Responding"). Does not belong here: which commands there are and what is answered (``site.interactions``), the webhook's
messages (``standin``).
"""

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from slomix_pipeline.discord.embeds import CUSTOM_ID_LIMIT, length
from slomix_pipeline.discord.standin_channel import Channel
from slomix_pipeline.discord.standin_files import Call
from slomix_pipeline.discord.standin_refusals import refusals

_USER = {"id": "300000000000000003", "username": "you"}
_ANSWER_WITHIN = 3.0  # seconds, as Discord waits
_COMMAND, _PRESSED = 2, 3
_MESSAGE, _LATER, _UPDATE_LATER, _UPDATE = 4, 5, 6, 7
_TEXT = 3  # the kind of option that is typed
_WAITS = {"content": "thinking …", "allowed_mentions": {"parse": []}}  # Discord's own


class NoAnswer(Exception):
    """There is no answer to show; the text says why."""


class Application:
    """An application of the stand-in: its ids and keys, its commands, and the answers that can still be changed."""

    def __init__(self, channel: Channel) -> None:
        self.id, self.guild, self.bot_token = "100000000000000001", "200000000000000002", secrets.token_urlsafe(24)
        self.commands: list[dict[str, Any]] = []
        self.endpoint: str | None = None
        self._channel = channel
        self._key = Ed25519PrivateKey.generate()
        self._answers: dict[str, Future[str]] = {}  # by token, the message that is there once a call was answered

    @property
    def public_key(self) -> str:
        """What its calls can be verified with."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def typed(self, text: str) -> None:
        """Somebody typed a command: ``/top kd map:supply``.

        Raises:
            NoAnswer: it is none, or is not answered as Discord takes it.
        """
        name, given = _parsed(text, self.commands)
        options = [{"type": kind, "name": option, "value": value} for option, kind, value in given]
        with self._calling() as (token, message):
            answer = self._called(token, _COMMAND, {"type": 1, "name": name, "options": options})
            body = answer.get("data")
            if answer.get("type") == _LATER:
                body = {**_WAITS, **(body or {})}
            message.set_result(self._add(body, text))

    def pressed(self, message_id: str, custom_id: str) -> None:
        """Somebody pressed a button.

        Raises:
            NoAnswer: it is not answered as Discord takes it.
        """
        with self._calling() as (token, message):
            answer = self._called(token, _PRESSED, {"component_type": 2, "custom_id": custom_id})
            body = answer.get("data")
            if answer.get("type") == _UPDATE:
                self._channel.change(message_id, _checked(body), self._components(body))
            elif answer.get("type") == _MESSAGE:
                self._add(body, "a button")
            message.set_result(message_id)

    def changed(self, token: str, body: Any) -> dict[str, Any]:
        """The pages tell an answer later.

        Raises:
            KeyError: there is no such token.
            NoAnswer: Discord would not take it.
        """
        return self._channel.change(self._message(token), _checked(body), self._components(body))

    def deleted(self, token: str) -> None:
        """The pages take back that an answer comes later.

        Raises:
            KeyError: there is no such token.
        """
        self._channel.delete_message(self._message(token))

    def followed(self, token: str, body: Any) -> str:
        """The pages say something more. Returns the id of the message.

        Raises:
            KeyError: there is no such token.
            NoAnswer: Discord would not take it.
        """
        self._message(token)
        return self._add(body, "something that took longer")

    def _message(self, token: str) -> str:
        try:
            return self._answers[token].result(_ANSWER_WITHIN)
        except TimeoutError:
            raise KeyError(token) from None

    @contextmanager
    def _calling(self) -> Iterator[tuple[str, "Future[str]"]]:
        """A call's token, which the pages may use before we have shown what they answered; and where the message is
        told that they use it for."""
        token = secrets.token_urlsafe(24)
        message = self._answers[token] = Future()
        try:
            yield token, message
        finally:
            if not message.done():
                del self._answers[token]
                message.set_exception(KeyError(token))

    def _add(self, body: Any, typed: str) -> str:
        return str(self._channel.add(_checked(body), None, self._shown(body, typed))["id"])

    def _called(self, token: str, kind: int, data: dict[str, Any]) -> dict[str, Any]:
        """Signs a call and sends it; returns the answer."""
        if self.endpoint is None:
            raise NoAnswer("No pages answer commands here")
        timestamp = str(int(time.time()))
        call = {"id": secrets.randbits(60), "type": kind, "application_id": self.id, "guild_id": self.guild}
        body = json.dumps({**call, "token": token, "member": {"user": _USER}, "data": data}).encode()
        signature = self._key.sign(timestamp.encode() + body).hex()
        headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp}
        headers["Content-Type"] = "application/json"
        try:
            answer = requests.post(self.endpoint, data=body, headers=headers, timeout=_ANSWER_WITHIN)
            found = answer.json() if answer.ok else None
        except (requests.RequestException, ValueError) as error:
            raise NoAnswer(f"The application did not respond ({type(error).__name__})") from None
        if not isinstance(found, dict):
            raise NoAnswer(f"The application did not respond as it should (status {answer.status_code})")
        return found

    def _shown(self, body: Mapping[str, Any], typed: str) -> dict[str, Any]:
        """What an answer has beside a webhook's message."""
        return {"webhook_id": self.id, "typed": typed, "flags": body.get("flags", 0), **self._components(body)}

    @staticmethod
    def _components(body: Any) -> dict[str, Any]:
        return {"components": (body or {}).get("components") or []}


def _parsed(text: str, commands: list[dict[str, Any]]) -> tuple[str, list[tuple[str, int, str]]]:
    """The name of a command and its options with their kind: those named as ``option:value``, which go on to the next
    such, and before them words for the options in order, the last of which takes all that is left."""
    name, _, rest = text.strip().removeprefix("/").partition(" ")
    command = next((own for own in commands if own["name"] == name and own["type"] == 1), None)
    if command is None:
        raise NoAnswer(f"There is no command /{name}")
    options = {option["name"]: option for option in command["options"]}
    named: dict[str, list[str]] = {}
    words: list[str] = []
    into = words
    for word in rest.split():
        option, colon, value = word.partition(":")
        if colon and option in options:
            into = named[option] = [value] if value else []
        else:
            into.append(word)
    open_ones = [own for own, option in options.items() if own not in named and option["type"] == _TEXT]
    while words and open_ones:
        option = open_ones.pop(0)
        named[option] = [words.pop(0)] if open_ones else words[:]
        words = words if open_ones else []
    return name, [(own, options[own]["type"], _value(options[own], " ".join(said))) for own, said in named.items()]


def _value(option: Mapping[str, Any], typed: str) -> str:
    """The value of a choice by its label; what else was typed as it is."""
    labels = {choice["name"].casefold(): str(choice["value"]) for choice in option.get("choices", ())}
    return labels.get(typed.casefold(), typed)


def _checked(body: Any) -> Call:
    """A message of an answer, if Discord would take it."""
    call = Call(body, {})
    if errors := refusals(call):
        raise NoAnswer(f"Discord would refuse the answer: {json.dumps(errors)}")
    if not body.get("content") and not body.get("embeds"):
        raise NoAnswer("Discord would refuse the answer: it is empty")
    if body.get("allowed_mentions") != {"parse": []}:
        raise NoAnswer("The answer would ping somebody")
    buttons = [own for row in body.get("components") or () for own in row["components"]]
    if any(not 0 < length(own["custom_id"]) <= CUSTOM_ID_LIMIT for own in buttons):
        raise NoAnswer("Discord would refuse the answer: the id of a button is empty or too long")
    return call


def routes(application: Application) -> list[Route]:
    """The addresses that the page and the pipeline call for all this."""

    async def act(request: Request) -> Response:
        """Only for our own page: another one can't send this type of body here."""
        if request.headers.get("Content-Type") != "application/json":
            return PlainTextResponse("Not understood", 400)
        try:
            said = await request.json()
            if request.url.path == "/typed":
                await run_in_threadpool(application.typed, str(said["text"]))
            else:
                await run_in_threadpool(application.pressed, str(said["message"]), str(said["id"]))
        except NoAnswer as why:
            return PlainTextResponse(str(why), 502)
        except (ValueError, KeyError, TypeError):
            return PlainTextResponse("Not understood", 400)
        return Response(status_code=204)

    async def tell(request: Request) -> Response:
        token = request.path_params["token"]
        try:
            if request.method == "DELETE":
                await run_in_threadpool(application.deleted, token)
                return Response(status_code=204)
            body = await request.json()
            if request.method == "PATCH":
                return JSONResponse(await run_in_threadpool(application.changed, token, body))
            return JSONResponse({"id": await run_in_threadpool(application.followed, token, body)})
        except KeyError:
            return JSONResponse({"message": "Unknown Webhook", "code": 10015}, 404)
        except NoAnswer as why:
            return JSONResponse({"message": str(why), "code": 50035}, 400)

    async def register(request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bot {application.bot_token}":
            return JSONResponse({"message": "401: Unauthorized", "code": 0}, 401)
        if request.path_params["guild"] != application.guild:
            return JSONResponse({"message": "Missing Access", "code": 50001}, 403)
        application.commands = await request.json()
        return JSONResponse(application.commands)

    told = f"/api/webhooks/{application.id}/{{token}}"
    return [
        Route("/typed", act, methods=["POST"]),
        Route("/pressed", act, methods=["POST"]),
        Route(f"{told}/messages/@original", tell, methods=["PATCH", "DELETE"]),
        Route(told, tell, methods=["POST"]),
        Route(f"/api/applications/{application.id}/guilds/{{guild}}/commands", register, methods=["PUT"]),
    ]
