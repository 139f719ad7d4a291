"""The engine's counters between two files: they go on, begin anew, or hold more than the round they are in."""

from typing import Any

import pytest

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, StatsFile
from slomix_pipeline.rules.counters import carried_over, longest_seconds, restart_signs
from slomix_pipeline.rules.differential import round_one_players, round_two_players
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW, pair_rounds
from slomix_pipeline.rules.rounds import own_numbers, work_out
from slomix_pipeline.rules.values import Status
from slomix_pipeline_tests.building import (
    first_round,
    lobby,
    make_line,
    make_record,
    make_round,
    make_stats,
    second_round,
)


def test_counters_that_go_on_show_no_sign_of_a_restart() -> None:
    assert restart_signs(make_line("ada", kills=3), make_line("ada", rounds=1, kills=9)) == []


def test_every_sign_of_a_restart_is_told() -> None:
    first = make_line("ada", kills=3, deaths=4, hits=40, shots=90, damage_given=700)
    second = make_line("ada", kills=5, deaths=1, hits=50, shots=10, damage_given=300)
    assert restart_signs(first, second) == [
        "rounds 0 then 0",
        "damage_given fell from 700 to 300",
        "mp40 deaths fell from 4 to 1",
    ]


def test_more_headshot_kills_in_round_2_than_kills_since_round_1_tell_a_restart() -> None:
    first, second = make_line("ada", kills=4), make_line("ada", rounds=1, kills=9, headshot_kills=6)
    assert restart_signs(first, second) == ["6 headshot kills of this round, but 5 kills more"]


# --- an engine that kept nothing: round 2 holds only round 2 ---


def fighters(side: int, rounds: int, *numbers: tuple[int, int, int, int], **more: Any) -> list[Any]:
    """One line per (kills, deaths, damage given, damage received)."""
    names = ("ada", "bob", "cyd", "dan", "eve", "fin")[: len(numbers)]
    return [
        make_line(name, side, rounds, kills=k, deaths=d, damage_given=g, damage_received=r, **more)
        for name, (k, d, g, r) in zip(names, numbers, strict=True)
    ]


FIRST = make_stats(*fighters(AXIS, 0, (9, 2, 900, 200), (8, 3, 800, 300), (1, 13, 100, 1300)))


def test_of_a_round_2_for_which_the_engine_kept_nothing_every_line_is_taken_as_it_is() -> None:
    second = make_stats(*fighters(ALLIES, 1, (2, 1, 200, 100), (3, 4, 300, 400), (14, 14, 1400, 1400)), number=2)
    players = round_two_players(FIRST, second)
    assert [p.kills for p in players] == [2, 3, 14]
    assert {p.flags for p in players} == {("counter_reset",)}


def test_of_many_reconnects_who_stayed_is_still_subtracted_when_that_adds_up() -> None:
    second = make_stats(*fighters(ALLIES, 1, (2, 1, 200, 100), (3, 4, 300, 400), (3, 16, 300, 1600)), number=2)
    kept = {p.guid: p.kills for p in round_two_players(FIRST, second)}
    assert kept == {"ada": 2, "bob": 3, "cyd": 2}


# --- an engine that kept more than round 1 for a round 2: it was begun twice ---


@pytest.mark.parametrize("rounds", [1, 2])
def test_numbers_that_hold_an_abandoned_attempt_at_round_2_too_are_unknown(rounds: int) -> None:
    again = make_round(
        20, 2, *lobby(rounds=rounds, swap=True, kills=19, minutes_played=25.0), limit="8:00", attack_time="6:00"
    )
    found = work_out([first_round(0), again], DEFAULT_WINDOW, ())
    assert {p.kills for p in found.players[again.key]} == {None}
    assert found.validities[again.key] == (None, "the players' minutes are above what the round can have lasted")


# --- an engine that carried counters over into a round 1 ---


HELD: dict[str, Any] = {"winner": AXIS, "attack_time": "12:00"}


def whole_lobby(**values: Any) -> StatsFile:
    return make_stats(*lobby(**values))


def unknown_of(stats: StatsFile, previous: StatsFile | None = None) -> set[str]:
    """Whose numbers in a round 1 are unknown because they hold more than it."""
    longest = longest_seconds(stats.header)
    carried = carried_over(stats, previous, longest)
    return {p.guid for p in round_one_players(stats, None, carried, longest) if p.kills is None}


def test_who_played_for_longer_than_the_round_lasted_brought_counters_along() -> None:
    assert unknown_of(make_stats(make_line("ada", minutes_played=8.0), make_line("bob", minutes_played=9.1))) == {"bob"}


def test_minutes_are_only_written_in_tenths() -> None:
    assert unknown_of(whole_lobby(minutes_played=8.9)) == set()


def test_of_a_held_round_1_the_limit_is_the_longest_it_can_have_lasted() -> None:
    assert unknown_of(make_stats(make_line("ada", minutes_played=12.9), **HELD)) == set()
    assert unknown_of(make_stats(make_line("ada", minutes_played=13.2), **HELD)) == {"ada"}


def test_the_clock_of_a_held_round_1_tells_more_than_its_limit() -> None:
    assert unknown_of(make_stats(make_line("ada", minutes_played=9.2), playtime="480000", **HELD)) == {"ada"}


def test_a_lobby_that_counts_on_from_the_file_before_brought_its_counters_along() -> None:
    before = whole_lobby(kills=3, deaths=2, damage_given=400, minutes_played=3.0)
    after = make_stats(*lobby(rounds=1, kills=7, deaths=6, damage_given=900, minutes_played=8.0), **HELD)
    assert unknown_of(after, before) == {"ada", "bob", "cyd", "dan"}


@pytest.mark.parametrize(("rounds", "minutes"), [(0, 8.0), (0, 12.0), (1, 11.9), (1, 12.1)])
def test_a_hold_after_an_attempt_that_was_broken_off_has_only_more_of_everything(rounds: int, minutes: float) -> None:
    before = whole_lobby(kills=3, deaths=2, damage_given=400, minutes_played=2.5)
    after = make_stats(*lobby(rounds, kills=7, deaths=6, damage_given=900, minutes_played=minutes), **HELD)
    assert unknown_of(after, before) == set()


def test_who_has_no_identity_goes_with_his_lobby() -> None:
    before = make_stats(*lobby(kills=3, minutes_played=3.0), make_line("NO-00001", kills=2, minutes_played=3.0))
    players = *lobby(rounds=1, kills=7, minutes_played=8.0), make_line("NO-00002", kills=9, minutes_played=8.0)
    after = make_stats(*players, **HELD)
    assert unknown_of(after, before) == {"ada", "bob", "cyd", "dan", "NO-00002"}


def test_where_the_clock_is_sure_more_of_everything_than_in_a_false_start_is_only_more() -> None:
    before = whole_lobby(kills=3, deaths=2, damage_given=400, minutes_played=1.2)
    after = lobby(kills=7, deaths=6, damage_given=900, minutes_played=8.0)
    assert unknown_of(make_stats(*after), before) == set()
    assert unknown_of(make_stats(*after, playtime="480000", **HELD), before) == set()


def test_three_players_may_all_have_more_by_chance() -> None:
    before = whole_lobby(kills=3, minutes_played=3.0)
    assert unknown_of(make_stats(*lobby(rounds=1, kills=7, minutes_played=8.0)[:3], **HELD), before) == set()


def test_one_player_with_less_than_before_shows_that_the_counters_began_anew() -> None:
    before = whole_lobby(kills=3, damage_given=400, minutes_played=3.0)
    more = lobby(rounds=1, kills=7, damage_given=900, minutes_played=8.0)[:3]
    less = make_line("dan", rounds=1, kills=1, minutes_played=8.0)
    assert unknown_of(make_stats(*more, less, **HELD), before) == set()


@pytest.mark.parametrize("minutes", [0.0, 0.9])
def test_a_file_of_a_few_seconds_before_proves_nothing(minutes: float) -> None:
    after = make_stats(*lobby(rounds=1, kills=7, minutes_played=8.0), **HELD)
    assert unknown_of(after, whole_lobby(minutes_played=minutes)) == set()


def test_carried_over_numbers_are_unknown_and_what_scripts_count_stays_known() -> None:
    carried = make_round(20, 1, *lobby(rounds=2, kills=19, damage_given=1900, xp=31, minutes_played=22.0))
    rounds = [first_round(0), second_round(8), carried]
    players = own_numbers(rounds, pair_rounds(rounds))[carried.key]
    assert {(p.kills, p.counters["damage_given"], p.counters["xp"]) for p in players} == {(None, None, 31)}
    assert {p.flags for p in players} == {("counters_carried_over",)}


@pytest.mark.parametrize("more", [{"rounds": 0}, {"kills": 1}, {"minutes_played": 40.0}, {"minutes_played": 11.0}])
def test_minutes_above_the_round_are_not_told_as_carried_over_where_nothing_proves_it(more: dict[str, Any]) -> None:
    numbers: dict[str, Any] = {"rounds": 2, "kills": 19, "damage_given": 1900, "minutes_played": 22.0}
    rounds = [first_round(0), second_round(8), make_round(20, 1, *lobby(**numbers | more))]
    players = own_numbers(rounds, pair_rounds(rounds))[rounds[2].key]
    assert {(p.kills, p.flags) for p in players} == {(None, ("there_for_longer",))}


# --- pauses, which servers before 2023 counted as played ---


@pytest.mark.parametrize("paused", [30, 180, 900])
def test_a_pause_that_the_timing_record_knows_is_part_of_what_a_round_can_have_lasted(paused: int) -> None:
    pause = paused / 60
    first = make_round(0, 1, *lobby(kills=5, minutes_played=8.0 + pause))
    second = make_round(
        8, 2, *lobby(rounds=1, swap=True, kills=9, minutes_played=14.0 + 2 * pause), limit="8:00", attack_time="6:00"
    )
    records = [
        make_record(entry.key, 60 * minutes - 3, number, pause_seconds=paused, pause_count=1)
        for entry, minutes, number in ((first, 0, 1), (second, 8, 2))
    ]
    found = work_out([first, second], DEFAULT_WINDOW, (), records=records)
    assert {p.flags for players in found.players.values() for p in players} == {()}
    assert set(found.validities.values()) == {(None, None)}


@pytest.mark.parametrize("told", [None, 0, 60])
def test_a_pause_that_nobody_or_no_record_tells_leaves_the_numbers_unknown(told: int | None) -> None:
    entry = make_round(0, 1, *lobby(kills=5, minutes_played=11.0))
    for records in ([], [make_record("r", -3, pause_seconds=told)]):
        found = work_out([entry], DEFAULT_WINDOW, (), records=records)
        assert {(p.kills, p.flags) for p in found.players[entry.key]} == {(None, ("there_for_longer",))}


def test_of_a_held_round_the_pause_is_added_to_its_limit() -> None:
    entry = make_round(0, 1, *lobby(kills=5, minutes_played=15.0), **HELD, limit="12:00")
    record = make_record("r", -3, pause_seconds=180, duration_seconds=720.0, winner_side=AXIS)
    assert {p.flags for p in work_out([entry], DEFAULT_WINDOW, (), records=[record]).players[entry.key]} == {()}
    assert {p.flags for p in work_out([entry], DEFAULT_WINDOW, ()).players[entry.key]} == {("there_for_longer",)}


def test_a_match_whose_round_1_holds_more_than_itself_keeps_its_result_and_its_round_2() -> None:
    carried = make_round(0, 1, *lobby(kills=9, minutes_played=14.0))
    after = make_round(
        8, 2, *lobby(rounds=1, swap=True, kills=13, minutes_played=20.0), limit="8:00", attack_time="6:00"
    )
    found = work_out([carried, after], DEFAULT_WINDOW, ())
    assert {place.status for place in found.placed.values()} == {Status.COMPLETE}
    assert found.validities[carried.key].unscored_reason is None
    why = "the players' minutes are above what the round can have lasted"
    assert found.validities[carried.key].invalid_reason == why
    assert found.validities[after.key] == (None, None)
    assert {p.kills for p in found.players[after.key]} == {4}


def test_a_held_round_1_replayed_with_its_counters_is_a_replay_and_no_aborted_round_2() -> None:
    held = make_round(0, 1, *lobby(kills=5, minutes_played=12.0), winner=AXIS, attack_time="12:00")
    replay = make_round(20, 1, *lobby(rounds=1, kills=9, minutes_played=20.0))
    after = make_round(
        30, 2, *lobby(rounds=2, swap=True, kills=15, minutes_played=26.0), limit="8:00", attack_time="6:00"
    )
    found = work_out([held, replay, after], DEFAULT_WINDOW, ())
    assert found.placed[after.key].partner == replay.key
    assert found.placed[held.key].status is Status.SUPERSEDED
    assert {p.kills for p in found.players[after.key]} == {6}
    assert {p.kills for p in found.players[replay.key]} == {None}


def test_a_replay_of_the_map_right_after_a_match_starts_at_nothing() -> None:
    rounds = [first_round(0), second_round(8), first_round(20)]
    players = own_numbers(rounds, pair_rounds(rounds))
    assert {p.flags for p in players[rounds[2].key]} == {()}
