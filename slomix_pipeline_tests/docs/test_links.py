"""Every link of the pages to a page, a part of one, a picture or a file leads there."""

from pathlib import Path
from urllib.parse import unquote

import pytest

from slomix_pipeline_tests.docs.pages import ROOT, anchors, links, pages

# Pages that are linked before they are written: each has to go from here when it is there.
COMING = {"docs/settings.md", "docs/scaling.md", "SECURITY.md"}


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if "://" not in link and not _leads(page, unquote(link))] == []


def _leads(page: Path, link: str) -> bool:
    where, _, part = link.partition("#")
    target = (ROOT / page.parent / where).resolve() if where else ROOT / page
    if not target.exists():
        return str(target.relative_to(ROOT)) in COMING
    return not part or part in anchors(target.relative_to(ROOT))


def test_what_is_still_to_come_is_not_there() -> None:
    assert [name for name in sorted(COMING) if (ROOT / name).exists()] == []


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
