"""The page about the API: every resource with what it takes and gives, made from its OpenAPI document.

Does not belong here: the document (``site.api.schema``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slomix_pipeline.site.answers import Asked
from slomix_pipeline.site.api.kit import MOUNTED
from slomix_pipeline.site.api.schema import INTRODUCTION, schema
from slomix_pipeline.warehouse.site_store import Moment


@dataclass(frozen=True)
class Named:
    """A parameter or a field, and what is said of it. ``type``: empty where any is."""

    name: str
    type: str
    text: str


@dataclass(frozen=True)
class ResourceShown:
    """A resource. ``url``: None where its address takes a key; ``gives``: the name of its shape."""

    path: str
    url: str | None
    text: str
    parameters: tuple[Named, ...]
    gives: str


@dataclass(frozen=True)
class ShapeShown:
    """What a resource gives, or a part of that."""

    name: str
    text: str
    fields: tuple[Named, ...]


@dataclass(frozen=True)
class ApiPage:
    """``rules``: what holds for all of it."""

    opening: str
    rules: tuple[str, ...]
    document: str
    resources: tuple[ResourceShown, ...]
    shapes: tuple[ShapeShown, ...]


def api_page(moment: Moment, asked: Asked) -> ApiPage:
    """All resources, in the order of the document."""
    document = schema()
    opening, rules = INTRODUCTION.split("\n\n", 1)
    return ApiPage(
        opening=opening,
        rules=tuple(_plain(rule.removeprefix("- ")) for rule in rules.strip().split("\n")),
        document=f"{MOUNTED}/v1/openapi.json",
        resources=tuple(_resource(path, way["get"]) for path, way in document["paths"].items()),
        shapes=tuple(_shapes(document["components"]["schemas"])),
    )


def _resource(path: str, way: Mapping[str, Any]) -> ResourceShown:
    parameters = way.get("parameters", ())
    needs = any(one["required"] for one in parameters)
    (content,) = way["responses"]["200"]["content"].items()
    return ResourceShown(
        path=f"{MOUNTED}{path}",
        url=None if needs else f"{MOUNTED}{path}",
        text=_plain(way["description"]),
        parameters=tuple(
            Named(one["name"], _type(one["schema"]), one.get("description", ""))
            for one in parameters
            if one["in"] == "query"
        ),
        gives=_type(content[1]["schema"]) if content[0].endswith("json") else content[0],
    )


def _shapes(schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[ShapeShown]:
    for name, shape in schemas.items():
        if name.startswith("Listed_"):
            continue  # said by the resource
        fields = [
            Named(field, _type(about), about.get("description", ""))
            for field, about in shape.get("properties", {}).items()
        ]
        yield ShapeShown(name, _plain(shape.get("description", "")) or _values(shape), tuple(fields))


def _values(shape: Mapping[str, Any]) -> str:
    return "One of " + ", ".join(shape["enum"]) if "enum" in shape else ""


def _type(about: Mapping[str, Any]) -> str:
    """A JSON type in a word or two."""
    if "$ref" in about:
        name = str(about["$ref"]).rsplit("/", 1)[-1]
        return f"list of {name[len('Listed_') : -1]}" if name.startswith("Listed_") else name
    if "anyOf" in about:
        return " or ".join(_type(one) for one in about["anyOf"])
    if "const" in about or "enum" in about:
        return " or ".join(f'"{value}"' for value in about.get("enum", [about.get("const")]))
    if about.get("type") == "array":
        return f"list of {_type(about.get('items', {}))}".rstrip()
    return str(about.get("format", about.get("type", "")))


def _plain(text: str) -> str:
    """A docstring as a sentence of a page."""
    return " ".join(text.replace("`", "").split())
