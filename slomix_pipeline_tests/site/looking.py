"""Looking at pages in a browser: serving them, some addresses of every kind, and what is wrong with what is seen.

Does not belong here: the browser itself (``conftest``), what pages must say (the tests).
"""

import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

import uvicorn

from slomix_pipeline.runtime.supervisor import free_port
from slomix_pipeline.site.pages import PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZES = ((390, 844), (768, 1024), (1366, 768))
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
# What no link leads to: a field is typed into.
TYPED = ("/search?q=a", "/compare", "/balance?players=a,b", "/boards/dpm?find=a&min_rounds=1")
PROGRAM_WORDS = re.compile(r"\b(?:undefined|None|NaN|Loading)\b|\[object")
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


@contextmanager
def served(app: Any) -> Iterator[str]:
    """An application on a free port of this machine."""
    port = free_port(0)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


_PATTERNS = [(page.path, re.compile(re.sub(r"\{\w+\}", "[^/]+", page.path))) for page in PAGES if page.template]


def kind_of(url: str) -> tuple[str, tuple[str, ...]] | None:
    """The kind of page of an address: which one, and by what names it is asked; None of what is no page."""
    path, _, asks = url.partition("?")
    kind = next((name for name, pattern in _PATTERNS if pattern.fullmatch(path)), None)
    return None if kind is None else (kind, tuple(sorted(name for name, _ in parse_qsl(asks))))


def of_each_kind(urls: Iterable[str]) -> list[str]:
    """The first address of every kind of page; whatever is asked for after a ``?`` makes one other kind."""
    kinds: dict[tuple[str, bool], str] = {}
    for url in sorted(urls):
        if kind := kind_of(url):
            kinds.setdefault((kind[0], bool(kind[1])), url)
    return list(kinds.values())


def evenly(urls: Iterable[str], of_a_kind: int) -> list[str]:
    """All addresses of the kinds of which there are at most so many; of the others so many, evenly spread."""
    kinds: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for url in sorted(urls):
        if kind := kind_of(url):
            kinds.setdefault(kind, []).append(url)
    taken = {kind: min(len(found), of_a_kind) for kind, found in kinds.items()}
    return [found[at * len(found) // taken[kind]] for kind, found in kinds.items() for at in range(taken[kind])]


@dataclass
class Watched:
    """What a page in the browser asked for and complained of."""

    base: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def foreign(self) -> list[str]:
        return [url for url in self.asked if not url.startswith((self.base, "data:"))]


def watch(page: "Page", base: str) -> Watched:
    """Notes all that pages say to the console (what a rule of CSP stopped is said there), throw, ask and load."""
    watched = Watched(base)
    page.on("console", lambda said: watched.complaints.append(f"{page.url}: {said.text}"))
    page.on("pageerror", lambda error: watched.complaints.append(f"{page.url}: {error}"))
    page.on("request", lambda request: watched.asked.append(request.url))

    def asked_back(dialog: Any) -> None:
        watched.complaints.append(f"{page.url}: a dialog, {dialog.message}")
        dialog.dismiss()

    page.on("dialog", asked_back)
    return watched


_SEEN = """({
    text: document.body.innerText,
    sideways: document.documentElement.scrollWidth > innerWidth,
    headings: document.querySelectorAll("h1").length,
})"""


def wrong_with(page: "Page") -> list[str]:
    """What is wrong with a page as it is shown now."""
    seen = page.evaluate(_SEEN)
    wrong = [f"says {word}" for word in PROGRAM_WORDS.findall(seen["text"])]
    wrong += ["scrolls sideways"] if seen["sideways"] else []
    return wrong + ([] if seen["headings"] == 1 else ["has not one heading"])


def wrong_at_every_size(page: "Page", base: str, urls: Iterable[str], at_most: int = 3) -> dict[str, list[str]]:
    """What is wrong with pages, each loaded once and looked at in every size, by day and by night; it may ask for so
    many files beside pictures, all of them from here."""
    watched, found = watch(page, base), {}
    for url in urls:
        watched.asked.clear()
        answer = page.goto(base + url)
        wrong = [] if answer is not None and answer.status == 200 else ["is not answered"]
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                wrong += [f"{one} at {width}, {scheme}" for one in wrong_with(page)]
        own = [one for one in watched.asked if not one.endswith((".svg", ".png")) and "data:" not in one]
        wrong += [f"asks for {one}" for one in (watched.foreign or own[at_most:])]
        wrong += [f"complains: {one}" for one in watched.complaints]
        watched.complaints.clear()
        if wrong:
            found[url] = wrong
    return found


def barriers(page: "Page") -> list[str]:
    """What keeps some readers out, by the rules of WCAG 2.2 A and AA."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=_RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
