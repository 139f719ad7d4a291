"""Which rounds count."""

from dataclasses import replace

import pytest

from slomix_pipeline.formats.gamestats import StatsFile
from slomix_pipeline.rules.differential import round_one_players
from slomix_pipeline.rules.identity import with_distinct_guids
from slomix_pipeline.rules.pairing import Placed
from slomix_pipeline.rules.validity import Validity, validity
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
    stats = with_distinct_guids(make_stats(*lobby(), make_line("OMNIBOT0", name="Otto")), "a file")
    assert why_unscored(Status.COMPLETE, "supply", stats) == "bots took part"


@pytest.mark.parametrize("map_name", ["mp_sillyctf", " MP_SillyCTF "])
def test_a_filler_map_does_not_count(map_name: str) -> None:
    assert why_unscored(Status.COMPLETE, map_name, make_stats()) == "filler map"
