"""Pairs: records with what was expected of them, and a nemesis only where it is no chance."""

import random
from itertools import combinations
from math import comb, exp, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.intervals import likely_share
from slomix_pipeline.rules.pairs import (
    LEAST_KILLS,
    LEAST_MATCHES,
    DecidedMatch,
    Duels,
    Duo,
    beta_above,
    duel_odds,
    duos,
    nemeses,
    nemesis,
    too_many,
)


def played(teams: str, first_won: bool, chance: float | None = 0.5, times: int = 1) -> list[DecidedMatch]:
    first, second = (frozenset(team) for team in teams.split("-"))
    return [DecidedMatch(first, second, first_won, chance)] * times


def test_a_pairs_record_stands_beside_what_was_expected_of_it_and_what_each_did_without_the_other() -> None:
    matches = [
        *played("AB-CD", True, 0.6, times=7),
        *played("CD-AB", True, 0.3, times=4),  # A and B are the second team, .7 to win, and lose
        *played("AC-BD", True, times=2),  # on either side: neither together nor apart
        *played("AC-DE", True, times=3),
        *played("EC-DB", True, times=1),
    ]
    ab, cd = duos(matches)
    assert (ab.one, ab.other, ab.matches, ab.won, ab.apart, ab.apart_won) == ("A", "B", 11, 7, 4, 3)
    assert isclose(ab.expected or 0, 7 * 0.6 + 4 * 0.7) and (ab.low, ab.high) == likely_share(7, 11)
    assert (cd.one, cd.other, cd.matches, cd.won) == ("C", "D", 11, 4)


def test_a_pair_of_few_matches_is_not_listed_and_without_all_odds_nothing_is_expected_of_it() -> None:
    assert duos(played("AB-CD", True, times=LEAST_MATCHES - 1)) == []
    found = duos([*played("AB-CD", True, times=9), *played("AB-CD", False, None)])
    assert [(one.matches, one.won, one.expected) for one in found] == [(10, 9, None), (10, 1, None)]


TEAMS = st.permutations("ABCDEF").map(lambda names: (frozenset(names[:3]), frozenset(names[3:5])))
MATCHES = st.lists(
    st.builds(lambda teams, won: DecidedMatch(teams[0], teams[1], won, 0.4), TEAMS, st.booleans()), max_size=60
)


@given(MATCHES, st.randoms(use_true_random=False))
def test_records_are_those_that_counting_match_by_match_gives_in_any_order(
    matches: list[DecidedMatch], lot: random.Random
) -> None:
    counted = []
    for pair in combinations("ABCDEF", 2):
        own: list[bool] = []
        apart: list[bool] = []
        for match in matches:
            for team, won in ((match.first, match.first_won), (match.second, not match.first_won)):
                there = len(team & set(pair))
                (own if there == 2 else []).append(won)
                (apart if there == len((match.first | match.second) & set(pair)) == 1 else []).append(won)
        if len(own) >= LEAST_MATCHES:
            counted.append((*pair, len(own), sum(own), len(apart), sum(apart)))
    found = duos(lot.sample(matches, len(matches)))
    assert [(d.one, d.other, d.matches, d.won, d.apart, d.apart_won) for d in found] == counted
    assert all(duo_is_sane(one) for one in found)


def duo_is_sane(one: Duo) -> bool:
    return 0 <= one.low <= one.won / one.matches <= one.high <= 1 and one.expected is not None


def test_a_nemesis_is_who_killed_more_often_than_the_odds_of_both_let_expect() -> None:
    odds = {"ADA": 1.0, "BOB": 1.0, "CYD": 2.0}
    found = nemesis("ADA", {"BOB": Duels(12, 28)}, odds)
    assert found is not None and (found.opponent, found.kills, found.of, found.expected) == ("BOB", 28, 40, 20)
    assert 0.98 < found.probability < 0.99
    assert nemesis("ADA", {"CYD": Duels(12, 28)}, odds) is None  # he kills everybody two to one


def test_of_few_kills_there_is_no_nemesis_and_among_many_opponents_he_must_be_the_surer() -> None:
    odds = dict.fromkeys(["ADA", *"BCDEFGH"], 1.0)
    assert nemesis("ADA", {}, odds) is None
    assert nemesis("ADA", {"B": Duels(0, LEAST_KILLS - 1)}, odds) is None
    assert nemesis("ADA", {"B": Duels(0, LEAST_KILLS)}, odds) is not None
    even = dict.fromkeys("CDEFGH", Duels(20, 20))
    assert nemesis("ADA", {"B": Duels(12, 28), **even}, odds) is None
    surer = nemesis("ADA", {"B": Duels(5, 35), **even}, odds)
    assert surer is not None and surer.opponent == "B"


def test_a_nemesis_of_every_second_player_is_one_too_many() -> None:
    assert too_many(7, 14) and not too_many(2, 14) and not too_many(2, 3) and not too_many(10, 60)


def both_sides(pairs: dict[tuple[str, str], Duels]) -> dict[str, dict[str, Duels]]:
    duels: dict[str, dict[str, Duels]] = {guid: {} for pair in pairs for guid in pair}
    for (one, other), own in pairs.items():
        duels[one][other], duels[other][one] = own, Duels(own.deaths, own.kills)
    return duels


def test_who_never_killed_or_never_died_has_odds_all_the_same() -> None:
    odds = duel_odds(both_sides({("ADA", "BOB"): Duels(0, 30)}))
    assert 0 < odds["ADA"] < 0.2 and odds["BOB"] > 5


def test_who_is_always_up_against_the_strong_has_no_nemesis_for_that() -> None:
    skill = dict(zip("ABCDEF", (2.0, 1.6, 1.3, 1.0, 0.8, 0.6), strict=True))
    pairs = {}
    for one, other in ((one, other) for one in "ABC" for other in "DEF"):  # two teams that never mix
        kills = round(5000 * skill[one] / (skill[one] + skill[other]))
        pairs[one, other] = Duels(kills, 5000 - kills)
    odds = duel_odds(both_sides(pairs))
    assert all(odds[one] / odds["A"] == pytest.approx(skill[one] / skill["A"], rel=0.01) for one in skill)
    assert nemeses(both_sides(pairs)) == {}
    pairs["C", "D"] = Duels(2000, 3000)
    assert nemeses(both_sides(pairs))["C"].opponent == "D"


def test_where_only_skill_differs_hardly_anybody_has_a_nemesis() -> None:
    lot, found, looked_at = random.Random(3), 0, 0
    for between in (30, 100, 300):
        for _ in range(15):
            skill = [lot.gauss(0, 0.3) for _ in range(8)]
            pairs = {}
            for one, other in combinations(range(8), 2):
                kills = sum(lot.random() < 1 / (1 + exp(skill[other] - skill[one])) for _ in range(between))
                pairs[str(one), str(other)] = Duels(kills, between - kills)
            found += len(nemeses(both_sides(pairs)))
            looked_at += len(skill)
    assert looked_at == 360 and found / looked_at < 0.04


@given(st.integers(1, 120), st.integers(1, 120), st.floats(0.01, 0.99))
def test_the_beta_distribution_is_the_sum_of_binomials_where_that_is_one(a: int, b: int, x: float) -> None:
    n = a + b - 1
    below = sum(comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert beta_above(x, a, b) == pytest.approx(1 - below, abs=1e-9)


@given(st.floats(0.5, 4000), st.floats(0.5, 4000), st.floats(0.001, 0.999))
def test_it_is_a_probability_for_whatever_is_counted_and_the_other_way_round_the_rest(
    a: float, b: float, x: float
) -> None:
    assert -1e-9 <= beta_above(x, a, b) <= 1 + 1e-9
    assert beta_above(x, a, b) + beta_above(1 - x, b, a) == pytest.approx(1, abs=1e-9)
