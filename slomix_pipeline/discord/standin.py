"""A Discord on this machine: takes webhook calls as Discord does and shows them on a page as Discord would.

Belongs here: the webhook API's behaviour (answers, limits, errors), the kept messages, the server and its page.
Does not belong here: how a message looks (``render``), its files (``standin_files``) and what is said (``messages``).
"""

import json
import secrets
import socket
import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from slomix_pipeline.discord.embeds import ATTACHMENT_LIMIT
from slomix_pipeline.discord.render import Address, is_picture, message_html
from slomix_pipeline.discord.standin_faults import Fault, Faults
from slomix_pipeline.discord.standin_files import Call, Files, attached, read_call
from slomix_pipeline.discord.standin_refusals import refusals

AUTHOR = "Slomix"
PAGE_MESSAGES = 200  # the latest ones; Discord too loads older ones only on demand
CALLS_ALLOWED, CALLS_WINDOW = 20, 1.0  # per seconds; Discord's own limit differs and is to be read from its headers
DISCORD_EPOCH_MS = 1420070400000  # "Reference", Snowflakes

_NOTHING_RUNS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
_EMPTY = '<div class="empty"><b>Nothing said yet …</b>The first message appears here by itself.</div>'


ADDRESS_FILE = "address"  # in the directory while a stand-in serves it


class Channel:
    """The webhook and its messages, kept in one JSON file. Safe to read from another thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.files = Files(file.parent / "files")
        self._lock = threading.Lock()
        kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
        self.webhook_id: str = kept.get("webhook_id") or str(_snowflake(0))
        self.token: str = kept.get("token") or secrets.token_urlsafe(51)
        self.channel_id: str = kept.get("channel_id") or self.webhook_id
        self._messages: dict[str, dict[str, Any]] = {
            message["id"]: {"attachments": [], **message} for message in kept.get("messages", ())
        }
        self._save()

    def messages(self) -> list[dict[str, Any]]:
        """All messages, oldest first."""
        with self._lock:
            return [dict(message) for message in self._messages.values()]

    def message(self, message_id: str, thread_id: str | None) -> dict[str, Any] | None:
        """A message, if it is the webhook's own and in that thread: of others a webhook knows nothing."""
        with self._lock:
            found = self._messages.get(message_id)
            theirs = found and (found["webhook_id"], found["channel_id"])
            return found if theirs == (self.webhook_id, thread_id or self.channel_id) else None

    def replace_webhook(self) -> None:
        """Deletes the webhook and makes another one in the same channel."""
        with self._lock:
            self.webhook_id, self.token = str(int(self.webhook_id) + 1), secrets.token_urlsafe(51)
            self._save()

    def attachment(self, file_id: str) -> dict[str, Any] | None:
        """An attachment of some message."""
        every = (file for message in self.messages() for file in message["attachments"])
        return next((file for file in every if file["id"] == file_id), None)

    def add(self, call: Call, thread_id: str | None) -> dict[str, Any]:
        with self._lock:
            message_id = str(_snowflake(max(map(int, self._messages), default=0)))
            message = {
                "type": 0,
                "id": message_id,
                "channel_id": thread_id or self.channel_id,
                "webhook_id": self.webhook_id,
                "author": {"id": self.webhook_id, "username": AUTHOR, "avatar": None, "bot": True},
                "timestamp": datetime.now(UTC).isoformat(),
                "edited_timestamp": None,
                **_said(call.body),
                "attachments": self._attached(call, []),
            }
            self._messages[message_id] = message
            self._save()
            return message

    def change(self, message_id: str, call: Call) -> dict[str, Any]:
        with self._lock:
            old = self._messages[message_id]
            changed = {
                **old,
                **_said({**old, **call.body}),
                "attachments": self._attached(call, old["attachments"]),
                "edited_timestamp": datetime.now(UTC).isoformat(),
            }
            self._messages[message_id] = changed
            self._save()
            return changed

    def _attached(self, call: Call, old: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The attachments of a message after a call; the bytes of new ones are kept, those of others dropped."""
        taken = (int(file["id"]) for message in self._messages.values() for file in message["attachments"])
        now, bytes_of = attached(call, old, _snowflake(max(taken, default=0)))
        for file_id, content in bytes_of.items():
            self.files.keep(file_id, content)
        for file in old:
            if file["id"] not in {kept["id"] for kept in now}:
                self.files.drop(file["id"])
        return now

    def _save(self) -> None:
        self.revision = secrets.token_hex(8)
        content = {
            "webhook_id": self.webhook_id,
            "token": self.token,
            "channel_id": self.channel_id,
            "messages": list(self._messages.values()),
        }
        new = self._file.with_suffix(".new")
        new.touch(mode=0o600)  # it holds the token
        new.write_text(json.dumps(content, ensure_ascii=True, indent=1), "utf-8")
        new.replace(self._file)


def _snowflake(after: int) -> int:
    """A new id as Discord forms them: the time, and greater than ``after``."""
    return max((time.time_ns() // 1_000_000 - DISCORD_EPOCH_MS) << 22, after + 1)


def _said(body: dict[str, Any]) -> dict[str, Any]:
    """The parts of a call's body that a message keeps."""
    return {
        "content": body.get("content") or "",
        "embeds": [{"type": "rich", **embed} for embed in body.get("embeds") or ()],
    }


class _Limiter:
    """Discord's rate limit: so many calls in a window, told in headers."""

    def __init__(self) -> None:
        self._ends, self._used = 0.0, 0

    def count(self) -> tuple[bool, dict[str, str]]:
        """Count one call: whether it is allowed, and the headers of its answer."""
        now = time.monotonic()
        if now >= self._ends:
            self._ends, self._used = now + CALLS_WINDOW, 0
        self._used += 1
        return self._used <= CALLS_ALLOWED, {
            "X-RateLimit-Limit": str(CALLS_ALLOWED),
            "X-RateLimit-Remaining": str(max(0, CALLS_ALLOWED - self._used)),
            "X-RateLimit-Reset": f"{time.time() + self._ends - now:.3f}",
            "X-RateLimit-Reset-After": f"{self._ends - now:.3f}",
            "X-RateLimit-Bucket": "standin",
            "Via": "1.1 standin",
        }


def _error(status: int, code: int, message: str, **more: Any) -> JSONResponse:
    return JSONResponse({"message": message, "code": code, **more}, status)


def create_app(channel: Channel) -> Starlette:
    """The webhook API ("Webhook Resource") and the page."""
    limiter = _Limiter()

    def refusal(call: Call, old: dict[str, Any]) -> JSONResponse | None:
        if any(len(upload.data) > ATTACHMENT_LIMIT for upload in call.files.values()):
            return _error(413, 40005, "Request entity too large")
        if errors := refusals(call, old.get("attachments", ())):
            return _error(400, 50035, "Invalid Form Body", errors=errors)
        said = _said({**old, **call.body})
        full = said["content"].strip() or said["embeds"] or attached(call, old.get("attachments", []), 0)[0]
        return None if full else _error(400, 50006, "Cannot send an empty message")

    def own_message(request: Request) -> dict[str, Any] | None:
        return channel.message(request.path_params["message_id"], request.query_params.get("thread_id"))

    def describe(request: Request, call: Call) -> Response:
        return JSONResponse({"type": 1, "id": channel.webhook_id, "name": AUTHOR, "channel_id": channel.channel_id})

    def post(request: Request, call: Call) -> Response:
        if refused := refusal(call, {}):
            return refused
        message = channel.add(call, request.query_params.get("thread_id"))
        waits = request.query_params.get("wait", "").lower() in ("true", "1")
        return JSONResponse(message) if waits else Response(status_code=204)

    def read(request: Request, call: Call) -> Response:
        message = own_message(request)
        return JSONResponse(message) if message else _error(404, 10008, "Unknown Message")

    def edit(request: Request, call: Call) -> Response:
        message = own_message(request)
        if message is None:
            return _error(404, 10008, "Unknown Message")
        return refusal(call, message) or JSONResponse(channel.change(message["id"], call))

    async def show_page(request: Request) -> Response:
        return HTMLResponse(page(channel.messages(), _own_address, live=True, revision=channel.revision))

    async def show_messages(request: Request) -> Response:
        if request.query_params.get("known") == channel.revision:
            return Response(status_code=204)
        revision, messages = channel.revision, channel.messages()
        html = _messages_html(messages, _own_address)
        return HTMLResponse(html, headers={"X-Revision": revision, "X-Count": _count(messages)})

    async def show_file(request: Request) -> Response:
        file = channel.attachment(request.path_params["file_id"])
        if file is None:
            return Response(status_code=404)
        shown = file["content_type"] if is_picture(file) else "application/octet-stream"
        return Response(channel.files.read(file["id"]), media_type=shown, headers=_NOTHING_RUNS)

    address = "/api/webhooks/{webhook_id}/{token}"
    return Starlette(
        routes=[
            Route("/", show_page),
            Route("/messages", show_messages),
            Route("/attachments/{file_id}", show_file),
            Route(address, _webhook_call(channel, limiter, describe), methods=["GET"]),
            Route(address, _webhook_call(channel, limiter, post), methods=["POST"]),
            Route(address + "/messages/{message_id}", _webhook_call(channel, limiter, read), methods=["GET"]),
            Route(address + "/messages/{message_id}", _webhook_call(channel, limiter, edit), methods=["PATCH"]),
        ]
    )


def _webhook_call(
    channel: Channel, limiter: _Limiter, answer: Callable[[Request, Call], Response]
) -> Callable[[Request], Awaitable[Response]]:
    """What every webhook call goes through before ``answer``: rate limit, address, a body that can be read."""

    async def checked(request: Request, allowed: bool, wait: str) -> Response:
        if not allowed:
            body = {"message": "You are being rate limited.", "retry_after": float(wait), "global": False}
            return JSONResponse(body, 429, {"Retry-After": wait})
        if request.path_params["webhook_id"] != channel.webhook_id:
            return _error(404, 10015, "Unknown Webhook")
        if request.path_params["token"] != channel.token:
            return _error(401, 50027, "Invalid Webhook Token")
        try:
            given = read_call(request.headers.get("Content-Type", ""), await request.body())
        except ValueError:
            return _error(400, 50109, "The request body contains invalid JSON.")
        return answer(request, given)

    async def call(request: Request) -> Response:
        allowed, headers = limiter.count()
        response = await checked(request, allowed, headers["X-RateLimit-Reset-After"])
        response.headers.update(headers)
        return response

    return call


def _own_address(file: Mapping[str, Any]) -> str:
    """Where the live page has an attachment from."""
    return f"attachments/{file['id']}"


def page(messages: list[dict[str, Any]], address: Address, *, live: bool = False, revision: str = "") -> str:
    """The whole page; a ``live`` one asks its server for news."""
    text = resources.files(__package__).joinpath("standin.html").read_text("utf-8")
    script = text.partition("<script>")[2].partition("</script>")[0]
    filled = {
        "live": "yes" if live else "no",
        "script_hash": "sha256-" + b64encode(sha256(script.encode()).digest()).decode(),
        "count": _count(messages),
        "revision": revision,
        "messages": _messages_html(messages, address),  # last: what players wrote is not looked into
    }
    for name, value in filled.items():
        text = text.replace("{" + name + "}", value)
    return text


def _messages_html(messages: list[dict[str, Any]], address: Address) -> str:
    earlier = len(messages) - PAGE_MESSAGES
    note = f'<div class="earlier">Earlier messages, not shown here: {earlier}</div>' if earlier > 0 else ""
    return note + "".join(message_html(message, AUTHOR, address) for message in messages[-PAGE_MESSAGES:]) or _EMPTY


def _count(messages: list[dict[str, Any]]) -> str:
    return f"{len(messages)} message{'' if len(messages) == 1 else 's'}"


def running_webhook(directory: Path) -> str | None:
    """The webhook address of the stand-in that serves ``directory`` now, maybe in another process; else None."""
    try:
        address = (directory / ADDRESS_FILE).read_text()
        with urllib.request.urlopen(address, timeout=2):
            return address
    except (OSError, ValueError):
        return None


class StandIn:
    """The stand-in, served while the ``with`` block runs. The same directory keeps the same webhook and messages.

    Args:
        directory: where ``discord.json`` is kept; created when missing.
        port: on 127.0.0.1; 0 takes any free one.

    Raises:
        OSError: on entering, the port is taken.
    """

    def __init__(self, directory: Path, port: int = 0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._channel = Channel(directory / "discord.json")
        self._faults = Faults(create_app(self._channel))
        self._address = directory / ADDRESS_FILE
        self._port = port

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._faults,
            log_config=None,
            log_level="warning",
            access_log=False,  # its lines hold the token
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="discord-standin", daemon=True
        )
        self._thread.start()  # calls wait in the listener until it is up
        self._address.touch(mode=0o600)  # it holds the token
        self._address.write_text(self.webhook_url)
        return self

    def __exit__(self, *_: object) -> None:
        self._address.unlink(missing_ok=True)
        self._server.should_exit = True
        self._thread.join()

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self._port}/"

    @property
    def webhook_url(self) -> str:
        """What ``SLOMIX_DISCORD_WEBHOOK`` is to be for messages to arrive here."""
        return f"{self.url}api/webhooks/{self._channel.webhook_id}/{self._channel.token}"

    def messages(self) -> list[dict[str, Any]]:
        """All messages as Discord's API gives them, oldest first."""
        return self._channel.messages()

    def replace_webhook(self) -> None:
        """As an admin does: the webhook is deleted and there is a new one; ``webhook_url`` changes."""
        self._channel.replace_webhook()

    def misbehave(self, *faults: Fault) -> None:
        """The next calls that send or edit go wrong like this, one each; those after them are answered well."""
        self._faults.coming.extend(faults)

    def go_down(self, down: bool = True) -> None:
        """From now on every call fails with 503; with ``down`` False it works again."""
        self._faults.down = down

    def write_page(self, path: Path) -> None:
        """The page as it is now, as one file that needs no server."""
        path.write_text(page(self.messages(), self._inline), "utf-8")

    def _inline(self, file: Mapping[str, Any]) -> str:
        return f"data:{file['content_type']};base64,{b64encode(self.picture(file['id'])).decode()}"

    def picture(self, file_id: str) -> bytes:
        """The bytes of an attachment."""
        return self._channel.files.read(file_id)
