"""What was to be expected of players, kept for every round by what was known before its session."""

from math import isclose
from pathlib import Path

import pytest

from slomix_pipeline.simulator.history import write_day
from slomix_pipeline.stages.usual import learn_usual
from slomix_pipeline_tests.pipeline_fixtures import Pipeline

_EXPECTED = (
    "select e.*, f.session_key from expectation e join player_round_fact f using (round_key, guid) order by 1, 2"
)


def an_evening(folder: Path, day: int) -> Path:
    """An evening of the same regulars."""
    write_day(folder / str(day), day)
    return folder / str(day)


def test_a_round_is_expected_by_earlier_evenings_alone_and_only_what_changes_is_written(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    for day in (2, 1):
        pipeline.import_(an_evening(tmp_path, day))
    learned = learn_usual(pipeline.database)
    rows = pipeline.rows(_EXPECTED)
    first, second = (row["session_key"] for row in pipeline.rows("select session_key from session order by started_at"))
    assert learned.anew and learned.changed == len(rows) > 0
    assert {row["session_key"] for row in rows} == {second} and any(row["earlier_rounds"] > 0 for row in rows)
    nights = pipeline.rows("select * from expected_night order by guid, metric")
    assert {row["session_key"] for row in nights} == {second}
    for night in nights:
        own = [row for row in rows if row["guid"] == night["guid"]]
        assert night["rounds"] == len(own)
        assert isclose(night["expected"], sum(row[night["metric"]] for row in own))

    (rate,) = pipeline.rows("select exp(avg(ln(damage_per_minute))) as mean, count(*) as players from usual_rate")
    (base,) = pipeline.rows(
        "select exp((parameters ->> 'base')::float) as rate from fitted where model = 'usual_damage'"
    )
    assert rate["players"] > 0 and rate["mean"] == pytest.approx(base["rate"])  # what is expected of who is new

    with pipeline.database.connect() as conn:  # a session that goes, and comes back before models learn
        conn.execute("delete from session")
        assert conn.execute("select count(*) as n from expected_night").fetchone() == {"n": len(nights)}
        conn.rollback()

    again = learn_usual(pipeline.database)
    assert not again.anew and again.changed == 0

    pipeline.import_(an_evening(tmp_path, 0))
    assert learn_usual(pipeline.database).anew
    later = pipeline.rows(_EXPECTED)
    assert [row for row in later if row["session_key"] == second] == rows and len(later) > len(rows)

    pipeline.import_(an_evening(tmp_path, 3))
    learn_usual(pipeline.database)
    assert first in {row["session_key"] for row in pipeline.rows(_EXPECTED)}
