"""What is learned of history is the same in whatever order its files came."""

from pathlib import Path
from typing import Any

from slomix_pipeline.simulator.history import write_day
from slomix_pipeline.stages.attack_model import learn
from slomix_pipeline.stages.forecast_reports import report_forecasts
from slomix_pipeline.stages.pairs import find_pairs
from slomix_pipeline.stages.usual import learn_usual
from slomix_pipeline_tests.emptying import AsMade, emptied
from slomix_pipeline_tests.pipeline_fixtures import Pipeline

KEPT = (
    "select model, fingerprint, known_until, parameters from fitted order by 1",
    "select kind, source, fingerprint, numbers, temperature from forecast_report order by 1, 2",
    "select * from strength order by 1",
    "select * from expectation order by 1, 2",
    "select * from expected_night order by 1, 2, 3",
    "select * from usual_rate order by 1",
    "select * from pair_record order by 1, 2",
    "select * from nemesis order by 1",
)


def learned(pipeline: Pipeline) -> list[Any]:
    for step in (learn, learn_usual, report_forecasts, find_pairs):
        step(pipeline.database)
    return [pipeline.rows(kept) for kept in KEPT]


def test_in_which_order_evenings_come_changes_nothing_that_is_learned(
    pipeline: Pipeline, template_as_made: AsMade, tmp_path: Path
) -> None:
    for day in range(3):
        write_day(tmp_path / str(day), day)
    found = []
    for order in ((2, 1, 0), (0, 2, 1)):
        for day in order:
            pipeline.import_(tmp_path / str(day))
            last = learned(pipeline)
        found.append(last)
        assert emptied(pipeline.database, template_as_made)
    models, reports, strengths, expectations, nights, rates, pairs, _ = found[0]
    assert len(models) == 4 and len(reports) == 4 and all((strengths, expectations, nights, rates, pairs))
    assert found[1] == found[0]
