"""What the API says when something is not as asked: ``application/problem+json`` (RFC 9457).

Does not belong here: raising it (the resources), the same on pages (``site.app``).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from slomix_pipeline.site.answers import ASK_AGAIN, Moved, NotHere, NotUnderstood
from slomix_pipeline.warehouse.site_store import StoreUnavailable

PROBLEM_JSON = "application/problem+json"
_MOST_NEAR = 10  # candidates
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """What may have been meant: a key or a name. ``self``: its address."""

    title: str
    self_url: Annotated[str, Field(serialization_alias="self")]


@dataclass(frozen=True)
class Problem:
    """Why there is no answer. ``parameter``: the wrong one, of 400; ``candidates``: what may have been meant."""

    type: str
    title: str
    status: int
    detail: str
    parameter: str | None
    candidates: tuple[Candidate, ...]


_ADAPTER = TypeAdapter(Problem)

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in (("4XX", "Not as it can be asked for."), ("5XX", "Not now."))
}


def problem_schema() -> dict[str, Any]:
    """The schemas of a problem and of its parts, by name."""
    schema = _ADAPTER.json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Problem": schema}


def problem(
    status: int,
    detail: str,
    *,
    parameter: str | None = None,
    candidates: tuple[Candidate, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as it is answered; nobody keeps it."""
    said = Problem("about:blank", HTTPStatus(status).phrase, status, detail, parameter, candidates)
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return Response(_ADAPTER.dump_json(said, by_alias=True), status, sent, PROBLEM_JSON)


def say_what_is_wrong(app: FastAPI, root: str) -> None:
    """Problems for everything that is not as asked. ``root``: the address below which what is raised leads to."""

    def not_here(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotHere)
        near = tuple(Candidate(link.text, root + link.url) for link in error.instead[:_MOST_NEAR])
        return problem(404, error.what, candidates=near)

    def moved(request: Request, error: Exception) -> Response:
        assert isinstance(error, Moved)
        query = request.scope["query_string"].decode()
        url = root + error.url + (f"?{query}" if query else "")
        return RedirectResponse(url, 301 if error.for_good else 302, {"Cache-Control": "no-store"})

    def not_understood(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotUnderstood)
        return problem(400, str(error), parameter=error.name)

    def not_valid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        name = str(first["loc"][-1])
        return problem(400, f"{name}: {first['msg']}", parameter=name)

    def away(request: Request, error: Exception) -> Response:
        _log.warning("the database: %s", error)
        return problem(503, "The database does not answer just now.", headers={"Retry-After": ASK_AGAIN})

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        known = {404: "There is no such resource; /api lists what there is.", 405: "Only GET and HEAD are answered."}
        return problem(error.status_code, known.get(error.status_code, str(error.detail)), headers=error.headers)

    def broken(request: Request, error: Exception) -> Response:
        return problem(500, "This answer could not be made. The log of the site says why.")

    for kind, handler in (
        (NotHere, not_here),
        (Moved, moved),
        (NotUnderstood, not_understood),
        (RequestValidationError, not_valid),
        (StoreUnavailable, away),
        (HTTPException, http),
        (Exception, broken),
    ):
        app.add_exception_handler(kind, handler)
