"""Sends messages to a Discord webhook, and knows afterwards whether they arrived.

Belongs here: the one use of the library discord-webhook, and what it lacks: patience with rate limits and failing
servers, answers that are not what they should be, and silence about the webhook's address (whoever knows it can post).
Does not belong here: what is said (``messages``), what was said before (``ledger``), ending a call that takes too long
(``deadline``).
"""

import json
import math
import mimetypes
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import requests
from discord_webhook import DiscordWebhook  # type: ignore[import-untyped]  # comes without types

from slomix_pipeline.discord.api import proxies_for  # which hides addresses from logs, too
from slomix_pipeline.discord.deadline import Attempt, OutOfTime
from slomix_pipeline.discord.embeds import Message, attachments_payload, to_payload, violations
from slomix_pipeline.discord.patience import ENOUGH, Patience
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.names import visible

# Discord's documentation, "Opcodes and Status Codes", JSON error codes.
UNKNOWN_MESSAGE = 10008
EMPTY_MESSAGE, INVALID_FORM = 50006, 50035

_ADDRESS = re.compile(r"https?://[^\s/?#@]+/api(?:/v\d+)?/webhooks/(\d+)/[\w-]+", re.ASCII)
_PARTS_OF_A_MESSAGE = {
    "content",
    "embeds",
    "allowed_mentions",
    "attachments",
}  # the rest of a call is the webhook's: threads, ids
_FIRST_PAUSE = 1.0  # seconds before a second try when the server names no time; doubles each time
_SHORTEST_PAUSE = 0.5  # seconds, when it names none or nearly none


class NoWebhookAddress(SlomixError, ValueError):
    """The setting is not the address of a webhook."""


class DiscordError(Exception):
    """Discord did not confirm a message."""


class NotSent(DiscordError):
    """Surely nothing was delivered or changed. ``retriable`` tells whether the same may work later."""

    def __init__(self, text: str, *, retriable: bool) -> None:
        super().__init__(text)
        self.retriable = retriable


class ContentRefused(NotSent):
    """This very message is refused, wherever it is sent."""

    def __init__(self, text: str) -> None:
        super().__init__(text, retriable=False)


class MessageGone(NotSent):
    """The message to edit is not there: deleted, if this webhook sent it into this thread."""

    def __init__(self, message_id: str) -> None:
        super().__init__(f"message {message_id} was deleted on Discord", retriable=False)


class InDoubt(DiscordError):
    """The message may have been delivered; sending it again may double it."""


@dataclass(frozen=True)
class Sent:
    """A delivered message; its id is what ``edit`` needs."""

    message_id: str


@dataclass(frozen=True)
class _Failure:
    """A request that did not work: what it means, and the seconds the server asks to wait, if it does."""

    problem: DiscordError
    wait: float | None = None


class _Webhook(DiscordWebhook):  # type: ignore[misc]  # the library has no types
    """The library's webhook with our body: its own holds its settings too, can't empty a text on edit, and forgets the
    thread when it edits with files. And over our connection: nobody can end one that the library opens."""

    def __init__(self, body: dict[str, Any], message: Message, **settings: Any) -> None:
        super().__init__(**settings)
        self._body = body
        self._parts = _multipart(body, message)

    @property
    def json(self) -> dict[str, Any]:
        return self._body

    def request(self, method: str, session: requests.Session, path: str = "") -> requests.Response:
        """One call of the webhook's address, or of what lies below it."""
        return session.request(
            method,
            f"{self.url}{path}",
            json=None if method == "GET" or self._parts else self.json,
            files=self._parts or None,
            params=self._query_params,
            proxies=self.proxies,
            timeout=self.timeout,
            allow_redirects=False,  # nobody else is told what is said
        )


class Discord:
    """One webhook.

    Args:
        webhook_url: as Discord gives it; ``?thread_id=…`` posts into a thread.
        timeout: seconds that one try may take in all, to the last byte of the answer.
        max_wait: seconds that one call may take in all, with its tries and the waits between them.
        sleep: how to wait.
        setting: that names the webhook, for the texts of errors.
        patience: what all calls may take together, maybe with those of other webhooks.

    Raises:
        NoWebhookAddress: ``webhook_url`` is none.
    """

    def __init__(
        self,
        webhook_url: str,
        *,
        timeout: float = 10.0,
        max_wait: float = 30.0,
        sleep: Callable[[float], object] = time.sleep,
        setting: str = "SLOMIX_DISCORD_WEBHOOK",
        patience: Patience | None = None,
    ) -> None:
        address, _, query = webhook_url.strip().partition("?")
        found = _ADDRESS.fullmatch(address.rstrip("/"))
        if found is None:
            raise NoWebhookAddress(f"{setting} is not like https://discord.com/api/webhooks/<number>/<token>")
        self._setting = setting
        self._url = address.rstrip("/")
        self.webhook_id = found[1]
        self.thread_id = parse_qs(query).get("thread_id", [None])[0]
        self._host = urlsplit(self._url).netloc
        self._timeout = timeout
        self._max_wait = max_wait
        self._sleep = sleep
        self._patience = patience or Patience()
        self._free_at = 0.0  # time.monotonic() from which the rate limit lets the next call through

    def describe(self) -> str:
        """The webhook's host, for people; never its token."""
        return self._host

    def __repr__(self) -> str:
        return f"Discord({self._host!r})"

    def send(self, message: Message) -> Sent:
        """Post ``message``.

        Raises:
            NotSent: it was surely not delivered.
            InDoubt: it may have been; it is not tried again.
        """
        _refuse_what_does_not_fit(message)
        body = to_payload(message)
        if message.attachments:
            body["attachments"] = attachments_payload(message)
        answer = self._call(partial(self._webhook(body, message).request, "POST"), repeatable=False)
        message_id = _json(answer).get("id")
        if not isinstance(message_id, str) or not message_id.isdecimal():
            raise InDoubt(f"{self._host} answered {answer.status_code} without a message id")
        return Sent(message_id)

    def edit(self, message_id: str, message: Message) -> None:
        """Replace the whole message ``message_id`` by ``message``, its files too unless they stay. May be repeated
        freely.

        Raises:
            MessageGone: it is not there.
            NotSent: the last try surely changed nothing.
            InDoubt: it may have been changed, or not.
        """
        _refuse_what_does_not_fit(message)
        body = to_payload(message)
        if not message.keeps_attachments:
            body["attachments"] = attachments_payload(message)
        request = partial(self._webhook(body, message).request, "PATCH", path=f"/messages/{message_id}")
        self._call(request, repeatable=True, message_id=message_id)

    def check(self) -> None:
        """Ask for the webhook itself; nothing is posted.

        Raises:
            NotSent: it does not exist or could not be asked.
            InDoubt: the server does not answer as Discord does.
        """
        self._call(partial(self._webhook({}, Message()).request, "GET"), repeatable=False)

    def _webhook(self, body: dict[str, Any], message: Message) -> _Webhook:
        return _Webhook(
            body,
            message,
            url=self._url,
            thread_id=self.thread_id,
            wait="true",
            timeout=self._timeout,
            proxies=proxies_for(self._url),
        )

    def _call(
        self, request: Callable[[requests.Session], requests.Response], *, repeatable: bool, message_id: str = ""
    ) -> requests.Response:
        """The good answer to one request, tried again after a rate limit, and when in doubt if ``repeatable``."""
        pause = max(0.0, self._free_at - time.monotonic())
        asks = f"asks to wait {pause:.0f} s before the next call" if pause else "kept it waiting for long enough"
        problem: DiscordError = NotSent(f"{self._host} {asks}", retriable=True)
        growing_pause = _FIRST_PAUSE
        ends = min(self._max_wait, self._patience.left)
        used, enough = 0.0, min(self._timeout, self._max_wait, ENOUGH)
        while used + pause + enough <= ends:
            if pause:
                self._sleep(pause)
            began = time.monotonic()
            outcome = self._try(request, message_id, min(self._timeout, ends - used - pause))
            took = pause + time.monotonic() - began
            used += took
            self._patience.left -= took
            if isinstance(outcome, requests.Response):
                return outcome
            problem = outcome.problem
            if outcome.wait is not None:
                pause = outcome.wait
            elif repeatable and isinstance(problem, InDoubt):
                pause, growing_pause = growing_pause, growing_pause * 2
            else:
                break
        raise problem

    def _try(
        self, request: Callable[[requests.Session], requests.Response], message_id: str, seconds: float
    ) -> requests.Response | _Failure:
        """One request. Errors come back as values: the ones of requests hold the address and must not be chained."""
        attempt = Attempt()
        try:
            answer = attempt.run(request, seconds)
        except (requests.RequestException, OutOfTime) as error:
            what = type(error).__name__
            if isinstance(error, ValueError):  # how requests marks an address it can't use
                return _Failure(NotSent(f"{self._host} is no usable address ({what})", retriable=False))
            if not attempt.connected:
                return _Failure(NotSent(f"no connection to {self._host} ({what})", retriable=True))
            return _Failure(InDoubt(f"{self._host} did not answer to the end ({what})"))
        self._heed_limits(answer)
        return self._judged(answer, message_id)

    def _judged(self, answer: requests.Response, message_id: str) -> requests.Response | _Failure:
        status, body = answer.status_code, _json(answer)
        if answer.is_redirect:
            return _Failure(NotSent(f"{self._host} redirects elsewhere: check {self._setting}", retriable=False))
        if 200 <= status < 300:
            return answer
        if status == 429:
            asked = _seconds(body.get("retry_after")) or _seconds(answer.headers.get("Retry-After")) or 0.0
            problem = NotSent(f"{self._host} allows no more calls for now (429, {asked:g} s)", retriable=True)
            return _Failure(problem, wait=max(asked, _SHORTEST_PAUSE))
        if status >= 500:
            return _Failure(InDoubt(f"{self._host} answered {status}"))
        if message_id and body.get("code") == UNKNOWN_MESSAGE:
            return _Failure(MessageGone(message_id))
        if status in (401, 403, 404):
            text = f"the webhook was deleted or is wrong: check {self._setting} ({self._host} answered {status})"
            return _Failure(NotSent(text, retriable=False))
        text = f"{self._host} refused it ({status}): {self._reason(body)}"
        return _Failure(ContentRefused(text) if _is_about_content(body) else NotSent(text, retriable=False))

    def _reason(self, body: dict[str, Any]) -> str:
        """Discord's own words, or a proxy's: without the address should they repeat it, and as text that can be stored
        and shown."""
        words = f"{body.get('message', 'no reason given')} {json.dumps(body['errors']) if 'errors' in body else ''}"
        return visible(words.replace(self._url.rpartition("/")[2], "…").strip())[:500]

    def _heed_limits(self, answer: requests.Response) -> None:
        if answer.headers.get("X-RateLimit-Remaining") == "0":
            self._free_at = time.monotonic() + (_seconds(answer.headers.get("X-RateLimit-Reset-After")) or 0.0)


def _multipart(body: dict[str, Any], message: Message) -> dict[str, tuple[str | None, bytes | str, str]]:
    """The parts of a call with files ("Uploading Files"); none for one without."""
    files = {
        f"files[{number}]": (file.name, file.data, mimetypes.guess_type(file.name)[0] or "application/octet-stream")
        for number, file in enumerate(message.attachments)
        if file.data is not None
    }
    return {"payload_json": (None, json.dumps(body), "application/json"), **files} if files else {}


def _refuse_what_does_not_fit(message: Message) -> None:
    if found := violations(message):
        raise ContentRefused("Discord would refuse this message: " + "; ".join(found))


def _is_about_content(body: dict[str, Any]) -> bool:
    """Whether Discord names the message itself as what is wrong, rather than the webhook, its channel or a thread."""
    errors = body.get("errors")
    named = set(errors) if isinstance(errors, dict) else set()
    return body.get("code") == EMPTY_MESSAGE or (body.get("code") == INVALID_FORM and bool(named & _PARTS_OF_A_MESSAGE))


def _json(answer: requests.Response) -> dict[str, Any]:
    """The answer's JSON object; empty when it is anything else."""
    try:
        body = json.loads(answer.content)
    except ValueError:
        return {}
    return cast(dict[str, Any], body) if isinstance(body, dict) else {}


def _seconds(value: Any) -> float | None:
    """A wait as the server wrote it, or None when it wrote nothing usable."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
