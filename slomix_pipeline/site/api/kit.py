"""What all resources share: the router, addresses, lists a part at a time, and how an answer is made.

Does not belong here: any one resource, what is said when something is wrong (``problems``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query
from fastapi.routing import APIRoute
from pydantic import Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from slomix_pipeline.formats.gamestats import MAX_LINE
from slomix_pipeline.site.answers import JSON, Answers, Asked, Made, NotUnderstood
from slomix_pipeline.site.api.problems import PROBLEMS
from slomix_pipeline.site.templating import has_player, url_of
from slomix_pipeline.warehouse.site_store import Moment

T = TypeVar("T")

MOUNTED = "/api"
USUAL, MOST = 50, 200  # items of a list at a time

ROUTER = APIRouter(prefix="/v1", responses=PROBLEMS)

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many items there may be.")]
After = Annotated[str | None, Query(max_length=MAX_LINE, description="Only items after the one of this key, or GUID.")]


@dataclass(frozen=True, kw_only=True)
class Linked:
    """``url``: where pages show it; ``self``: where the API does. Null of who has no page."""

    url: str | None
    self_url: Annotated[str | None, Field(serialization_alias="self")]


@dataclass(frozen=True, kw_only=True)
class Keyed(Linked):
    """``key``: what it is known by."""

    key: str


@dataclass(frozen=True)
class Listed(Generic[T]):
    """A part of a list. ``next``: the address of the next part; null: there is no more."""

    items: tuple[T, ...]
    next: str | None


def api_url(*parts: str) -> str:
    """The address of a resource."""
    return f"{MOUNTED}/v1{url_of(*parts)}"


def player_links(guid: str) -> dict[str, Any]:
    """The addresses of a player; none of who has no page."""
    if not has_player(guid):
        return {"url": None, "self_url": None}
    return {"url": url_of("players", guid), "self_url": api_url("players", guid)}


def links(kind: str, key: str) -> dict[str, Any]:
    """The addresses of anything else, by its key."""
    return {"url": url_of(kind, key), "self_url": api_url(kind, key)}


def addresses(url: str | None, self_url: str) -> dict[str, Any]:
    """Of what has no key of its own: the page and the resource that it is part of."""
    return {"url": url, "self_url": self_url}


def following(asked: Asked, **changed: str) -> str:
    """The address of another part of what is asked for."""
    return f"{quote(asked.path, safe='/:')}?{urlencode({**asked.query, **changed})}"


def listed(
    asked: Asked, items: Sequence[T], key: Callable[[T], str], limit: int, after: str | None
) -> tuple[Sequence[T], str | None]:
    """So many items after the one of a key, and the address of those after them.

    Raises:
        NotUnderstood: there is no item of that key.
    """
    begin = 0
    if after is not None:
        begin = next((at for at, item in enumerate(items, start=1) if key(item) == after), 0)
        if not begin:
            raise NotUnderstood("after", f"there is no {after} in this list")
    part = items[begin : begin + limit]
    return part, following(asked, after=key(part[-1])) if len(items) > begin + limit else None


def answer(
    request: Request,
    make: Callable[[Moment, Asked], Any],
    *,
    fresh: bool = False,
    of_page: str | None = None,
) -> Response:
    """The answer of a resource, as its response model has it.

    Args:
        make: gives a value of that model.
        fresh: it changes by itself all the time.
        of_page: the page of a resource that can't say so itself.
    """
    route: APIRoute = request.scope["route"]
    names = [parameter.alias for parameter in route.dependant.query_params]
    answers: Answers = request.app.state.answers

    def made(moment: Moment, asked: Asked) -> Made:
        value = make(moment, asked)
        said = [f'<{of_page}>; rel="alternate"; type="text/html"'] if of_page else []
        if isinstance(value, Listed) and value.next:
            said.append(f'<{value.next}>; rel="next"')
        return Made(
            _adapter(route.response_model).dump_json(value, by_alias=True), {"Link": ", ".join(said)} if said else {}
        )

    if fresh:
        return answers.answer_anew(request, lambda *asked: made(*asked).data, JSON, names=names)
    return answers.answer(request, made, JSON, names=names)


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)
