"""What is foretold at half-time: from what history teaches, told at once, kept as it was said."""

from datetime import timedelta
from pathlib import Path

from slomix_pipeline.rules.forecast_report import Foretells, ReportOf
from slomix_pipeline.rules.odds import LEAST_ATTACKS
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening, write_round
from slomix_pipeline.stages.attack_model import learn
from slomix_pipeline.stages.forecast_reports import report_forecasts
from slomix_pipeline.warehouse.forecast_reports import Reports
from slomix_pipeline.warehouse.predictions import BETWEEN_ROUNDS
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now


def a_history(pipeline: Pipeline, folder: Path) -> None:
    """Two evenings of one map, imported."""
    for back in (1, 2):
        write_evening(folder, play_evening(70 + back, maps=["supply"] * 4, ends_at=just_now() - timedelta(days=back)))
    pipeline.import_(folder)


def play(pipeline: Pipeline, evening: Evening, rounds: slice) -> None:
    """Rounds as they end on the server, each told at once."""
    for sim_round in evening.rounds[rounds]:
        write_round(pipeline.folder, sim_round)
        pipeline.take_in()


def last_message(pipeline: Pipeline) -> str:
    return str(pipeline.page.messages()[-1]["embeds"][0]["description"])


def cases_of(reports: Reports) -> int:
    own = reports[Foretells.HALF_TIME, ReportOf.BACKTEST].report
    assert own is not None
    return own.cases


def test_a_time_to_beat_is_told_with_how_many_attacks_are_as_fast(pipeline: Pipeline, tmp_path: Path) -> None:
    a_history(pipeline, tmp_path)
    assert learn(pipeline.database).anew
    evening = play_evening(75, maps=["supply", "te_escape2"], ends_at=just_now())
    lasts = evening.rounds[-1].stamp - evening.rounds[0].stamp
    evening = play_evening(75, maps=["supply", "te_escape2"], ends_at=just_now() + lasts)

    play(pipeline, evening, slice(0, 1))
    said, odds = pipeline.rows("select * from prediction order by kind")
    assert (said["kind"], odds["kind"], said["told"], odds["told"]) == ("half_time", "match", True, False)
    assert said["attacks"] >= LEAST_ATTACKS and 0 < said["chance"] < 1 and said["known_until"] < said["made_at"]
    text = last_message(pipeline)
    assert f"({said['attacks']} so far)" in text and " % of attacks " in text

    play(pipeline, evening, slice(1, 2))
    assert "Half-time odds of this: " in last_message(pipeline)
    assert pipeline.rows("select * from prediction order by kind") == [said, odds]
    scored = pipeline.rows("select kind, late from prediction_scored order by kind")
    assert scored == [{"kind": "half_time", "late": False}, {"kind": "match", "late": False}]

    play(pipeline, evening, slice(2, 3))  # of a map that was never played
    assert pipeline.rows(
        "select attacks, chance, told from prediction where map = 'te_escape2' and kind = 'half_time'"
    ) == [{"attacks": 0, "chance": None, "told": False}]
    assert "0 attacks on this map so far" in last_message(pipeline)


def test_what_is_imported_or_played_long_ago_is_foretold_nothing_of(pipeline: Pipeline, tmp_path: Path) -> None:
    a_history(pipeline, tmp_path)
    learn(pipeline.database)
    evening = play_evening(75, maps=["supply"], ends_at=just_now() - timedelta(hours=9))
    play(pipeline, evening, slice(0, 1))
    write_round(tmp_path, play_evening(76, maps=["supply"], ends_at=just_now()).rounds[0])
    pipeline.import_(tmp_path)
    assert pipeline.rows("select * from prediction") == []


def test_a_first_round_that_comes_when_the_second_may_be_over_is_foretold_nothing_of(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    a_history(pipeline, tmp_path)
    learn(pipeline.database)
    evening = play_evening(75, maps=["supply"], ends_at=just_now() - timedelta(minutes=10))
    play(pipeline, evening, slice(0, 1))
    (half,) = pipeline.rows("select n.ended_at, m.r1_seconds from news n join match m on m.r1_key = n.partition_key")
    over = half["ended_at"] + timedelta(seconds=half["r1_seconds"]) + BETWEEN_ROUNDS
    assert over < just_now() < half["ended_at"] + pipeline.settings.publish_max_age
    assert pipeline.rows("select * from prediction") == []


def test_models_are_fitted_once_for_each_history_and_are_the_same_for_any_order(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    a_history(pipeline, tmp_path)
    first = learn(pipeline.database)
    assert first.anew and not learn(pipeline.database).anew
    kept = pipeline.rows("select model, parameters, fingerprint from fitted order by model")
    reports = report_forecasts(pipeline.database)
    assert reports[Foretells.HALF_TIME, ReportOf.LEDGER].report is None
    assert cases_of(reports) == first.matches

    late = tmp_path / "late"
    write_evening(late, play_evening(79, maps=["supply"] * 2, ends_at=just_now() - timedelta(days=9)))
    pipeline.import_(late)
    assert learn(pipeline.database).anew
    assert pipeline.rows("select model, parameters, fingerprint from fitted order by model") != kept
    again = report_forecasts(pipeline.database)
    assert cases_of(again) > first.matches
