"""Even teams: all splits are looked at, wishes are kept, and of equally even ones the newer comes first."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules import balance
from slomix_pipeline.rules.balance import LineUp, Lobby, Side, Split, Wishes, most_even

STRENGTHS = {"A": 0.3, "B": 0.2, "C": 0.1, "D": 0.0, "E": -0.1, "F": -0.2}
LEVEL = dict.fromkeys("ABCDEF", 300.0)
NOW = datetime(2026, 5, 1, 22, tzinfo=UTC)


def by_strength(strengths: Mapping[str, float]) -> balance.Chance:
    """A chance that goes with the difference of both means."""

    def chance(first: Side, second: Side) -> float:
        means = (sum(strengths[one] for one in team) / len(team) for team in (first, second))
        return 0.5 + (next(means) - next(means)) / 10

    return chance


def teams(splits: list[Split]) -> list[str]:
    return [f"{''.join(one.first)}-{''.join(one.second)}" for one in splits]


@pytest.mark.parametrize(("size", "splits"), [(6, 10), (7, 35), (8, 35), (9, 126), (10, 126), (11, 462), (12, 462)])
def test_every_split_is_looked_at_once(size: int, splits: int) -> None:
    seen = []

    def chance(first: Side, second: Side) -> float:
        seen.append(frozenset((first, second)))
        return 0.5

    most_even(Lobby(dict.fromkeys("ABCDEFGHIJKL"[:size], 1.0)), chance=chance)
    assert len(seen) == len(set(seen)) == splits == comb(size, size // 2) // (2 - size % 2)


def test_of_six_strengths_in_even_steps_three_splits_are_equally_even() -> None:
    found = most_even(Lobby(LEVEL), chance=by_strength(STRENGTHS))
    assert [round(abs((one.chance or 0) - 0.5) * 10, 4) for one in found] == [0.0333] * 3
    assert teams(found) == ["ACF-BDE", "ADE-BCF", "ADF-BCE"]  # all else being equal, in order of GUID


def test_without_chances_teams_are_compared_by_what_damage_is_expected_of_them() -> None:
    (best, second, _) = most_even(Lobby({"A": 500, "B": 400, "C": 300, "D": 180}))
    assert (best.first, best.second, best.damage, best.chance) == (("A", "D"), ("B", "C"), (680, 700), None)
    assert second.first == ("A", "C")


def test_of_equal_chances_the_smaller_difference_in_damage_comes_first() -> None:
    damage = {"A": 500, "B": 400, "C": 300, "D": 180}
    assert teams(most_even(Lobby(damage), chance=lambda _first, _second: 0.6)) == ["AD-BC", "AC-BD", "AB-CD"]


def test_then_what_was_not_played_of_late() -> None:
    played = [LineUp(frozenset("ABC"), NOW), LineUp(frozenset("ABDX"), NOW - timedelta(days=29))]
    long_ago = LineUp(frozenset("ABE"), NOW - timedelta(days=31))
    found = most_even(Lobby(LEVEL, earlier=[*played, long_ago]))
    assert teams(found) == ["ABE-CDF", "ABF-CDE", "ACD-BEF"]
    assert found[0].last_together == (long_ago.played_at, None)
    kept = most_even(Lobby(LEVEL, earlier=played), Wishes(together=["ABD"]))
    assert kept[0].last_together == (played[1].played_at, None)


def test_newcomers_stand_against_each_other_even_where_that_is_less_even() -> None:
    strengths = {"A": 0.0, "B": 0.0, "C": 0.3, "D": 0.3, "E": -0.3, "F": -0.2}
    (best, *_) = most_even(Lobby(LEVEL, newcomers="AB"), chance=by_strength(strengths))
    assert "A" in best.first and "B" in best.second
    (together, *_) = most_even(Lobby(LEVEL, newcomers="AB"), Wishes(together=["AB"]), by_strength(strengths))
    assert together.first[:2] == ("A", "B")  # what people wish comes first


def test_of_an_odd_number_one_team_has_a_man_less() -> None:
    (best, *_) = most_even(Lobby({"A": 300, "B": 290, "C": 590}))
    assert (best.first, best.second) == (("A", "B"), ("C",))
    (best, *_) = most_even(Lobby({"A": 590, "B": 290, "C": 300}))
    assert (best.first, best.second) == (("A",), ("B", "C"))


def test_wishes_that_contradict_each_other_leave_nothing() -> None:
    assert most_even(Lobby(LEVEL), Wishes(together=["AB"], apart=[("A", "B")])) == []
    assert most_even(Lobby(LEVEL), Wishes(together=["ABCD"])) == []


@pytest.mark.parametrize(
    ("damage", "wishes", "said"),
    [
        ({"A": 1.0}, Wishes(), "1 players"),
        (dict.fromkeys("ABCDEFGHIJKLMNOPQ", 1.0), Wishes(), "2 to 16"),
        (LEVEL, Wishes(apart=[("A", "X")]), "not there: X"),
        (LEVEL, Wishes(together=["AY", "AZ"]), "not there: Y, Z"),
    ],
)
def test_what_can_not_be_split_is_said(damage: dict[str, float], wishes: Wishes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        most_even(Lobby(damage), wishes)


NUMBERS = st.lists(st.integers(-40, 40), min_size=2, max_size=9)
PAIRS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] != pair[1]), max_size=2)


@given(NUMBERS, PAIRS, PAIRS, st.booleans())
def test_it_is_as_even_as_trying_all_assignments_can_make_it(
    numbers: list[int],
    together: list[tuple[int, int]],
    apart: list[tuple[int, int]],
    with_chance: bool,
) -> None:
    names = "ABCDEFGHI"[: len(numbers)]
    strengths = {name: number / 100 for name, number in zip(names, numbers, strict=True)}
    damage = {name: 300.0 + number for name, number in zip(names, numbers, strict=True)}
    there = range(len(names))
    wishes = Wishes(
        [(names[one], names[other]) for one, other in together if one in there and other in there],
        [(names[one], names[other]) for one, other in apart if one in there and other in there],
    )
    chance = by_strength(strengths)
    found = most_even(Lobby(damage), wishes, chance if with_chance else None)

    tried: dict[frozenset[Side], float] = {}
    for places in product((False, True), repeat=len(names)):
        place = dict(zip(names, places, strict=True))
        first = tuple(name for name in names if place[name])
        second = tuple(name for name in names if not place[name])
        if (
            abs(len(first) - len(second)) <= 1
            and all(place[one] is place[other] for one, other in wishes.together)
            and all(place[one] is not place[other] for one, other in wishes.apart)
        ):
            lead = sum(damage[one] for one in first) - sum(damage[one] for one in second)
            tried[frozenset((first, second))] = abs(chance(first, second) - 0.5 if with_chance else lead)
    assert [tried[frozenset((one.first, one.second))] for one in found] == pytest.approx(sorted(tried.values())[:3])
    assert found == most_even(Lobby(dict(reversed(damage.items()))), wishes, chance if with_chance else None)
