"""Every link of the pages to a page, a part of one, a picture or a file leads there."""

from pathlib import Path
from urllib.parse import unquote

import pytest

from slomix_pipeline_tests.docs.pages import ROOT, anchors, links, pages


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if "://" not in link and not _leads(page, unquote(link))] == []


def _leads(page: Path, link: str) -> bool:
    where, _, part = link.partition("#")
    target = (ROOT / page.parent / where).resolve() if where else ROOT / page
    return target.exists() and (not part or part in anchors(target.relative_to(ROOT)))


def test_every_page_can_be_reached_from_the_first() -> None:
    reached, waiting = set(), [Path("README.md")]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            near = (
                (ROOT / page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link
            )
            waiting += [path.relative_to(ROOT) for path in near if path.suffix == ".md" and path.exists()]
    assert sorted(map(str, {*pages()} - reached)) == []
