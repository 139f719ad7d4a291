"""Who is meant by a name: an id, a whole name, how one begins, a part of one; what fits better leaves out the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.name_search import resembling, search

KNOWN = [
    ("AAAA1111", "Ada"),
    ("AAAA1111", "Countess"),
    ("BBBB2222", "Adam"),
    ("CCCC3333", "Madame"),
    ("DDDD4444", "50%_ ^1off"),
    ("EEEE5555", "aaaa1111"),
]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("aaaa1111", ["AAAA1111"]),  # an id comes before a name that looks like it
        ("ada", ["AAAA1111"]),
        ("ADA", ["AAAA1111"]),
        ("^1a^7da", ["AAAA1111"]),  # with colour codes, as it is copied from the game
        ("countess", ["AAAA1111"]),
        ("ad", ["AAAA1111", "BBBB2222"]),  # both begin so; a part of another name is further away
        ("dam", ["BBBB2222", "CCCC3333"]),
        ("adame", ["CCCC3333"]),
        ("0%_", ["DDDD4444"]),  # no pattern
        ("%", ["DDDD4444"]),
        ("_", ["DDDD4444"]),
        ("nobody", []),
        ("", []),
        ("  ", []),
        ("^1", []),
    ],
)
def test_what_is_meant(typed: str, found: list[str]) -> None:
    assert search(typed, KNOWN) == found


@given(st.text(max_size=12), st.lists(st.tuples(st.sampled_from(["A1", "B2", "C3"]), st.text(max_size=12)), max_size=8))
def test_whoever_is_found_is_known_and_found_once(typed: str, known: list[tuple[str, str]]) -> None:
    found = search(typed, known)
    assert len(found) == len(set(found)) and set(found) <= {id_ for id_, _ in known}


@given(st.lists(st.tuples(st.sampled_from(["A1", "B2", "C3"]), st.sampled_from(["ada", "Bob", "cyd"])), max_size=8))
def test_a_whole_name_finds_exactly_who_used_it(known: list[tuple[str, str]]) -> None:
    assert set(search("bob", known)) == {id_ for id_, name in known if name == "Bob"}


def test_a_mistyped_name_resembles_few_and_none_that_is_altogether_another() -> None:
    names = [name for _, name in KNOWN]
    assert resembling("^1COUNTSES", names) == ["Countess"]
    assert resembling("zzz", names) == resembling("", names) == []
