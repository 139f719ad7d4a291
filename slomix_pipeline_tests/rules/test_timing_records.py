"""Which timing record belongs to which round when rounds are restarted, aborted, told twice or told by older scripts."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.linking import CANDIDATE_WINDOW, Clocked, LinkClass
from slomix_pipeline.rules.timing_records import FiledRecord, link_timing_records
from slomix_pipeline_tests.building import at
from slomix_pipeline_tests.building import clocked as round_at
from slomix_pipeline_tests.building import make_record as record

OLD: dict[str, Any] = {"schema": None, "aborted": None, "restarts": None, "exit_print": None}


def restarted(key: str, second: float, number: int = 1) -> FiledRecord:
    return record(key, second, number, aborted=True, end_reason="map_restart", exit_print=None)


def left(key: str, second: float, number: int = 1) -> FiledRecord:
    return record(key, second, number, aborted=True, end_reason="map_change", exit_print=None)


def linked(rounds: list[Clocked], *records: FiledRecord) -> dict[str, str | None]:
    return {key: link.record_key for key, link in link_timing_records(rounds, records).links.items()}


def reasons(rounds: list[Clocked], *records: FiledRecord) -> dict[str, str]:
    return {key: why.reason for key, why in link_timing_records(rounds, records).unlinked.items()}


def test_a_linked_record_has_no_reason_to_be_alone() -> None:
    assert linked([round_at("r", 100)], record("x", 97)) == {"r": "x"}
    assert reasons([round_at("r", 100)], record("x", 97)) == {}


@pytest.mark.parametrize("label", [1, 2])
def test_a_round_left_by_a_map_change_is_linked_under_either_label(label: int) -> None:
    assert linked([round_at("r", 100, label)], left("x", 99, number=1)) == {"r": "x"}


def test_of_an_older_script_the_label_of_an_aborted_round_is_the_one_of_its_file() -> None:
    assert linked([round_at("r", 100, 2)], record("x", 99, number=2, **OLD)) == {"r": "x"}


def test_a_restarted_round_has_no_stats_file_and_its_record_says_so() -> None:
    rounds = [round_at("r", 500)]
    assert linked(rounds, restarted("x", 120), record("y", 497)) == {"r": "y"}
    assert reasons(rounds, restarted("x", 120), record("y", 497)) == {
        "x": "round 1 was restarted: it has no stats file"
    }


@pytest.mark.parametrize("later", [0, 1, 5])
def test_a_restart_whose_file_was_written_in_that_moment_is_the_record_of_that_file(later: int) -> None:
    assert linked([round_at("r", 100 + later, 2)], restarted("x", 100)) == {"r": "x"}


@pytest.mark.parametrize("later", [6, 29, 200])
def test_a_restart_that_left_no_file_is_never_linked_and_never_shown_with_the_round_that_was_played(later: int) -> None:
    (link,) = link_timing_records([round_at("r", 100 + later)], [restarted("x", 100)]).links.values()
    assert (link.link_class, link.record_key, link.candidate_key) == (LinkClass.NONE, None, None)


def test_an_aborted_round_far_from_any_file_is_no_candidate_of_the_round_that_was_played() -> None:
    (link,) = link_timing_records([round_at("r", 700)], [left("x", 100)]).links.values()
    assert link.link_class is LinkClass.NONE
    assert reasons([round_at("r", 700)], left("x", 100)) == {
        "x": "round 1 was left before its end, and no stats file of it is known"
    }


def test_a_restart_of_an_older_script_carries_the_other_number_and_is_recognised_by_what_follows() -> None:
    rounds = [round_at("r", 500, 1)]
    told = reasons(rounds, record("x", 120, number=2, **OLD), record("y", 497, number=1, **OLD))
    assert told == {"x": "seems to have been restarted: its map was played anew as r (older scripts swap the number)"}


def test_a_round_2_that_was_restarted_followed_its_round_1() -> None:
    rounds = [round_at("first", 100, 1), round_at("second", 900, 2)]
    told = reasons(rounds, record("y", 97, number=1, **OLD), record("x", 300, number=1, **OLD))
    assert told["x"].startswith("seems to have been restarted")


def test_the_record_of_a_round_1_whose_stats_file_is_lost_is_not_told_as_a_restart() -> None:
    told = reasons([round_at("second", 900, 2)], record("x", 300, number=1, **OLD))
    assert told == {"x": "no stats file of this map and round within 30 s of its end"}


def test_a_record_that_began_after_the_stamp_is_of_a_later_attempt() -> None:
    later = record("x", 110, started_at=at(101 / 60))
    assert linked([round_at("r", 100)], later) == {"r": None}


def test_of_two_equal_accounts_the_one_with_the_engines_words_is_linked() -> None:
    assert linked([round_at("r", 100)], record("a", 97, exit_print=None), record("b", 97)) == {"r": "b"}


def test_what_is_followed_by_another_map_was_not_restarted() -> None:
    told = reasons([round_at("r", 500, 1, "radar")], record("x", 120, number=2, **OLD))
    assert told == {"x": "no stats file of this map and round within 30 s of its end"}


def test_the_same_record_under_two_names_links_once() -> None:
    twice = [record("x", 97), record("y", 97)]
    assert linked([round_at("r", 100)], *twice) == {"r": "x"}
    assert reasons([round_at("r", 100)], *twice) == {"y": "says the same as x"}


def test_two_records_that_contradict_each_other_at_one_moment_are_a_tie() -> None:
    disagreeing = [record("x", 97), record("y", 97, duration_seconds=200.0)]
    (link,) = link_timing_records([round_at("r", 100)], disagreeing).links.values()
    assert link.link_class is LinkClass.TIE
    assert set(reasons([round_at("r", 100)], *disagreeing).values()) == {"two candidates at the same distance"}


def test_the_farther_of_two_records_says_that_its_round_has_a_nearer_one() -> None:
    assert reasons([round_at("r", 100)], record("x", 97), record("y", 80)) == {"y": "its round has a nearer record"}


def test_a_record_some_minutes_off_says_of_which_round_it_is_a_candidate() -> None:
    (told,) = reasons([round_at("r", 700)], record("x", 400)).values()
    assert told == "a candidate of r only: the only one of this map and round, but more than 30 s off"


@given(st.integers(1, 5), st.integers(31, 3600), st.integers(0, 29))
def test_identical_plays_of_a_map_never_swap_their_records(plays: int, apart: int, late: int) -> None:
    rounds = [round_at(f"r{n}", n * max(apart, 61) + late) for n in range(plays)]
    records = [record(f"x{n}", n * max(apart, 61)) for n in range(plays)]
    assert linked(rounds, *records) == {f"r{n}": f"x{n}" for n in range(plays)}


numbers = st.sampled_from((1, 2))
moments = st.integers(0, 400).map(lambda step: step * 5)
some_rounds = st.lists(st.tuples(moments, numbers), max_size=5).map(
    lambda found: [round_at(f"r{i}", second, number) for i, (second, number) in enumerate(found)]
)
some_records = st.lists(
    st.tuples(moments, numbers, st.sampled_from((record, restarted, left)), st.booleans()), max_size=6
).map(
    lambda found: [
        replace(made, record=replace(made.record, **OLD)) if old and kind is record else made
        for i, (second, number, kind, old) in enumerate(found)
        for made in [kind(f"x{i}", second, number)]
    ]
)


@given(some_rounds, some_records)
def test_every_record_has_a_round_or_a_reason(rounds: list[Clocked], records: list[FiledRecord]) -> None:
    links, unlinked = link_timing_records(rounds, records)
    used = [link.record_key for link in links.values() if link.record_key]
    assert len(used) == len(set(used))
    assert set(used) | set(unlinked) == {entry.key for entry in records}
    assert not set(used) & set(unlinked)
    assert all(why.reason for why in unlinked.values())


@given(some_rounds, some_records, st.randoms())
def test_the_order_of_arrival_does_not_matter(
    rounds: list[Clocked], records: list[FiledRecord], random: Random
) -> None:
    shuffled = random.sample(rounds, len(rounds)), random.sample(records, len(records))
    assert link_timing_records(*shuffled) == link_timing_records(rounds, records)


@given(some_rounds, some_records, st.integers(60, 2000))
def test_records_that_come_late_never_take_a_link_but_for_a_nearer_or_equally_near_one(
    rounds: list[Clocked], records: list[FiledRecord], seconds: int
) -> None:
    before = linked(rounds, *records[: len(records) // 2])
    after = link_timing_records(rounds, records).links
    ends = {entry.key: entry.record.ended_at for entry in records}
    stamps = {entry.key: entry.at for entry in rounds}
    for key, was in before.items():
        if was is None or after[key].record_key == was:
            continue
        distance = abs(stamps[key] - ends[was])
        rivals = [
            abs(stamp - end)
            for other, stamp in stamps.items()
            for rival, end in ends.items()
            if (other == key) != (rival == was)
        ]
        assert min(rivals) <= distance <= CANDIDATE_WINDOW
