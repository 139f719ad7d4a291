"""What is told of a result that turned out otherwise: in one line, and nothing that is no news."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.corrections import Published, difference, exchanged
from slomix_pipeline.rules.scoring import Winner

NAMES = {"A": "fox (A)", "B": "owl (B)"}
TOLD = Published(Winner.A, "map-wins/1", ("4:10", "held"), ("ada", "bob"), ("cyd", "dan"))

results = st.builds(
    Published,
    st.sampled_from((*Winner, None)),
    st.sampled_from(("map-wins/1", "two-point/1")),
    st.tuples(st.sampled_from(("4:10", "held", "?")), st.just("held")),
    st.just(("ada",)),
    st.just(("bob",)),
)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"winner": Winner.B}, "owl (B) wins instead of fox (A) wins"),
        ({"winner": Winner.DRAW}, "draw instead of fox (A) wins"),
        ({"winner": None, "times": ("4:10",)}, "not counted instead of fox (A) wins"),
        ({"times": ("4:10", "3:00")}, "times 4:10 / 3:00 instead of 4:10 / held"),
        ({"team_a": ("ada", "eve")}, "other teams"),
        ({"policy": "two-point/1"}, "policy two-point/1 instead of map-wins/1"),
    ],
)
def test_every_difference_is_told_in_one_line(change: dict[str, object], told: str) -> None:
    assert difference(TOLD, replace(TOLD, **change), NAMES) == told  # type: ignore[arg-type]


def test_letters_that_changed_places_are_no_news_and_a_winner_among_them_is_named_as_he_is_now() -> None:
    assert difference(TOLD, exchanged(TOLD), NAMES) is None
    assert difference(TOLD, replace(exchanged(TOLD), winner=Winner.A), NAMES) == "fox (A) wins instead of owl (B) wins"


def test_a_change_of_winner_is_told_under_the_letters_of_now_whatever_else_changed() -> None:
    now = replace(exchanged(TOLD), winner=Winner.A, team_a=("cyd", "dan", "eve"))
    assert difference(TOLD, now, NAMES) == "fox (A) wins instead of owl (B) wins, other teams"
    same = replace(exchanged(TOLD), team_b=("ada", "bob", "eve"))
    assert difference(TOLD, same, NAMES) == "other teams"


@given(results)
def test_what_was_told_is_no_other_than_itself_and_is_kept_as_it_was(result: Published) -> None:
    assert difference(result, result, NAMES) is None
    assert Published.from_json(result.as_json()) == result
