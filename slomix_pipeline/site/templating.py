"""From a view model to bytes: the templates, what they may call, and the static files with their hashed names.

Belongs here: the words of numbers, times and names on pages. Everything is escaped; ``|safe`` is banned by a test:
pictures are files of their own.
Does not belong here: what is said (``pages``).
"""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.formats.names import plain
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.site.answers import build
from slomix_pipeline.site.parts import part_of

UNKNOWN = "–"
_LONGEST = 200  # characters of any text of others on a page
_GUID = re.compile(r"[0-9A-Fa-f]{8}")
_STATIC = (("site.css", "text/css; charset=utf-8"), ("site.js", "text/javascript; charset=utf-8"))


@dataclass(frozen=True)
class StaticFile:
    """A file whose name changes with its content, so that it can be kept for ever."""

    url: str
    body: bytes
    media_type: str


def static_files() -> dict[str, StaticFile]:
    """The static files, by their plain names."""
    found = {}
    for name, media_type in _STATIC:
        body = (resources.files("slomix_pipeline.site") / "static" / name).read_bytes()
        stem, ending = name.rsplit(".", 1)
        digest = hashlib.sha256(body).hexdigest()[:10]
        found[name] = StaticFile(f"/static/{stem}.{digest}.{ending}", body, media_type)
    return found


def name_text(name: str | None, guid: str | None = None) -> str:
    """A player's name as text, as it is seen; one that has nothing left is told by the beginning of his GUID."""
    return plain(str(name or "")[:_LONGEST]) or f"(no name) {(guid or '')[:4]}".strip()


def others_text(text: str | None) -> str:
    """Any other text of people or files, on one line; there may be names in it."""
    return plain(str(text or "")[: 5 * _LONGEST])


def number_text(value: float | None, digits: int = 0) -> str:
    """A number with so many decimals, as the export rounds it; unknown is a dash, never 0."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def clock_text(seconds: float | None) -> str:
    """Seconds as ``M:SS``."""
    return UNKNOWN if seconds is None else format_time(round(seconds))


def utc_text(moment: datetime) -> str:
    """What ``datetime`` attributes hold: ``2026-02-02T20:13:52Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def url_of(*parts: str) -> str:
    """An address of this site of a page's kind and keys: root-relative, as a key holds a colon."""
    return "/" + "/".join(map(part_of, parts))


def has_player(guid: str | None) -> bool:
    """Whether a GUID is one that players have. Those of bots and of nobody who can be told are none, nor is what stands
    for the one of who wished to be hidden: these have no page."""
    return _GUID.fullmatch(guid or "") is not None


def sparkline(values: Sequence[float | None], width: int = 96, height: int = 20) -> list[str]:
    """The points of a line through numbers, for a ``polyline`` each; unknown ones part it."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return []
    low, high = min(known), max(known)
    step = width / (len(values) - 1)
    lines: list[list[str]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            lines.append([])
            continue
        share = 0.5 if high == low else (value - low) / (high - low)
        lines[-1].append(f"{at * step:.1f},{height - 2 - share * (height - 4):.1f}")
    return [" ".join(points) for points in lines if points]


class Templates:
    """The templates, loaded once. ``zone``: of times; ``zones``: of those that are of one of several game servers, by
    its id; ``links``: the main pages that there are, by their label; ``paths``: of all pages;
    ``data_of``: which resource of the API says the same as a page; ``index_players``: search engines may list pages of
    players."""

    def __init__(
        self,
        zone: tzinfo,
        zones: Mapping[str, tzinfo],
        links: Mapping[str, str],
        paths: Collection[str],
        data_of: Callable[[Any], Any],
        *,
        index_players: bool = False,
    ) -> None:
        self._zone, self._zones = zone, zones
        self.files = static_files()
        self._environment = Environment(
            loader=PackageLoader("slomix_pipeline.site"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals |= {
            "css": self.files["site.css"].url,
            "js": self.files["site.js"].url,
            "links": links,
            "zone": str(zone),
            "several_servers": bool(zones),
            "search": "/search" if "/search" in paths else None,
            "has_player": has_player if "/players/{guid}" in paths else lambda guid: False,
            "has_maps": any(path.startswith("/maps/") for path in paths),
            "build": build(),
            "unknown": UNKNOWN,
            "index_players": index_players,
            "has_metrics": "/metrics" in paths,
            "url_of": url_of,
            "sparkline_points": sparkline,
            "data_of": data_of,
        }
        self._environment.filters |= {
            "player_name": name_text,
            "plain": others_text,
            "number": number_text,
            "utc": utc_text,
            "local": self._local,
            "server": server_of,
        }
        self._environment.globals["parts"] = self._environment.get_template("parts.html").module

    def _local(self, moment: datetime, how: str = "%Y-%m-%d %H:%M %Z", of: str | None = None) -> str:
        """``of``: the key of what happened then, which is told in the time of its game server."""
        zone = self._zones.get(server_of(of), self._zone) if of else self._zone
        return moment.astimezone(zone).strftime(how)

    def render(self, template: str, **values: Any) -> bytes:
        """A page. ``values``: what the template and the frame know by name."""
        return self._environment.get_template(template).render(**values).encode("utf-8", "replace")
