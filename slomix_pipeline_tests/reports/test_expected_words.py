"""What was expected, in words."""

from dataclasses import replace
from datetime import UTC, datetime

from slomix_pipeline.reports import expected_words as words
from slomix_pipeline.rules.expected import Metric
from slomix_pipeline.rules.form import Against
from slomix_pipeline.warehouse.expectations import Held
from slomix_pipeline.warehouse.form_changes import FormChange
from slomix_pipeline.warehouse.surprises import Surprise

HELD = Held(12, 60.0, 6140, 5687.3, 6140 / 5687.3, 0.9, 1.115, Against.EVEN)
UP = FormChange("damage", datetime(2026, 3, 3, tzinfo=UTC), "main:x", 0.9999, 0.17, 0.1, 0.24)


def test_a_number_stands_beside_what_was_expected_how_usual_that_is_and_where_the_usual_ends() -> None:
    for alone in (True, False):
        assert words.held_text(Metric.DAMAGE, HELD, "session", alone=alone) == (
            "6,140 damage, 5,690 expected (+8 %), a usual session: 80 of 100 are within −10 to +12 %"
        )
    assert words.judged_text(Against.BELOW, "match") == "below a usual match"


def test_nobody_is_called_below_anything_but_on_his_own_page() -> None:
    low = replace(HELD, actual=4000, ratio=4000 / HELD.expected, judged=Against.BELOW)
    assert "below a usual session" in words.held_text(Metric.DAMAGE, low, "session", alone=True)
    assert words.held_text(Metric.DAMAGE, low, "session", alone=False) == (
        "4,000 damage, 5,690 expected (−30 %): 80 of 100 are within −10 to +12 %"
    )
    short = {judged: words.short_text(judged, alone=False) for judged in Against}
    assert short == {Against.BELOW: "", Against.EVEN: "usual", Against.ABOVE: "above"}
    assert words.short_text(Against.BELOW, alone=True) == "below"


def test_exactly_what_was_expected_is_neither_more_nor_less() -> None:
    assert [words.off_text(ratio) for ratio in (1.004, 0.996, 0.93)] == ["±0 %", "±0 %", "−7 %"]


def test_kills_are_expected_by_one_and_damage_by_ten() -> None:
    assert words.expected_text(Metric.KILLS, 21.6) == "22"
    assert words.expected_text(Metric.DAMAGE, 12_344.0) == "12,340"
    surprise = Surprise("A", "x", Metric.KILLS, 31, 22.2, 0.87, 1.15)
    assert words.surprise_text(surprise) == "31 kills, 22 expected (+40 %; usual: −13 to +15 %)"


def test_a_change_says_which_way_how_sure_and_between_what_and_nothing_is_wholly_sure() -> None:
    assert (words.change_text(UP), words.sure_text(UP)) == ("Damage up 17 %", "99 % sure, +10 to +24 %")
    down = FormChange("accuracy", UP.since, "main:x", 0.96, -0.12, -0.2, -0.05)
    assert (words.change_text(down), words.sure_text(down)) == ("Accuracy down 12 %", "96 % sure, −20 to −5 %")
