"""The round-2 differential: a round's own numbers, out of files that count on from round 1."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, SPECTATOR, WeaponCounts
from slomix_pipeline.formats.tail import TAIL_FIELDS
from slomix_pipeline.rules.differential import (
    orphan_players,
    round_one_players,
    round_two_players,
    seconds,
)
from slomix_pipeline.rules.pairing import pair_rounds
from slomix_pipeline.rules.policy import COUNTERS, POLICY, Policy
from slomix_pipeline.rules.rounds import own_numbers
from slomix_pipeline_tests.building import (
    first_round,
    lobby,
    make_line,
    make_round,
    make_stats,
    round_two,
    second_round,
)


def numbers(names: Iterable[str], value: int) -> dict[str, Any]:
    """``value`` in each of the named fields."""
    return dict.fromkeys(names, value)


def test_every_field_of_a_file_has_exactly_one_policy() -> None:
    assert POLICY.keys() == set(TAIL_FIELDS)


# --- players without identity ---

NOBODY, OTHER_NOBODY = "NO-00001", "NO-00002"  # as ``rules.identity`` makes them


def test_of_a_player_without_identity_round_1_is_known_and_of_round_2_only_what_is_its_own() -> None:
    first = make_stats(*lobby(kills=5), make_line(NOBODY, AXIS, 0, kills=8, xp=50))
    second = make_stats(*lobby(1, True, kills=9), make_line(OTHER_NOBODY, ALLIES, 1, kills=16, xp=60), number=2)
    before = round_one_players(first, second)[-1]
    assert (before.kills, before.side, before.counters["xp"], before.flags) == (8, AXIS, 50, ("no_identity",))
    known, after = round_two_players(first, second)[-2:]
    assert (known.kills, known.flags) == (4, ())
    assert (after.kills, after.weapons, after.seconds_played, after.counters["damage_given"]) == (None,) * 4
    assert (after.side, after.counters["xp"], after.flags) == (ALLIES, 60, ("cumulative", "no_identity"))


def test_a_player_without_identity_whose_counters_began_in_round_2_has_his_line() -> None:
    first = make_stats(*lobby(kills=5), make_line(NOBODY, AXIS, 0, kills=8))
    second = make_stats(*lobby(1, True, kills=9), make_line(OTHER_NOBODY, ALLIES, 0, kills=11), number=2)
    found = round_two_players(first, second)[-1]
    assert (found.kills, found.flags) == (11, ("no_identity",))


def test_a_player_without_identity_in_round_2_alone_may_go_on_from_anybody_who_is_missing_there() -> None:
    second = make_stats(*lobby(1, True, kills=9), make_line(NOBODY, ALLIES, 1, kills=11), number=2)
    assert round_two_players(make_stats(*lobby(kills=5)), second)[-1].kills == 11
    gone = make_stats(*lobby(kills=5), make_line("gone", AXIS, 0, kills=3))
    assert round_two_players(gone, second)[-1].kills is None


def test_a_known_player_of_round_2_who_may_be_one_without_identity_in_round_1_is_not_taken_for_new() -> None:
    second = make_stats(*lobby(1, True, kills=9), make_line("eve", ALLIES, 1, kills=11), number=2)
    could_be = make_stats(*lobby(kills=5), make_line(NOBODY, AXIS, 0, kills=8))
    found = round_two_players(could_be, second)[-1]
    assert (found.guid, found.kills, found.flags) == ("eve", None, ("cumulative",))
    cannot = make_stats(*lobby(kills=5), make_line(NOBODY, AXIS, 0, kills=12))
    found = round_two_players(cannot, second)[-1]
    assert (found.kills, found.flags) == (11, ())


# --- ordinary players ---


def test_cumulative_numbers_are_subtracted() -> None:
    first = make_line("ada", AXIS, 0, kills=10, deaths=8, hits=90, shots=200, headshots=9, damage_given=2000)
    second = make_line(
        "ada", ALLIES, 1, kills=20, deaths=10, hits=162, shots=401, headshots=18, damage_given=3000, minutes_played=15.0
    )
    (player,) = round_two(first, second)
    assert (player.kills, player.deaths, player.hits, player.shots, player.headshots) == (10, 2, 72, 201, 9)
    assert (player.counters["damage_given"], player.seconds_played, player.side) == (1000, 300, ALLIES)
    assert player.weapons == {"mp40": WeaponCounts(72, 201, 10, 2, 9)}
    assert player.flags == ()


def test_numbers_the_scripts_count_are_this_rounds_own() -> None:
    own = [name for name in COUNTERS if POLICY[name] is Policy.THIS_ROUND]
    first = make_line("ada", rounds=0, minutes_dead=4.0, **numbers(own, 7))
    second = make_line("ada", rounds=1, kills=1, minutes_played=20.0, minutes_dead=3.0, **numbers(own, 2))
    (player,) = round_two(first, second)
    assert {player.counters[name] for name in own} == {2}
    assert player.seconds_dead == 180
    assert {"xp", "headshot_kills", "times_revived", "denied_playtime", "useful_kills", "revives_given"} <= set(own)


def test_ratios_are_neither_subtracted_nor_copied() -> None:
    assert not {"dpm", "kd", "tank_ratio", "dead_percent", "alive_percent"} & set(COUNTERS)


def test_the_share_of_time_alive_is_weighed_by_the_times() -> None:
    first = make_line("ada", rounds=0, alive_percent=80.0, minutes_played=10.0)
    second = make_line("ada", rounds=1, kills=1, alive_percent=70.0, minutes_played=15.0)
    (player,) = round_two(first, second)
    assert player.alive_percent == pytest.approx((70 * 15 - 80 * 10) / 5)


@pytest.mark.parametrize(
    ("share1", "share2", "expected"), [(100.0, 10.0, 0.0), (10.0, 90.0, 100.0), (None, 90.0, None)]
)
def test_the_share_of_time_alive_stays_between_0_and_100_and_unknown_stays_unknown(
    share1: float | None, share2: float, expected: float | None
) -> None:
    first = make_line("ada", rounds=0, alive_percent=share1)
    second = make_line("ada", rounds=1, kills=1, alive_percent=share2, minutes_played=12.0)
    assert round_two(first, second)[0].alive_percent == expected


@pytest.mark.parametrize(
    ("minutes", "expected"), [(8.3, 498), (0.1, 6), (8.2, 492), (16.9, 1014), (0.0, 0), (None, None)]
)
def test_minutes_become_seconds_without_being_cut_off(minutes: float | None, expected: int | None) -> None:
    assert seconds(minutes) == expected


def test_a_player_who_came_at_half_time_has_only_the_time_he_was_there() -> None:
    (player,) = round_one_players(
        make_stats(make_line("ada", damage_given=1500, minutes_played=5.0), attack_time="10:00")
    )
    assert player.seconds_played is not None
    assert (player.counters["damage_given"] or 0) * 60 / player.seconds_played == 300


def test_names_are_shown_without_colour_codes() -> None:
    (player,) = round_one_players(make_stats(make_line("ada", name="^1A^7da^.!", kills=1)))
    assert player.name == "Ada!"


# --- shots may fall ---


def test_shots_the_engine_took_back_lower_the_players_total_and_leave_the_weapon_row_at_0() -> None:
    first = make_line(
        "ada", rounds=0, weapons={"knife": WeaponCounts(0, 2, 0, 0, 0), "mp40": WeaponCounts(10, 30, 1, 1, 1)}
    )
    second = make_line("ada", rounds=1, weapons={"mp40": WeaponCounts(128, 315, 11, 8, 17)}, minutes_played=18.0)
    (player,) = round_two(first, second)
    assert player.flags == ()
    assert (player.hits, player.shots) == (118, 283)
    assert player.weapons == {"mp40": WeaponCounts(118, 285, 10, 7, 16)}


def test_shots_taken_back_from_a_weapon_that_hit_show_0_shots() -> None:
    first = make_line("ada", rounds=0, weapons={"knife": WeaponCounts(0, 5, 0, 0, 0)})
    second = make_line("ada", rounds=1, weapons={"knife": WeaponCounts(1, 3, 1, 0, 0)}, minutes_played=18.0)
    (player,) = round_two(first, second)
    assert (player.shots, player.weapons) == (-2, {"knife": WeaponCounts(1, 0, 1, 0, 0)})


# --- counter resets ---


def test_a_reset_player_keeps_his_round_two_line() -> None:
    first = make_line("ada", rounds=0, kills=13, damage_given=3039)
    second = make_line("ada", rounds=1, kills=1, damage_given=500, minutes_played=7.5)
    (player,) = round_two(first, second)
    assert (player.kills, player.counters["damage_given"], player.seconds_played) == (1, 500, 450)
    assert player.flags == ("counter_reset",)


def test_rounds_that_did_not_go_up_tell_a_reset_whose_counters_are_all_higher() -> None:
    first = make_line("ada", rounds=1, kills=6, minutes_played=5.0)
    second = make_line("ada", rounds=1, kills=14, minutes_played=11.1)
    (player,) = round_two(first, second)
    assert (player.kills, player.seconds_played, player.flags) == (14, 666, ("counter_reset",))


@pytest.mark.parametrize("name", [n for n in TAIL_FIELDS if POLICY[n] is Policy.CUMULATIVE and n != "bullets_fired"])
def test_any_cumulative_field_that_fell_tells_a_reset(name: str) -> None:
    values: dict[str, Any] = {"minutes_played": 10.0, name: 5}
    first = make_line("ada", rounds=0, kills=1, **values)
    second = make_line("ada", rounds=1, kills=9, **(values | {name: 4}))
    assert round_two(first, second)[0].flags == ("counter_reset",)


@pytest.mark.parametrize("column", ["hits", "kills", "deaths", "headshots"])
def test_any_weapon_number_but_shots_that_fell_tells_a_reset(column: str) -> None:
    counts = WeaponCounts(5, 5, 5, 5, 5)
    first = make_line("ada", rounds=0, weapons={"mp40": counts})
    second = make_line(
        "ada", rounds=1, weapons={"mp40": counts._replace(**{column: 4}), "knife": counts}, minutes_played=18.0
    )
    assert round_two(first, second)[0].flags == ("counter_reset",)


def test_a_weapon_gone_from_the_second_file_tells_a_reset_unless_it_had_only_shots() -> None:
    first = make_line("ada", rounds=0, weapons={"mp40": WeaponCounts(1, 5, 0, 0, 0)})
    second = make_line("ada", rounds=1, weapons={"colt": WeaponCounts(1, 5, 0, 0, 0)}, minutes_played=18.0)
    assert round_two(first, second)[0].flags == ("counter_reset",)


@pytest.mark.parametrize(
    "name",
    [n for n in COUNTERS if POLICY[n] is Policy.THIS_ROUND and n != "headshot_kills"] + ["bullets_fired"],
)
def test_script_counters_and_bullets_fired_may_fall(name: str) -> None:
    first = make_line("ada", rounds=0, kills=1, **numbers([name], 50))
    second = make_line("ada", rounds=1, kills=2, minutes_played=18.0, **numbers([name], 2))
    assert round_two(first, second)[0].flags == ()


def test_a_reset_player_who_ended_as_a_spectator_stood_opposite_of_his_first_side() -> None:
    first = make_line("ada", AXIS, rounds=0, kills=6)
    second = make_line("ada", SPECTATOR, rounds=0, kills=3)
    assert round_two(first, second)[0].side == ALLIES


def test_a_reset_players_capped_dead_time_is_still_flagged() -> None:
    first = make_line("ada", rounds=0, kills=6)
    second = make_line("ada", rounds=0, kills=3, minutes_played=5.0, minutes_dead=9.0)
    (player,) = round_two(first, second)
    assert (player.seconds_dead, player.seconds_dead_raw) == (300, 540)
    assert set(player.flags) == {"counter_reset", "dead_time_capped"}


# --- who was there ---


def test_a_player_of_round_2_alone_has_his_raw_numbers() -> None:
    first, second = make_stats(make_line("ada", kills=1)), make_stats(make_line("bob", kills=4, minutes_played=3.0))
    (player,) = round_two_players(first, second)
    assert (player.guid, player.kills, player.seconds_played, player.flags) == ("bob", 4, 180, ())


def test_a_player_of_round_1_alone_has_no_row_in_round_2() -> None:
    second = make_stats(make_line("bob", rounds=1, kills=4, minutes_played=12.0))
    assert [p.guid for p in round_two_players(make_stats(*lobby(names=("ada", "bob"))), second)] == ["bob"]


def test_a_player_who_sat_round_2_out_has_no_row() -> None:
    first = make_line("ada", AXIS, rounds=0, kills=5, xp=30)
    assert round_two(first, replace(first, side=SPECTATOR, rounds=1, tail=first.tail | {"xp": 0})) == []


def test_a_player_who_only_fired_in_round_2_was_there() -> None:
    first = make_line("ada", rounds=0, shots=5)
    (player,) = round_two(first, make_line("ada", rounds=1, shots=8))
    assert (player.shots, player.seconds_played) == (3, 0)


def test_a_player_who_only_fired_was_there() -> None:
    (player,) = round_one_players(make_stats(make_line("ada", shots=3, minutes_played=0.0)))
    assert (player.shots, player.seconds_played) == (3, 0)


def test_a_line_in_which_nothing_counted_is_no_player() -> None:
    assert round_one_players(make_stats(make_line("ada", SPECTATOR, minutes_played=0.0))) == []
    assert (
        round_two_players(make_stats(make_line("bob")), make_stats(make_line("ada", SPECTATOR, minutes_played=0.0)))
        == []
    )


def test_who_ended_round_2_as_a_spectator_stood_opposite_of_his_first_side() -> None:
    first = make_line("ada", ALLIES, rounds=0, kills=5)
    assert round_two(first, make_line("ada", SPECTATOR, rounds=1, kills=6, minutes_played=12.0))[0].side == AXIS


def test_who_ended_round_1_as_a_spectator_stood_opposite_of_his_second_side() -> None:
    first = make_stats(make_line("ada", SPECTATOR, kills=5))
    second = make_stats(make_line("ada", AXIS, rounds=1, kills=6))
    assert round_one_players(first, second)[0].side == ALLIES
    assert round_one_players(first)[0].side is None


# --- dead time ---


def test_dead_time_above_the_time_played_is_capped_flagged_and_kept_raw() -> None:
    first = make_line("ada", rounds=0, minutes_played=10.0, minutes_dead=3.0)
    second = make_line("ada", rounds=1, kills=1, minutes_played=18.5, minutes_dead=220.7)
    (player,) = round_two(first, second)
    assert (player.seconds_dead, player.seconds_dead_raw) == (510, 13242)
    assert player.flags == ("dead_time_capped",)


def test_dead_time_is_capped_in_round_1_too() -> None:
    (player,) = round_one_players(make_stats(make_line("ada", minutes_played=1.2, minutes_dead=82.4)))
    assert (player.seconds_dead, player.seconds_dead_raw, player.flags) == (72, 4944, ("dead_time_capped",))


def test_dead_all_the_time_is_not_capped() -> None:
    (player,) = round_one_players(make_stats(make_line("ada", minutes_played=2.0, minutes_dead=2.0)))
    assert (player.seconds_dead, player.flags) == (120, ())


# --- orphans and old writers ---


def test_an_orphan_round_2_has_no_cumulative_numbers_but_its_own_ones() -> None:
    (player,) = orphan_players(
        make_stats(make_line("ada", ALLIES, 1, kills=20, damage_given=3000, xp=31, minutes_dead=3.0))
    )
    assert {player.kills, player.deaths, player.hits, player.shots, player.headshots, player.seconds_played} == {None}
    assert player.weapons is None and player.alive_percent is None
    assert all(player.counters[n] is None for n in COUNTERS if POLICY[n] is Policy.CUMULATIVE)
    assert (player.counters["xp"], player.side, player.seconds_dead_raw) == (31, ALLIES, 180)
    assert player.flags == ("cumulative",)


def test_what_an_old_writer_did_not_write_is_unknown() -> None:
    (player,) = round_one_players(make_stats(make_line("ada", multikills_2=1), tail_fields=33))
    names = ("denied_playtime", "useless_kills", "full_self_kills", "repairs", "revives_given")
    assert {player.counters[name] for name in names} == {None}
    assert player.counters["multikills_2"] == 1


@pytest.mark.parametrize("tail_fields", [36, 37, 38])
@pytest.mark.parametrize(("denied", "expected"), [(5143, None), (512, 512)])
def test_playtime_that_so_few_kills_can_not_deny_is_unknown(
    tail_fields: int, denied: int, expected: int | None
) -> None:
    first = make_line("ada", kills=20, rounds=0, denied_playtime=denied, minutes_played=12.0)
    second = make_line("ada", kills=40, rounds=1, denied_playtime=denied, minutes_played=24.0)
    (player,) = round_one_players(make_stats(first, tail_fields=tail_fields))
    assert player.counters["denied_playtime"] == expected
    assert round_two(first, second, tail_fields)[0].counters["denied_playtime"] == expected


@pytest.mark.parametrize(("tail_fields", "expected"), [(33, None), (36, None), (37, None), (38, 30)])
def test_bullets_fired_are_unknown_before_the_38_field_writer(tail_fields: int, expected: int | None) -> None:
    first = make_line("ada", rounds=0, bullets_fired=10)
    second = make_line("ada", rounds=1, kills=1, bullets_fired=40, minutes_played=12.0)
    assert round_two(first, second, tail_fields)[0].counters["bullets_fired"] == expected
    (player,) = round_one_players(make_stats(first, tail_fields=tail_fields))
    assert player.counters["bullets_fired"] == (10 if expected else None)


def test_bullets_fired_of_a_match_played_over_an_update_of_the_writer_are_unknown() -> None:
    first = make_stats(make_line("ada", rounds=0, bullets_fired=400), tail_fields=37)
    second = make_stats(make_line("ada", rounds=1, kills=1, bullets_fired=430, minutes_played=12.0))
    (player,) = round_two_players(first, second)
    assert player.counters["bullets_fired"] is None


# --- a session's rounds ---


def test_every_round_of_a_session_gets_the_numbers_its_place_asks_for() -> None:
    rounds = [
        make_round(-20, 2, *lobby(rounds=0, kills=3)),  # an aborted round 1
        first_round(0),
        second_round(8),
        second_round(16),  # an orphan
    ]
    players = own_numbers(rounds, pair_rounds(rounds))
    assert [{p.kills for p in players[entry.key]} for entry in rounds] == [{3}, {5}, {4}, {None}]


def test_an_aborted_round_2_has_no_cumulative_numbers() -> None:
    rounds = [first_round(0), make_round(5, 1, *second_round(5).stats.players, limit="8:00")]
    players = own_numbers(rounds, pair_rounds(rounds))
    assert {p.kills for p in players[rounds[1].key]} == {None}
