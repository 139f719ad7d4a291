"""The night whose result its community knows comes out as they know it: by the rules, by the pipeline, by every policy."""

from datetime import UTC, timedelta

from slomix_pipeline.checks.golden import check_result, scored_night
from slomix_pipeline.reports.whatif import compare
from slomix_pipeline.simulator.golden import NIGHT, POINTS
from slomix_pipeline.simulator.golden import golden_night as played
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now


def test_the_check_passes_and_names_every_map() -> None:
    result = check_result()
    assert result.passed and result.metadata["winners"].value == "BABBBAABABB"


def test_the_rules_give_the_known_winner_of_every_map() -> None:
    assert [(m.first.map_name, m.result.winner) for m in scored_night()] == [(w.map_name, w.winner) for w in NIGHT]


def test_through_the_pipeline_the_night_is_scored_by_every_policy_as_it_has_to_be(pipeline: Pipeline) -> None:
    evening = played(just_now() - timedelta(minutes=1), UTC)
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    exported = pipeline.export()
    assert "".join(match["winner"] for match in exported["matches"]) == "BABBBAABABB"
    assert differences(as_exported(exported), as_played(evening)) == []
    assert exported["grade"] == {"letter": "A", "reasons": []}
    for policy, points in POINTS.items():
        (session,) = compare(pipeline.database, policy, None)
        assert session.other.points == points
