"""The documentation of the API: OpenAPI 3.1, made by the library from the resources.

Belongs here: bringing all resources together, the document and its own address. Does not belong here: how the page
``/api`` shows it (``site.pages.api``).
"""

import re
from functools import cache
from json import dumps
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from slomix_pipeline.site.answers import JSON, Body, build, tags
from slomix_pipeline.site.api import about, boards, expected, matches, pairs, players, seasons, sessions
from slomix_pipeline.site.api.door import BURST, PER_MINUTE
from slomix_pipeline.site.api.kit import MOST, MOUNTED, ROUTER, USUAL
from slomix_pipeline.site.api.problems import problem_schema

_GROUPS = (sessions, matches, players, pairs, expected, boards, seasons, about)  # each adds its own to ROUTER
INTRODUCTION = f"""The same numbers as on the pages, for programs. Nobody logs in, only GET and HEAD are answered, and \
programs of every origin may ask.

- Moments are in UTC. What is unknown is null, never 0, and always there. Percentages are 0 to 100; \
`/api/v1/metrics` says what a number means.
- A list has `items` and `next`, the address of its next part, or null; `limit` is {USUAL} and at most {MOST}.
- What is not as asked is answered as `application/problem+json`, with what may have been meant.
- Answers have an ETag; what a client has already (304) costs nothing. Of all else it gets {PER_MINUTE} a minute, \
{BURST} at once; then 429 says when to ask again.
- Fields may be added at any time; a change of what is there would be `/api/v2`.
"""


def resources() -> list[APIRoute]:
    """All resources, module by module."""
    routes = [route for route in ROUTER.routes if isinstance(route, APIRoute)]
    order = [*(group.__name__ for group in _GROUPS), __name__]
    return sorted(routes, key=lambda route: order.index(route.endpoint.__module__))


@cache
def schema() -> dict[str, Any]:
    """The document."""
    made = get_openapi(
        title="slomix", version="1", description=INTRODUCTION, routes=resources(), servers=[{"url": MOUNTED}]
    )
    schemas = made["components"]["schemas"] | problem_schema()
    for shape in schemas.values():
        if shape.pop("additionalProperties", False) is False and "properties" in shape:
            shape["required"] = list(shape["properties"])  # also what a row of ours has a default for
        if "description" in shape:
            shape["description"] = re.sub(r"\bNone\b", "null", shape["description"])
    made["components"]["schemas"] = schemas
    return made


@ROUTER.get("/openapi.json", response_model=dict[str, Any])
def openapi(request: Request) -> Response:
    """This document."""
    tag = f'W/"{build()}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=0, must-revalidate"}
    if tag in tags(request):
        return Response(status_code=304, headers=headers)
    return _body().answer(request, JSON, headers)


@cache
def _body() -> Body:
    return Body.of(dumps(schema()).encode(), JSON)
