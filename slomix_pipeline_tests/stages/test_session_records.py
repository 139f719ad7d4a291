"""The records that a summary tells: as they were when its evening was played, and named as people wish to be."""

from dataclasses import replace
from pathlib import Path

import pytest

from slomix_pipeline.formats import gamestats
from slomix_pipeline.rules.records import NIGHTS_BEFORE_A_RECORD
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.stages.endstats_steps import ADA, BOB, a_round, names, put_stats

OTHERS = {ADA: ("C0FFEE00", "Cyd"), BOB: ("DEADBEEF", "Dan")}


def by_others(entry: FiledRound) -> FiledRound:
    """The same round, played by two who were never there before."""
    lines = [replace(own, guid=OTHERS[own.guid][0], name=OTHERS[own.guid][1]) for own in entry.stats.players]
    return replace(entry, stats=replace(entry.stats, players=tuple(lines)))


def match(hours: float, kills: int) -> list[FiledRound]:
    """Both rounds of a match, so many hours from the usual time."""
    return [a_round(60 * hours + 8 * (number - 1), number, kills=kills) for number in (1, 2)]


@pytest.fixture
def remembered(pipeline: Pipeline, tmp_path: Path) -> Pipeline:
    """One that knows as many evenings of Ada and b|b. as records need, of five kills each a round, and six in the
    latest. Of two who reach as much in the same round the one with the lower GUID is told: b|b."""
    for night in range(NIGHTS_BEFORE_A_RECORD):
        for entry in match(-48 - 3 * night, kills=5 if night else 6):
            (tmp_path / names(entry)[0]).write_bytes(gamestats.dump(entry.stats))
    pipeline.import_(tmp_path)
    assert pipeline.page.messages() == []
    return pipeline


def told(pipeline: Pipeline) -> list[str]:
    """What stands in the summaries of sessions, oldest first."""
    texts = [str(message["embeds"]).replace("\\", "") for message in pipeline.page.messages()]
    return [text for text in texts if "Trust grade" in text]


def play(pipeline: Pipeline, *entries: FiledRound) -> None:
    for entry in entries:
        put_stats(pipeline, entry)
    pipeline.take_in()
    pipeline.report_sessions()


def test_a_record_of_an_evening_is_told_and_the_evening_after_does_not_change_it(remembered: Pipeline) -> None:
    play(remembered, *match(-2, kills=9))
    (summary,) = told(remembered)
    assert "**9 kills** in a round · b|b. · supply · before 6 (b|b., <t:" in summary
    assert "**18 kills** in a session · b|b. · before 12 (b|b., <t:" in summary
    play(remembered, *match(1, kills=11))
    first, second = told(remembered)
    assert first == summary
    assert "**11 kills** in a round · b|b. · supply · before 9 (b|b., <t:" in second
    assert remembered.report_sessions() == []


def test_an_evening_that_equals_a_record_tells_none(remembered: Pipeline) -> None:
    play(remembered, *match(-2, kills=6))
    (summary,) = told(remembered)
    assert "kills** in a" not in summary


def test_an_earlier_evening_that_comes_late_takes_a_record_back(remembered: Pipeline) -> None:
    play(remembered, *match(-2, kills=9))
    assert "**9 kills** in a round" in told(remembered)[0]
    play(remembered, *match(-20, kills=10))
    assert not any("**9 kills** in a round" in summary for summary in told(remembered))
    assert remembered.report_sessions() == []


def test_whoever_held_the_record_that_fell_is_named_as_he_wishes_though_he_was_not_there(remembered: Pipeline) -> None:
    play(remembered, *map(by_others, match(-2, kills=9)))
    assert "**9 kills** in a round · Cyd · supply · before 6 (b|b., <t:" in told(remembered)[0]
    hidden = remembered.slomix("identity", "hide", BOB, "--why=his wish", "--by=ref")
    assert hidden.exit_code == 0, hidden.output
    (summary,) = told(remembered)
    assert "**9 kills** in a round · Cyd · supply · before 6 (<t:" in summary and "b|b." not in summary
    assert remembered.report_sessions() == []
