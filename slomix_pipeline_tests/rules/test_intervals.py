"""The interval of a counted share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.intervals import likely_share


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_share_lies_in_its_interval_and_that_in_what_a_share_can_be(part: int, more: int) -> None:
    low, high = likely_share(part, part + more)
    assert 0 <= low <= high <= 1
    if part + more:
        assert low - 1e-9 <= part / (part + more) <= high + 1e-9


def test_the_interval_is_wilsons_and_of_nothing_it_is_everything() -> None:
    assert likely_share(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert likely_share(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert likely_share(0, 0) == (0, 1)
