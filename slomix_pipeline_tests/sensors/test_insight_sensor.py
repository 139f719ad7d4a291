"""When models learn again."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from slomix_pipeline.sensors.insight import AT_LATEST, QUIET, insight_sensor, is_due
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse.fitted import Learning
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now

NOW = datetime(2031, 5, 6, 22, 0, tzinfo=UTC)
LONG_AGO = NOW - AT_LATEST


def test_models_learn_when_an_evening_is_over_or_where_rounds_never_end() -> None:
    known = Learning("1 session", "1 session", LONG_AGO, NOW - QUIET)
    assert not is_due(known, NOW)  # nothing is new
    behind = Learning("2 sessions", "1 session", NOW - timedelta(hours=1), NOW - QUIET)
    assert is_due(behind, NOW)
    assert is_due(Learning("2 sessions", None, None, NOW), NOW)  # they never learned anything
    assert not is_due(Learning("2 sessions", "1 session", NOW - timedelta(hours=1), NOW), NOW)
    assert is_due(Learning("2 sessions", "1 session", LONG_AGO, NOW), NOW)
    assert not is_due(Learning("0", None, None, None), NOW)  # nothing was ever played


def test_the_sensor_asks_once_for_each_history_and_not_at_all_once_it_is_known(pipeline: Pipeline) -> None:
    write_evening(pipeline.folder, play_evening(61, maps=2, ends_at=just_now() - QUIET))
    pipeline.take_in_all()
    resources = {"database": pipeline.database}

    def asked() -> dg.RunRequest | dg.SkipReason:
        context = dg.build_sensor_context(instance=pipeline.instance, resources=resources)
        found = insight_sensor(context)
        assert isinstance(found, dg.RunRequest | dg.SkipReason)
        return found

    first, again = asked(), asked()
    assert isinstance(first, dg.RunRequest) and isinstance(again, dg.RunRequest) and first.run_key == again.run_key
    result = pipeline.run_job("refit_insight")
    assert result.success
    assert {
        key.to_user_string() for event in result.get_asset_materialization_events() if (key := event.asset_key)
    } == {
        "attack_model",
        "expectation",
        "forecast_scores",
        "pairs",
    }
    assert isinstance(asked(), dg.SkipReason)

    for changed in ("version = 'older/0' where step = 'usual'", "state = 'x' where step = 'pairs'"):
        with pipeline.database.transaction() as conn:  # other rules, or a step that failed
            conn.execute(f"update learned set {changed}")
        assert isinstance(asked(), dg.RunRequest)
        assert pipeline.run_job("refit_insight").success and isinstance(asked(), dg.SkipReason)
