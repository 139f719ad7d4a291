"""The application: routes of all pages, the headers of every answer, and what is said when something is wrong.

Belongs here: what is the same for every address. Does not belong here: any one page (``pages``) or resource (``api``),
how an answer is made and kept (``answers``), the process and its port (``serving``).

Every answer, an error too, carries the headers of ``HEADERS``: nothing but our own files runs or is loaded, so there is
no inline style and no inline script. Only GET and HEAD are answered, and what Discord calls (``interactions``).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slomix_pipeline.settings import Settings
from slomix_pipeline.site.answers import (
    ASK_AGAIN,
    HTML,
    Answers,
    Asked,
    Body,
    Link,
    Moved,
    NotHere,
    NotUnderstood,
    Page,
)
from slomix_pipeline.site.api.application import create_api
from slomix_pipeline.site.api.door import CORS
from slomix_pipeline.site.api.kit import MOUNTED
from slomix_pipeline.site.api.of_pages import data_of
from slomix_pipeline.site.api.problems import problem
from slomix_pipeline.site.interactions.endpoint import add_interactions
from slomix_pipeline.site.pages import MAIN, PAGES
from slomix_pipeline.site.templating import StaticFile, Templates
from slomix_pipeline.warehouse.site_store import Moment, SiteStore, StoreUnavailable

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NOT_UNDERSTOOD = PlainTextResponse("Not understood", 400)
_OWN_HOSTS = ["127.0.0.1", "localhost"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trouble:
    """What a page that is none says."""

    status: int
    title: str
    text: str
    links: tuple[Link, ...] = ()


class _Headers:
    """Puts ``HEADERS`` on every answer; what no address holds, and no database takes, is answered here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif "\0" in scope["path"] or b"%00" in scope["query_string"] or not scope["query_string"].isascii():
            told = (
                problem(400, "Not understood", headers=CORS) if scope["path"].startswith("/api/") else _NOT_UNDERSTOOD
            )
            await told(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


def create_app(settings: Settings, store: SiteStore) -> FastAPI:
    """The site over a store, which may be away."""
    app = FastAPI(title="slomix", docs_url=None, redoc_url=None, openapi_url=None)
    paths = {page.path for page in PAGES}
    links = {label: url for label, url in MAIN.items() if url in paths}
    zones = {own.server: own.zone for own in settings.game_servers} if settings.servers else {}
    templates = Templates(settings.zone, zones, links, paths, data_of, index_players=settings.site_index_players)
    answers = app.state.answers = Answers(store, settings)
    for page in PAGES:
        app.add_route(page.path, _answering(page, answers, templates))
    for file in templates.files.values():
        app.add_route(file.url, _giving(file))
    app.mount(MOUNTED, create_api(settings, answers))
    add_interactions(app, settings, store)
    _say_what_is_wrong(app, answers, templates)
    host = urlsplit(settings.site_address).hostname if settings.site_address else None
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*_OWN_HOSTS, *([host] if host else [])])
    app.add_middleware(_Headers)
    return app


def _answering(page: Page, answers: Answers, templates: Templates) -> Callable[[Request], Response]:
    """The handler of a page; one that is no coroutine is run in a thread."""

    def make(moment: Moment, asked: Asked) -> bytes:
        made = page.make(moment, asked)
        if page.template is None:
            assert isinstance(made, bytes)
            return made
        return templates.render(page.template, page=made, asked=asked, version=moment.version)

    if not page.kept:
        return lambda request: answers.answer_anew(request, make, page.media_type, names=page.names)
    return lambda request: answers.answer(
        request, make, page.media_type, names=page.names, daily=page.daily, live=page.live
    )


def _giving(file: StaticFile) -> Callable[[Request], Response]:
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    body = Body.of(file.body, file.media_type)
    return lambda request: body.answer(request, file.media_type, kept)


def _say_what_is_wrong(app: FastAPI, answers: Answers, templates: Templates) -> None:
    """Pages for everything that is not as asked; none of them is kept by anybody."""

    def say(request: Request, trouble: Trouble, **headers: str) -> Response:
        body = templates.render("trouble.html", page=trouble, asked=answers.asked(request), version=None)
        sent = {"Cache-Control": "no-store", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return Response(body, trouble.status, sent, HTML)

    def not_here(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotHere)
        return say(request, Trouble(404, "Not here", error.what, error.instead))

    def moved(request: Request, error: Exception) -> Response:
        assert isinstance(error, Moved)
        return RedirectResponse(error.url, 301 if error.for_good else 302, {"Cache-Control": "no-store"})

    def not_understood(request: Request, error: Exception) -> Response:
        return say(request, Trouble(400, "Not understood", str(error)))

    def away(request: Request, error: Exception) -> Response:
        _log.warning("the database: %s", error)
        text = "The database does not answer just now. Nothing is lost; try again in a moment."
        return say(request, Trouble(503, "Back soon", text), Retry_After=ASK_AGAIN)

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return say(request, Trouble(404, "Not here", "There is no such page."))
        return say(request, Trouble(error.status_code, "Not done", error.detail), **(error.headers or {}))

    def broken(request: Request, error: Exception) -> Response:
        text = "This page could not be made. The log of the site says why."
        answer = say(request, Trouble(500, "Something is broken", text))
        answer.headers.update(HEADERS)  # it is made outside of what puts them on all others
        return answer

    for kind, handler in (
        (NotHere, not_here),
        (Moved, moved),
        (NotUnderstood, not_understood),
        (StoreUnavailable, away),
        (HTTPException, http),
        (Exception, broken),
    ):
        app.add_exception_handler(kind, handler)
