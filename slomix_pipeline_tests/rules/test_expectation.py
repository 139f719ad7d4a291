"""The fit of what is expected: it finds a truth that is known, adds up to what was done, and knows no future."""

import random
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomix_pipeline.rules.expectation import Judgement, fit, walk
from slomix_pipeline.rules.expected import Metric, Parameters, PlayedRound, Sum, expectations, judged, own_sd, summed
from slomix_pipeline.rules.form import Against
from slomix_pipeline_tests.rules.played_history import ATTACK, MAPS, history

PLAYERS = [f"{number:08X}" for number in range(9)]
SKILL = {guid: (place - 4) / 20 for place, guid in enumerate(PLAYERS)}
ALIKE = dict.fromkeys(PLAYERS, 0.0)
PLAYED = history(7, SKILL, nights=20)


def fitted(rounds: list[PlayedRound], metric: Metric = Metric.DAMAGE) -> Parameters:
    found = fit(rounds, metric)
    assert found is not None
    return found


def nights_of(judgements: Iterable[Judgement]) -> list[Sum]:
    """The sums of every player of every night, of those who were known well enough and long enough there."""
    return [own for night in judgements for own in summed(night.expectations) if own.tells_spread]


def r_squared(nights: Sequence[Sum]) -> float:
    """The part of what rates differ by that was expected."""
    rates = [log(night.actual / night.minutes) for night in nights]
    return 1 - sum(log(night.ratio) ** 2 for night in nights) / (len(rates) * statistics.pvariance(rates))


def test_the_fit_finds_who_is_good_what_a_map_gives_and_that_attackers_do_less() -> None:
    found = fitted(PLAYED)
    assert sorted(PLAYERS, key=lambda guid: found.players[guid]) == PLAYERS
    assert abs(found.attack - ATTACK) < 0.03
    for map_name, effect in MAPS.items():
        assert abs(found.maps[map_name] - effect) < 0.03
    assert abs(found.players[PLAYERS[-1]] - found.players[PLAYERS[0]] - 0.4) < 0.05
    assert found.rounds[PLAYERS[0]] == sum(PLAYERS[0] in {line.guid for line in one.lines} for one in PLAYED)


def test_who_lets_others_do_much_is_told_from_who_does_much() -> None:
    soft = PLAYERS[0]
    rounds = []
    for one in PLAYED:
        side = next((line.side for line in one.lines if line.guid == soft), None)
        lines = [
            replace(line, damage=round((line.damage or 0) * 1.2)) if side not in (None, line.side) else line
            for line in one.lines
        ]
        rounds.append(replace(one, lines=tuple(lines)))
    found = fitted(rounds)
    assert max(found.opponents, key=lambda guid: found.opponents[guid]) == soft
    assert abs(found.players[soft] - fitted(PLAYED).players[soft]) < 0.03


def test_a_guest_of_one_round_stays_near_everybody_else() -> None:
    first = PLAYED[0]
    lines = (replace(first.lines[0], guid="GUEST", damage=3 * (first.lines[0].damage or 0)), *first.lines[1:])
    assert 0 < fitted([replace(first, lines=lines), *PLAYED[1:]]).players["GUEST"] < 0.35  # he did three times as much


@pytest.mark.parametrize("metric", Metric)
def test_all_together_did_what_was_expected_of_all(metric: Metric) -> None:
    found = expectations(fitted(PLAYED, metric), PLAYED)
    assert abs(sum(one.expected for one in found) / sum(one.actual for one in found) - 1) < 1e-6


@pytest.mark.parametrize("metric", Metric)
def test_of_nights_that_no_fit_has_seen_it_is_so_within_three_in_a_hundred(metric: Metric) -> None:
    nights = list(walk(PLAYED, metric))
    later = [one for night in nights[4:] for one in night.expectations]
    assert abs(sum(one.expected for one in later) / sum(one.actual for one in later) - 1) < 0.03


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_neither_the_order_of_rounds_nor_that_of_their_lines_matters(lot: random.Random) -> None:
    turned = [replace(one, lines=tuple(lot.sample(one.lines, len(one.lines)))) for one in PLAYED[:60]]
    lot.shuffle(turned)
    assert fit(turned, Metric.KILLS) == fit(PLAYED[:60], Metric.KILLS)


def test_a_night_is_judged_by_exactly_the_fit_of_the_nights_before_it() -> None:
    nights = list(walk(PLAYED, Metric.DAMAGE))
    assert [night.night for night in nights] == sorted({one.night for one in PLAYED})
    assert (nights[0].parameters, nights[0].expectations) == (None, [])
    assert nights[5].parameters == fit(PLAYED[: 5 * 12], Metric.DAMAGE)
    changed = [replace(one, lines=()) if one.night >= nights[5].night else one for one in PLAYED]
    assert list(walk(changed, Metric.DAMAGE))[5].parameters == nights[5].parameters


def test_what_another_server_plays_at_the_same_time_is_no_earlier_night() -> None:
    nights = sorted({one.night for one in PLAYED})
    early, late = ([one for one in PLAYED if one.night == night] for night in nights[:2])
    begins = min(one.played_at for one in early) + timedelta(minutes=1) - min(one.played_at for one in late)
    at_once = [replace(one, played_at=one.played_at + begins) for one in late]
    found = list(walk([*early, *at_once, *(one for one in PLAYED if one.night == nights[2])], Metric.DAMAGE))
    assert [night.parameters is None for night in found] == [True, True, False]


def test_of_nothing_or_of_what_nobody_knows_there_is_no_fit() -> None:
    unknown = [replace(one, lines=tuple(replace(line, damage=None) for line in one.lines)) for one in PLAYED[:2]]
    assert fit([], Metric.DAMAGE) is None and fit(unknown, Metric.DAMAGE) is None
    assert fit(unknown, Metric.KILLS) is not None


def test_a_short_round_is_not_fitted_but_expected() -> None:
    short = replace(PLAYED[0], lines=tuple(replace(line, seconds=119) for line in PLAYED[0].lines))
    assert fit([short], Metric.DAMAGE) is None
    assert len(expectations(fitted(PLAYED), [short])) == len(short.lines)


def test_nights_are_expected_well_where_players_differ_and_not_at_all_where_they_do_not() -> None:
    known = nights_of(walk(PLAYED, Metric.DAMAGE))
    assert r_squared(known) > 0.7 and statistics.mean(abs(night.ratio - 1) for night in known) < 0.07
    assert r_squared(nights_of(walk(history(8, ALIKE, nights=20), Metric.DAMAGE))) < 0.3


def test_of_players_who_are_what_they_are_about_four_nights_in_five_are_usual() -> None:
    verdicts = [
        judged(night, own_sd(Metric.DAMAGE, before))
        for seed in range(5)
        for nights in of_each(history(seed, SKILL, nights=25, scatter=0.28)).values()
        for at, night in enumerate(nights)
        if (before := nights[:at])
    ]
    usual = verdicts.count(Against.EVEN) / len(verdicts)
    assert 0.7 < usual < 0.9 and None not in verdicts
    assert abs(verdicts.count(Against.ABOVE) - verdicts.count(Against.BELOW)) < 0.1 * len(verdicts)


def of_each(rounds: list[PlayedRound]) -> dict[str, list[Sum]]:
    found: dict[str, list[Sum]] = {}
    for night in nights_of(walk(rounds, Metric.DAMAGE)):
        found.setdefault(night.guid, []).append(night)
    return found


def test_how_far_a_player_scatters_is_told_by_his_own_nights_in_the_long_run() -> None:
    steady = of_each(history(3, ALIKE, nights=60, scatter=0.05))
    assert statistics.mean(own_sd(Metric.DAMAGE, nights) for nights in steady.values()) < 0.055
