"""A half that was played as another round 1: what tells it, and what people can make of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from slomix_pipeline.cli.main import main
from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.filenames import stats_file_name
from slomix_pipeline.rules.overrides import COUNTS, Override, OverrideKind
from slomix_pipeline.rules.pairing import (
    COUNTS_ON,
    DEFAULT_WINDOW,
    HALF_AS_FIRST,
    PLAYED_AS_FIRST,
    pair_rounds,
)
from slomix_pipeline.rules.rounds import SessionRounds, work_out
from slomix_pipeline.rules.timing_records import FiledRecord
from slomix_pipeline.rules.values import FiledRound, Status
from slomix_pipeline_tests.building import (
    EVENING,
    at,
    first_round,
    lobby,
    make_record,
    make_round,
    second_round,
    with_file_guids,
)
from slomix_pipeline_tests.pipeline_fixtures import Pipeline


def half(minutes: float, **header: Any) -> FiledRound:
    """The second half of ``first_round`` (8:00), played as a round 1: its counters begin anew."""
    players = lobby(rounds=0, swap=True, kills=4, damage_given=400, minutes_played=6.0)
    return make_round(minutes, 1, *players, **{"limit": "8:00", "attack_time": "6:00"} | header)


def decision(kind: OverrideKind, about: FiledRound, value: str, number: int = 1) -> Override:
    return Override(number, kind, about.key, None, value, (), "the server died", "ref", at(90))


def worked_out(
    rounds: Sequence[FiledRound], *overrides: Override, records: Sequence[FiledRecord] = ()
) -> SessionRounds:
    return work_out(rounds, DEFAULT_WINDOW, (), overrides=overrides, records=records)


# --- what tells it ---


def test_a_round_1_with_the_time_before_as_its_limit_and_swapped_sides_may_be_its_round_2() -> None:
    first, second = first_round(0), half(20)
    placed = pair_rounds([first, second, first_round(40, map_name="radar")])
    before, after = placed[first.key], placed[second.key]
    assert (before.status, before.flags) == (after.status, after.flags) == (Status.R1_ONLY, (HALF_AS_FIRST,))
    assert before.reason == (
        "the limit of the round 1 that came next is its time, 8:00, and everybody had swapped sides: that may be its "
        "round 2"
    )
    assert after.reason == (
        "another round came instead of its round 2; its limit is the time of the round 1 before, 8:00, and everybody "
        "had swapped sides: it may be the round 2 of that"
    )


@pytest.mark.parametrize(
    "second",
    [half(20, limit="12:00"), half(20, limit="7:59"), first_round(20), first_round(20, limit="8:00")],
    ids=["the map's limit", "another time", "a replay", "nobody swapped"],
)
def test_a_replay_stays_one(second: FiledRound) -> None:
    first = first_round(0)
    placed = pair_rounds([first, second])
    assert (placed[first.key].status, placed[second.key].status) == (Status.SUPERSEDED, Status.R1_ONLY)
    assert placed[first.key].flags == placed[second.key].flags == ()


def test_after_a_full_hold_the_same_limit_tells_nothing() -> None:
    first = first_round(0, winner=1, attack_time="12:00")
    assert pair_rounds([first, half(20, limit="12:00")])[first.key].status is Status.SUPERSEDED


def test_a_round_1_that_has_a_round_2_of_its_own_is_no_half() -> None:
    first, second = first_round(0), half(20, attack_time="6:00")
    own = make_round(30, 2, *lobby(rounds=1, kills=9, damage_given=900, minutes_played=11.0), limit="6:00", winner=1)
    placed = pair_rounds([first, second, own])
    assert [placed[entry.key].status for entry in (first, second, own)] == [
        Status.SUPERSEDED,
        Status.COMPLETE,
        Status.COMPLETE,
    ]


# --- what people can make of it ---


def test_a_decided_pair_is_a_match_whose_second_file_is_not_differenced() -> None:
    first, second = first_round(0), half(20)
    placed, players, validities, _ = worked_out([first, second], decision(OverrideKind.PAIR, second, first.key))
    assert (placed[first.key].partner, placed[second.key].partner) == (second.key, first.key)
    assert (placed[second.key].number, placed[second.key].match_key) == (2, first.key)
    assert placed[second.key].flags == (PLAYED_AS_FIRST,)
    assert {place.status for place in placed.values()} == {Status.COMPLETE}
    assert [{p.kills for p in players[entry.key]} for entry in (first, second)] == [{5}, {4}]
    assert [tuple(validities[entry.key]) for entry in (first, second)] == [(None, None)] * 2


def test_a_round_2_that_loses_its_round_1_to_a_decided_pair_is_an_orphan() -> None:
    first, second = first_round(0), half(20)
    own = make_round(30, 2, *lobby(rounds=1, kills=9, damage_given=900, minutes_played=11.0), limit="6:00", winner=1)
    placed, players, *_ = worked_out([first, second, own], decision(OverrideKind.PAIR, second, first.key))
    assert (placed[own.key].status, placed[own.key].partner, placed[own.key].match_key) == (
        Status.R2_ONLY,
        None,
        own.key,
    )
    assert {p.kills for p in players[own.key]} == {None}


def test_a_half_that_counts_on_and_whose_record_saw_its_end_can_be_made_the_round_2_and_is_differenced() -> None:
    first = first_round(0)
    second = make_round(20, 1, *second_round(20).stats.players, limit="8:00", attack_time="6:00")
    ended = make_record("record", 20 * 60 - 3, 1)
    alone = worked_out([first, second], records=[ended])
    assert (alone.placed[second.key].number, alone.placed[second.key].flags) == (1, (HALF_AS_FIRST,))
    assert {p.kills for p in alone.players[second.key]} == {None}
    pair = worked_out([first, second], decision(OverrideKind.PAIR, second, first.key), records=[ended])
    assert pair.placed[second.key].flags == (PLAYED_AS_FIRST, COUNTS_ON)
    assert {p.kills for p in pair.players[second.key]} == {4}
    assert set(pair.validities.values()) == {(None, None)}


def test_a_decided_pair_rests_while_a_record_says_that_its_round_2_was_broken_off() -> None:
    first, second = first_round(0), half(20)
    cut = make_record("record", 20 * 60 - 3, 1, aborted=True, exit_print=None, end_reason="map_change")
    placed = worked_out([first, second], decision(OverrideKind.PAIR, second, first.key), records=[cut]).placed
    assert (placed[second.key].status, placed[second.key].partner) == (Status.ABORTED, None)
    assert placed[first.key].partner is None
    assert "decided by ref: the server died, which rests" in (placed[second.key].reason or "")


def test_a_pair_of_which_a_round_is_elsewhere_changes_nothing() -> None:
    first, second = first_round(0), half(20)
    assert worked_out([second], decision(OverrideKind.PAIR, second, first.key)) == worked_out([second])


def test_a_replaced_round_1_that_is_to_count_is_a_round_1_without_a_round_2() -> None:
    first, replay, second = first_round(0), first_round(20), second_round(30)
    placed, players, validities, _ = worked_out([first, replay, second], decision(OverrideKind.ROUND, first, COUNTS))
    assert placed[first.key].status is Status.R1_ONLY
    assert placed[first.key].reason == "replayed by the same players; decided by ref: the server died"
    assert tuple(validities[first.key]) == (None, None)
    assert {p.kills for p in players[first.key]} == {5}
    assert placed[replay.key].partner == second.key


# --- through the pipeline ---

HOURS_AGO = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(hours=3)


def put(pipeline: Pipeline, *entries: FiledRound) -> list[str]:
    """Writes the stats files of invented rounds and runs them together. Returns their keys."""
    keys = []
    for entry in entries:
        name = stats_file_name(HOURS_AGO + (entry.stamp - EVENING), entry.map_name, entry.number)
        keys.append(pipeline.put(name, gamestats.dump(with_file_guids(entry.stats))))
    pipeline.take_in()
    return keys


def override(pipeline: Pipeline, *arguments: str) -> Result:
    command = ["override", *arguments, "--why", "the server died", "--by", "ref"]
    return CliRunner().invoke(main, command, env={"SLOMIX_POSTGRES_URL": pipeline.database.url})


def test_a_pair_can_be_decided_told_and_taken_back(pipeline: Pipeline) -> None:
    first, second = put(pipeline, first_round(0), half(20))
    before = pipeline.export()
    assert [round_["valid"] for round_ in before["rounds"]] == [True, True]
    assert "may be its round 2" in str(pipeline.page.messages())
    assert override(pipeline, "pair", first, second).exit_code == 0
    exported = pipeline.export()
    (match,) = exported["matches"]
    assert (match["r1"], match["r2"], match["winner"], match["reason"]) == (
        first,
        second,
        "A",
        "round 2 beat 8:00 with 6:00",
    )
    assert {p["kills"] for p in exported["rounds"][1]["players"]} == {4}
    assert {row["kills"] for row in pipeline.rows("select kills from match_player_metric")} == {9}
    (told,) = exported["decisions"]
    assert (told["kind"], told["round"], told["value"]) == ("pair", second, first)
    assert "1 decision by people" in exported["grade"]["reasons"]
    laws, comparisons = (
        pipeline.rows(
            "select passed, metadata from check_result where check_name = %s and partition_key = %s", c, second
        )
        for c in ("conservation_laws", "seven_comparisons")
    )
    assert "rounds go up by one" not in laws[0]["metadata"]
    assert comparisons[0]["passed"]
    assert override(pipeline, "pair", first, second).exit_code == 2
    assert override(pipeline, "revoke", "1").exit_code == 0
    back = pipeline.export()
    assert (back["matches"], back["rounds"]) == (before["matches"], before["rounds"])


def test_what_can_be_no_pair_is_refused_with_its_reason(pipeline: Pipeline) -> None:
    another_map = first_round(30, map_name="radar")
    match = first_round(50, attack_time="7:30"), second_round(58, limit="7:30")
    keys = put(pipeline, first_round(0), half(20), another_map, *match)
    for one, other, why in (
        (1, 0, "was not played before"),
        (0, 2, "is of supply"),
        (0, 3, "only a round 1 that is in no whole match"),
    ):
        done = override(pipeline, "pair", keys[one], keys[other])
        assert (done.exit_code, why in done.stderr) == (2, True), done.stderr


def test_no_session_is_cut_within_a_match_also_not_at_an_attempt_that_was_broken_off(
    pipeline: Pipeline,
) -> None:
    attempt = make_round(4, 2, *lobby(rounds=0, kills=3, minutes_played=2.0), limit="12:00")
    first, between, _ = put(pipeline, first_round(0), attempt, second_round(14))
    done = override(pipeline, "session", between, "cut")
    assert done.exit_code == 2
    assert f"was played within a match: cut before its round 1, {first}" in " ".join(done.stderr.split())


def test_a_replaced_round_1_can_be_made_to_count_in_totals_and_wins_nothing(
    pipeline: Pipeline,
) -> None:
    replay = first_round(20, attack_time="7:30"), second_round(28, limit="7:30")
    first, _, _ = put(pipeline, first_round(0), *replay)
    score = pipeline.export()["score"]
    assert override(pipeline, "round", first, "in").exit_code == 0
    exported = pipeline.export()
    assert (exported["rounds"][0]["status"], exported["rounds"][0]["valid"]) == ("r1_only", True)
    assert exported["score"] == score
    assert {row["kills"] for row in pipeline.rows("select kills from session_player_metric")} == {5 + 9}
