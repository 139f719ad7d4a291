"""Which round gets which timing record: late, gone, doubled, shifted, restarted, aborted, in the repeated hour."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening, SimRound
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, round_key
from slomix_pipeline_tests.stages.timing_steps import (
    broken_link,
    check,
    evening_of,
    moved,
    play_rounds,
    put_record,
    rework,
    timing,
    unlinked,
)

# --- records gone, doubled, shifted ---


def test_without_its_record_a_round_goes_by_the_file_and_says_so(pipeline: Pipeline) -> None:
    evening = evening_of(maps=3)
    write_evening(pipeline.folder, evening)
    lost = evening.rounds[2]
    (pipeline.folder / GAMETIMES / lost.timing_name).unlink()
    pipeline.take_in_all()
    assert timing(pipeline, lost)["timing_status"] == "NO LUA DATA"
    assert broken_link(pipeline, lost) == "file not written"
    others = [r for r in evening.rounds if r is not lost]
    assert {broken_link(pipeline, r) for r in others} == {"none"}


def test_the_same_record_under_a_second_name_changes_nothing_but_is_explained(pipeline: Pipeline) -> None:
    evening = evening_of()
    first = evening.rounds[0]
    put_record(pipeline, first.timing)
    again = put_record(pipeline, first.timing, f"{first.stem}-timing.txt")
    play_rounds(pipeline, evening)
    pipeline.take_in(GAMETIMES)
    rework(pipeline)
    assert timing(pipeline, first)["link_class"] == "exact_end"
    assert list(unlinked(pipeline).values()) == [
        f"says the same as {min(again, timing(pipeline, first)['record_key'])}"
    ]


def test_a_record_that_is_minutes_off_is_shown_and_never_used(pipeline: Pipeline) -> None:
    evening = evening_of()
    first = evening.rounds[0]
    key = put_record(pipeline, moved(first.timing, -240))
    play_rounds(pipeline, evening)
    pipeline.take_in(GAMETIMES)
    rework(pipeline)
    row = timing(pipeline, first)
    assert (row["link_class"], row["record_key"], row["candidate_key"]) == ("fuzzy", None, key)
    assert row["timing_status"] == "NO LUA DATA"
    assert row["duration_source"] != "timing"
    assert broken_link(pipeline, first) == "record not linked"
    assert unlinked(pipeline)[key].startswith(f"a candidate of {round_key(first)} only")


def test_the_true_record_takes_the_place_of_a_candidate(pipeline: Pipeline) -> None:
    evening = evening_of()
    first = evening.rounds[0]
    put_record(pipeline, moved(first.timing, -240))
    play_rounds(pipeline, evening)
    key = put_record(pipeline, first.timing)
    pipeline.take_in(GAMETIMES)
    rework(pipeline)
    row = timing(pipeline, first)
    assert (row["link_class"], row["record_key"], row["candidate_key"]) == ("exact_end", key, None)


def test_records_that_contradict_each_other_at_one_moment_fail_the_check_and_are_not_used(pipeline: Pipeline) -> None:
    evening = evening_of()
    first = evening.rounds[0]
    put_record(pipeline, first.timing)
    other = replace(first.timing, duration_seconds=(first.timing.duration_seconds or 0) - 100)
    put_record(pipeline, other, f"{first.stem}-timing.txt")
    play_rounds(pipeline, evening)
    pipeline.take_in(GAMETIMES)
    rework(pipeline)
    assert timing(pipeline, first)["link_class"] == "tie"
    assert not check(pipeline, first, "timing_link")["passed"]
    assert broken_link(pipeline, first) == "record not linked"


def test_a_late_record_changes_its_round_alone(pipeline: Pipeline) -> None:
    evening = evening_of(maps=2)
    play_rounds(pipeline, evening)
    late = evening.rounds[1]
    put_record(pipeline, late.timing)
    pipeline.take_in(GAMETIMES)
    assert rework(pipeline) == [round_key(late)]
    states = {round_key(r): timing(pipeline, r)["link_class"] for r in evening.rounds}
    assert states == {key: "exact_end" if key == round_key(late) else "none" for key in states}


def test_the_same_map_twice_in_a_row_never_swaps_records(pipeline: Pipeline) -> None:
    evening = play_evening(43, maps=["te_escape2", "te_escape2", "te_escape2"], ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    keys = {round_key(r): timing(pipeline, r)["record_key"] for r in evening.rounds}
    assert keys == {round_key(r): f"main:{r.timing_name.removesuffix('.json')}" for r in evening.rounds}


# --- restarted and aborted rounds ---


def restarted(sim_round: SimRound, seconds_before: float, **values: Any) -> TimingRecord:
    """The record of an attempt at a round that was restarted."""
    attempt = moved(sim_round.timing, -sim_round.duration_seconds - seconds_before)
    own: dict[str, Any] = {
        "schema": "slomix.timing/1",
        "script_version": "2.0.0",
        "aborted": True,
        "restarts": 0,
        "winner_side": None,
        "end_reason": "map_restart",
        "duration_seconds": 40.0,
    }
    return replace(attempt, **(own | values))


def test_a_restarted_rounds_record_is_explained_and_not_linked(pipeline: Pipeline) -> None:
    evening = evening_of()
    first = evening.rounds[0]
    key = put_record(pipeline, restarted(first, 20))
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    assert unlinked(pipeline) == {key: "round 1 was restarted: it has no stats file"}
    assert broken_link(pipeline, first) == "none"
    assert rework(pipeline) == []


def test_a_restart_told_late_gets_its_reason_through_rework(pipeline: Pipeline) -> None:
    evening = evening_of()
    first = evening.rounds[0]
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    key = put_record(pipeline, restarted(first, 20, aborted=None, schema=None, end_reason="objective", number=2))
    pipeline.take_in(GAMETIMES)
    assert unlinked(pipeline) == {}
    assert rework(pipeline) == [round_key(first)]
    assert unlinked(pipeline)[key].startswith("seems to have been restarted")


@pytest.mark.parametrize("number", [1, 2])
def test_a_round_left_by_a_map_change_gets_its_record_under_either_number(pipeline: Pipeline, number: int) -> None:
    from slomix_pipeline.simulator.evening import play_courses
    from slomix_pipeline.simulator.matches import Course, FalseStart, Shape

    course = Course("supply", 720, Shape.BEATEN, starts=(FalseStart.ABORTED,))
    evening = play_courses(47, [course], ends_at=just_now())
    (aborted,) = (r for r in evening.rounds if r.status == "aborted")
    record = replace(aborted.timing, number=number, aborted=True, schema="slomix.timing/1", end_reason="map_change")
    key = put_record(pipeline, record)
    play_rounds(pipeline, evening)
    assert timing(pipeline, aborted)["record_key"] == key
    assert unlinked(pipeline) == {}


# --- surrender, pauses ---


def test_the_engines_words_tell_who_gave_up_and_the_clock_is_left_as_it_was(pipeline: Pipeline) -> None:
    evening = evening_of(maps=6, seed=44)
    gave_up = next(r for r in evening.rounds if r.surrender_side)
    words = {1: "Axis Surrender", 2: "Allies Surrender"}[gave_up.surrender_side]
    write_evening(pipeline.folder, evening)
    put_record(pipeline, replace(gave_up.timing, exit_print=words, pause_count=1, pause_seconds=30))
    pipeline.take_in_all()
    row = timing(pipeline, gave_up)
    assert row["surrender_side"] == gave_up.surrender_side
    facts = check(pipeline, gave_up, "timing_link")["metadata"]
    assert facts["gave up"] == words.split()[0]
    assert facts["stopwatch"] == gave_up.stats.header.attack_time
    assert facts["paused seconds"] == 30
    assert abs(row["duration_seconds"] - gave_up.duration_seconds) < 1


def test_defenders_who_gave_up_are_known_from_the_engines_words_alone(pipeline: Pipeline) -> None:
    evening = evening_of(maps=2, seed=45)
    taken = next(r for r in evening.rounds if r.attackers_won)
    put_record(pipeline, replace(taken.timing, exit_print="Axis Surrender", surrender_side=taken.defender_side))
    play_rounds(pipeline, evening)
    sides = {round_key(r): timing(pipeline, r)["surrender_side"] for r in evening.rounds if r.attackers_won}
    assert sides == {key: taken.defender_side if key == round_key(taken) else None for key in sides}


# --- clocks ---


@pytest.fixture
def autumn(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[Evening]:
    """An evening over the hour that the clock change repeats, whose files say nothing of their own time."""
    zone = ZoneInfo("Europe/Ljubljana")
    monkeypatch.setenv("SLOMIX_TIMEZONE", "Europe/Ljubljana")
    monkeypatch.setenv("SLOMIX_LOOKBACK", "10000 h")
    yield play_evening(46, maps=4, ends_at=datetime(2025, 10, 26, 1, 20, tzinfo=UTC), zone=zone)


def test_a_clock_change_night_comes_out_as_it_was_played(pipeline: Pipeline, autumn: Evening) -> None:
    write_evening(pipeline.folder, autumn)
    pipeline.take_in_all()
    rework(pipeline)
    assert differences(as_exported(pipeline.export()), as_played(autumn)) == []


def test_in_the_repeated_hour_records_imported_later_move_their_rounds(
    pipeline: Pipeline, autumn: Evening, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    write_evening(archive, autumn)
    pipeline.import_(archive / GAMESTATS)
    pipeline.import_(archive / GAMETIMES)
    assert differences(as_exported(pipeline.export()), as_played(autumn)) == []


def test_in_the_repeated_hour_a_record_found_late_moves_its_round(pipeline: Pipeline, autumn: Evening) -> None:
    play_rounds(pipeline, autumn)
    for sim_round in autumn.rounds:
        put_record(pipeline, sim_round.timing)
    pipeline.take_in(GAMETIMES)
    rework(pipeline)
    assert differences(as_exported(pipeline.export()), as_played(autumn)) == []
