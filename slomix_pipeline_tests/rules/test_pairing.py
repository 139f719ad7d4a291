"""Which round 2 belongs to which round 1, and what becomes of the rounds that belong to none."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, PlayerLine
from slomix_pipeline.rules.pairing import (
    DEFAULT_WINDOW,
    HARMLESS_FLAGS,
    NO_SECOND_ROUND,
    SIDES_STAYED,
    SIDES_UNSEEN,
    Placed,
    SecondRoundSeen,
    pair_rounds,
)
from slomix_pipeline.rules.rounds import work_out
from slomix_pipeline.rules.values import FiledRound, Status, other_side
from slomix_pipeline_tests.building import (
    NAMES,
    at,
    first_round,
    lobby,
    make_line,
    make_record,
    make_round,
    place,
    second_round,
    statuses,
)

# --- pairs ---


def test_a_round_2_takes_the_round_1_before_it_and_both_know_each_other() -> None:
    first, second = first_round(0), second_round(8)
    one, two = place(first, second)
    assert one == Placed(first.key, first.key, 1, Status.COMPLETE, partner=second.key)
    assert two == Placed(second.key, first.key, 2, Status.COMPLETE, partner=first.key)


def test_of_two_candidates_the_round_2_takes_the_one_just_before_it() -> None:
    early, late, second = first_round(91.4), first_round(221.45), second_round(227.27)
    placed = place(early, late, second)
    assert placed[2].partner == late.key
    assert [p.status for p in placed] == [Status.SUPERSEDED, Status.COMPLETE, Status.COMPLETE]


def test_a_match_over_midnight_is_one_match() -> None:
    assert statuses(first_round(233), second_round(241)) == [Status.COMPLETE] * 2


def test_the_same_map_three_times_in_a_row_is_three_matches() -> None:
    rounds = [play(start) for start in (0, 10, 20) for play in (first_round, lambda m: second_round(m + 5))]
    placed = place(*rounds)
    assert [p.status for p in placed] == [Status.COMPLETE] * 6
    assert [p.match_key for p in placed] == [rounds[i].key for i in (0, 0, 2, 2, 4, 4)]


def test_maps_are_compared_without_case_and_outer_spaces() -> None:
    second = second_round(8, map_name=" SUPPLY ")
    assert statuses(first_round(0), second) == [Status.COMPLETE] * 2


@pytest.mark.parametrize(("gap", "status"), [(45, Status.COMPLETE), (45 + 1 / 60, Status.R2_ONLY)])
def test_a_round_2_may_follow_up_to_45_minutes_later(gap: float, status: Status) -> None:
    assert timedelta(minutes=45) == DEFAULT_WINDOW
    assert statuses(first_round(0), second_round(gap))[1] is status


def test_the_window_can_be_set() -> None:
    first, second = first_round(0), second_round(8)
    placed = pair_rounds([first, second], window=timedelta(minutes=7))
    assert [placed[r.key].status for r in (first, second)] == [Status.R1_ONLY, Status.R2_ONLY]


def test_a_round_2_with_the_very_stamp_of_the_round_1_is_not_its_round_2() -> None:
    assert statuses(first_round(0), second_round(0)) == [Status.R1_ONLY, Status.R2_ONLY]


def test_a_pair_more_than_20_minutes_apart_is_flagged() -> None:
    assert place(first_round(0), second_round(20))[0].flags == ()
    assert place(first_round(0), second_round(20.1))[0].flags == ("pair_gap_unusual",)


# --- what speaks against a pair ---


def test_a_longer_time_to_beat_than_round_1_set_is_flagged_on_both_rounds() -> None:
    placed = place(first_round(0), second_round(8, limit="9:00"))
    assert [(p.status, p.flags) for p in placed] == [(Status.COMPLETE, ("pair_timelimit_mismatch",))] * 2


@pytest.mark.parametrize("limit", ["7:59", "7:30", "6:01"])
def test_a_script_that_shortens_round_2_leaves_a_pair_that_says_so(limit: str) -> None:
    placed = place(first_round(0), second_round(8, limit=limit))
    assert [(p.status, p.flags) for p in placed] == [(Status.COMPLETE, ("pair_timelimit_shortened",))] * 2
    assert {*placed[0].flags} <= HARMLESS_FLAGS


def of_sides(*sides: int, **values: Any) -> list[PlayerLine]:
    """Players of a round 2 that counts on, where each stands; in round 1 the first half stood on the Axis side."""
    numbers: dict[str, Any] = {"rounds": 1, "kills": 9, "damage_given": 900, "minutes_played": 14.0} | values
    return [make_line(name, side, **numbers) for name, side in zip(NAMES, sides, strict=False)]


@pytest.mark.parametrize("limit", ["8:00", "7:30", "?"])
@pytest.mark.parametrize("sides", [(AXIS, AXIS, ALLIES, ALLIES), (AXIS, AXIS, ALLIES, AXIS)])
def test_where_hardly_anybody_swapped_it_is_no_pair_whatever_the_limits_say(sides: list[int], limit: str) -> None:
    first, second = place(first_round(0), make_round(8, 2, *of_sides(*sides), limit=limit, attack_time="7:00"))
    assert (first.status, first.partner) == (Status.R1_ONLY, None)
    assert (second.status, second.partner, second.reason) == (Status.AMBIGUOUS, None, SIDES_STAYED)


def test_a_round_2_whose_players_swapped_still_follows_one_whose_players_did_not() -> None:
    stayed = make_round(8, 2, *of_sides(AXIS, AXIS, ALLIES, ALLIES), limit="8:00")
    assert statuses(first_round(0), stayed, second_round(16)) == [
        Status.COMPLETE,
        Status.AMBIGUOUS,
        Status.COMPLETE,
    ]


def test_most_players_swapped_is_a_pair_one_may_have_changed_teams() -> None:
    players = of_sides(ALLIES, ALLIES, AXIS, ALLIES)
    assert (
        statuses(first_round(0), make_round(8, 2, *players, limit="8:00", attack_time="7:00")) == [Status.COMPLETE] * 2
    )


def test_where_nobody_of_round_1_is_left_the_sides_tell_nothing() -> None:
    strangers = lobby(rounds=0, names=("gus", "hal", "ivo", "jon"))
    assert statuses(first_round(0), make_round(8, 2, *strangers, limit="8:00")) == [Status.COMPLETE] * 2


HELD: dict[str, Any] = {"winner": AXIS, "limit": "12:00", "attack_time": "12:00"}


@pytest.mark.parametrize("time", ["71:05", "12:00", "0:00"])
def test_a_map_begun_again_after_a_full_hold_and_broken_off_is_no_round_2(time: str) -> None:
    first = make_round(0, 1, *lobby(kills=5), **HELD)
    again = make_round(4, 2, *lobby(kills=2, minutes_played=2.5), **HELD | {"attack_time": time})
    placed = place(first, again)
    assert [(p.status, p.number) for p in placed] == [(Status.R1_ONLY, 1), (Status.ABORTED, 1)]


def test_where_everybodys_match_began_anew_and_no_side_shows_that_they_swapped_it_is_no_round_2() -> None:
    watching = [replace(line, side=3) for line in lobby(kills=2, minutes_played=9.0)]
    placed = place(make_round(0, 1, *lobby(kills=5), **HELD), make_round(14, 2, *watching, **HELD))
    assert [p.status for p in placed] == [Status.R1_ONLY, Status.ABORTED]


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from((AXIS, ALLIES))), min_size=1, max_size=6),
    st.sampled_from(("8:00", "7:30", "9:00", "?")),
    st.sampled_from((0, 1)),
)
def test_it_is_a_pair_only_when_at_least_half_of_those_in_both_rounds_swapped(
    players: list[tuple[bool, int]], limit: str, rounds: int
) -> None:
    before = [make_line(name, side, kills=5) for name, (_, side) in zip(NAMES, players, strict=False)]
    after = [
        make_line(name, other_side(side) if swaps else side, rounds, kills=9)
        for name, (swaps, side) in zip(NAMES, players, strict=False)
    ]
    second = place(make_round(0, 1, *before), make_round(8, 2, *after, limit=limit, attack_time="6:00"))[1]
    swapped = sum(swaps for swaps, _ in players)
    assert second.partner is None or 2 * swapped >= len(players)
    if rounds and 2 * swapped > len(players):
        assert second.status is Status.COMPLETE


def test_half_of_the_players_swapped_is_no_swap() -> None:
    players = [
        make_line(name, side, rounds=1, kills=9, damage_given=900)
        for name, side in zip(NAMES[:4], (1, 2, 2, 1), strict=True)
    ]
    assert statuses(first_round(0), make_round(8, 2, *players, limit="7:30")) == [Status.AMBIGUOUS] * 2


def test_after_a_full_hold_half_of_the_players_swapped_proves_no_pair() -> None:
    half = of_sides(AXIS, ALLIES, AXIS, ALLIES)
    for limit in ("12:00", "?"):
        held = place(make_round(0, 1, *lobby(kills=5), **HELD), make_round(14, 2, *half, **HELD | {"limit": limit}))
        assert [p.status for p in held] == [Status.AMBIGUOUS] * 2
        assert (
            held[0].reason == "only half of the players swapped sides, and its limit does not prove that it is round 2"
        )


def test_a_time_that_was_set_proves_a_pair_of_which_only_half_swapped() -> None:
    half = of_sides(AXIS, ALLIES, AXIS, ALLIES)
    assert statuses(first_round(0), make_round(8, 2, *half, limit="8:00", winner=AXIS)) == [Status.COMPLETE] * 2


@pytest.mark.parametrize(("rounds", "status"), [(0, Status.ABORTED), (1, Status.COMPLETE)])
def test_after_a_full_hold_of_which_nobody_is_left_only_the_count_of_rounds_tells(rounds: int, status: Status) -> None:
    strangers = lobby(rounds=rounds, names=("gus", "hal", "ivo", "jon"))
    second = place(make_round(0, 1, *lobby(kills=5), **HELD), make_round(14, 2, *strangers, **HELD))[1]
    assert (second.status, SIDES_UNSEEN in second.flags) == (status, status is Status.COMPLETE)


def test_spectators_have_no_say_in_whether_the_sides_swapped() -> None:
    players = [
        replace(line, side=3) if line.guid in ("ada", "bob", "cyd") else line for line in second_round(8).stats.players
    ]
    assert statuses(first_round(0), make_round(8, 2, *players, limit="7:30")) == [Status.COMPLETE] * 2


def test_an_unreadable_time_to_beat_is_unknown_not_a_mismatch() -> None:
    placed = place(first_round(0), second_round(8, limit="?"))
    assert [(p.status, p.flags) for p in placed] == [(Status.COMPLETE, ("pair_timelimit_unknown",))] * 2


# --- rounds without a partner ---


def test_a_round_1_alone_waits_for_its_round_2() -> None:
    assert place(first_round(0))[0].status is Status.R1_ONLY


def test_a_round_2_alone_is_an_orphan_until_its_round_1_comes() -> None:
    first, second = first_round(0), second_round(8)
    assert place(second)[0].status is Status.R2_ONLY
    assert place(second, first)[0].status is Status.COMPLETE


def test_another_map_closes_an_open_round_1() -> None:
    other = first_round(9, map_name="radar")
    assert statuses(first_round(0), other, second_round(18)) == [Status.R1_ONLY, Status.R1_ONLY, Status.R2_ONLY]


def test_a_round_2_of_another_map_is_an_orphan_and_closes_the_open_round_1() -> None:
    placed = statuses(first_round(0), second_round(8, map_name="radar"), second_round(16))
    assert placed == [Status.R1_ONLY, Status.R2_ONLY, Status.R2_ONLY]


def test_half_a_match_says_why_it_is_half() -> None:
    waiting = pair_rounds([first_round(0)])
    assert [p.reason for p in waiting.values()] == ["no round 2 has come"]
    over = pair_rounds([first_round(0), first_round(9, map_name="te_escape2")])
    assert [p.reason for p in over.values()] == [NO_SECOND_ROUND, "no round 2 has come"]
    foreign = pair_rounds([first_round(0), second_round(9, map_name="te_escape2")])
    assert [p.reason for p in foreign.values()] == [
        NO_SECOND_ROUND,
        "its round 1 is not here: the round 1 before it is of supply",
    ]
    late = pair_rounds([first_round(0), second_round(47)])
    assert [p.reason for p in late.values()] == [
        NO_SECOND_ROUND,
        "its round 1 is not here: the one before it ended 47 min earlier, above 45",
    ]


def test_a_second_round_2_is_an_orphan() -> None:
    assert statuses(first_round(0), second_round(8), second_round(16)) == [
        Status.COMPLETE,
        Status.COMPLETE,
        Status.R2_ONLY,
    ]


# --- replayed rounds ---


def test_a_round_1_replayed_by_the_same_players_is_superseded() -> None:
    placed = place(first_round(0), first_round(5), second_round(13))
    assert [p.status for p in placed] == [Status.SUPERSEDED, Status.COMPLETE, Status.COMPLETE]
    assert placed[0].reason == "replayed by the same players"
    assert placed[0].match_key == placed[0].key and placed[0].partner is None


def test_a_round_1_replayed_with_more_players_is_superseded_and_says_so() -> None:
    replay = make_round(13, 1, *lobby(names=("ada", "bob", "cyd", "dan", "eve", "fin")))
    placed = place(first_round(0), replay)
    assert (placed[0].status, placed[0].reason) == (Status.SUPERSEDED, "replayed with other players")


@pytest.mark.parametrize("map_name", ["supply", "Supply"])
def test_an_endstats_file_of_a_round_2_between_them_tells_that_round_1_was_not_replayed(map_name: str) -> None:
    seen = (SecondRoundSeen(map_name, at(8)),)
    placed = place(first_round(0), first_round(13), seen=seen)
    assert [p.status for p in placed] == [Status.R1_ONLY, Status.R1_ONLY]
    assert placed[0].reason == "its round 2 was played, but the stats file is missing"


def test_an_endstats_file_of_the_hour_that_comes_twice_is_of_the_hour_of_its_stats_file() -> None:
    seen = (SecondRoundSeen("supply", at(8), ambiguous=True),)
    own = second_round(68)
    assert place(first_round(0), first_round(13), first_round(60), own, seen=seen)[0].status is Status.SUPERSEDED
    assert place(first_round(0), first_round(13), seen=seen)[0].status is Status.R1_ONLY


@pytest.mark.parametrize(
    "seen", [SecondRoundSeen("radar", at(8)), SecondRoundSeen("supply", at(-1)), SecondRoundSeen("supply", at(14))]
)
def test_an_endstats_file_of_another_map_or_time_is_no_witness(seen: SecondRoundSeen) -> None:
    assert place(first_round(0), first_round(13), seen=(seen,))[0].status is Status.SUPERSEDED


# --- laws ---

any_round = st.builds(
    lambda minutes, number, map_name, rounds, limit, attack_time: make_round(
        minutes, number, *lobby(rounds=rounds), map_name=map_name, limit=limit, attack_time=attack_time
    ),
    minutes=st.integers(0, 120),
    number=st.sampled_from((1, 2)),
    map_name=st.sampled_from(("supply", "radar")),
    rounds=st.sampled_from((0, 1)),
    limit=st.sampled_from(("12:00", "8:00", "?")),
    attack_time=st.sampled_from(("8:00", "12:00", "71:05", "?")),
)
evenings = st.lists(any_round, max_size=12, unique_by=lambda entry: entry.key)


@given(evenings)
def test_every_round_is_placed_exactly_once_and_pairs_are_mutual_in_order_and_of_one_map(
    rounds: list[FiledRound],
) -> None:
    by_key = {entry.key: entry for entry in rounds}
    placed = pair_rounds(rounds)
    assert placed.keys() == by_key.keys()
    for key, entry in placed.items():
        assert entry.key == key
        if entry.partner is None:
            assert entry.status is not Status.COMPLETE and entry.match_key == key
            assert entry.status is not Status.AMBIGUOUS or entry.reason == SIDES_STAYED
            continue
        other = placed[entry.partner]
        assert other.partner == key and other.match_key == entry.match_key and other.status is entry.status
        first, second = (by_key[p.key] for p in sorted((entry, other), key=lambda p: p.number))
        assert first.key == entry.match_key and first.map_name == second.map_name
        assert timedelta(0) < second.stamp - first.stamp <= DEFAULT_WINDOW


@given(evenings)
def test_each_round_1_is_used_at_most_once(rounds: list[FiledRound]) -> None:
    partners = [placed.partner for placed in pair_rounds(rounds).values() if placed.partner]
    assert len(partners) == len(set(partners))


@given(evenings, st.randoms())
def test_the_order_of_arrival_does_not_matter(rounds: list[FiledRound], random: Random) -> None:
    assert pair_rounds(random.sample(rounds, len(rounds))) == pair_rounds(rounds)


@given(evenings, st.lists(st.sampled_from((None, False, True)), min_size=12, max_size=12), st.randoms())
def test_rounds_and_records_give_the_same_in_whatever_order_they_came(
    rounds: list[FiledRound], aborted: list[bool | None], random: Random
) -> None:
    records = [
        make_record(
            f"of {entry.key}",
            (entry.stamp - at(0)).total_seconds(),
            entry.number,
            entry.map_name,
            aborted=left,
            end_reason="map_restart" if left else None,
        )
        for entry, left in zip(rounds, aborted, strict=False)
        if left is not None
    ]
    found = work_out(rounds, DEFAULT_WINDOW, (), records=records)
    shuffled = random.sample(rounds, len(rounds)), random.sample(records, len(records))
    assert work_out(shuffled[0], DEFAULT_WINDOW, (), records=shuffled[1]) == found
    told = {f"of {entry.key}": left for entry, left in zip(rounds, aborted, strict=False)}
    for key, link in found.links.items():
        if link.record_key and told[link.record_key]:
            assert found.placed[key].status is Status.ABORTED
