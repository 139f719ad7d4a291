"""A real browser for tests of pages: one per worker process, without a window, which leaves nothing behind.

Does not belong here: what pages show (the tests), the pages' servers (``kept``).
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the browser is a suite of its own."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


# How a page is opened for somebody: the size of his window, and Playwright's other words for who he is.
Opened = Callable[..., "Page"]


@pytest.fixture(scope="package")  # while it is open asyncio has a loop in this thread, which others would trip over
def browser() -> Iterator["Browser"]:
    """The browser; what needs it is skipped where it is not installed."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: make install EXTRAS=dev,site-tests"
    )
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="slomix-browser-"))
        started = stack.enter_context(api.sync_playwright())
        launched = started.chromium.launch(
            executable_path=CHROMIUM,
            chromium_sandbox=os.geteuid() != 0,  # root's has none
            env={**os.environ, "HOME": home, "TMPDIR": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home},
        )
        stack.callback(launched.close)
        yield launched


@pytest.fixture
def opened(browser: "Browser") -> Iterator[Opened]:
    """Opens a blank page for a reader in Berlin; it is closed with the test."""
    with ExitStack() as stack:

        def open_page(width: int = 760, height: int = 900, **who: Any) -> "Page":
            reader = {"locale": "en-GB", "timezone_id": "Europe/Berlin", **who}
            context = browser.new_context(viewport={"width": width, "height": height}, **reader)
            stack.callback(context.close)
            context.set_default_timeout(10_000)
            return context.new_page()

        yield open_page


def sideways(page: "Page") -> list[str]:
    """What reaches beyond the right edge of the window; what scrolls in itself may."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter(e => !e.closest("pre") && e.getBoundingClientRect().right > innerWidth + 0.5)
            .map(e => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`)"""
    )
    scrolls: bool = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*found, *(["the page"] if scrolls else [])]
