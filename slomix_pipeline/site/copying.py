"""A copy of the pages as files, which any web server gives out, below any path, and a browser opens from a folder.

Belongs here: asking the pages for themselves, in this process and without a port; which of them have a file; making
links lead to files. Does not belong here: the pages, the database's address (``actions.copy_site``).

A page is copied as it stands without anything behind the ``?``, and so are further pages of a list: what only an answer
to a question is (search, filters, comparisons, receipts of single players) and what changes by itself (the status) has
no file. A link there becomes text, but for that to the receipt of a player, which leads to its round.
"""

import hashlib
import posixpath
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import unquote, urlsplit

import httpx
from fastapi import FastAPI
from starlette.routing import compile_path

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.site.answers import HTML
from slomix_pipeline.site.api.kit import MOUNTED
from slomix_pipeline.site.pages import PAGES

_BASE = "http://127.0.0.1"
_LONGEST = 100  # characters of a file's name; file systems take 255 bytes
_ASKS = (
    "/search",
    "/compare",
    "/balance",
    "/feed.xml",
    "/corrections.xml",
    "/robots.txt",
    MOUNTED,
)  # answers to who asks, or of addresses of a server
_LEFT_OUT = {*_ASKS, *(page.path for page in PAGES if not page.kept)}
_NO_PAGES = [compile_path(page.path)[0] for page in PAGES if page.media_type != HTML]  # and so are static files
_FURTHER = re.compile("/(?:sessions|players|corrections)[?](?:before|after)=[^&]*")  # pages of a list
_LINK = re.compile(r'\s(href|src)="(/[^"]*)"')
_GONE = re.compile(r'<form\b.*?</form>|<link rel="alternate"[^>]*>|<meta property="og:(?:url|image)[^>]*>', re.DOTALL)
_NOTE = """<p>A copy of these pages as files: without search, filters, comparisons, and receipts of single players.</p>
</footer>"""


class CopyFailed(SlomixError):
    """No page can be made just now; the text says of which that was seen."""


@dataclass(frozen=True)
class Copied:
    """A file of the copy. ``name``: relative, with slashes; ``data``: None of a page that can't be made; ``waiting``:
    how many more are known of."""

    name: str
    data: bytes | None
    waiting: int


def file_of(path: str) -> str:
    """The file of a page's path: what other systems don't take in a file's name, as the colon of keys, is written as
    ``=3A``, and so is what a server or browser reads otherwise."""
    segments = [_segment(unquote(part)) for part in path.strip("/").split("/") if part]
    name = "/".join(segments) or "index"
    is_no_page = path.startswith("/static/") or any(own.match(path) for own in _NO_PAGES)
    return name if is_no_page else f"{name}.html"


def _segment(text: str) -> str:
    written = "".join(c if re.fullmatch(r"[A-Za-z0-9._-]", c) else _escaped(c) for c in text)
    written = written.replace("..", ".=2E")
    written = f"=2E{written[1:]}" if written.startswith(".") else written
    if len(written) <= _LONGEST:
        return written
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{written[: _LONGEST // 2]}={digest}"


def _escaped(character: str) -> str:
    return "".join(f"={byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


async def copied(app: FastAPI) -> AsyncIterator[Copied]:
    """Every page that can be reached by links from the front page, with all it needs, as files.

    Raises:
        CopyFailed: the database went away.
    """
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=_BASE) as client:
        waiting, seen = ["/"], {"/"}
        while waiting:
            path = waiting.pop()
            answer = await client.get(path, follow_redirects=True)
            if answer.status_code == 503:
                raise CopyFailed(f"the page {path} could not be made: the database is away")
            if answer.status_code != 200:
                yield Copied(file_of(path), None, len(waiting))
                continue
            data = answer.content
            if answer.headers["content-type"].startswith("text/html"):
                text, found = rewritten(answer.text, path)
                waiting += [one for one in dict.fromkeys(found) if one not in seen]
                seen.update(found)
                data = text.encode()
            yield Copied(file_of(path), data, len(waiting))


def rewritten(text: str, path: str) -> tuple[str, list[str]]:
    """A page with links to files, and the paths that it leads to. Its own text has no quotes that are not escaped, so
    what looks like a link is one."""
    here, found = file_of(path), []

    def link(match: re.Match[str]) -> str:
        kind, url = match[1], unescape(match[2])
        target = _target(url)
        if target is None:
            return ""
        found.append(target)
        fragment = urlsplit(url).fragment if not urlsplit(url).query else ""
        file = posixpath.relpath(file_of(target), posixpath.dirname(here) or ".")
        return f' {kind}="{escape(file)}{f"#{escape(fragment)}" if fragment else ""}"'

    cleaned = _GONE.sub("", text).replace("</footer>", _NOTE)
    return _LINK.sub(link, cleaned), found


def _target(url: str) -> str | None:
    """The path that a link leads to in the copy, with what stands behind its ``?`` where that is part of it; None:
    nowhere."""
    parts = urlsplit(url)
    if _FURTHER.fullmatch(url):
        return url
    if parts.path in _LEFT_OUT or parts.path.startswith((f"{MOUNTED}/", "/compare/")):
        return None
    return parts.path if not parts.query or parts.path.startswith("/rounds/") else None
