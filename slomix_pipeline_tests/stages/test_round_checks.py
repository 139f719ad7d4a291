"""The checks of a round's numbers, through the real stages: what they store, and when it changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.filenames import stats_file_name
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline_tests.building import (
    EVENING,
    first_round,
    lobby,
    make_line,
    make_round,
    second_round,
    with_file_guids,
)
from slomix_pipeline_tests.pipeline_fixtures import Pipeline

HOURS_AGO = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(hours=3)


def play(pipeline: Pipeline, entry: FiledRound) -> str:
    """Writes the stats file of an invented round some hours ago and runs it. Returns its key."""
    name = stats_file_name(HOURS_AGO + (entry.stamp - EVENING), entry.map_name, entry.number)
    return pipeline.put_and_take_in(name, gamestats.dump(with_file_guids(entry.stats)))


def outcome(pipeline: Pipeline, key: str, check: str) -> tuple[bool, dict[str, Any]]:
    """Whether a check passed for a round, and its facts."""
    (row,) = pipeline.rows("select * from check_result where partition_key = %s and check_name = %s", key, check)
    return row["passed"], row["metadata"]


def test_an_orphaned_round_2_warns_with_its_reason_until_its_round_1_comes(pipeline: Pipeline) -> None:
    second = play(pipeline, second_round(8))
    passed, facts = outcome(pipeline, second, "pairing")
    assert (passed, facts["status"], facts["reason"]) == (False, "r2_only", "its round 1 is not here")
    first = play(pipeline, first_round(0))
    passed, facts = outcome(pipeline, second, "pairing")
    assert (passed, facts["status"], facts["partner"], facts["minutes to the partner"]) == (True, "complete", first, 8)


def test_every_law_stands_in_a_row_of_its_own_with_its_numbers(pipeline: Pipeline) -> None:
    play(pipeline, first_round(0))
    passed, facts = outcome(pipeline, play(pipeline, second_round(8)), "conservation_laws")
    assert not passed
    assert facts["kills = deaths"] == "broken: 16 ≠ 0"
    assert facts["team damage given = received"] == "0 = 0"
    assert facts["limit of round 2 = time of round 1"] == "8:00 and 8:00"
    assert "nobody in this file explains it" in facts["what may explain it"]


def test_a_reconnected_player_explains_the_law_he_broke(pipeline: Pipeline) -> None:
    play(pipeline, first_round(0))
    lines = second_round(8).stats.players
    back = make_line("ada", side=lines[0].side, rounds=0, minutes_played=3.0)
    second = make_round(8, 2, back, *lines[1:], limit="8:00", attack_time="6:00")
    _, facts = outcome(pipeline, play(pipeline, second), "conservation_laws")
    assert facts["rounds go up by one"] == "broken: 3 of 4 shared players (ADA00000)"
    assert "ADA00000 reconnected" in facts["what may explain it"]


def test_numbers_no_play_explains_warn_and_stay(pipeline: Pipeline) -> None:
    key = play(pipeline, make_round(0, 1, make_line("ada", kills=500, minutes_played=8.0), *lobby()[1:]))
    passed, facts = outcome(pipeline, key, "plausibility")
    assert not passed and "ADA00000: 500 kills in 480 s" in facts["implausible"]
    assert pipeline.rows("select kills from round_player where guid = 'ADA00000'") == [{"kills": 500}]


def test_a_match_whose_round_1_holds_more_than_itself_is_won_but_counts_in_no_total(pipeline: Pipeline) -> None:
    carried = play(pipeline, make_round(0, 1, *lobby(kills=9, minutes_played=14.0)))
    after = lobby(rounds=1, swap=True, kills=13, minutes_played=20.0)
    second = play(pipeline, make_round(8, 2, *after, limit="8:00", attack_time="6:00"))
    (match,) = pipeline.rows("select winner, status from match")
    assert match["winner"] in ("A", "B") and match["status"] == "complete"
    rounds = {row["round_key"]: row for row in pipeline.rows("select * from round")}
    assert rounds[carried]["invalid_reason"] == "the players' minutes are above what the round can have lasted"
    assert rounds[second]["valid"]
    assert {row["kills"] for row in pipeline.rows("select kills from session_player_metric")} == {4}


def test_the_numbers_of_a_player_who_would_have_played_for_longer_than_the_round_are_unknown(
    pipeline: Pipeline,
) -> None:
    play(pipeline, first_round(0))
    lines = second_round(8).stats.players
    longer = make_line("ada", side=lines[0].side, rounds=1, kills=9, damage_given=900, minutes_played=19.0)
    play(pipeline, make_round(8, 2, longer, *lines[1:], limit="8:00", attack_time="6:00"))
    rows = pipeline.rows("select kills, flags from round_player where guid = 'ADA00000' and round_key like '%%round-2'")
    assert rows == [{"kills": None, "flags": ["there_for_longer"]}]
    totals = {r["guid"]: r["kills"] for r in pipeline.rows("select guid, kills from session_player_metric")}
    assert totals == {"ADA00000": None, "BOB00000": 9, "CYD00000": 9, "DAN00000": 9}
    careers = pipeline.rows("select guid, kills, rounds from player_metric where level = 'career' order by guid")
    assert [(row["kills"], row["rounds"]) for row in careers] == [(5, 1), (9, 2), (9, 2), (9, 2)]


def test_rules_or_settings_that_change_make_a_round_stale(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    key = play(pipeline, first_round(0))
    assert pipeline.stale() == []
    monkeypatch.setenv("SLOMIX_FILLER_MAPS", "supply")
    assert pipeline.stale() == [key]
    pipeline.work(key)
    assert pipeline.rows("select invalid_reason from round") == [{"invalid_reason": "filler map"}]
    assert pipeline.stale() == []


def test_what_a_check_found_follows_a_round_whose_other_round_was_replaced(pipeline: Pipeline) -> None:
    second = play(pipeline, make_round(8, 2, *lobby(rounds=1, swap=True), limit="12:00", winner=1, attack_time="12:00"))
    assert outcome(pipeline, second, "timing_link")[1]["source"] == "limit"
    held: dict[str, Any] = {"winner": 1, "attack_time": "12:00"}
    play(pipeline, make_round(0, 1, *lobby(minutes_played=4.0), **held))
    assert outcome(pipeline, second, "timing_link")[1]["source"] == "players"


def test_an_endstats_file_that_comes_late_tells_that_a_round_1_was_not_replayed(pipeline: Pipeline) -> None:
    first, replay = play(pipeline, first_round(0)), play(pipeline, first_round(20, attack_time="7:30"))
    assert {row["status"] for row in pipeline.rows("select status from round")} == {"superseded", "r1_only"}
    witness = stats_file_name(HOURS_AGO + timedelta(minutes=8), "supply", 2).replace(".txt", "-endstats.txt")
    pipeline.put(witness, b"Most damage given\tAda\t900\n")
    pipeline.tick()
    assert pipeline.stale() == [first]
    pipeline.work(first)
    statuses = {row["round_key"]: row["status"] for row in pipeline.rows("select round_key, status from round")}
    assert statuses == {first: "r1_only", replay: "r1_only"}
    assert pipeline.stale() == []
