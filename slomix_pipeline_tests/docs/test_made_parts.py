"""What ``docs/architecture.md`` shows of the definitions and of the code is as they are: RENEW_SNAPSHOTS=1 writes it anew."""

from collections.abc import Callable, Iterator

import pytest

from slomix_pipeline.settings import project_folder
from slomix_pipeline_tests.docs.graph import graph, imports
from slomix_pipeline_tests.snapshots import assert_as_kept

PAGE = project_folder() / "docs" / "architecture.md"


@pytest.mark.parametrize("made", [graph, imports])
def test_the_page_shows_what_is(made: Callable[[], Iterator[str]]) -> None:
    page = PAGE.read_text("utf-8")
    begin, end = f"<!-- made: {made.__name__} -->\n", "<!-- until here -->"
    before, mark, rest = page.partition(begin)
    assert mark and end in rest
    assert_as_kept(PAGE, "\n".join([before + begin, *made(), "", end + rest.partition(end)[2]]))
