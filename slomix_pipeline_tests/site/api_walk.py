"""Walking the API: one address of every resource, then every address that answers name, each against the schema.

Does not belong here: what the answers say (``test_api``).
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import repeat
from typing import Any
from urllib.parse import quote

from fastapi.testclient import TestClient
from httpx import Response
from jsonschema import Draft202012Validator

from slomix_pipeline.site.api.kit import MOUNTED
from slomix_pipeline.site.api.schema import resources, schema

_MOMENT = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:[^"]*)"')


def starts(exported: dict[str, Any]) -> list[str]:
    """An address of every resource that takes what an exported session has, with the parameters that it must have."""
    match, teams = exported["matches"][0], exported["teams"]
    one, other = (teams[team]["players"][0]["guid"] for team in ("A", "B"))
    day = exported["session"]["started_at"]
    given = {
        "guid": one,
        "one": one,
        "two": other,
        "map": match["map"],
        "board": "dpm",
        "id": f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}",
    }
    found = []
    for path in schema()["paths"]:
        key = exported["session"]["key"] if "/sessions" in path else match["r2" if "/rounds" in path else "r1"]
        found.append(MOUNTED + path.format(**given, key=key))
    receipt = next(url for url in found if url.endswith("/receipt"))
    return [*found, f"{receipt}?player={one}"]


def resource_of(url: str) -> str:
    """The resource that an address is of, as the document has it."""
    path = url.partition("?")[0].removeprefix(MOUNTED)
    return next(route.path for route in resources() if route.path_regex.match(path))


@cache
def _validator(resource: str) -> Draft202012Validator | None:
    content = schema()["paths"][resource]["get"]["responses"]["200"]["content"]
    if "application/json" not in content:
        return None
    shapes = {name: _strict(name, shape) for name, shape in schema()["components"]["schemas"].items()}
    return Draft202012Validator({**content["application/json"]["schema"], "components": {"schemas": shapes}})


def _strict(name: str, shape: dict[str, Any]) -> dict[str, Any]:
    """A shape without the room for what may come; a receipt has more than it promises already."""
    return {**shape, "additionalProperties": False} if "properties" in shape and name != "Receipt" else shape


def trouble(url: str, answer: Response) -> list[str]:
    """What an answer has that its resource does not promise, or the other way round."""
    validator = _validator(resource_of(url))
    if validator is None:
        return []
    elsewhere = [moment for moment in _MOMENT.findall(answer.text) if not moment.endswith("Z")]
    return [*elsewhere, *(error.message for error in validator.iter_errors(answer.json()))]


def walk(client: TestClient, *urls: str) -> dict[str, Response]:
    """Every answer that can be reached from some addresses by what answers name, by address."""
    found: dict[str, Response] = {}
    waiting = list(urls)
    while waiting:
        url = waiting.pop()
        if url not in found:
            found[url] = answer = client.get(url)
            if answer.is_redirect:
                waiting.append(answer.headers["location"])
            elif answer.headers["content-type"] == "application/json" and "openapi" not in url:
                waiting += _named(answer.json())
    return found


def _named(said: Any) -> Iterator[str]:
    if isinstance(said, dict):
        for value in said.values():
            yield from _named(value)
    elif isinstance(said, list):
        for value in said:
            yield from _named(value)
    elif isinstance(said, str) and said.startswith(f"{MOUNTED}/v1/"):
        yield said


def otherwise(url: str, texts: Sequence[str]) -> Iterator[str]:
    """An address with one part of it, or one parameter of its resource, replaced by each of some texts."""
    path = resource_of(url)
    route = next(route for route in resources() if route.path == path)
    found = route.path_regex.match(url.partition("?")[0].removeprefix(MOUNTED))
    assert found is not None
    for text in map(quote, texts, repeat("")):
        for name in found.groupdict():
            yield MOUNTED + path.format(**{**found.groupdict(), name: text})
        for parameter in route.dependant.query_params:
            yield f"{url.partition('?')[0]}?{parameter.alias}={text}"


def whole(client: TestClient, url: str, at_once: int = 2) -> list[Any]:
    """All items of a list, a few at a time."""
    found = []
    following: str | None = f"{url}{'&' if '?' in url else '?'}limit={at_once}"
    while following:
        answer = client.get(following)
        said = answer.json()
        assert (answer.headers.get("link") == f'<{said["next"]}>; rel="next"') is bool(said["next"])
        found += said["items"]
        following = said["next"]
    return found
