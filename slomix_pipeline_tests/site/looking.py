"""Looking at pages in a browser: serving them, one address of every kind, and what is wrong with what is seen.

Does not belong here: the browser itself (``conftest``), what pages must say (the tests).
"""

import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import uvicorn

from slomix_pipeline.runtime.supervisor import free_port
from slomix_pipeline.site.pages import PAGES
from slomix_pipeline_tests.site.conftest import sideways

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


def of_each_kind(urls: Iterable[str], of_a_kind: int = 1) -> list[str]:
    """The first addresses of every kind of page; what is asked for after a ``?`` makes a kind of its own."""
    patterns = [(page.path, re.compile(re.sub(r"\{\w+\}", "[^/]+", page.path))) for page in PAGES if page.template]
    kinds: dict[tuple[str, bool], list[str]] = {}
    for url in sorted(urls):
        path, asks, _ = url.partition("?")
        kind = next((name for name, pattern in patterns if pattern.fullmatch(path)), None)
        if kind is not None:
            kinds.setdefault((kind, bool(asks)), []).append(url)
    return [url for found in kinds.values() for url in found[:of_a_kind]]


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


def wrong_with(page: "Page") -> list[str]:
    """What is wrong with a page as it is shown now."""
    text = page.locator("body").inner_text()
    wrong = [f"says {word}" for word in PROGRAM_WORDS.findall(text)]
    wrong += ["scrolls sideways"] if "the page" in sideways(page) else []
    return wrong + ([] if page.locator("h1").count() == 1 else ["has not one heading"])


def barriers(page: "Page") -> list[str]:
    """What keeps some readers out, by the rules of WCAG 2.2 A and AA."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=_RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
