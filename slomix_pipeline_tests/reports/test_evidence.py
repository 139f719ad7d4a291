"""The evidence of a session: every match with sides, times and what decided it, and text that Markdown can't be broken by."""

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from slomix_pipeline.reports.markdown import escape
from slomix_pipeline.reports.receipts import explain_session
from slomix_pipeline.simulator.evening import play_courses
from slomix_pipeline.simulator.matches import Course, Files, Shape
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now


def test_every_match_has_a_row_with_both_times_and_what_decided_it(pipeline: Pipeline) -> None:
    courses = [
        Course("supply", 720, Shape.BEATEN),
        Course("et_brewdog", 600, Shape.SURRENDER),
        Course("radar", 600, Shape.DOUBLE_HOLD),
        Course("te_escape2", 600, Shape.HELD, files=Files.ONLY_R1),
    ]
    evening = play_courses(91, courses, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    text = explain_session(pipeline.database, pipeline.export()["session"]["key"])
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| \d", line)]
    assert [row[1] for row in rows] == ["supply", "et_brewdog", "radar", "te_escape2"]
    beaten, surrender, draw, half = rows
    first = evening.matches[0]
    assert beaten[3:5] == [half_.stats.header.attack_time for half_ in (first.r1, first.r2)]
    assert (beaten[7], beaten[8]) == ("headers", "yes")
    assert surrender[4].startswith("gave up at ") and draw[5] == "draw" and draw[3].startswith("held ")
    assert half[4] == "not there" and half[5] == "not counted"
    assert "Trust grade **C**" in text and "- 1 match not counted" in text


@given(st.text(max_size=60))
def test_text_of_files_and_people_is_shown_as_it_is(text: str) -> None:
    shown = MarkdownIt().renderInline("x" + escape(text) + "x")
    assert not re.search(r"<(em|strong|code|a|img|del)\b", shown)
