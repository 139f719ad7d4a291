"""The surprise of an evening: told in its summary by what was known before it, and not otherwise when that is learned."""

from dataclasses import replace
from datetime import timedelta
from math import log
from typing import Any

import pytest

from slomix_pipeline.rules.expected import LEAST_ROUNDS, VERSION, Metric, Parameters, as_json, expectations, from_json
from slomix_pipeline.warehouse import fitted
from slomix_pipeline.warehouse.fitted import USUAL, Fitted
from slomix_pipeline.warehouse.played_history import RoundExpected, played_rounds, store_expected
from slomix_pipeline.warehouse.surprises import surprise_of
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.stages.endstats_steps import ADA, BOB
from slomix_pipeline_tests.stages.test_session_highlights import played, summaries

# Both do 500 damage and 5 kills in rounds of 8 and 6 minutes: more than is expected of b|b., and much more of Ada.
RATE = {Metric.DAMAGE: log(500 / 8), Metric.KILLS: log(5 / 8)}
LATELY = Parameters(
    Metric.DAMAGE, 0.0, 0.0, 0.0, {}, {ADA: log(0.7), BOB: 0.0}, {}, {ADA: LEAST_ROUNDS, BOB: LEAST_ROUNDS}
)


def learn(pipeline: Pipeline, known_for: timedelta) -> list[Parameters]:
    """As if the models had learned until so long before the session: that ADA does less than he then does."""
    with pipeline.database.transaction() as conn:
        (session,) = conn.execute("select started_at from session").fetchall()
        for metric, model in USUAL.items():
            kept = as_json(LATELY) | {"metric": metric, "base": RATE[metric]}
            until = session["started_at"] - known_for
            fitted.store(conn, Fitted(model, VERSION, "x", until, kept, until))
        return [
            from_json(own.parameters) for own in (fitted.load(conn, model, VERSION) for model in USUAL.values()) if own
        ]


def learned_all(pipeline: Pipeline, parameters: list[Parameters]) -> None:
    """As if they had learned the session, too."""
    with pipeline.database.transaction() as conn:
        damage, kills = (
            {(e.round_key, e.guid): e for e in expectations(own, played_rounds(conn))} for own in parameters
        )
        rows = [
            RoundExpected(*place, one.expected, kills[place].expected, one.earlier_rounds)
            for place, one in damage.items()
        ]
        store_expected(conn, rows)
    learn(pipeline, timedelta(hours=-5))


@pytest.fixture
def surprised(pipeline: Pipeline) -> tuple[Pipeline, list[Parameters]]:
    """An evening of 10 rounds after which the models have not learned yet."""
    played(pipeline, matches=5)
    return pipeline, learn(pipeline, timedelta(hours=1))


def surprise(pipeline: Pipeline) -> Any:
    with pipeline.database.connect() as conn:
        (session,) = conn.execute("select session_key from session").fetchall()
        return surprise_of(conn, session["session_key"])


def test_a_summary_tells_the_surprise_and_stays_when_the_models_have_learned_the_evening(
    surprised: tuple[Pipeline, list[Parameters]],
) -> None:
    pipeline, parameters = surprised
    pipeline.report_sessions()
    (summary,) = summaries(pipeline)
    assert "More than expected" in summary and "**Ada**: 5,000 damage, " in summary and "expected (+" in summary
    before = surprise(pipeline)
    learned_all(pipeline, parameters)
    assert surprise(pipeline) == before
    assert pipeline.report_sessions() == [] and summaries(pipeline) == [summary]


def test_what_was_told_stays_though_models_that_are_fitted_anew_say_otherwise(
    surprised: tuple[Pipeline, list[Parameters]],
) -> None:
    pipeline, parameters = surprised
    pipeline.report_sessions()
    told, (summary,) = surprise(pipeline), summaries(pipeline)
    assert told.guid == ADA
    learned_all(pipeline, [replace(own, players={ADA: 0.0, BOB: log(0.5)}) for own in parameters])
    assert surprise(pipeline) == told
    pipeline.facts_hold = False
    pipeline.rows("update session_report set worked_at = null returning 1")  # whatever else makes it looked at again
    pipeline.report_sessions()
    assert summaries(pipeline) == [summary]
    pipeline.rows(
        "update player_round_fact set damage_given = damage_given + 1 where guid = %s and damage_given > 0 returning 1",
        ADA,
    )
    assert surprise(pipeline).guid == BOB  # it is not what was told any more


def test_where_none_was_told_none_is_told_later(surprised: tuple[Pipeline, list[Parameters]]) -> None:
    pipeline, parameters = surprised
    learn(pipeline, timedelta(hours=-1))
    pipeline.report_sessions()
    learned_all(pipeline, parameters)
    assert surprise(pipeline) is None


def test_models_that_know_of_the_evening_tell_no_surprise_of_it(
    surprised: tuple[Pipeline, list[Parameters]],
) -> None:
    pipeline, _ = surprised
    learn(pipeline, timedelta(hours=-1))
    assert surprise(pipeline) is None
    pipeline.report_sessions()
    assert "More than expected" not in summaries(pipeline)[0]


def test_who_is_hidden_is_no_surprise_but_who_comes_next(surprised: tuple[Pipeline, list[Parameters]]) -> None:
    pipeline, _ = surprised
    pipeline.report_sessions()
    assert surprise(pipeline).guid == ADA
    assert pipeline.slomix("identity", "hide", ADA, "--why", "his wish").exit_code == 0
    assert surprise(pipeline).guid == BOB
