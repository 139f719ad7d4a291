"""Who a line of a stats file is: people by their GUID, bots, and those who can't be told over rounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import PlayerLine
from slomix_pipeline.rules.identity import has_identity, is_bot, with_distinct_guids
from slomix_pipeline_tests.building import lobby, make_line, make_stats


@pytest.mark.parametrize(
    ("guid", "name", "bot"),
    [
        ("OMNIBOT0", "Otto", True),
        ("0A0B0C0D", "[BOT]Otto", True),
        ("0A0B0C0D", "^1[bot]^7Otto", True),
        ("", "[BOT]Otto", True),
        ("0A0B0C0D", "Otto [BOT]", False),
        ("0A0B0C0D", "Abbot", False),
    ],
)
def test_bots_are_known_by_their_guid_or_the_beginning_of_their_name(guid: str, name: str, bot: bool) -> None:
    assert is_bot(make_line(guid, name=name)) is bot


def told_apart(*lines: PlayerLine, file: str = "a file") -> list[tuple[str, str]]:
    """Name and GUID of everybody in a file of these lines."""
    return [(line.name, line.guid) for line in with_distinct_guids(make_stats(*lines), file).players]


def bots(*names: str, guid: str = "OMNIBOT0") -> list[str]:
    """The GUIDs that bots of these names get."""
    return [given for _, given in told_apart(*(make_line(guid, name=name) for name in names))]


def test_a_human_keeps_his_guid() -> None:
    stats = make_stats(*lobby())
    assert {line.guid for line in with_distinct_guids(stats, "a file").players} == {line.guid for line in stats.players}


def test_two_humans_with_one_guid_have_no_identity_and_the_others_keep_theirs() -> None:
    found = told_apart(
        make_line("0A0B0C0D", name="Ada"), make_line("0A0B0C0D", name="Bob"), make_line("0A0B0C0E", name="Cyd")
    )
    assert [(name, has_identity(guid)) for name, guid in found] == [("Ada", False), ("Bob", False), ("Cyd", True)]
    assert found[2][1] == "0A0B0C0E"


def test_a_bot_with_the_guid_of_a_human_takes_nothing_from_him() -> None:
    found = dict(told_apart(make_line("0A0B0C0D", name="Ada"), make_line("0A0B0C0D", name="[BOT]Ada")))
    assert found["Ada"] == "0A0B0C0D"


NOBODIES = [make_line("", name=name) for name in ("", "nokey", "nokey", "Ada")]


@given(st.permutations(NOBODIES))
def test_players_without_a_guid_get_one_each_in_any_line_order(lines: list[PlayerLine]) -> None:
    found = told_apart(*lines, *lobby())
    assert len({guid for _, guid in found}) == len(found)
    made = [guid for _, guid in found if not has_identity(guid)]
    assert len(made) == 4 and {len(guid) for guid in made} == {8}
    assert told_apart(*NOBODIES, *lobby()) == found


def test_a_made_guid_is_of_one_file_only() -> None:
    first, second = (dict(told_apart(make_line("", name="nokey"), file=file)) for file in ("round 1", "round 2"))
    assert first["nokey"] != second["nokey"]


@given(st.lists(st.sampled_from(("Otto", "^1Otto", "Emil", "Karl")), min_size=1, max_size=12))
def test_no_two_bots_get_the_same_guid_and_each_is_8_characters_long(names: list[str]) -> None:
    guids = bots(*names)
    assert len(set(guids)) == len(names)
    assert {len(guid) for guid in guids} == {8}


BOTS = [make_line("OMNIBOT0", name=name) for name in ("Otto", "^1Otto", "Emil", "Karl")]


@given(st.permutations(BOTS))
def test_bots_get_the_same_guids_in_any_line_order(lines: list[PlayerLine]) -> None:
    assert told_apart(*lines) == told_apart(*BOTS)


def test_a_bot_has_the_same_guid_in_both_rounds_whatever_his_slot() -> None:
    assert bots("Otto", guid="OMNIBOT0") == bots("^3Otto", guid="OMNIBOT1")


def test_telling_bots_apart_twice_changes_nothing() -> None:
    once = with_distinct_guids(make_stats(make_line("OMNIBOT0", name="Otto"), make_line("OMNIBOT0", name="Emil")), "a")
    assert {line.guid for line in with_distinct_guids(once, "a").players} == {line.guid for line in once.players}
