"""Simulated evenings through the whole pipeline, compared with what was played."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES
from slomix_pipeline.simulator.evening import place, play_evening
from slomix_pipeline.simulator.serverfiles import timing_bytes
from slomix_pipeline.simulator.values import Evening, SimRound
from slomix_pipeline.simulator.writing import write_evening, write_round
from slomix_pipeline.warehouse import reading
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key


def put_record(pipeline: Pipeline, sim_round: SimRound) -> str:
    return pipeline.put(sim_round.timing_name, timing_bytes(sim_round))


# --- whole evenings ---


@pytest.mark.parametrize(
    ("seed", "players", "leaver", "reconnect"),
    [(1, 3, False, False), (2, 4, True, False), (3, 5, False, True)],
)
def test_an_evening_over_sftp_comes_out_as_it_was_played(
    sftp_pipeline: Pipeline, seed: int, players: int, leaver: bool, reconnect: bool
) -> None:
    evening = play_evening(seed, players_per_team=players, ends_at=just_now(), leaver=leaver, reconnect=reconnect)
    write_evening(sftp_pipeline.folder, evening)
    sftp_pipeline.take_in_all()
    assert differences(as_exported(sftp_pipeline.export()), as_played(evening)) == []


def test_an_evening_in_another_time_zone_comes_out_as_it_was_played(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOMIX_TIMEZONE", "America/St_Johns")
    from zoneinfo import ZoneInfo

    evening = play_evening(5, ends_at=just_now(), zone=ZoneInfo("America/St_Johns"))
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    assert differences(as_exported(pipeline.export()), as_played(evening)) == []


def test_nothing_but_surrenders_leavers_and_reconnects_fails_a_check(pipeline: Pipeline) -> None:
    evening = play_evening(6, ends_at=just_now(), leaver=True, reconnect=True)
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    failed = pipeline.rows("select partition_key, check_name, severity, metadata from check_result where not passed")
    surrenders = {round_key(r) for r in evening.rounds if r.surrender_side}
    assert {row["partition_key"] for row in failed if row["check_name"] == "timing_link"} <= surrenders
    laws = [row["metadata"] for row in failed if row["check_name"] == "conservation_laws"]
    assert laws and all("gone" in facts["what may explain it"] for facts in laws)
    assert {row["check_name"] for row in failed} <= {"timing_link", "conservation_laws"}
    assert {row["severity"] for row in failed} <= {"WARN"}


def test_the_fighters_of_an_evening_are_summed_once(pipeline: Pipeline) -> None:
    evening = play_evening(7, maps=3, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    totals = {row["guid"]: row for row in pipeline.rows("select * from session_player_metric")}
    for guid, row in totals.items():
        played = [r.players[guid] for r in evening.rounds if guid in r.players]
        assert row["kills"] == sum(p.kills for p in played)
        assert row["damage_given"] == sum(p.damage_given for p in played)
        assert row["seconds_played"] == sum(p.seconds_played for p in played)
        assert row["dpm"] == pytest.approx(row["damage_given"] * 60 / row["seconds_played"])
        assert row["rounds"] == len(played)


# --- orders of arrival ---


def results(pipeline: Pipeline) -> dict[str, list[str]]:
    """All rows but those that tell of the way: the ledger of files counts requests."""
    return {table: rows for table, rows in pipeline.contents().items() if table not in ("file", "post")}


@pytest.fixture(scope="module")
def short_evening() -> Evening:
    return play_evening(8, maps=["supply", "te_escape2", "te_escape2"], ends_at=just_now())


def test_the_order_in_which_rounds_arrive_does_not_matter(
    pipeline: Pipeline, short_evening: Evening, orders: list[list[SimRound]]
) -> None:
    pipeline.discord = None  # what was told, and when, does depend on it
    seen: list[dict[str, list[str]]] = []
    for order in orders:
        _forget_everything(pipeline)
        for sim_round in order:
            pipeline.put_stats(sim_round)
            pipeline.take_in()
        for sim_round in Random(1).sample(order, len(order)):
            put_record(pipeline, sim_round)
        pipeline.take_in(GAMETIMES)
        pipeline.work(sorted(pipeline.stale()))
        assert pipeline.stale() == []
        assert differences(as_exported(pipeline.export()), as_played(short_evening)) == []
        seen.append(results(pipeline))
    for other in seen[1:]:
        assert differences(other, seen[0]) == []


@pytest.fixture(scope="module")
def orders(short_evening: Evening) -> list[list[SimRound]]:
    rounds = list(short_evening.rounds)
    return [rounds, rounds[::-1], *(Random(seed).sample(rounds, len(rounds)) for seed in (0,))]


def _forget_everything(pipeline: Pipeline) -> None:
    """An empty database and game server; Dagster keeps its partitions, as it does in life."""
    tables = pipeline.rows(
        "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"
    )
    names = ", ".join(f'"{row["table_name"]}"' for row in tables if "migration" not in row["table_name"])
    with pipeline.database.transaction() as conn:
        conn.execute(f"truncate {names}")
    pipeline.cursors.clear()
    pipeline.run_keys.clear()
    for name in (GAMESTATS, GAMETIMES):
        for file in (pipeline.folder / name).iterdir():
            file.unlink()


def test_a_round_two_that_comes_first_is_an_orphan_until_its_round_one_comes(pipeline: Pipeline) -> None:
    evening = play_evening(9, maps=1, ends_at=just_now())
    first, second = evening.rounds
    key = pipeline.put_stats(second)
    pipeline.take_in()
    (orphan,) = pipeline.export()["rounds"]
    assert (orphan["key"], orphan["status"], orphan["valid"]) == (key, "r2_only", False)
    assert {p["kills"] for p in orphan["players"]} == {None}
    assert pipeline.export()["score"]["not_counted"] == 1
    pipeline.put_stats(first)
    pipeline.take_in()
    assert differences(as_exported(pipeline.export()), as_played(evening, timed=False)) == []


def test_a_late_round_one_has_the_numbers_of_its_round_two_checked_too(pipeline: Pipeline) -> None:
    first, second = play_evening(9, maps=1, ends_at=just_now()).rounds
    for sim_round in (second, first):
        pipeline.put_stats(sim_round)
        pipeline.take_in()
    (check,) = pipeline.rows(
        "select * from check_result where check_name = 'seven_comparisons' and partition_key = %s", round_key(second)
    )
    rules_at = pipeline.rows("select max(rules_at) as at from round")[0]["at"]
    assert check["passed"] and check["checked_at"] >= rules_at


def test_rounds_of_an_hour_apart_belong_together_and_a_second_more_parts_them(pipeline: Pipeline) -> None:
    first = play_evening(10, maps=1, ends_at=just_now() - timedelta(hours=5))
    for gap, sessions in ((3600, 1), (3601, 2)):
        _forget_everything(pipeline)
        later = play_evening(11, maps=1)
        shift = first.rounds[-1].stamp + timedelta(seconds=gap) - later.rounds[0].stamp
        later = place(later, later.ended_at + shift, UTC)
        write_evening(pipeline.folder, first)
        write_evening(pipeline.folder, later)
        pipeline.take_in()
        assert len(pipeline.rows("select * from session")) == sessions


# --- repeating ---


def test_importing_twice_changes_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    evening = play_evening(12, maps=3, ends_at=just_now())
    write_evening(archive, evening)
    first = pipeline.import_(archive)
    before = pipeline.contents(), pipeline.export()
    again = pipeline.import_(archive)
    assert (first.ingested, first.known, first.linked) == (18, 0, 6)
    assert (again.ingested, again.known, again.quarantined) == (0, 18, [])
    assert differences(pipeline.contents(), before[0]) == []
    assert pipeline.export() == before[1]


def test_running_a_whole_evening_again_changes_nothing(pipeline: Pipeline) -> None:
    evening = play_evening(13, maps=3, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    before = pipeline.contents()
    pipeline.work([round_key(r) for r in evening.rounds])
    pipeline.work(round_key(evening.rounds[3]))
    assert differences(pipeline.contents(), before) == []


def test_what_came_live_is_known_to_an_import_and_the_other_way_round(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(14, maps=2, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    before = results(pipeline)
    summary = pipeline.import_(pipeline.folder)
    assert (summary.ingested, summary.known) == (0, 12)
    assert differences(results(pipeline), before) == []


def test_the_sensor_takes_an_imported_round_without_changing_it(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(14, maps=2, ends_at=just_now())
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    before = pipeline.export()
    write_evening(pipeline.folder, evening)
    pipeline.take_in()
    assert pipeline.export() == before
    assert {row["status"] for row in pipeline.rows("select status from file where kind = 'stats'")} == {"ingested"}


def test_everything_is_rebuilt_without_the_game_server(pipeline: Pipeline) -> None:
    evening = play_evening(15, maps=2, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    before = pipeline.export()
    for name in (GAMESTATS, GAMETIMES):
        for file in (pipeline.folder / name).iterdir():
            file.unlink()
    with pipeline.database.transaction() as conn:
        conn.execute("truncate parsed_round, session cascade")
    pipeline.work([round_key(r) for r in evening.rounds])
    assert pipeline.export() == before


# --- late files ---


def test_a_late_timing_record_is_asked_for_by_its_round_alone_and_aligns_it(pipeline: Pipeline) -> None:
    evening = play_evening(16, maps=2, ends_at=just_now())
    late = next(r for r in evening.rounds if r.attackers_won)
    for sim_round in evening.rounds:
        write_round(pipeline.folder, sim_round)
    (pipeline.folder / GAMETIMES / late.timing_name).unlink()
    pipeline.take_in_all()
    assert pipeline.stale() == []
    put_record(pipeline, late)
    pipeline.take_in(GAMETIMES)
    assert pipeline.stale() == [round_key(late)]
    pipeline.work(pipeline.stale()[0])
    assert pipeline.stale() == []
    assert differences(as_exported(pipeline.export()), as_played(evening)) == []


def test_a_round_that_was_parsed_and_no_more_is_asked_for_again(pipeline: Pipeline) -> None:
    evening = play_evening(16, maps=2, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    for table in ("match", "session_round", "round_timing", "round"):
        half_way = evening.rounds[1]
        with pipeline.database.transaction() as conn:
            column = "r2_key" if table == "match" else "round_key"
            conn.execute(f"delete from {table} where {column} = %s", [round_key(half_way)])
        assert round_key(half_way) in pipeline.stale()
        pipeline.work(sorted(pipeline.stale()))
        assert pipeline.stale() == []
    assert differences(as_exported(pipeline.export()), as_played(evening)) == []


def two_sessions(pipeline: Pipeline) -> tuple[Evening, Evening, Evening]:
    """Two evenings with a hole of some 100 minutes between them, ingested, and a match that fits into it."""
    late = play_evening(17, maps=2, ends_at=just_now())
    early = _ending(play_evening(18, maps=2), late.rounds[0].stamp - timedelta(minutes=100))
    middle = _ending(play_evening(19, maps=["braundorf_b4"]), late.rounds[0].stamp - timedelta(minutes=50))
    write_evening(pipeline.folder, early)
    write_evening(pipeline.folder, late)
    pipeline.take_in_all()
    return early, middle, late


def _ending(evening: Evening, moment: datetime) -> Evening:
    return place(evening, moment, UTC)


def test_a_file_that_falls_into_the_hole_between_two_sessions_merges_them(pipeline: Pipeline) -> None:
    early, middle, late = two_sessions(pipeline)
    keys = [f"{SERVER}:{evening.rounds[0].stem[:17]}" for evening in (early, late)]
    assert [row["session_key"] for row in pipeline.rows("select * from session order by 1")] == keys
    write_evening(pipeline.folder, middle)
    pipeline.take_in_all()
    assert [row["session_key"] for row in pipeline.rows("select * from session order by 1")] == keys[:1]
    merged = pipeline.export(keys[0])
    played = [round_key(r) for evening in (early, middle, late) for r in evening.rounds]
    assert [r["key"] for r in merged["rounds"]] == played
    assert [m["order"] for m in merged["matches"]] == [1, 2, 3, 4, 5]
    with pipeline.database.connect() as conn:
        assert [reading.resolve_session(conn, key) for key in keys] == [keys[0], keys[0]]
        assert reading.resolve_session(conn, "main:1999-01-01-000000") is None


def test_a_file_before_the_first_one_renames_the_session_and_the_old_name_still_leads_there(
    pipeline: Pipeline,
) -> None:
    evening = play_evening(20, maps=2, ends_at=just_now())
    for sim_round in (*evening.rounds[1:], evening.rounds[0]):
        pipeline.put_stats(sim_round)
        pipeline.take_in()
    old, new = (f"{SERVER}:{r.stem[:17]}" for r in (evening.rounds[1], evening.rounds[0]))
    assert [row["session_key"] for row in pipeline.rows("select * from session")] == [new]
    assert pipeline.export(old)["session"]["key"] == new


def test_two_servers_with_the_same_rounds_are_kept_apart(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    evening = play_evening(21, maps=2, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    before = pipeline.export(f"{SERVER}:{evening.rounds[0].stem[:17]}")
    monkeypatch.setenv("SLOMIX_SERVER", "second")
    pipeline.cursors.clear()
    pipeline.take_in_all()
    other = pipeline.export(f"second:{evening.rounds[0].stem[:17]}")
    assert pipeline.export(before["session"]["key"]) == before
    assert _numbers(other) == _numbers(before)


def _numbers(session: dict[str, Any]) -> Sequence[Any]:
    return [r["players"] for r in session["rounds"]]
