"""Which rounds were broken off: by a record that knows, and without one by the signs in their files."""

from typing import Any

import pytest

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.rules.pairing import BROKEN_OFF, Placed, SecondRoundSeen, pair_rounds
from slomix_pipeline.rules.values import FiledRound, Status
from slomix_pipeline_tests.building import (
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

# --- the file carries the other round's number ---


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


@pytest.mark.parametrize("number", [1, 2])
def test_a_file_that_goes_on_from_the_open_round_1_is_an_aborted_round_2_whatever_its_label(number: int) -> None:
    aborted = make_round(5, number, *second_round(5).stats.players, limit="8:00", playtime="-58000")
    first, second = place(first_round(0), aborted)
    assert (second.status, second.number) == (Status.ABORTED, 2)
    assert (first.status, first.reason) == (Status.R1_ONLY, BROKEN_OFF)


def test_of_a_file_without_an_intermission_for_the_limit_of_the_map_the_label_is_the_other_rounds() -> None:
    aborted = make_round(5, 2, *second_round(5).stats.players, limit="12:00", playtime="-58000")
    _, second = place(first_round(0), aborted)
    assert (second.status, second.number) == (Status.ABORTED, 1)


def test_a_round_2_that_was_won_without_a_stopwatch_is_an_orphan_and_not_aborted() -> None:
    assert statuses(second_round(0, attack_time="75:25", playtime="300050")) == [Status.R2_ONLY]


# --- rounds that were broken off and look whole ---


def with_records(*rounds: FiledRound, **aborted: Any) -> list[Placed]:
    """What becomes of rounds of which the last has a timing record."""
    record = make_record("record", 0, rounds[-1].number, **aborted).record
    placed = pair_rounds(rounds, records={rounds[-1].key: record})
    return [placed[entry.key] for entry in rounds]


LOST: dict[str, Any] = {"winner": AXIS, "attack_time": "8:00"}


@pytest.mark.parametrize("reason", ["map_change", "map_restart", None])
def test_a_round_whose_timing_record_says_aborted_is_aborted_whatever_its_file_says(reason: str | None) -> None:
    whole = second_round(8, **LOST, playtime="300000")
    first, second = with_records(first_round(0), whole, aborted=True, end_reason=reason, exit_print=None)
    assert (first.status, first.reason, second.status, second.number) == (Status.R1_ONLY, BROKEN_OFF, Status.ABORTED, 2)


def test_the_record_of_an_aborted_round_knows_its_number() -> None:
    record = make_record("record", 0, 1, aborted=True, exit_print=None).record
    entry = second_round(0)
    assert pair_rounds([entry], records={entry.key: record})[entry.key].number == 1


def test_a_round_2_after_one_that_was_broken_off_takes_the_same_round_1() -> None:
    cut, replayed = second_round(4, **LOST), second_round(13)
    record = make_record("record", 0, 2, aborted=True, exit_print=None).record
    placed = pair_rounds([first_round(0), cut, replayed], records={cut.key: record})
    assert [p.status for p in placed.values()] == [Status.COMPLETE, Status.ABORTED, Status.COMPLETE]
    assert placed[replayed.key].partner == first_round(0).key


def test_a_match_begun_anew_after_its_round_2_was_broken_off_is_one_match() -> None:
    cut, again = second_round(4, **LOST), first_round(14)
    record = make_record("record", 0, 2, aborted=True, exit_print=None).record
    for seen in ((), (SecondRoundSeen("supply", at(4)),)):  # the endstats file of the round that was broken off
        placed = pair_rounds([first_round(0), cut, again], second_rounds_seen=seen, records={cut.key: record})
        assert [p.status for p in placed.values()] == [Status.SUPERSEDED, Status.ABORTED, Status.R1_ONLY]


@pytest.mark.parametrize(("playtime", "minutes"), [("26000", 14.0), (None, 8.4), ("", 8.4), ("soon", 8.4)])
def test_without_a_record_a_round_2_that_ended_in_its_first_minute_was_not_given_up(
    playtime: str | None, minutes: float
) -> None:
    players = lobby(rounds=1, swap=True, kills=9, damage_given=900, minutes_played=minutes)
    cut = make_round(8, 2, *players, limit="8:00", **LOST, playtime=playtime)
    first, second = place(first_round(0), cut)
    assert (first.status, second.status, second.number) == (Status.R1_ONLY, Status.ABORTED, 2)
    assert second.reason and "of 8:00" in second.reason


def test_without_a_record_a_round_2_whose_winners_time_is_not_what_it_lasted_was_broken_off() -> None:
    won_at_the_limit = second_round(8, limit="8:00", attack_time="8:00", winner=ALLIES, playtime="200000")
    assert place(first_round(0), won_at_the_limit)[1].status is Status.ABORTED


@pytest.mark.parametrize(
    "header",
    [
        LOST | {"playtime": "60000"},  # given up after a minute
        LOST | {"playtime": "470000"},  # held
        {"attack_time": "0:40", "playtime": "40100"},  # won at once
        {"attack_time": "75:25", "playtime": "40100"},  # won, and the stopwatch was cleared
        {"attack_time": "8:00", "playtime": "479600"},  # won in the last second
    ],
)
def test_without_a_record_these_rounds_2_were_played_to_their_end(header: dict[str, Any]) -> None:
    assert statuses(first_round(0), second_round(8, **header)) == [Status.COMPLETE] * 2


def test_a_record_that_saw_the_end_knows_better_than_how_soon_it_came() -> None:
    soon = second_round(8, **LOST, playtime="26000")
    ended = with_records(first_round(0), soon, exit_print="Surrender!", end_reason="surrender")
    assert [p.status for p in ended] == [Status.COMPLETE] * 2


@pytest.mark.parametrize("reason", ["objective", "time_expired", "surrender", None])
def test_a_record_of_an_older_script_knows_nothing_of_rounds_that_were_broken_off(reason: str | None) -> None:
    soon = second_round(8, **LOST, playtime="26000")
    first, second = with_records(first_round(0), soon, aborted=None, exit_print=None, end_reason=reason)
    assert (first.reason, second.status) == (BROKEN_OFF, Status.ABORTED)


def test_a_record_that_saw_the_end_stands_above_every_sign_in_the_file() -> None:
    counts_on = make_round(20, 1, *second_round(20).stats.players, limit="8:00", attack_time="6:00")
    assert statuses(first_round(0), counts_on)[1] is Status.ABORTED
    assert with_records(first_round(0), counts_on)[1].status is Status.R1_ONLY
    assert with_records(make_round(0, 1, playtime="-5"))[0].status is Status.R1_ONLY


# --- how long it lasted, where only players tell ---


def went_on(minutes: float, **header: Any) -> FiledRound:
    """A round 2 after ``first_round`` whose players have been there for ``minutes`` in all."""
    players = lobby(rounds=1, swap=True, kills=9, damage_given=900, minutes_played=minutes)
    return make_round(8, 2, *players, **{"limit": "8:00"} | header)


@pytest.mark.parametrize("minutes", [7.8, 8.0], ids=["fell", "did not move"])
@pytest.mark.parametrize("rounds", [0, 1])
def test_minutes_of_counters_that_began_anew_are_the_rounds_own_and_never_below_zero(
    minutes: float, rounds: int
) -> None:
    players = lobby(rounds=rounds, swap=True, kills=3, damage_given=300, minutes_played=minutes)
    assert statuses(first_round(0), make_round(8, 2, *players, limit="8:00", **LOST)) == [Status.COMPLETE] * 2


def test_minutes_that_did_not_move_tell_nothing() -> None:
    assert statuses(first_round(0), went_on(8.0, **LOST)) == [Status.COMPLETE] * 2


def test_who_reconnected_in_a_round_that_was_broken_off_does_not_hide_it() -> None:
    players = lobby(rounds=0, swap=True, kills=1, minutes_played=0.4)
    assert statuses(first_round(0), make_round(8, 2, *players, limit="8:00", **LOST))[1] is Status.ABORTED


@pytest.mark.parametrize("minutes", [8.4, 12.0])
def test_attackers_who_won_at_the_limit_were_there_until_then(minutes: float) -> None:
    assert statuses(first_round(0), went_on(minutes, attack_time="8:00"))[1] is Status.ABORTED
    assert statuses(first_round(0), went_on(15.9, attack_time="8:00"))[1] is Status.COMPLETE


@pytest.mark.parametrize("limit", ["0:00", "75:25", "?"])
def test_a_limit_that_is_none_hides_no_round_that_was_broken_off(limit: str) -> None:
    cut = second_round(8, limit=limit, winner=AXIS, attack_time=limit, playtime="26000")
    assert statuses(first_round(0), cut)[1] is Status.ABORTED
