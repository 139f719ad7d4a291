"""The public pages in a real browser: every link, on a phone and on a desktop, by day and by night."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from slomix_pipeline.runtime.supervisor import free_port
from slomix_pipeline_tests.site.conftest import Opened, sideways
from slomix_pipeline_tests.site_fixtures import Shown, crawl


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


@pytest.fixture(scope="module")
def kinds(shown: Shown) -> list[str]:
    """One page of each kind, and a receipt of a player."""
    urls = [
        url for url, answer in crawl(shown.client).items() if answer.headers["content-type"].startswith("text/html")
    ]
    of_kind = {url.split("/")[1].split("?")[0] + str("?" in url): url for url in sorted(urls)}
    return sorted({*of_kind.values(), *(url for url in urls if url.startswith("/sessions/"))})


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1366, 768)])
def test_pages_fit_complain_of_nothing_and_load_nothing_from_elsewhere(
    opened: Opened, shown: Shown, kinds: list[str], scheme: str, width: int, height: int
) -> None:
    page = opened(width, height, color_scheme=scheme)
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    with served(shown.client.app) as base:
        for url in kinds:
            page.goto(base + url, wait_until="networkidle")
            assert page.locator("h1").count() == 1, url
            assert [one for one in sideways(page) if one == "the page"] == [], url
    assert complaints == []
    assert [url for url in asked if not url.startswith((base, "data:"))] == []


def test_pages_say_the_same_without_scripts(opened: Opened, shown: Shown, kinds: list[str]) -> None:
    with_scripts, without = opened(), opened(java_script_enabled=False)
    with served(shown.client.app) as base:
        for url in kinds[:4]:
            for page in (with_scripts, without):
                page.goto(base + url)
            assert with_scripts.locator("main").inner_text() == without.locator("main").inner_text(), url
