"""Which resource says the same as a page.

Belongs here: its address. The addresses of resources are those of pages below that of the API, so a page that is new
has its resource as soon as there is one. Does not belong here: the line in the footer (``templates/base.html``).
"""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from fastapi.routing import APIRoute

from slomix_pipeline.site.answers import Asked
from slomix_pipeline.site.api.kit import MOUNTED
from slomix_pipeline.site.api.schema import resources
from slomix_pipeline.site.sorting import SORT

_RANKS = {"after"}  # of a board's page: the rank that it begins after; its resource names a GUID there


@dataclass(frozen=True)
class DataOfPage:
    """The addresses of the same for programs; ``csv``: None of what is no table."""

    json: str
    csv: str | None


def data_of(asked: Asked) -> DataOfPage | None:
    """What says the same as a page; None: nothing does."""
    route = _route(asked.path)
    if route is None:
        return None
    names = {parameter.alias for parameter in route.dependant.query_params}
    names -= _RANKS if "board" in route.param_convertors else set()
    names -= {"after"} if SORT in asked.query else set()  # of another order than that of resources
    query = {name: value for name, value in asked.query.items() if name in names and value}  # forms send empty fields
    table = _route(f"{asked.path}.csv")
    way = f"{MOUNTED}/v1{quote(asked.path, safe='/:')}"
    return DataOfPage(
        f"{way}?{urlencode(query)}" if query else way,
        f"{way}.csv" if table and table.path.endswith(".csv") else None,
    )


def _route(path: str) -> APIRoute | None:
    return next((route for route in resources() if route.path_regex.match(f"/v1{path}")), None)
