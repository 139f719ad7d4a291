"""The gallery in ``docs/``: everything in it can be made, shows what it should, and fits a desktop and a phone."""

import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from slomix_pipeline.reports.export import session_as_json
from slomix_pipeline.settings import load_settings, project_folder
from slomix_pipeline.warehouse import reading
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.postgres_fixtures import copied_database
from slomix_pipeline_tests.site.conftest import Opened, sideways
from slomix_pipeline_tests.site.gallery import ITEMS, NOW, PAGE_ITEMS, Item, PageItem, address_of, tell_all
from slomix_pipeline_tests.site.looking import served
from slomix_pipeline_tests.site_fixtures import pages_of, prepare
from slomix_pipeline_tests.snapshots import RENEW, assert_as_kept

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DOCS = project_folder() / "docs"
WIDTHS = {"desktop": 760, "phone": 390}
PAGE_WIDTHS = {"wide": 1366, "phone": 390}
PAGE_HEIGHT = 900
TALL = 4000  # pixels: the page's head stays above all that is pictured
MOST_BYTES = 5 * 2**20  # of all pictures together

HEAD = f"""# What it looks like

A simulated evening on the Discord stand-in's page, {WIDTHS["desktop"]} px wide as on a desktop and
{WIDTHS["phone"]} px as on a phone, then the beginnings of its [public pages](#public-pages).
The players are invented; their names hold what trips formatting.

Made by a test, like all that is generated here:
`{RENEW}=1 .venv/bin/python -m pytest slomix_pipeline_tests/site/test_gallery.py`
(with `make install EXTRAS=dev,site-tests` and Debian's `chromium` and `fonts-noto-color-emoji`).
"""


@pytest.fixture(scope="module")
def evening(
    browser: "Browser", postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, Mapping[str, str]]]:
    """The evening, and what the stand-in's page said of each item; nobody tells anything where no browser is there to
    look at it."""
    with copied_database(postgres_server, migrated_template) as database:
        yield database, tell_all(database, tmp_path_factory.mktemp("gallery"))


@pytest.fixture(scope="module")
def told(evening: tuple[Database, Mapping[str, str]]) -> Mapping[str, str]:
    return evening[1]


@pytest.fixture(scope="module")
def site(evening: tuple[Database, Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    """The whole addresses of the public pages, by the names of their items."""
    database, _ = evening
    prepare(database)
    with database.snapshot() as conn:
        key = reading.resolve_session(conn, "latest")
        assert key is not None
        exported = session_as_json(conn, load_settings(), key)
    with pages_of(database) as client, served(client.app) as base:
        yield {item.name: base + address_of(item, exported) for item in PAGE_ITEMS}


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_each_item_can_be_made_and_shows_what_it_should(
    told: Mapping[str, str], opened: Opened, item: Item, tmp_path: Path
) -> None:
    page = opened(timezone_id="UTC")
    page.clock.set_fixed_time(NOW)
    (tmp_path / "page.html").write_text(told[item.name], "utf-8")
    page.goto((tmp_path / "page.html").as_uri(), wait_until="load")
    part = page.locator(item.part).first
    assert page.locator("img").evaluate_all("all => all.every(one => one.naturalWidth > 0 && one.alt !== '')")
    for size, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": TALL})
        assert part.is_visible()
        assert [text for text in item.shows if text not in part.inner_text()] == []
        assert sideways(page) == []
        if os.environ.get(RENEW) == "1":
            part.screenshot(path=_picture(item, size))


@pytest.mark.parametrize("item", PAGE_ITEMS, ids=lambda item: item.name)
def test_each_public_page_shows_what_it_should(site: Mapping[str, str], opened: Opened, item: PageItem) -> None:
    page = opened(timezone_id="UTC")
    for size in _sizes(item):
        page.set_viewport_size({"width": PAGE_WIDTHS[size], "height": PAGE_HEIGHT})
        page.emulate_media(color_scheme="dark" if size == "phone" else "light")
        page.goto(site[item.name])
        assert [text for text in item.shows if text not in page.locator("main").inner_text()] == []
        if os.environ.get(RENEW) == "1":
            page.screenshot(path=_picture(item, size))


def test_the_gallery_lists_exactly_its_items_and_has_their_pictures() -> None:
    pages = (
        f"\n## Public pages\n\nOn a desktop by day, {PAGE_WIDTHS['wide']} px wide, two of them on a phone by night.\n"
    )
    assert_as_kept(
        DOCS / "gallery.md", HEAD + "".join(map(_section, ITEMS)) + pages + "".join(map(_page_section, PAGE_ITEMS))
    )
    kept = set((DOCS / "gallery").iterdir())
    assert kept == {_picture(item, size) for item in ITEMS for size in WIDTHS} | {
        _picture(item, size) for item in PAGE_ITEMS for size in _sizes(item)
    }
    assert sum(path.stat().st_size for path in kept) <= MOST_BYTES
    for path in kept:
        width, _ = struct.unpack(">II", path.read_bytes()[16:24])
        assert 100 < width <= (WIDTHS | PAGE_WIDTHS)[path.stem.rpartition("-")[2]]


def _sizes(item: PageItem) -> tuple[str, ...]:
    return ("wide", "phone") if item.on_a_phone else ("wide",)


def _picture(item: Item | PageItem, size: str) -> Path:
    return DOCS / "gallery" / f"{item.name}-{size}.png"


def _section(item: Item) -> str:
    pictures = "\n".join(f"![{item.title}, on a {size}]({_picture(item, size).relative_to(DOCS)})" for size in WIDTHS)
    return f"\n## {item.title}\n\n{item.words}\n\n{pictures}\n"


def _page_section(item: PageItem) -> str:
    pictures = "\n".join(
        f"![{item.title}{', on a phone' if size == 'phone' else ''}]({_picture(item, size).relative_to(DOCS)})"
        for size in _sizes(item)
    )
    return f"\n### {item.title}\n\n{item.words}\n\n{pictures}\n"
