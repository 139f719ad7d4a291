"""Seasons: quarters by the game server's clock, from a moment to its id and back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.seasons import Season, season_named, season_of

LJUBLJANA = ZoneInfo("Europe/Ljubljana")


@given(st.datetimes(datetime(2001, 1, 1), datetime(2998, 1, 1), timezones=st.just(UTC)))
def test_every_moment_lies_in_the_bounds_of_its_season_and_its_id_names_it(moment: datetime) -> None:
    season = season_of(moment, LJUBLJANA)
    assert season.start(LJUBLJANA) <= moment < season.end(LJUBLJANA)
    assert season_named(season.id) == season


def test_a_season_begins_at_midnight_where_the_server_stands() -> None:
    spring = Season(2026, 2)
    assert spring.start(LJUBLJANA) == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert spring.end(LJUBLJANA) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert season_of(spring.start(LJUBLJANA) - timedelta(seconds=1), LJUBLJANA).id == "2026-Q1"
    assert Season(2026, 4).next.id == "2027-Q1"


@pytest.mark.parametrize("text", ["", "2026-Q0", "2026-Q5", "2026-q1", "26-Q1", "2026-Q1 ", "２026-Q1", "<b>"])
def test_what_is_no_id_of_a_season_is_none(text: str) -> None:
    assert season_named(text) is None
