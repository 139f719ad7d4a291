"""Which round 2 belongs to which round 1, and what becomes of the rounds that belong to none."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.pairing import DEFAULT_WINDOW, NO_SECOND_ROUND, Placed, SecondRoundSeen, pair_rounds
from slomix_pipeline.rules.values import FiledRound, Status
from slomix_pipeline_tests.building import NAMES, at, first_round, lobby, make_line, make_round, second_round


def place(*rounds: FiledRound, seen: tuple[SecondRoundSeen, ...] = ()) -> list[Placed]:
    """What became of ``rounds``, in the order given."""
    placed = pair_rounds(rounds, second_rounds_seen=seen)
    return [placed[entry.key] for entry in rounds]


def statuses(*rounds: FiledRound) -> list[Status]:
    return [placed.status for placed in place(*rounds)]


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


def test_another_time_to_beat_than_round_1_set_is_flagged_on_both_rounds() -> None:
    placed = place(first_round(0), second_round(8, limit="7:30"))
    assert [(p.status, p.flags) for p in placed] == [(Status.COMPLETE, ("pair_timelimit_mismatch",))] * 2


def test_another_time_to_beat_and_sides_that_did_not_swap_make_the_match_ambiguous() -> None:
    players = lobby(rounds=1, swap=False, kills=9, damage_given=900)
    placed = place(first_round(0), make_round(8, 2, *players, limit="7:30"))
    assert [p.status for p in placed] == [Status.AMBIGUOUS] * 2
    assert all(p.reason and "sides did not swap" in p.reason for p in placed)


def test_half_of_the_players_swapped_is_no_swap() -> None:
    players = [
        make_line(name, side, rounds=1, kills=9, damage_given=900)
        for name, side in zip(NAMES[:4], (1, 2, 2, 1), strict=True)
    ]
    assert statuses(first_round(0), make_round(8, 2, *players, limit="7:30")) == [Status.AMBIGUOUS] * 2


def test_sides_that_did_not_swap_alone_do_not_break_a_pair_whose_time_to_beat_fits() -> None:
    players = lobby(rounds=1, swap=False, kills=9, damage_given=900)
    assert statuses(first_round(0), make_round(8, 2, *players, limit="8:00")) == [Status.COMPLETE] * 2


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
        NO_SECOND_ROUND, "its round 1 is not here: the round 1 before it is of supply",
    ]  # fmt: skip
    late = pair_rounds([first_round(0), second_round(47)])
    assert [p.reason for p in late.values()] == [
        NO_SECOND_ROUND, "its round 1 is not here: the one before it ended 47 min earlier, above 45",
    ]  # fmt: skip


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


@pytest.mark.parametrize(
    "seen", [SecondRoundSeen("radar", at(8)), SecondRoundSeen("supply", at(-1)), SecondRoundSeen("supply", at(14))]
)
def test_an_endstats_file_of_another_map_or_time_is_no_witness(seen: SecondRoundSeen) -> None:
    assert place(first_round(0), first_round(13), seen=(seen,))[0].status is Status.SUPERSEDED


# --- aborted rounds: the file carries the other round's number ---


def test_a_round_2_file_in_which_everybodys_match_begins_is_an_aborted_round_1() -> None:
    aborted = make_round(0, 2, *lobby(rounds=0, kills=3))
    placed = place(aborted, first_round(17), second_round(30))
    assert (placed[0].status, placed[0].number, placed[0].partner) == (Status.ABORTED, 1, None)
    assert [p.status for p in placed[1:]] == [Status.COMPLETE] * 2


def test_an_aborted_round_neither_takes_nor_closes_the_open_round_1() -> None:
    aborted = make_round(4, 2, *lobby(rounds=0, kills=3), limit="12:00")
    assert statuses(first_round(0), aborted, second_round(8)) == [Status.COMPLETE, Status.ABORTED, Status.COMPLETE]


def test_a_round_2_that_plays_for_the_time_of_the_open_round_1_is_one_even_if_everybody_reconnected() -> None:
    reconnected = make_round(8, 2, *lobby(rounds=0, swap=True, kills=3), limit="8:00", attack_time="6:00")
    assert statuses(first_round(0), reconnected) == [Status.COMPLETE] * 2


def test_two_unreadable_times_are_not_the_same_time() -> None:
    first = first_round(0, attack_time="?")
    aborted = make_round(8, 2, *lobby(rounds=0, kills=3), limit="?")
    assert statuses(first, aborted) == [Status.R1_ONLY, Status.ABORTED]


def test_a_time_above_the_limit_without_a_round_1_is_an_aborted_round_1() -> None:
    assert statuses(second_round(0, limit="12:00", attack_time="71:05")) == [Status.ABORTED]


def test_a_time_above_the_limit_does_not_break_a_pair() -> None:
    assert statuses(first_round(0), second_round(8, attack_time="71:05")) == [Status.COMPLETE] * 2


@pytest.mark.parametrize("playtime", ["-58000", "0", "-0", " 0.0 "])
@pytest.mark.parametrize("number", [1, 2])
def test_a_play_time_not_above_zero_means_aborted_and_the_other_number(playtime: str, number: int) -> None:
    placed = place(make_round(0, number, playtime=playtime))
    assert (placed[0].status, placed[0].number) == (Status.ABORTED, 3 - number)


@pytest.mark.parametrize("number", [1, 2])
def test_a_play_time_of_minus_one_means_aborted_by_our_script_which_knows_the_number(number: int) -> None:
    (placed,) = place(make_round(0, number, playtime="-1"))
    assert (placed.status, placed.number) == (Status.ABORTED, number)


@pytest.mark.parametrize("playtime", [None, "", "241533", "0.5", "soon", "-nan", "-inf"])
def test_an_unknown_play_time_does_not_make_a_round_aborted(playtime: str | None) -> None:
    assert place(make_round(0, 1, playtime=playtime))[0].status is Status.R1_ONLY


def test_a_round_1_file_that_counts_on_from_the_open_round_1_for_its_time_is_an_aborted_round_2() -> None:
    aborted = make_round(5, 1, *second_round(5).stats.players, limit="8:00")
    placed = place(first_round(0), aborted)
    assert [(p.status, p.number) for p in placed] == [(Status.R1_ONLY, 1), (Status.ABORTED, 2)]


@pytest.mark.parametrize(
    ("limit", "rounds", "kills"),
    [("12:00", 1, 9), ("8:00", 0, 9), ("8:00", 1, 4)],
    ids=["the map's own limit", "no round more", "a counter fell"],
)
def test_a_round_1_file_that_lacks_one_of_these_signs_is_a_replay(limit: str, rounds: int, kills: int) -> None:
    replay = make_round(10, 1, *lobby(rounds=rounds, kills=kills, damage_given=900), limit=limit)
    assert statuses(first_round(0), replay) == [Status.SUPERSEDED, Status.R1_ONLY]


def test_one_player_with_a_lower_counter_is_enough_for_a_replay() -> None:
    players = (*lobby(rounds=1, kills=9, damage_given=900)[:3], make_line("dan", rounds=1, kills=1))
    assert statuses(first_round(0), make_round(10, 1, *players, limit="8:00"))[1] is Status.R1_ONLY


def test_after_a_hold_a_round_1_of_other_players_for_the_same_limit_is_a_replay() -> None:
    held = first_round(0, winner=1, attack_time="12:00")
    replay = make_round(15, 1, *lobby(rounds=1, kills=9, names=("gus", "hal", "ivo", "jon")), limit="12:00")
    assert statuses(held, replay) == [Status.SUPERSEDED, Status.R1_ONLY]


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
            assert entry.status not in (Status.COMPLETE, Status.AMBIGUOUS) and entry.match_key == key
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
