"""How anything is answered: a page or a resource of the API is made of one moment of the database, and kept by it.

Belongs here: what a page is asked with and may raise; ETag, 304, the cache of what was made.
Does not belong here: what is said (``pages``), how pages look (``templating``), headers of every answer (``app``).

An ETag names the build, the settings that pages show, the version of the data and that of privacy: it is read first, in
the snapshot that the page is then made of, so no answer has a new version with old data. What is the same as the reader
has is answered before anything else is asked of the database; what was made of this version before, too.
"""

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.rules.sessions import still_runs
from slomix_pipeline.settings import Settings
from slomix_pipeline.site.parts import text_of
from slomix_pipeline.warehouse.site_store import Moment, SiteStore, Version

_CACHE_BYTES = 64 << 20
_GZIP_FROM, _GZIP_LEVEL = 1000, 5  # bytes that are worth it
HTML, JSON = "text/html; charset=utf-8", "application/json"
ASK_AGAIN = "5"  # seconds after which a database that was away may be back


@dataclass(frozen=True)
class Asked:
    """What a page is asked for. ``path``: its address on this site, unquoted; ``given``: the parts of it that the page
    names; ``query``: what stands behind the ``?`` of what the page names, of a name that stands there twice the last;
    ``base``: the public address of the site, without a slash at its end; ``now``: for ``still_runs`` and ``today``
    alone, as most pages are kept; ``settings``: see ``etag`` for those that a page may show."""

    path: str
    given: Mapping[str, str]
    query: Mapping[str, str]
    base: str
    now: datetime
    settings: Settings

    @property
    def zone(self) -> ZoneInfo:
        return self.settings.zone

    def zone_of(self, key: str) -> ZoneInfo:
        """That of the game server that a key is of."""
        return self.settings.of_server(server_of(key)).zone

    @property
    def today(self) -> date:
        """Only pages that are ``daily`` may ask."""
        return self.now.astimezone(self.zone).date()

    def still_runs(self, ended_at: datetime) -> bool:
        """Whether a session that ended then, so far, may go on: only pages that are ``live`` may ask."""
        return still_runs(ended_at, self.now, self.settings.session_gap)


@dataclass(frozen=True)
class Link:
    """Somewhere to go: ``url`` is of this site."""

    url: str
    text: str


class NotHere(Exception):
    """404: there is nothing of that name. ``instead``: what may have been meant."""

    def __init__(self, what: str, instead: Sequence[Link] = ()) -> None:
        super().__init__(what)
        self.what, self.instead = what, tuple(instead)


class Moved(Exception):
    """It is at another address of this site: for good (301), or just now (302), as the latest of something is."""

    def __init__(self, url: str, *, for_good: bool = True) -> None:
        super().__init__(url)
        self.url, self.for_good = url, for_good


class NotUnderstood(Exception):
    """400: something behind the ``?`` can't be what it is. ``name``: what it is called there."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name


@dataclass(frozen=True)
class Made:
    """What was made of a moment, where it has headers of its own."""

    data: bytes
    headers: Mapping[str, str]


@cache
def build() -> str:
    """What tells this program from any other version of it: all that can change what a page says."""
    digest = hashlib.sha256()
    package = Path(__file__).resolve().parent.parent
    for path in sorted(p for p in package.rglob("*") if p.suffix in (".py", ".html", ".css", ".js")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def etag(version: Version, asked: Asked, *, daily: bool = False, live: bool = False) -> str:
    """The weak ETag of all that is made of a version; ``daily``: of what changes by itself every day; ``live``: and
    when a session is over. Of one version sessions can only end, so it is enough how many of them run. A database that
    was brought back from a copy may come to the same number again, at another moment."""
    turns = f"-{asked.today}" if daily else ""
    turns += f"-{len(version.running(asked.now, asked.settings.session_gap))}" if live else ""
    own = asked.settings
    zones = [each.zone for each in own.game_servers] if own.servers else own.zone
    seen = (zones, asked.base, own.site_contact, own.site_index_players, own.scoring_policy, version.changed_at)
    shown = hashlib.sha256(repr(seen).encode()).hexdigest()[:8]
    return f'W/"{build()}-{shown}-{version.number}-{version.privacy}{turns}"'


@dataclass(frozen=True)
class Body:
    """What is sent, compressed where that makes it smaller (of pictures of dots it does not)."""

    data: bytes
    is_compressed: bool
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, made: bytes | Made, media_type: str) -> "Body":
        """``made`` as it is kept."""
        data, headers = (made.data, made.headers) if isinstance(made, Made) else (made, {})
        if len(data) < _GZIP_FROM or media_type == "image/png":
            return cls(data, False, headers)
        return cls(gzip.compress(data, _GZIP_LEVEL, mtime=0), True, headers)

    def answer(self, request: Request, media_type: str, headers: Mapping[str, str]) -> Response:
        """The answer for a reader, who may not read what is compressed."""
        sent = {**headers, **self.headers}
        if not self.is_compressed:
            return Response(self.data, media_type=media_type, headers=sent)
        sent["Vary"] = "Accept-Encoding"
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(gzip.decompress(self.data), media_type=media_type, headers=sent)
        return Response(self.data, media_type=media_type, headers=sent | {"Content-Encoding": "gzip"})


class Answers:
    """Makes answers, and keeps those made of the newest version of the data."""

    def __init__(self, store: SiteStore, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._made: OrderedDict[str, Body] = OrderedDict()
        self._version: Version | None = None  # that all of it was made of
        self._size = 0
        self._lock = Lock()

    def asked(self, request: Request, names: Collection[str] = ()) -> Asked:
        """What a request asks for. ``names``: what may stand behind the ``?``; anything else there is nobody's."""
        base = self._settings.site_address or str(request.base_url).rstrip("/")
        query = {name: value for name, value in request.query_params.items() if name in names}
        given = {name: text_of(part) for name, part in request.path_params.items()}
        return Asked(request.scope["path"], given, query, base, datetime.now(UTC), self._settings)

    def answer(
        self,
        request: Request,
        make: Callable[[Moment, Asked], bytes | Made],
        media_type: str = HTML,
        *,
        names: Collection[str] = (),
        daily: bool = False,
        live: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """What ``make`` makes of this moment: or 304, or what it made of the same version before.

        Args:
            names: what may stand behind the ``?``.
            daily: what is made depends on the day, too.
            live: what is made depends on whether sessions still run, too.

        Raises:
            StoreUnavailable, and whatever ``make`` raises.
        """
        asked = self.asked(request, names)
        with self._store.moment() as moment:
            tag = etag(moment.version, asked, daily=daily, live=live)
            sent = {"ETag": tag, "Cache-Control": "public, max-age=0, must-revalidate", **(headers or {})}
            if tag in tags(request):
                return Response(status_code=304, headers=sent)
            key = f"{tag} {asked.path}?{urlencode(sorted(asked.query.items()))}"
            body = self._kept(key, moment.version)
            if body is None:
                body = Body.of(make(moment, asked), media_type)
                self._keep(key, moment.version, body)
        return body.answer(request, media_type, sent)

    def answer_anew(
        self,
        request: Request,
        make: Callable[[Moment, Asked], bytes],
        media_type: str = HTML,
        *,
        names: Sequence[str] = (),
    ) -> Response:
        """What ``make`` makes of this moment, kept by nobody: it changes without the data.

        Raises:
            StoreUnavailable, and whatever ``make`` raises.
        """
        with self._store.moment() as moment:
            body = make(moment, self.asked(request, names))
        return Response(body, media_type=media_type, headers={"Cache-Control": "no-store"})

    def _kept(self, key: str, version: Version) -> Body | None:
        with self._lock:
            if version != self._version:
                self._made.clear()
                self._size, self._version = 0, version
            if key in self._made:
                self._made.move_to_end(key)
            return self._made.get(key)

    def _keep(self, key: str, version: Version, body: Body) -> None:
        with self._lock:
            if version != self._version or key in self._made:
                return  # somebody found a newer version, or made the same, meanwhile
            self._size += len(key) + len(body.data)
            self._made[key] = body
            while self._size > _CACHE_BYTES:
                forgotten, of_it = self._made.popitem(last=False)
                self._size -= len(forgotten) + len(of_it.data)


def tags(request: Request) -> set[str]:
    """The ETags that the reader has; proxies make weak ones of strong ones and back."""
    given = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    return given | {f"W/{tag}" for tag in given if tag.startswith('"')}


@dataclass(frozen=True)
class Page:
    """A kind of page. ``path``: as FastAPI writes it; ``make``: gives the template's ``page``, or without a template
    the bytes themselves; ``names``: what may stand behind its ``?``; ``daily``: it changes by itself every day;
    ``live``: and when a session is over; ``kept``: False of what changes by itself all the time."""

    path: str
    make: Callable[[Moment, Asked], Any]
    template: str | None = None
    media_type: str = HTML
    names: tuple[str, ...] = ()
    daily: bool = False
    live: bool = False
    kept: bool = True
