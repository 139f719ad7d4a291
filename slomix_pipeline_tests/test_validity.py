"""Which rounds count, and how bots, who share one GUID, are told apart."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import PlayerLine, StatsFile
from slomix_pipeline.rules.differential import round_one_players
from slomix_pipeline.rules.pairing import Placed
from slomix_pipeline.rules.validity import Validity, is_bot, validity, with_distinct_guids
from slomix_pipeline.rules.values import FiledRound, Status
from slomix_pipeline_tests.building import at, lobby, make_line, make_stats

FILLER = ("mp_sillyctf",)


def placed(status: Status, map_name: str, stats: StatsFile) -> tuple[FiledRound, Placed]:
    """A round in its place, with a reason when it has no good one."""
    header = replace(stats.header, map_name=map_name)
    entry = FiledRound("main:a", at(0), 1, replace(stats, header=header))
    return entry, Placed("main:a", "main:a", 1, status, reason="as it was played")


def why_unscored(status: Status, map_name: str, stats: StatsFile) -> str | None:
    """Why no match of the round counts; then it counts in no total either."""
    found = validity(*placed(status, map_name, stats), round_one_players(stats), FILLER)
    assert found.unscored_reason == found.invalid_reason
    return found.unscored_reason


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.R1_ONLY])
def test_a_played_round_counts(status: Status) -> None:
    assert why_unscored(status, "supply", make_stats()) is None


@pytest.mark.parametrize("status", [Status.R2_ONLY, Status.ABORTED, Status.SUPERSEDED, Status.AMBIGUOUS])
def test_an_orphan_aborted_superseded_or_ambiguous_round_does_not_count(status: Status) -> None:
    assert why_unscored(status, "supply", make_stats()) == "as it was played"


def test_one_bot_among_humans_makes_a_round_invalid() -> None:
    stats = make_stats(*lobby(), make_line("OMNIBOT0", name="Otto"))
    assert why_unscored(Status.COMPLETE, "supply", stats) == "bots took part"


def test_a_round_of_more_bots_than_players_is_a_bot_round() -> None:
    stats = make_stats(make_line("ada"), make_line("OMNIBOT0", name="Otto"), make_line("OMNIBOT1", name="Ole"))
    assert why_unscored(Status.COMPLETE, "supply", stats) == "a bot round: more bots than players"


def test_of_a_lobby_whose_counters_were_carried_over_only_the_result_counts() -> None:
    stats = make_stats(*lobby(minutes_played=14.0))
    found = validity(
        *placed(Status.COMPLETE, "supply", stats), round_one_players(stats, None, {"ada", "bob", "cyd"}), FILLER
    )
    assert found == Validity(None, "counters carried over from an earlier play of the map")


def test_a_single_player_whose_counters_were_carried_over_does_not_make_the_round_invalid() -> None:
    stats = make_stats(*lobby())
    assert validity(*placed(Status.COMPLETE, "supply", stats), round_one_players(stats, None, {"ada"}), FILLER) == (
        None,
        None,
    )


def test_a_round_stays_invalid_after_its_bots_were_told_apart() -> None:
    stats = with_distinct_guids(make_stats(*lobby(), make_line("OMNIBOT0", name="Otto")))
    assert why_unscored(Status.COMPLETE, "supply", stats) == "bots took part"


@pytest.mark.parametrize("map_name", ["mp_sillyctf", " MP_SillyCTF "])
def test_a_filler_map_does_not_count(map_name: str) -> None:
    assert why_unscored(Status.COMPLETE, map_name, make_stats()) == "filler map"


@pytest.mark.parametrize(
    ("guid", "name", "bot"),
    [
        ("OMNIBOT0", "Otto", True),
        ("0A0B0C0D", "[BOT]Otto", True),
        ("0A0B0C0D", "^1[bot]^7Otto", True),
        ("0A0B0C0D", "Otto [BOT]", False),
        ("0A0B0C0D", "Abbot", False),
    ],
)
def test_bots_are_known_by_their_guid_or_the_beginning_of_their_name(guid: str, name: str, bot: bool) -> None:
    assert is_bot(make_line(guid, name=name)) is bot


def bots(*names: str, guid: str = "OMNIBOT0") -> list[str]:
    """The GUIDs that bots of these names get."""
    lines = [make_line(guid, name=name) for name in names]
    return [line.guid for line in with_distinct_guids(make_stats(*lines)).players]


def test_a_human_keeps_his_guid() -> None:
    stats = make_stats(*lobby())
    assert {line.guid for line in with_distinct_guids(stats).players} == {line.guid for line in stats.players}


def test_two_humans_with_one_guid_are_left_for_the_caller_to_refuse() -> None:
    stats = with_distinct_guids(make_stats(make_line("0A0B0C0D", name="Ada"), make_line("0A0B0C0D", name="Bob")))
    assert [line.guid for line in stats.players] == ["0A0B0C0D"] * 2


@given(st.lists(st.sampled_from(("Otto", "^1Otto", "Emil", "Karl")), min_size=1, max_size=12))
def test_no_two_bots_get_the_same_guid_and_each_is_8_characters_long(names: list[str]) -> None:
    guids = bots(*names)
    assert len(set(guids)) == len(names)
    assert {len(guid) for guid in guids} == {8}


BOTS = [make_line("OMNIBOT0", name=name) for name in ("Otto", "^1Otto", "Emil", "Karl")]


@given(st.permutations(BOTS))
def test_bots_get_the_same_guids_in_any_line_order(lines: list[PlayerLine]) -> None:
    assert with_distinct_guids(make_stats(*lines)) == with_distinct_guids(make_stats(*BOTS))


def test_a_bot_has_the_same_guid_in_both_rounds_whatever_his_slot() -> None:
    assert bots("Otto", guid="OMNIBOT0") == bots("^3Otto", guid="OMNIBOT1")


def test_telling_bots_apart_twice_changes_nothing() -> None:
    once = with_distinct_guids(make_stats(make_line("OMNIBOT0", name="Otto"), make_line("OMNIBOT0", name="Emil")))
    assert {line.guid for line in with_distinct_guids(once).players} == {line.guid for line in once.players}
