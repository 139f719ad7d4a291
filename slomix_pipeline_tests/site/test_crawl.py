"""The public pages in a real browser: a page of every kind on a phone, a tablet and a desktop, by day and by night, for
readers without scripts, a mouse, or good eyes."""

import re

import pytest

from slomix_pipeline_tests.site.conftest import Opened
from slomix_pipeline_tests.site.looking import (
    SCHEMES,
    TYPED,
    barriers,
    of_each_kind,
    served,
    wrong_at_every_size,
    wrong_with,
)
from slomix_pipeline_tests.site_fixtures import Shown, crawl


@pytest.fixture(scope="module")
def kinds(shown: Shown) -> list[str]:
    """One page of each kind."""
    return of_each_kind(crawl(shown.client, "/", *TYPED))


def test_pages_fit_complain_of_nothing_and_load_nothing_from_elsewhere(
    opened: Opened, shown: Shown, kinds: list[str]
) -> None:
    assert len(kinds) > 25
    with served(shown.client.app) as base:
        assert wrong_at_every_size(opened(), base, kinds) == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nobody_is_kept_out(opened: Opened, shown: Shown, kinds: list[str], scheme: str) -> None:
    pytest.importorskip("axe_playwright_python", reason="axe is not installed: make install EXTRAS=dev,site-tests")
    page = opened(390, 844, color_scheme=scheme)
    with served(shown.client.app) as base:
        found = {}
        for url in kinds:
            page.goto(base + url)
            if found_here := barriers(page):
                found[url] = found_here
    assert found == {}


def test_pages_say_the_same_without_scripts(opened: Opened, shown: Shown, kinds: list[str]) -> None:
    with_scripts, without = opened(), opened(java_script_enabled=False)
    with served(shown.client.app) as base:
        for url in kinds:
            for page in (with_scripts, without):
                page.goto(base + url)
            assert with_scripts.locator("body").inner_text() == without.locator("body").inner_text(), url


def test_searching_choosing_sorting_paging_and_comparing_need_no_script(opened: Opened, shown: Shown) -> None:
    one, other = (row["guid"] for row in shown.pipeline.rows("select guid from board_person order by guid limit 2"))
    page = opened(390, 844, java_script_enabled=False)
    with served(shown.client.app) as base:
        page.goto(base)
        page.get_by_label("Player, map or date").fill(one)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/players/{one}")

        page.goto(f"{base}/boards/dpm")
        page.locator("#map").select_option(index=1)
        page.get_by_label("From rounds").fill("1")
        page.get_by_role("button", name="Show").click()
        page.wait_for_url("**/boards/dpm?map=*min_rounds=1")
        assert page.locator("tbody tr").count() > 1

        page.goto(f"{base}/players?after={one}")
        assert page.locator("h1").count() == 1

        page.goto(f"{base}/sessions/latest")
        table = page.locator("#team-A table")
        table.locator("thead").get_by_role("link", name="DPM").click()
        page.wait_for_url("**/sessions/*?sort=-dpm#team-A")
        assert table.get_by_role("columnheader", name="DPM").get_attribute("aria-sort") == "descending"
        falling = table.locator("tbody th").all_inner_texts()
        table.locator("thead").get_by_role("link", name="DPM").click()
        page.wait_for_url("**/sessions/*?sort=dpm#team-A")
        assert table.locator("tbody th").all_inner_texts() == falling[::-1] != falling

        page.goto(f"{base}/maps")
        page.locator("#maps thead").get_by_role("link", name="Par").click()
        page.wait_for_url("**/maps?sort=par#maps")

        page.goto(f"{base}/compare")
        page.locator("#a").fill(one)
        page.locator("#b").fill(other)
        page.get_by_role("button", name="Compare").click()
        page.wait_for_url(f"**/compare/{one}/{other}")


def test_the_keyboard_alone_leads_from_the_front_page_to_what_a_number_is_made_of(opened: Opened, shown: Shown) -> None:
    page = opened(1366, 768)

    def on_to(link: str) -> None:
        """Tab until a link of such an address has the focus, which is seen, and follows it."""
        for _ in range(150):
            page.keyboard.press("Tab")
            if page.evaluate("w => new RegExp(w).test(document.activeElement.getAttribute('href') || '')", link):
                break
        focused = page.locator(":focus")
        assert focused.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(link))

    with served(shown.client.app) as base:
        page.goto(base)
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "To the content" and page.locator(":focus").bounding_box()
        on_to("/sessions/.")
        on_to(r"/rounds/.*\?player=")
        assert "sha256" in page.locator("main").inner_text()


def test_pages_fit_when_they_are_twice_as_large_and_move_nothing_for_who_wants_it_so(
    opened: Opened, shown: Shown, kinds: list[str]
) -> None:
    page = opened(1366 // 2, 768 // 2, device_scale_factor=2, reduced_motion="reduce")
    with served(shown.client.app) as base:
        for url in kinds:
            page.goto(base + url)
            assert wrong_with(page) == [], url
            moving = "getComputedStyle(document.documentElement).scrollBehavior !== 'auto' || document.getAnimations().length"
            assert not page.evaluate(moving), url
