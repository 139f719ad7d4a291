"""Dagster's UI behind a door: it knows no login, answers under any name and takes changes from a mere link, so any web
page that is open in a browser on this machine could start, stop and delete.

Belongs here: what is let through to it, starting it. Does not belong here: its process (``dagster_processes``), people
who may reach it (a proxy before it: ``deploy/nginx.conf``).
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

import dagster as dg
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._utils.log import configure_loggers
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

OWN_HOSTS = ("127.0.0.1", "localhost")
_STATEMENT_TIMEOUT, _RENEW_AFTER, _AT_ONCE = 15_000, 3600, 20  # ms, s, connections: as Dagster's own command has them
_ASKS = ("GET", "HEAD")


class Door:
    """Lets no page of another site act, and no link change anything. Browsers say whose page asks; programs don't, and
    are let through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = None if scope["type"] == "lifespan" else _refused(scope)
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(1008)(scope, receive, send)
        else:
            await refused(scope, receive, send)


def _refused(scope: Scope) -> Response | None:
    headers, path = Headers(scope=scope), scope["path"].rstrip("/")
    asks_page = scope["type"] == "http" and scope["method"] in _ASKS
    if path.startswith("/report_asset_"):  # by which programs elsewhere report work: nobody does here
        return PlainTextResponse("Nothing is reported here", 403)
    if asks_page and path == "/graphql":
        return PlainTextResponse("Questions and changes are sent by POST", 405)
    if not asks_page and _is_of_another_site(headers):
        return PlainTextResponse("Asked by the page of another site", 403)
    return None


def _is_of_another_site(headers: Headers) -> bool:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def guarded(app: ASGIApp, hosts: Sequence[str]) -> ASGIApp:
    """Dagster's application as it is served here. ``hosts``: names by which it is reached besides this machine's."""
    return TrustedHostMiddleware(Door(app), allowed_hosts=[*OWN_HOSTS, *hosts], www_redirect=False)


def run_web_server(workspace: str, port: int, hosts: Sequence[str]) -> None:
    """``dagster-webserver`` with a workspace file, on this machine alone, behind the door."""
    configure_loggers()
    target = WorkspaceFileTarget(paths=[workspace])
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(_STATEMENT_TIMEOUT, _RENEW_AFTER, _AT_ONCE)
        with WorkspaceProcessContext(instance, version=__version__, workspace_load_target=target) as context:
            app = create_app_from_workspace_process_context(context)
            uvicorn.run(guarded(app, hosts), host="127.0.0.1", port=port, log_level="warning")
