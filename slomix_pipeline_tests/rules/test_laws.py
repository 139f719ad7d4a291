"""Conservation laws: what a round's numbers add up to, and who may break them without a mistake."""

from dataclasses import replace
from typing import Any

import pytest

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, SPECTATOR, WeaponCounts
from slomix_pipeline.rules.differential import RoundPlayer, round_one_players, round_two_players
from slomix_pipeline.rules.laws import Finding, header_law, known_causes, lobby_laws, pair_laws
from slomix_pipeline_tests.building import first_round, lobby, make_header, make_line, make_stats, second_round


def players(*numbers: dict[str, Any]) -> list[RoundPlayer]:
    """A lobby of one player per dict, Axis and Allies in turn."""
    names = ("ada", "bob", "cyd", "dan")
    lines = [
        make_line(name, side=(AXIS, ALLIES)[i % 2], **given)
        for i, (name, given) in enumerate(zip(names, numbers, strict=False))
    ]
    return round_one_players(make_stats(*lines))


def broken(findings: list[Finding]) -> dict[str, str]:
    return {finding.law: finding.numbers for finding in findings if finding.holds is False}


def test_a_lobby_whose_kills_deaths_and_damage_add_up_obeys_every_law() -> None:
    found = lobby_laws(
        players(
            {"kills": 5, "deaths": 3, "hits": 50, "shots": 90, "damage_given": 700, "damage_received": 400},
            {"kills": 3, "deaths": 5, "hits": 40, "shots": 80, "damage_given": 400, "damage_received": 700},
        )
    )
    assert [finding.holds for finding in found] == [True] * 7
    assert found[0].numbers == "8 = 8"


@pytest.mark.parametrize(
    ("given", "law", "numbers"),
    [
        ({"kills": 1}, "kills = deaths", "1 ≠ 0"),
        ({"damage_given": 18}, "damage given = received", "18 ≠ 0"),
        ({"team_damage_received": 7}, "team damage given = received", "0 ≠ 7"),
    ],
)
def test_what_nobody_received_breaks_a_law(given: dict[str, int], law: str, numbers: str) -> None:
    assert broken(lobby_laws(players(given, {})))[law] == numbers


def test_kills_of_the_own_side_that_cancel_out_in_the_sum_are_found_side_by_side() -> None:
    found = lobby_laws(players({"kills": 2}, {}, {"deaths": 2}, {}))
    assert broken(found) == {"Axis kills = Allies deaths": "2 ≠ 0", "Allies kills = Axis deaths": "0 ≠ 2"}


def test_a_player_above_his_own_whole_is_named() -> None:
    found = lobby_laws(players({"hits": 9, "shots": 5, "headshots": 2}, {"headshot_kills": 1}))
    assert [(f.law, f.players) for f in found if f.players] == [("headshot kills ≤ kills", ("bob",))]


def test_a_law_over_unknown_numbers_is_neither_kept_nor_broken() -> None:
    unknown = [replace(p, kills=None) for p in players({"kills": 1}, {})]
    assert {f.law: f.holds for f in lobby_laws(unknown)}["kills = deaths"] is None


def test_sides_that_are_not_known_leave_the_laws_of_sides_open() -> None:
    found = {f.law: f.holds for f in lobby_laws([replace(p, side=None) for p in players({}, {})])}
    assert (found["kills = deaths"], found["Axis kills = Allies deaths"]) == (True, None)


@pytest.mark.parametrize(
    ("winner", "time", "number", "holds"),
    [
        (ALLIES, "8:00", 1, True),
        (AXIS, "12:00", 1, True),
        (AXIS, "8:00", 1, False),
        (ALLIES, "12:00", 1, False),
        (ALLIES, "12:00", 2, True),  # within the second that is printed
        (AXIS, "0:00", 2, None),
        (ALLIES, "0:00", 2, None),
        (AXIS, "71:05", 1, None),
        (ALLIES, "71:05", 2, None),
        (0, "8:00", 1, None),
        (ALLIES, "", 1, None),
    ],
)
def test_the_attackers_won_exactly_when_their_time_is_below_the_limit(
    winner: int, time: str, number: int, holds: bool | None
) -> None:
    assert header_law(make_header(number=number, winner=winner, attack_time=time), number).holds is holds


def test_a_round_2_that_goes_on_from_its_round_1_is_confirmed_three_times() -> None:
    found = pair_laws(first_round(0).stats, second_round(8).stats)
    assert [(f.holds, f.numbers) for f in found] == [
        (True, "8:00 and 8:00"),
        (True, "4 of 4 shared players"),
        (True, "4 of 4 shared players"),
    ]


def test_a_foreign_round_2_is_not() -> None:
    stranger = make_stats(*lobby(rounds=0), number=2, limit="9:00")
    assert [f.holds for f in pair_laws(first_round(0).stats, stranger)] == [False, False, False]


@pytest.mark.parametrize(("limit", "holds"), [("8:00", True), ("7:30", True), ("8:30", False), ("?", None)])
def test_scripts_may_shorten_round_2_and_nothing_makes_it_longer(limit: str, holds: bool | None) -> None:
    assert pair_laws(first_round(0).stats, second_round(8, limit=limit).stats)[0].holds is holds


def test_spectators_need_not_swap_sides() -> None:
    first = make_stats(make_line("ada", AXIS), make_line("bob", SPECTATOR))
    second = make_stats(
        make_line("ada", ALLIES, rounds=1), make_line("bob", SPECTATOR, rounds=1), number=2, limit="8:00"
    )
    assert pair_laws(first, second)[1] == Finding("shared players swap sides", True, "1 of 1 shared players")


def test_who_reconnected_came_late_or_left_is_named_as_a_cause() -> None:
    first = make_stats(*(make_line(name, minutes_played=8.0, kills=3) for name in ("ada", "bob", "cyd")))
    second = make_stats(
        make_line("ada", ALLIES, rounds=1, kills=4, minutes_played=16.0),
        make_line("bob", ALLIES, rounds=0, kills=1, minutes_played=2.0),
        make_line("dan", AXIS, rounds=0, kills=1, minutes_played=3.0),
        number=2,
    )
    causes = known_causes(round_two_players(first, second), first)
    assert [cause.partition(": ")[0] for cause in causes] == [
        "bob reconnected",
        "dan was there for 3:00 of 8:00",
        "cyd of round 1 has no numbers here",
    ]


def fight(*numbers: tuple[str, int, int, int]) -> list[RoundPlayer]:
    """A lobby by name, side, kills and deaths."""
    return round_one_players(make_stats(*(make_line(n, s, kills=k, deaths=d, hits=50) for n, s, k, d in numbers)))


# Cyd killed twice and died once as Axis before he went over to the Allies.
SWITCHED = [("ada", AXIS, 3, 3), ("bob", AXIS, 2, 3), ("cyd", ALLIES, 5, 3), ("dan", ALLIES, 3, 4)]


def test_who_changed_sides_explains_a_broken_law_of_sides_and_is_named_by_his_other_rounds() -> None:
    lobby_of = fight(*SWITCHED)
    assert broken(lobby_laws(lobby_of)) == {
        "Axis kills = Allies deaths": "5 ≠ 7",
        "Allies kills = Axis deaths": "8 ≠ 6",
    }
    before = fight(("ada", ALLIES, 1, 1), ("bob", ALLIES, 1, 1), ("cyd", ALLIES, 1, 1), ("dan", AXIS, 1, 1))
    (cause,) = known_causes(lobby_of, None, [before])
    assert cause.startswith("cyd changed sides on the way")


def test_without_another_round_everybody_who_may_have_changed_sides_is_named() -> None:
    (cause,) = known_causes(fight(*SWITCHED), None)
    assert cause.startswith("one of cyd, dan changed sides on the way")


def test_who_went_over_to_the_axis_is_looked_for_there() -> None:
    mirrored = [(name, AXIS if side == ALLIES else ALLIES, k, d) for name, side, k, d in SWITCHED]
    (cause,) = known_causes(fight(*mirrored), None)
    assert cause.startswith("one of cyd, dan changed sides")


def test_nobody_changed_sides_where_the_kills_are_not_the_deaths_or_the_sides_agree() -> None:
    for numbers in ([("ada", AXIS, 3, 0), ("bob", ALLIES, 0, 2)], [("ada", AXIS, 3, 2), ("bob", ALLIES, 2, 3)]):
        assert not any("changed sides" in cause for cause in known_causes(fight(*numbers), None))


def test_who_did_not_swap_sides_with_the_others_is_named() -> None:
    first, second = first_round(0).stats, second_round(8).stats
    ada = next(line for line in second.players if line.guid == first.players[0].guid)
    stayed = replace(second, players=(replace(ada, side=first.players[0].side), *second.players[1:]))
    assert not pair_laws(first, stayed)[1].holds
    causes = known_causes(round_two_players(first, stayed), first)
    assert f"{ada.guid} ended both rounds on the same side: he changed sides" in causes


def test_without_a_cause_in_the_file_the_check_says_so() -> None:
    (cause,) = known_causes(players({"kills": 1}, {}), None)
    assert "nobody in this file explains it" in cause


@pytest.mark.parametrize("bullets", [30, 0])
def test_a_player_may_hit_more_often_than_he_fired_for_a_grenade_hits_several(bullets: int) -> None:
    weapons = {"grenade": WeaponCounts(4, 2, 0, 0, 0), "mp40": WeaponCounts(0, bullets, 0, 0, 0)}
    assert broken(lobby_laws(round_one_players(make_stats(make_line("ada", weapons=weapons))))) == {}
