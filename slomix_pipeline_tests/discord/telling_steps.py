"""Steps of the tests of messages in trouble: a match comes, is told or not, is asked for; what is known of it."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from click.testing import CliRunner, Result

from slomix_pipeline.cli.main import main
from slomix_pipeline.sensors import outbox, rework, session_over
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_round
from slomix_pipeline.stages.common import Wish, perform
from slomix_pipeline.stages.match_post import match_post
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key


def come(pipeline: Pipeline, evening: Evening) -> list[str]:
    """The rounds come at once, so that of each match only the result is news. Returns their keys."""
    for sim_round in evening.rounds:
        write_round(pipeline.folder, sim_round)
    pipeline.tick(seconds=10)
    return [round_key(sim_round) for sim_round in evening.rounds]


def live(pipeline: Pipeline, evening: Evening) -> None:
    """The rounds come and are told."""
    pipeline.work(come(pipeline, evening), Wish.LIVE)


def live_in_a_run(pipeline: Pipeline, evening: Evening) -> None:
    """The same in a run of Dagster's, which may fail."""
    pipeline.run(come(pipeline, evening), Wish.LIVE, raise_on_error=False)


def deliver(pipeline: Pipeline) -> None:
    """One tick of the sensor that tells what waits."""
    resources = {"settings": pipeline.settings, "database": pipeline.database}
    outbox.outbox_sensor(dg.build_sensor_context(instance=pipeline.instance, resources=resources))


def asked_for(pipeline: Pipeline) -> Iterator[tuple[dg.SensorResult | dg.SkipReason, str]]:
    """One tick of each sensor that asks for what is not told or compared: its result, and the job that it starts. What
    waits is told first."""
    deliver(pipeline)
    for sensor, job in ((rework.rework_sensor, "ingest_rounds"), (session_over.session_over_sensor, "report_sessions")):
        resources = {"settings": pipeline.settings, "database": pipeline.database}
        outcome = sensor(dg.build_sensor_context(instance=pipeline.instance, resources=resources))
        assert isinstance(outcome, (dg.SensorResult, dg.SkipReason))
        yield outcome, job


def tick(pipeline: Pipeline) -> None:
    """What the sensors ask for is done."""
    for outcome, job in asked_for(pipeline):
        pipeline.work_off(outcome, job)


def tick_in_runs(pipeline: Pipeline) -> None:
    """The same in runs of Dagster's, which may fail."""
    for outcome, job in asked_for(pipeline):
        pipeline.apply(outcome, job, raise_on_error=False)


def posts(pipeline: Pipeline) -> dict[str, str]:
    return {row["thing"]: row["state"] for row in pipeline.rows("select thing, state from post")}


def troubles(pipeline: Pipeline) -> dict[str, str]:
    return {row["thing"]: row["trouble"] for row in pipeline.rows("select thing, trouble from message_trouble")}


def command(pipeline: Pipeline, *arguments: str) -> Result:
    """A command that knows the page's webhook, whatever the pipeline tells."""
    env = {"SLOMIX_POSTGRES_URL": pipeline.database.url, "SLOMIX_DISCORD_WEBHOOK": pipeline.page.webhook_url}
    return CliRunner().invoke(main, arguments, env=env)


def raising(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a bug")


def rerun(pipeline: Pipeline, evening: Evening) -> None:
    """``match_post`` alone."""
    perform(match_post, [round_key(evening.rounds[1])], pipeline.tools())


def change_the_winner(pipeline: Pipeline) -> None:
    """As a rule or a decision would: what was told is wrong now."""
    with pipeline.database.transaction() as conn:
        conn.execute("update match set winner = case winner when 'A' then 'B' else 'A' end")
        conn.execute("update session set scored_at = now()")
