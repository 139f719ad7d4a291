"""Slash commands on the stand-in: what somebody types is signed and sent to the pages, as Discord does, and their
answer is shown like a message.

Belongs here: the application with its key pair, what was registered, calls and their answers ("Receiving and
Responding"). Does not belong here: which commands there are and what is answered (``site.interactions``), the webhook's
messages (``standin``).
"""

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from slomix_pipeline.discord.standin_channel import Channel
from slomix_pipeline.discord.standin_files import Call
from slomix_pipeline.discord.standin_refusals import refusals

_USER = {"id": "300000000000000003", "username": "you"}
_ANSWER_WITHIN = 3.0  # seconds, as Discord waits
_COMMAND, _PRESSED = 2, 3
_MESSAGE, _LATER, _UPDATE_LATER, _UPDATE = 4, 5, 6, 7
_TEXT = 3  # the kind of option that is typed
_WAITS = {"content": "thinking …"}


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
        self._answers: dict[str, str] = {}  # message by token

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
        answer, token = self._called(_COMMAND, {"type": 1, "name": name, "options": options})
        body = _WAITS if answer.get("type") == _LATER else answer.get("data")
        self._answers[token] = self._channel.add(_checked(body), None, self._shown(body or {}, text))["id"]

    def pressed(self, message_id: str, custom_id: str) -> None:
        """Somebody pressed a button.

        Raises:
            NoAnswer: it is not answered as Discord takes it.
        """
        answer, token = self._called(_PRESSED, {"component_type": 2, "custom_id": custom_id})
        self._answers[token] = message_id
        body = answer.get("data")
        if answer.get("type") == _UPDATE:
            self._channel.change(message_id, _checked(body), self._components(body))
        elif answer.get("type") == _MESSAGE:
            self._channel.add(_checked(body), None, self._shown(body or {}, "a button"))

    def changed(self, token: str, body: Any) -> dict[str, Any]:
        """The pages tell an answer later.

        Raises:
            KeyError: there is no such token.
            NoAnswer: Discord would not take it.
        """
        return self._channel.change(self._answers[token], _checked(body), self._components(body))

    def _called(self, kind: int, data: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """Signs a call and sends it; returns the answer and the call's token."""
        if self.endpoint is None:
            raise NoAnswer("No pages answer commands here")
        token, timestamp = secrets.token_urlsafe(24), str(int(time.time()))
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
        return found, token

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
    if body.get("allowed_mentions", {"parse": []}) != {"parse": []}:
        raise NoAnswer("The answer would ping somebody")
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

    async def change(request: Request) -> Response:
        try:
            return JSONResponse(application.changed(request.path_params["token"], await request.json()))
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

    return [
        Route("/typed", act, methods=["POST"]),
        Route("/pressed", act, methods=["POST"]),
        Route(f"/api/webhooks/{application.id}/{{token}}/messages/@original", change, methods=["PATCH"]),
        Route(f"/api/applications/{application.id}/guilds/{{guild}}/commands", register, methods=["PUT"]),
    ]
