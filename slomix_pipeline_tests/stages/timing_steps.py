"""Steps of the tests of timing records: files put on the game server, and what became of their rounds."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.filenames import gametime_file_name
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening, SimRound
from slomix_pipeline_tests.pipeline_fixtures import (
    Pipeline,
    just_now,
    round_key,
)


def put_record(pipeline: Pipeline, record: TimingRecord, name: str | None = None) -> str:
    name = name or gametime_file_name(record.map_name, record.number, int(record.ended_at.timestamp()))
    return pipeline.put(name, gametimes.dump(record))


def moved(record: TimingRecord, seconds: float) -> TimingRecord:
    assert record.started_at is not None
    by = timedelta(seconds=seconds)
    return replace(record, started_at=record.started_at + by, ended_at=record.ended_at + by)


def evening_of(maps: int = 1, seed: int = 41, **more: Any) -> Evening:
    return play_evening(seed, maps=maps, ends_at=just_now(), **more)


def play_rounds(pipeline: Pipeline, evening: Evening) -> None:
    """The stats files alone, ingested."""
    for sim_round in evening.rounds:
        pipeline.put_stats(sim_round)
    pipeline.take_in()


def timing(pipeline: Pipeline, sim_round: SimRound) -> dict[str, Any]:
    (row,) = pipeline.rows("select * from round_timing where round_key = %s", round_key(sim_round))
    return row


def check(pipeline: Pipeline, sim_round: SimRound, name: str) -> dict[str, Any]:
    (row,) = pipeline.rows(
        "select * from check_result where partition_key = %s and check_name = %s", round_key(sim_round), name
    )
    return row


def broken_link(pipeline: Pipeline, sim_round: SimRound) -> str:
    return str(check(pipeline, sim_round, "timing_chain")["metadata"]["first broken link"])


def unlinked(pipeline: Pipeline) -> dict[str, str]:
    rows = pipeline.rows("select record_key, unlinked_reason from timing_record where unlinked_reason is not null")
    return {row["record_key"]: row["unlinked_reason"] for row in rows}


def rework(pipeline: Pipeline) -> list[str]:
    """What the rework sensor does at once, and then some minutes later. Returns the rounds that it asked for."""
    asked = []
    for _ in range(2):
        found = pipeline.stale()
        for key in found:
            pipeline.work(key)
        asked += found
        with pipeline.database.transaction() as conn:
            conn.execute("update timing_record set stored_at = stored_at - interval '10 minutes'")
    assert pipeline.stale() == []
    return asked
