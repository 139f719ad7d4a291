"""What was expected, in words."""

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
    assert words.held_text(Metric.DAMAGE, HELD, "session") == (
        "6,140 damage, 5,690 expected (+8 %), a usual session: 80 of 100 are within −10 to +12 %"
    )
    assert words.judged_text(Against.BELOW, "match") == "below a usual match"


def test_exactly_what_was_expected_is_neither_more_nor_less() -> None:
    assert [words.off_text(ratio) for ratio in (1.004, 0.996, 0.93)] == ["±0 %", "±0 %", "−7 %"]


def test_kills_are_expected_by_one_and_damage_by_ten() -> None:
    assert words.expected_text(Metric.KILLS, 21.6) == "22"
    assert words.expected_text(Metric.DAMAGE, 12_344.0) == "12,340"
    assert words.surprise_text(Surprise("A", "x", Metric.KILLS, 31, 22.2)) == "31 kills, 22 expected (+40 %)"


def test_a_change_says_which_way_how_sure_and_between_what_and_nothing_is_wholly_sure() -> None:
    assert (words.change_text(UP), words.sure_text(UP)) == ("Damage up 17 %", "99 % sure, +10 to +24 %")
    down = FormChange("accuracy", UP.since, "main:x", 0.96, -0.12, -0.2, -0.05)
    assert (words.change_text(down), words.sure_text(down)) == ("Accuracy down 12 %", "96 % sure, −20 to −5 %")
