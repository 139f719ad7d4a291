"""Which record belongs to which round, by map, number and clock."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.linking import LINK_WINDOW, Clocked, Link, LinkClass, link_records, zone_off_by
from slomix_pipeline_tests.building import clocked


def classes(rounds: list[Clocked], records: list[Clocked]) -> dict[str, tuple[str | None, str]]:
    links = link_records(rounds, records)
    return {key: (link.record_key or link.candidate_key, link.link_class) for key, link in links.items()}


def test_a_record_a_few_seconds_before_the_file_stamp_links_exactly() -> None:
    assert link_records([clocked("r", 100)], [clocked("x", 96)]) == {"r": Link(LinkClass.EXACT_END, record_key="x")}


@pytest.mark.parametrize(
    ("distance", "link_class"), [(30, "exact_end"), (-30, "exact_end"), (30.1, "fuzzy"), (-31, "fuzzy")]
)
def test_an_exact_link_reaches_30_seconds_either_way(distance: float, link_class: str) -> None:
    assert classes([clocked("r", 1000)], [clocked("x", 1000 - distance)]) == {"r": ("x", link_class)}


def test_map_names_are_compared_without_case_and_outer_spaces() -> None:
    assert classes([clocked("r", 100, map_name=" Supply")], [clocked("x", 96, map_name="supply ")]) == {
        "r": ("x", "exact_end")
    }


def test_a_record_of_another_map_never_links() -> None:
    assert classes([clocked("r", 100)], [clocked("x", 96, map_name="radar")]) == {"r": (None, "none")}


def test_the_smallest_distance_wins_over_all_rounds_at_once() -> None:
    rounds, records = [clocked("a", 100), clocked("b", 120)], [clocked("x", 118), clocked("y", 93)]
    assert classes(rounds, records) == {"a": ("y", "exact_end"), "b": ("x", "exact_end")}


def test_two_records_at_the_same_distance_link_to_neither() -> None:
    links = link_records([clocked("r", 100)], [clocked("x", 96), clocked("y", 104)])
    assert (links["r"].record_key, links["r"].link_class) == (None, "tie")
    assert links["r"].reason == "two candidates at the same distance"


def test_two_rounds_at_the_same_distance_from_a_record_both_stay_unlinked() -> None:
    assert classes([clocked("a", 96), clocked("b", 104)], [clocked("x", 100)]) == {
        "a": (None, "tie"),
        "b": (None, "tie"),
    }


def test_a_chain_of_equal_distances_links_nothing_in_it() -> None:
    rounds, records = [clocked("a", 100), clocked("b", 110)], [clocked("x", 105), clocked("y", 115)]
    assert classes(rounds, records) == {"a": (None, "tie"), "b": (None, "tie")}


def test_a_rival_that_has_a_nearer_partner_of_its_own_makes_no_tie() -> None:
    rounds, records = [clocked("a", 100), clocked("b", 106)], [clocked("x", 96), clocked("y", 104)]
    assert classes(rounds, records) == {"a": ("x", "exact_end"), "b": ("y", "exact_end")}


@pytest.mark.parametrize(("minutes", "expected"), [(45, ("x", "fuzzy")), (45.1, (None, "none"))])
def test_a_lone_record_within_45_minutes_is_shown_as_a_candidate(
    minutes: float, expected: tuple[str | None, str]
) -> None:
    assert classes([clocked("r", 0)], [clocked("x", minutes * 60)]) == {"r": expected}


def test_two_far_records_are_no_candidate() -> None:
    assert classes([clocked("r", 0)], [clocked("x", 300), clocked("y", 400)]) == {"r": (None, "none")}


def test_a_far_record_between_two_rounds_is_no_candidate_of_either() -> None:
    assert classes([clocked("a", 0), clocked("b", 900)], [clocked("x", 300)]) == {
        "a": (None, "none"),
        "b": (None, "none"),
    }


def test_a_record_that_is_linked_is_no_candidate_of_another_round() -> None:
    assert classes([clocked("a", 0), clocked("b", 900)], [clocked("x", 3)]) == {
        "a": ("x", "exact_end"),
        "b": (None, "none"),
    }


def test_a_near_record_of_the_maps_other_round_is_shown_but_never_linked() -> None:
    links = link_records([clocked("r", 100, number=2)], [clocked("x", 96, number=1)])
    assert (links["r"].record_key, links["r"].candidate_key, links["r"].link_class) == (None, "x", "fuzzy")
    assert links["r"].reason == "the only one near, but it says it is the map's other round"


def test_a_far_record_of_the_maps_other_round_is_not_shown() -> None:
    assert classes([clocked("r", 100, number=2)], [clocked("x", 200, number=1)]) == {"r": (None, "none")}


# --- laws ---

seconds = st.integers(0, 90)
numbers = st.sampled_from((1, 1, 1, 2))
many = st.lists(st.tuples(seconds, numbers), max_size=7)
rounds_of = many.map(lambda entries: [clocked(f"round {i}", s, number=n) for i, (s, n) in enumerate(entries)])
records_of = many.map(lambda entries: [clocked(f"record {i}", s, number=n) for i, (s, n) in enumerate(entries)])


@given(rounds_of, records_of)
def test_links_are_one_to_one_of_the_same_play_and_never_beyond_30_seconds(
    rounds: list[Clocked], records: list[Clocked]
) -> None:
    links = link_records(rounds, records)
    assert links.keys() == {entry.key for entry in rounds}
    by_key = {entry.key: entry for entry in (*rounds, *records)}
    named = [key for link in links.values() for key in (link.record_key, link.candidate_key) if key]
    assert len(named) == len(set(named))
    for key, link in links.items():
        if link.link_class == "exact_end":
            assert link.record_key is not None
            entry, record = by_key[key], by_key[link.record_key]
            assert abs(entry.at - record.at) <= LINK_WINDOW and entry.number == record.number
        else:
            assert link.reason


@given(rounds_of, records_of, st.randoms())
def test_the_order_of_arrival_does_not_matter(rounds: list[Clocked], records: list[Clocked], random: Random) -> None:
    shuffled = random.sample(rounds, len(rounds)), random.sample(records, len(records))
    assert link_records(*shuffled) == link_records(rounds, records)


@given(rounds_of, records_of, st.randoms())
def test_keys_are_only_names(rounds: list[Clocked], records: list[Clocked], random: Random) -> None:
    keys = [entry.key for entry in (*rounds, *records)]
    renamed = dict(zip(keys, random.sample([f"key {i}" for i in range(len(keys))], len(keys)), strict=True))
    changed = [[entry._replace(key=renamed[entry.key]) for entry in group] for group in (rounds, records)]
    assert link_records(*changed) == {
        renamed[key]: replace(
            link,
            record_key=renamed.get(link.record_key or ""),
            candidate_key=renamed.get(link.candidate_key or ""),
        )
        for key, link in link_records(rounds, records).items()
    }


@given(
    st.integers(1, 30),
    st.lists(st.integers(31, 2000).map(lambda s: clocked(f"far {s}", 3000 + s)), unique=True, max_size=3),
)
def test_a_symmetric_tie_links_nothing_whatever_else_there_is(distance: int, far: list[Clocked]) -> None:
    records = [clocked("x", 1000 - distance), clocked("y", 1000 + distance), *far]
    assert classes([clocked("r", 1000)], records)["r"] == (None, "tie")


@given(rounds_of, records_of)
def test_nothing_near_stays_unlinked_but_for_a_tie(rounds: list[Clocked], records: list[Clocked]) -> None:
    links = link_records(rounds, records)
    used = {link.record_key for link in links.values() if link.link_class == "exact_end"}
    tied = [entry for entry in rounds if links[entry.key].link_class == "tie"]
    for entry in rounds:
        if links[entry.key].link_class not in ("exact_end", "tie"):
            free = [
                r
                for r in records
                if r.key not in used and r.number == entry.number and abs(r.at - entry.at) <= LINK_WINDOW
            ]
            assert all(any(abs(r.at - t.at) <= LINK_WINDOW for t in tied) for r in free)


# --- a time zone that is not that of the stamps ---


@pytest.mark.parametrize("hours", [-1, 0.5, 9.75])
def test_records_that_all_lie_the_same_quarter_hours_beside_tell_of_a_wrong_zone(hours: float) -> None:
    rounds = [clocked("a", 5000 + hours * 3600), clocked("b", 5900 + hours * 3600)]
    records = [clocked("x", 4996), clocked("y", 5897)]
    assert zone_off_by(rounds, records) == timedelta(hours=hours)
    assert {record for record, _ in classes(rounds, records).values()} <= {None, "x", "y"}


def test_records_that_fit_one_alone_or_other_distances_tell_of_no_zone() -> None:
    first, second = clocked("a", 5000), clocked("b", 5900)
    assert zone_off_by([first, second], [clocked("x", 4996), clocked("y", 5897)]) is None
    assert zone_off_by([first], [clocked("x", 5000 + 3600)]) is None
    assert zone_off_by([first, second], [clocked("x", 5000 + 3600), clocked("y", 5900 + 3000)]) is None
    assert zone_off_by([], []) is None
