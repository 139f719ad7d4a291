"""What may go wrong around a round: neighbours half-way, files gone, imports against listings, pairs that change."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.formats.gamestats import dump
from slomix_pipeline.gameserver.source import PermanentError, RemoteFile
from slomix_pipeline.sensors import folders
from slomix_pipeline.sensors.folders import GAMETIMES
from slomix_pipeline.simulator.evening import place, play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages.chain import run_stages
from slomix_pipeline.stages.common import Wish
from slomix_pipeline.stages.parsed_round import parsed_round
from slomix_pipeline.stages.raw_stats_file import raw_stats_file
from slomix_pipeline.warehouse import files
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key


def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


def ended(pipeline: Pipeline, evening: Evening) -> None:
    """Writes an evening and has it ingested."""
    write_evening(pipeline.folder, evening)
    pipeline.take_in()


def test_a_neighbour_that_another_run_only_parsed_so_far_stops_nobody(pipeline: Pipeline) -> None:
    evening = play_evening(70, maps=1, ends_at=just_now())
    first, second = evening.rounds
    for sim_round in (first, second):
        pipeline.put_stats(sim_round)
    pipeline.take_in()
    with pipeline.database.transaction() as conn:  # as while the other run is between two stages
        conn.execute("delete from round where round_key = %s", [round_key(first)])
    run_stages([raw_stats_file, parsed_round], [round_key(first)], pipeline.tools())
    result = pipeline.run(round_key(second))
    assert result.success


def test_a_result_moves_along_when_a_late_file_changes_its_pair(pipeline: Pipeline) -> None:
    evening = play_evening(71, maps=1, ends_at=just_now())
    first, second = evening.rounds
    ended(pipeline, evening)
    restart = place(evening, evening.ended_at, UTC).rounds[0]
    late = first.stamp + (second.stamp - first.stamp) / 2
    name = restart.stats_name.replace(f"{first.stamp:%Y-%m-%d-%H%M%S}", f"{late:%Y-%m-%d-%H%M%S}")
    other = dump(restart.stats).replace(b"legacy", b"legacx")  # other bytes, the same round played again
    pipeline.put(name, other)
    pipeline.take_in()
    matches = pipeline.rows("select status, winner from match order by position")
    assert [match["status"] for match in matches] == ["superseded", "complete"]
    shown = [message["embeds"][0] for message in pipeline.page.messages()]
    assert sum("wins" in embed["title"] or "draw" in embed["title"] for embed in shown) == 1
    assert len({row["thing"] for row in pipeline.rows("select thing from post")}) == len(shown)


def test_a_result_whose_round_one_turns_out_unreadable_elsewhere_says_that_it_does_not_count(
    pipeline: Pipeline,
) -> None:
    evening = play_evening(72, maps=1, ends_at=just_now())
    first, second = evening.rounds
    ended(pipeline, evening)
    with pipeline.database.transaction() as conn:
        conn.execute("delete from parsed_round where round_key = %s", [round_key(first)])
    pipeline.work(round_key(second), Wish.LIVE)
    (result,) = [m["embeds"][0] for m in pipeline.page.messages() if "round 2" in m["embeds"][0]["title"]]
    assert "Not counted" in result["description"]


def test_a_requested_file_that_left_the_folder_is_asked_for_again(pipeline: Pipeline) -> None:
    sim_round = play_evening(73, maps=1, ends_at=just_now()).rounds[0]
    key = pipeline.put_stats(sim_round)
    pipeline.tick(seconds=10)  # requested, and the run never came
    (pipeline.folder / "gamestats" / sim_round.stats_name).unlink()
    with pipeline.database.transaction() as conn:
        conn.execute("update file set requested_at = now() - interval '1 hour'")
    pipeline.take_in()
    assert (pipeline.file(key)["status"], pipeline.file(key)["attempts"]) == ("quarantined", 2)
    assert "gone from the game server" in pipeline.file(key)["reason"]


def test_an_import_mends_a_broken_file_and_the_next_look_does_not_undo_it(pipeline: Pipeline, tmp_path: Path) -> None:
    sim_round = play_evening(74, maps=1, ends_at=just_now()).rounds[0]
    key = pipeline.put(sim_round.stats_name, dump(sim_round.stats)[:-40])
    pipeline.take_in()
    assert pipeline.file(key)["status"] == "quarantined"
    mended = tmp_path / "mended"
    mended.mkdir()
    (mended / sim_round.stats_name).write_bytes(dump(sim_round.stats))
    assert pipeline.import_(mended).ingested == 1
    pipeline.cursors.clear()
    pipeline.work_off(pipeline.tick(seconds=1), "ingest_rounds")
    assert (pipeline.file(key)["status"], pipeline.file(key)["attempts"]) == ("ingested", 0)


def test_an_import_with_the_right_zone_moves_rounds_that_came_with_the_wrong_one(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    evening = play_evening(75, maps=2, ends_at=datetime(2026, 7, 1, 21, 0, tzinfo=UTC))
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive", timezone="Europe/Ljubljana")
    early = pipeline.export()["session"]["ended_at"]
    again = pipeline.import_(tmp_path / "archive", timezone="UTC")
    assert again.ingested == len(evening.rounds) * 3  # timing, endstats and stats
    assert (early, pipeline.export()["session"]["ended_at"]) == (
        f"{evening.rounds[-1].stamp - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}",
        f"{evening.rounds[-1].stamp:%Y-%m-%dT%H:%M:%SZ}",
    )
    assert differences(as_exported(pipeline.export())["rounds"], as_played(evening)["rounds"]) == []


def test_a_server_without_timing_records_is_no_failure(pipeline: Pipeline) -> None:
    (pipeline.folder / GAMETIMES).rmdir()
    skipped = pipeline.tick(GAMETIMES)
    assert "rounds go without timing records" in str(getattr(skipped, "skip_message", ""))
    (pipeline.folder / "gamestats").rmdir()
    with pytest.raises(PermanentError, match="SLOMIX_GAMESTATS_FOLDER"):
        pipeline.tick()


@given(st.integers(-(2**62), 2**62))
def test_no_time_of_a_file_upsets_a_listing(unix: int) -> None:
    assert files.utc(unix).tzinfo is UTC
    listed = RemoteFile("2026-01-01-200000-supply-round-1.txt", 1, unix)
    decided = folders.decide(
        [listed],
        {listed.name: listed},
        {},
        (),
        kind=FileKind.STATS,
        zone=UTC,
        now=datetime(2026, 1, 1, 21, tzinfo=UTC),
        look_back_to=datetime(2025, 12, 31, tzinfo=UTC),
    )
    assert len(decided.requested) == 1


def test_a_file_cut_at_a_lines_end_since_it_was_listed_is_fetched_again_and_never_taken_for_the_round(
    pipeline: Pipeline,
) -> None:
    sim_round = play_evening(76, maps=1, ends_at=just_now()).rounds[0]
    data = dump(sim_round.stats)
    key = pipeline.put_stats(sim_round)
    requested = pipeline.tick(seconds=10)
    path = pipeline.folder / "gamestats" / sim_round.stats_name
    path.write_bytes(b"".join(data.splitlines(keepends=True)[:4]))  # the header and three players
    (result,) = pipeline.apply(requested, "ingest_rounds", raise_on_error=False)
    assert not result.success
    assert (pipeline.file(key)["status"], pipeline.rows("select * from parsed_round")) == ("requested", [])
    path.write_bytes(data)
    pipeline.work(key)
    (exported,) = pipeline.export()["rounds"]
    assert len(exported["players"]) == len(sim_round.players)
