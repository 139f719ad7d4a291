"""What did not go out when it was its turn goes out by the outbox: in order, and never beside whoever tells it himself."""

from datetime import timedelta

import dagster as dg
import pytest

from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.sensors import outbox
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages.chain import run_stages
from slomix_pipeline.warehouse.database import COMMAND_WORKS
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now


@pytest.fixture(autouse=True)
def at_once(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "SETTLE", timedelta(0))
    monkeypatch.setenv("SLOMIX_SESSION_OVER_AFTER", "0")
    monkeypatch.setenv("SLOMIX_DISCORD_WEBHOOK", pipeline.page.webhook_url)


def tick(pipeline: Pipeline) -> str:
    """One tick. Returns what it says of itself."""
    resources = {"settings": pipeline.settings, "database": pipeline.database}
    said = outbox.outbox_sensor(dg.build_sensor_context(instance=pipeline.instance, resources=resources))
    assert isinstance(said, dg.SkipReason)
    return str(said.skip_message)


def footers(pipeline: Pipeline) -> list[str]:
    return [message["embeds"][0]["footer"]["text"] for message in pipeline.page.messages()]


def test_after_an_outage_everything_is_told_session_by_session_its_summary_last(pipeline: Pipeline) -> None:
    earlier, later = (
        play_evening(seed, maps=2, ends_at=just_now() - timedelta(hours=ago)) for seed, ago in ((7, 3), (8, 0))
    )
    pipeline.page.misbehave(*[Fault.RATE_LIMITED] * 50)
    for evening in (earlier, later):
        write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    pipeline.report_sessions()
    assert footers(pipeline) == []
    pipeline.page.misbehave()
    while "nothing waits" not in tick(pipeline):
        pass
    stamps = {round_.stem[:17]: n for n, evening in enumerate((earlier, later)) for round_ in evening.rounds}
    told = [next(n for stamp, n in stamps.items() if stamp in footer) for footer in footers(pipeline)]
    assert told == [0, 0, 0, 1, 1, 1]
    summaries = [f"{SERVER}:{evening.rounds[0].stem[:17]} " in footers(pipeline)[last]
                 for evening, last in ((earlier, 2), (later, 5))]  # fmt: skip
    assert summaries == [True, True]


def test_what_an_import_announces_is_left_to_it(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    evening = play_evening(9, maps=1, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    channel, pipeline.discord = pipeline.discord, None
    pipeline.import_(pipeline.folder)
    pipeline.discord = channel
    with pipeline.database.transaction() as conn:
        conn.execute(
            """insert into due (thing, kind, partition_key, due_until)
               select 'result:' || r2_key, 'result', r2_key, now() + interval '1 hour' from match"""
        )
        conn.execute("insert into unfinished (partition_key, stage) select r2_key, 'session_post' from match")
    with pipeline.database.hold(COMMAND_WORKS):
        assert "nothing waits" in tick(pipeline)
    assert footers(pipeline) == []
    assert "tried 1 of 1" in tick(pipeline)  # it was killed
    assert len(footers(pipeline)) == 1


def test_a_tick_ends_though_somebody_else_tells_for_long(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "SECONDS_PER_TICK", 5.1)
    pipeline.page.misbehave(*[Fault.RATE_LIMITED] * 9)
    for seed, ago in ((7, 3), (8, 0)):
        write_evening(pipeline.folder, play_evening(seed, maps=1, ends_at=just_now() - timedelta(hours=ago)))
    pipeline.take_in_all()
    pipeline.page.misbehave()
    with pipeline.database.hold(f"telling {SERVER}"):
        assert "tried 1 of 2" in tick(pipeline)  # its patience was over
    assert footers(pipeline) == []


def test_what_can_not_be_told_stops_none_of_the_others(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.page.misbehave(*[Fault.RATE_LIMITED] * 9)
    for seed, ago in ((7, 3), (8, 0)):
        write_evening(pipeline.folder, play_evening(seed, maps=1, ends_at=just_now() - timedelta(hours=ago)))
    pipeline.take_in_all()
    pipeline.page.misbehave()
    calls = iter((True, False))

    def fails_once(*arguments: object) -> None:
        if next(calls):
            raise RuntimeError("a bug")
        run_stages(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("slomix_pipeline.stages.outbox.run_stages", fails_once)
    assert "tried 2 of 2" in tick(pipeline)
    assert len(footers(pipeline)) == 1
