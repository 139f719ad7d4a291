"""Who is who: what a person can decide, and what contradicts what was decided or played."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.names import is_unseen
from slomix_pipeline.rules.people import (
    Person,
    chosen_name,
    hidden_name,
    hide_objection,
    link_objection,
    merge_objection,
    reject_objection,
    without_names,
)

ADA, BOB, COY = "ADA00001", "BOB00002", "COY00003"


def person(*guids: str, linked: str | None = None, hidden: bool = False) -> Person:
    return Person(guids[0], tuple(sorted(guids)), linked, hidden)


# --- names ---


def test_a_chosen_name_is_cleaned_as_names_of_the_game_are() -> None:
    assert chosen_name(" ^1Ada  ^7of Love\tlace ") == "Ada of Love lace"


@pytest.mark.parametrize("typed", ["", "A", "^1^2A", "x" * 33, "\u202eadA", "a\u200bb", "  "])
def test_a_name_that_is_too_short_too_long_or_not_seen_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="character"):
        chosen_name(typed)


@given(st.text())
def test_whatever_is_typed_a_name_that_is_taken_is_short_and_seen(typed: str) -> None:
    try:
        name = chosen_name(typed)
    except ValueError:
        return
    assert 2 <= len(name) <= 32
    assert name == name.strip() and not any(map(is_unseen, name))
    assert chosen_name(name) == name or "^" in name  # what is left of a code may make another one


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_everybody_who_is_hidden_has_a_name_of_his_own(one: int, other: int) -> None:
    assert (hidden_name(one) == hidden_name(other)) == (one == other)
    assert chosen_name(hidden_name(one)) == hidden_name(one)


# --- what can be decided ---


def test_two_guids_that_nobody_spoke_of_can_be_merged() -> None:
    assert merge_objection(ADA, person(ADA), person(BOB), [], None) is None


@pytest.mark.parametrize(
    ("guid", "who", "into", "rejected", "met_in", "why"),
    [
        (ADA, person(ADA), person(ADA), [], None, "one person already"),
        (ADA, person(BOB, ADA), person(BOB, ADA), [], None, "one person already"),
        (ADA, person(BOB, ADA), person(COY), [], None, "ADA00001 counts with BOB00002 already"),
        (ADA, person(ADA), person(BOB), [(ADA, BOB)], None, "two persons"),
        (BOB, person(BOB), person(ADA), [(ADA, BOB)], None, "two persons"),
        (COY, person(COY), person(BOB, ADA), [(ADA, COY)], None, "two persons"),
        (ADA, person(ADA), person(BOB), [], "main:r1", "both played in main:r1"),
        (ADA, person(ADA, linked=ADA), person(BOB, linked=BOB), [], None, "two Discord users"),
    ],
)
def test_what_contradicts_a_merge_is_said(
    guid: str, who: Person, into: Person, rejected: list[tuple[str, str]], met_in: str | None, why: str
) -> None:
    assert why in (merge_objection(guid, who, into, rejected, met_in) or "")


def test_a_word_about_others_contradicts_no_merge() -> None:
    assert merge_objection(ADA, person(ADA), person(BOB), [(ADA, COY), (BOB, COY)], None) is None


def test_one_discord_user_is_one_person_and_one_person_one_discord_user() -> None:
    assert link_objection(ADA, person(ADA), None) is None
    assert link_objection(ADA, person(ADA, linked=ADA), ADA) is None  # said anew, maybe with another name
    assert "linked to BOB00002" in (link_objection(ADA, person(ADA), BOB) or "")
    assert "BOB00002, the same person" in (link_objection(ADA, person(ADA, BOB, linked=BOB), None) or "")


def test_who_counts_as_one_person_is_not_two_and_who_is_hidden_is_hidden() -> None:
    assert reject_objection(person(ADA), person(BOB)) is None
    assert reject_objection(person(ADA, BOB), person(ADA, BOB)) is not None
    assert hide_objection(person(ADA)) is None
    assert hide_objection(person(ADA, hidden=True)) is not None


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Ada left", "a hidden player left"),
        ("seen by ^1ADA^7, not adamant", "seen by ^1a hidden player^7, not adamant"),
        ("ada.of.old=ada", "a hidden player=a hidden player"),
        ("(x|y)", "(x|y)"),
    ],
)
def test_names_of_hidden_players_are_found_in_what_people_type(typed: str, shown: str) -> None:
    assert without_names(typed, {"Ada", "ada.of.old", "|"}) == shown
    assert without_names(typed, ()) == typed
