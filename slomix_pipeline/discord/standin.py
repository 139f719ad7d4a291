"""A Discord on this machine: takes webhook calls as Discord does and shows them on a page as Discord would.

Belongs here: the webhook API's behaviour (answers, errors), the server and its page.
Does not belong here: what is kept (``standin_channel``), slash commands (``standin_commands``), rate limits
(``standin_limits``), what goes wrong on demand (``standin_faults``), how a message looks (``render``).
"""

import socket
import threading
import time
import urllib.request
from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from slomix_pipeline.discord.api import LOOPBACK
from slomix_pipeline.discord.embeds import ATTACHMENT_LIMIT
from slomix_pipeline.discord.render import Address, is_picture, message_html
from slomix_pipeline.discord.standin_channel import AUTHOR, Channel, said
from slomix_pipeline.discord.standin_commands import Application
from slomix_pipeline.discord.standin_commands import routes as commands_of
from slomix_pipeline.discord.standin_faults import Connection, Fault, Faults
from slomix_pipeline.discord.standin_files import Call, attached, read_call
from slomix_pipeline.discord.standin_limits import Limits
from slomix_pipeline.discord.standin_refusals import refusals

PAGE_MESSAGES = 200  # the latest ones; Discord too loads older ones only on demand

_NOTHING_RUNS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
_EMPTY = '<div class="empty"><b>Nothing said yet …</b>The first message appears here by itself.</div>'


ADDRESS_FILE = "address"  # in the directory while a stand-in serves it


def _error(status: int, code: int, message: str, **more: Any) -> JSONResponse:
    return JSONResponse({"message": message, "code": code, **more}, status)


def create_app(channel: Channel, limits: Limits, application: Application) -> Starlette:
    """The webhook API ("Webhook Resource"), slash commands, and the page."""

    def refusal(call: Call, old: dict[str, Any]) -> JSONResponse | None:
        if any(len(upload.data) > ATTACHMENT_LIMIT for upload in call.files.values()):
            return _error(413, 40005, "Request entity too large")
        if errors := refusals(call, old.get("attachments", ())):
            return _error(400, 50035, "Invalid Form Body", errors=errors)
        text = said({**old, **call.body})
        full = text["content"].strip() or text["embeds"] or attached(call, old.get("attachments", []), 0)[0]
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
        names = [command["name"] for command in application.commands if command["type"] == 1]
        shown = page(channel.messages(), _own_address, live=True, revision=channel.revision, commands=names)
        return HTMLResponse(shown)

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
            *commands_of(application),
            Route(address, _webhook_call(channel, limits, describe), methods=["GET"]),
            Route(address, _webhook_call(channel, limits, post), methods=["POST"]),
            Route(address + "/messages/{message_id}", _webhook_call(channel, limits, read), methods=["GET"]),
            Route(address + "/messages/{message_id}", _webhook_call(channel, limits, edit), methods=["PATCH"]),
        ],
        # A page whose own name was made to point here must not read along.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK), www_redirect=False)],
    )


def _webhook_call(
    channel: Channel, limits: Limits, answer: Callable[[Request, Call], Response]
) -> Callable[[Request], Awaitable[Response]]:
    """What every webhook call goes through before ``answer``: rate limit, address, a body that can be read."""

    async def checked(request: Request) -> Response:
        if channel.webhook_deleted or request.path_params["webhook_id"] != channel.webhook_id:
            return _error(404, 10015, "Unknown Webhook")
        if request.path_params["token"] != channel.token:
            return _error(401, 50027, "Invalid Webhook Token")
        try:
            given = read_call(request.headers.get("Content-Type", ""), await request.body())
        except ValueError:
            return _error(400, 50109, "The request body contains invalid JSON.")
        return answer(request, given)

    async def call(request: Request) -> Response:
        refused, headers = limits.count(f"standin-{answer.__name__}")
        response = refused or await checked(request)
        response.headers.update(headers | {"Via": "1.1 standin"})
        return response

    return call


def _own_address(file: Mapping[str, Any]) -> str:
    """Where the live page has an attachment from."""
    return f"attachments/{file['id']}"


def page(
    messages: list[dict[str, Any]],
    address: Address,
    *,
    live: bool = False,
    revision: str = "",
    commands: Sequence[str] = (),
) -> str:
    """The whole page; a ``live`` one asks its server for news. With ``commands`` there is a field to type one."""
    text = resources.files(__package__).joinpath("standin.html").read_text("utf-8")
    script = text.partition("<script>")[2].partition("</script>")[0]
    filled = {
        "live": "yes" if live else "no",
        "script_hash": "sha256-" + b64encode(sha256(script.encode()).digest()).decode(),
        "count": _count(messages),
        "revision": revision,
        "typing": _typing(commands) if commands else "",
        "messages": _messages_html(messages, address),  # last: what players wrote is not looked into
    }
    for name, value in filled.items():
        text = text.replace("{" + name + "}", value)
    return text


def _typing(commands: Sequence[str]) -> str:
    """The field to type a command, which the page's script sends."""
    known = "".join(f'<option value="/{escape(name)}">' for name in commands)
    return (
        '<form id="typing"><input name="text" list="commands" autocomplete="off" aria-label="A slash command" '
        f'placeholder="/top kd"><datalist id="commands">{known}</datalist><button>Send</button>'
        '<output role="status"></output></form>'
    )


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
        self._limits = Limits()
        self.application = Application(self._channel)
        self._faults = Faults(create_app(self._channel, self._limits, self.application))
        self._address = directory / ADDRESS_FILE
        self._port = port

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._faults,
            http=Connection,
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

    @property
    def api_url(self) -> str:
        """What ``SLOMIX_DISCORD_API`` is to be for calls about commands to arrive here."""
        return f"{self.url}api"

    def messages(self) -> list[dict[str, Any]]:
        """All messages as Discord's API gives them, oldest first."""
        return self._channel.messages()

    def delete_webhook(self) -> None:
        """As an admin does: from now on every call is answered with 404, until ``replace_webhook``."""
        self._channel.delete_webhook()

    def replace_webhook(self) -> None:
        """As an admin does: the webhook is deleted and there is a new one; ``webhook_url`` changes."""
        self._channel.replace_webhook()

    def delete_message(self, message_id: str) -> None:
        """As a moderator does."""
        self._channel.delete_message(message_id)

    def misbehave(self, *faults: Fault | None) -> None:
        """The next calls that send or edit go wrong like this, one each, or well where it says None; those after them
        are answered well."""
        self._faults.coming = deque(faults)

    def go_down(self, down: bool = True) -> None:
        """From now on every call fails with 503; with ``down`` False it works again."""
        self._faults.down = down

    def allow(self, calls: int, seconds: float) -> None:
        """From now on so many calls of each kind are taken in so many seconds; the others are answered with 429."""
        self._limits.allowed, self._limits.window = calls, seconds

    def limit_globally(self, seconds: float) -> None:
        """For so long every call is answered with 429, as to one that has called too often in all."""
        self._limits.closed_until = time.monotonic() + seconds

    def write_page(self, path: Path) -> None:
        """The page as it is now, as one file that needs no server."""
        path.write_text(page(self.messages(), self._inline), "utf-8")

    def _inline(self, file: Mapping[str, Any]) -> str:
        return f"data:{file['content_type']};base64,{b64encode(self.picture(file['id'])).decode()}"

    def picture(self, file_id: str) -> bytes:
        """The bytes of an attachment."""
        return self._channel.files.read(file_id)
