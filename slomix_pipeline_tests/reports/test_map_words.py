"""A map in words: what is not known is said, and no advantage is claimed that may be chance."""

from dataclasses import replace
from typing import Any

import pytest

from slomix_pipeline.reports.map_words import (
    advantage_text,
    attacks_text,
    card_below_par,
    card_text,
    curves_text,
    finish_text,
    par_text,
    quartiles_text,
)
from slomix_pipeline.rules.attack_order import advantage
from slomix_pipeline.rules.par import Attack, Par, holding_curve
from slomix_pipeline.rules.team_names import UNNAMED
from slomix_pipeline.warehouse.map_cards import Finish, MapCurves, ParUntilGivenUp
from slomix_pipeline.warehouse.maps import MapNumbers
from slomix_pipeline_tests.building import EVENING

ESCAPE = MapNumbers("te_escape2", 34, 0, 15, 19, EVENING, 720, 0, Par(68, 61, 275, 0.096, 220, 403), advantage(15, 19))


def seen(first: int = 15, second: int = 19, **of_par: Any) -> MapNumbers:
    return replace(ESCAPE, advantage=advantage(first, second), par=replace(ESCAPE.par, **of_par))


def test_a_map_is_told_in_one_sentence() -> None:
    assert card_text(ESCAPE) == "par 4:35, one in ten is held; no first-attack advantage shown (15 of 34)"
    assert card_below_par(ESCAPE) == "4:35, one in ten is held; no first-attack advantage shown (15 of 34)"
    assert attacks_text(ESCAPE) == "61 of 68 attacks completed, limit 12:00"
    assert par_text(ESCAPE) == "par 4:35, one in ten is held (61 of 68 attacks completed, limit 12:00)"
    assert quartiles_text(ESCAPE) == "a quarter by 3:40, half by 4:35, three quarters by 6:43"


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.52, "one in two is held"),
        (0.36, "35 % are held"),
        (0.01, "under 5 % are held"),
        (0.0, "none was seen to hold to the end"),
        (0.99, "over 95 % are held"),
        (1.0, "100 % are held"),
        (None, "how many are held to the end is not known, as none was seen to the limit"),
    ],
)
def test_how_often_a_map_is_held_is_told_as_exactly_as_it_is_known(share: float | None, words: str) -> None:
    assert card_text(seen(0, 0, held_share=share)) == f"par 4:35, {words}"


def test_what_is_not_reached_or_from_too_few_attacks_is_said() -> None:
    held = seen(par=None, three_quarters=None, held_share=0.6, attacks=12)
    assert card_text(held).startswith("par not reached, 60 % are held; ")
    assert attacks_text(held).endswith("; early, of few attacks")
    assert quartiles_text(held) == "a quarter by 3:40, half not reached, three quarters not reached"
    few = seen(0, 0, attacks=4, completed=3)
    assert (card_text(few), quartiles_text(few)) == ("a par is told from 10 attacks on", "")


def test_an_advantage_is_claimed_only_where_it_is_more_than_chance() -> None:
    assert advantage_text(ESCAPE) == "15 of 34, 29–61 %: no advantage shown"
    assert advantage_text(seen(25, 9)) == "25 of 34, 57–85 %: an advantage"
    assert advantage_text(seen(9, 25)) == "9 of 34, 15–43 %: a disadvantage"
    assert advantage_text(seen(0, 0)) == "no match yet of which that is known"
    drawn = replace(seen(7, 5), matches=16, draws=4)
    assert advantage_text(drawn) == "7 of 12, 32–81 %: no advantage shown; 4 of 16 drawn"
    assert card_text(seen(25, 9)).endswith("; attacking first has an advantage (25 of 34)")
    assert card_text(seen(9, 25)).endswith("; attacking second has an advantage (25 of 34)")


def test_what_else_is_to_be_known_of_par_is_said_where_it_says_something() -> None:
    slow, fast = (holding_curve([Attack(seconds, True)] * 12) for seconds in (300, 200))
    assert curves_text(None) == curves_text(MapCurves(slow, None, None, None)) == ""
    assert curves_text(MapCurves(slow, slow, fast, ParUntilGivenUp(None))) == (
        "first and second attacks differ: par first 5:00 (12 attacks), second 3:20 (12 attacks); "
        "par not reached if attacks that were given up count up to then alone"
    )


def test_a_close_finish_says_by_how_much() -> None:
    won = Finish("main:m", "main:s", "main:r", EVENING, UNNAMED["A"], 275, 272)
    assert finish_text(won) == "by 3 s, 4:32 to beat 4:35"
    assert finish_text(replace(won, seconds=275)) == "within the second, 4:35 to beat 4:35"
