"""Every page of an evening in a real browser, in all sizes, by day and by night."""

import pytest

from slomix_pipeline_tests.site.conftest import Opened
from slomix_pipeline_tests.site.looking import TYPED, evenly, served, wrong_at_every_size
from slomix_pipeline_tests.site_fixtures import Shown, crawl


@pytest.mark.timeout(600)
def test_every_page_of_an_evening_fits_complains_of_nothing_and_loads_nothing_from_elsewhere(
    opened: Opened, shown: Shown
) -> None:
    """But of kinds of which there are more than 40, as comparisons and boards with filters, 40 evenly spread."""
    urls = evenly(crawl(shown.client, "/", *TYPED), 40)
    assert len(urls) > 300
    with served(shown.client.app) as base:
        assert wrong_at_every_size(opened(), base, urls) == {}
