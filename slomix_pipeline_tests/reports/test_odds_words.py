"""Odds in words: each number with what it is of, and nothing said of what is not held against it."""

from dataclasses import replace

import pytest

from slomix_pipeline.reports.odds_words import half_time_parts, half_time_text, odds_of_result, outcome_text
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse.predictions import HalfTimeSaid
from slomix_pipeline.warehouse.reading import MatchSeen
from slomix_pipeline_tests.discord.seen import BEATEN, match_of, seen

SAID = HalfTimeSaid("r1", to_beat=231, limit_seconds=720, attacks=48, par=275, par_attacks=44, chance=0.35)


def told(**facts: object) -> MatchSeen:
    """A match of two rounds of which that was said; Team A attacked first."""
    whole = match_of(seen(**BEATEN), seen(**BEATEN), winner=Winner.B)
    whole = replace(whole, status=Status.COMPLETE, source=Source.HEADER, attackers_first=Team.A, half_time=SAID)
    return replace(whole, **facts)  # type: ignore[arg-type]


def test_par_says_what_it_is_of_where_odds_are_of_other_attacks() -> None:
    assert half_time_parts(SAID) == ["par 4:35 (of 44)", "about 35 % of attacks are this fast (48 so far)"]
    assert half_time_parts(replace(SAID, par_attacks=48))[0] == "par 4:35"
    held = replace(SAID, to_beat=720, par=None, limit_seconds=720)
    assert half_time_parts(held) == ["about 35 % of attacks make it (48 so far)"]


def test_without_odds_no_number_stands_beside_a_par_that_is_of_others() -> None:
    few = replace(SAID, chance=None, attacks=0)
    assert half_time_parts(few) == ["par 4:35 (of 44)", "too few attacks for odds"]
    assert half_time_parts(replace(few, par=None)) == ["0 attacks on this map so far"]
    assert half_time_parts(replace(few, par=None, attacks=1)) == ["1 attack on this map so far"]


def test_afterwards_the_time_stands_with_it() -> None:
    assert half_time_text(replace(SAID, par=None)) == "to beat 3:51 · about 35 % of attacks are this fast (48 by then)"
    assert half_time_text(replace(SAID, par=None, to_beat=720)).startswith("to make it in 12:00 · ")


def test_the_odds_of_what_came_are_those_of_who_then_won() -> None:
    assert odds_of_result(told()) == "about 35 %"
    assert odds_of_result(told(winner=Winner.A)) == odds_of_result(told(winner=Winner.DRAW)) == "about 65 %"


@pytest.mark.parametrize(
    "facts",
    [
        {"source": Source.OVERRIDE},
        {"source": None},
        {"disputed": True},
        {"winner": None},
        {"attackers_first": None},
        {"status": Status.R1_ONLY},
        {"half_time": None},
        {"half_time": replace(SAID, chance=None)},
    ],
)
def test_nothing_is_held_against_a_match_that_is_not_scored(facts: dict[str, object]) -> None:
    assert odds_of_result(told(**facts)) is None


def test_what_was_said_too_late_is_not_counted() -> None:
    assert outcome_text(True, late=True) == "late, not counted"
    assert [outcome_text(came, late=False) for came in (True, False, None)] == ["beaten", "not beaten", "not known"]
