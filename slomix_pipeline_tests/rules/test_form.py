"""Form: a night against what was usual before it, and nothing where too few nights say what is usual."""

from slomix_pipeline.rules.form import USUAL_FROM, Against, against_usual


def test_a_night_is_held_against_the_median_of_the_nights_before_it() -> None:
    latest_first = [3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    assert against_usual(latest_first, 3) == [Against.ABOVE, Against.BELOW, Against.EVEN]


def test_too_few_nights_before_or_a_night_that_is_unknown_say_nothing() -> None:
    assert against_usual([9.0] + [1.0] * (USUAL_FROM - 1), 15) == [None] * USUAL_FROM
    assert against_usual([None] + [1.0] * USUAL_FROM, 1) == [None]
    assert against_usual([9.0, None] + [1.0] * USUAL_FROM, 1) == [Against.ABOVE]
