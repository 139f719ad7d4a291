"""What other implementations got wrong, each once: it must be impossible here. Through the whole pipeline."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.gamestats import ALLIES, AXIS, WeaponCounts
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening, SimRound
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages.common import Wish
from slomix_pipeline.warehouse import parsed
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.building import make_line, make_stats
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key


def one_match(seed: int = 3) -> Evening:
    return play_evening(seed, maps=["supply"], ends_at=just_now())


def archive(tmp_path: Path, evening: Evening) -> Path:
    write_evening(tmp_path / "archive", evening)
    return tmp_path / "archive"


def not_as_played(pipeline: Pipeline, evening: Evening) -> list[str]:
    """What an export of the evening has otherwise; only the stats files came."""
    session = pipeline.export(f"{SERVER}:{evening.rounds[0].stem[:17]}")
    return differences(as_exported(session), as_played(evening, timed=False))


def kills(pipeline: Pipeline, key: str) -> dict[str, int | None]:
    rows = pipeline.rows("select guid, kills from round_player where round_key = %s", key)
    return {row["guid"]: row["kills"] for row in rows}


def true_kills(sim_round: SimRound) -> dict[str, int]:
    return {guid: player.kills for guid, player in sim_round.players.items()}


def test_an_older_evening_that_is_filled_in_later_stays_out_of_the_newer_session(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    newer = one_match()
    older = play_evening(4, maps=["supply"], ends_at=newer.ended_at - timedelta(days=2))
    for sim_round in newer.rounds:
        pipeline.put_stats(sim_round)
    pipeline.take_in()
    before = pipeline.export()
    for sim_round in older.rounds:
        (tmp_path / "archive").mkdir(exist_ok=True)
        (tmp_path / "archive" / sim_round.stats_name).write_bytes(sim_round.stats_bytes)
    pipeline.import_(tmp_path / "archive")
    assert pipeline.export() == before
    assert not_as_played(pipeline, older) == []
    assert len(pipeline.rows("select * from session")) == 2


def test_a_round_two_that_came_first_does_not_stay_cumulative_once_its_round_one_is_there(pipeline: Pipeline) -> None:
    evening = one_match()
    first, second = evening.rounds
    key = pipeline.put_stats(second)
    pipeline.take_in()
    assert set(kills(pipeline, key).values()) == {None}
    pipeline.put_stats(first)
    pipeline.take_in()
    assert kills(pipeline, key) == true_kills(second)
    assert not_as_played(pipeline, evening) == []


@pytest.mark.parametrize("at_a_line_end", [False, True])
def test_the_whole_file_is_taken_after_one_that_was_cut_at_60_percent(pipeline: Pipeline, at_a_line_end: bool) -> None:
    evening = one_match()
    first, second = evening.rounds
    pipeline.put_stats(second)
    pipeline.take_in()
    part = first.stats_bytes[: len(first.stats_bytes) * 6 // 10]
    key = pipeline.put_and_take_in(first.stats_name, part[: part.rindex(b"\n") + 1] if at_a_line_end else part)
    # Nothing in a file tells that whole lines are missing at its end.
    assert pipeline.file(key)["status"] == ("ingested" if at_a_line_end else "quarantined")
    pipeline.put_and_take_in(first.stats_name, first.stats_bytes)
    assert pipeline.file(key)["status"] == "ingested"
    assert not_as_played(pipeline, evening) == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_two_rounds_two_for_one_round_one_leave_no_mixed_numbers(pipeline: Pipeline, order: tuple[int, ...]) -> None:
    evening = one_match()
    first, second = evening.rounds
    another = replace(
        play_evening(5, maps=["supply"]).rounds[1], ended_at=second.ended_at + timedelta(seconds=20), zone=second.zone
    )
    keys = {}
    for number in order:
        keys[number] = pipeline.put_stats((first, second, another)[number])
        pipeline.take_in()
    rounds = {row["round_key"]: row for row in pipeline.rows("select * from round")}
    assert [(rounds[keys[n]]["status"], rounds[keys[n]]["partner_key"]) for n in (0, 1, 2)] == [
        ("complete", keys[1]),
        ("complete", keys[0]),
        ("r2_only", None),
    ]
    assert kills(pipeline, keys[0]) == true_kills(first)
    assert kills(pipeline, keys[1]) == true_kills(second)
    assert kills(pipeline, keys[2]) == dict.fromkeys(another.players, None)
    assert not rounds[keys[2]]["valid"]


def test_a_file_whose_rows_were_rolled_back_is_not_done_and_can_be_taken_again(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = one_match()
    directory = archive(tmp_path, evening)
    store = parsed.store_rounds

    def refused_at_the_end(conn: Connection[DictRow], filed: Sequence[parsed.FiledStats]) -> None:
        store(conn, filed)
        raise psycopg.errors.CheckViolation("a row that no table takes")

    with monkeypatch.context() as patch:
        patch.setattr("slomix_pipeline.stages.parsed_round.store_rounds", refused_at_the_end)
        summary = pipeline.import_(directory)
    assert (summary.ingested, len(summary.quarantined)) == (2, 2)  # the timing records, the stats files
    for table in ("parsed_round", "parsed_player", "parsed_weapon", "round", "match", "session"):
        assert pipeline.rows(f"select * from {table}") == []
    assert pipeline.import_(directory).ingested == 4  # the stats files, and the endstats files that waited for them
    assert differences(as_exported(pipeline.export()), as_played(evening)) == []


def test_a_line_that_cannot_be_read_costs_the_file_and_never_just_one_player(pipeline: Pipeline) -> None:
    sim_round = one_match().rounds[0]
    lines = sim_round.stats_bytes.splitlines(keepends=True)
    for number, broken in {
        2: lines[2].replace(b"\\", b"/"),
        3: lines[3].rpartition(b"\t")[0] + b"\n",
        4: lines[4].replace(b" 0", b" ", 1),
        5: b"\n",
    }.items():
        key = pipeline.put_and_take_in(
            sim_round.stats_name, b"".join(broken if n == number else line for n, line in enumerate(lines))
        )
        assert pipeline.file(key)["status"] == "quarantined"
        assert re.search(rf"line {number + 1}\b|different layouts", pipeline.file(key)["reason"])
    assert pipeline.rows("select * from parsed_player") == []


def test_a_file_without_any_player_that_can_be_read_is_no_success(pipeline: Pipeline, tmp_path: Path) -> None:
    first, second = one_match().rounds
    header, *players = first.stats_bytes.splitlines(keepends=True)
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / first.stats_name).write_bytes(header)
    (folder / second.stats_name).write_bytes(header + b"".join(line.replace(b"\\", b"\t") for line in players))
    summary = pipeline.import_(folder)
    assert summary.ingested == 0
    assert {name for name, _ in summary.quarantined} == {first.stats_name, second.stats_name}
    assert all(reason for _, reason in summary.quarantined)
    assert pipeline.rows("select * from round") == []


def test_an_alias_is_not_counted_again_when_its_files_are_imported_again(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = one_match()
    directory = archive(tmp_path, evening)
    pipeline.import_(directory)
    before = pipeline.rows("select * from alias order by guid")
    pipeline.import_(directory)
    pipeline.work([round_key(r) for r in evening.rounds])
    assert pipeline.rows("select * from alias order by guid") == before
    played = Counter(guid for r in evening.rounds for guid in r.players)
    assert {row["guid"]: row["rounds"] for row in before} == played


def test_weapons_do_not_multiply_anybodys_kills(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(6, maps=2, ends_at=just_now())
    pipeline.import_(archive(tmp_path, evening))
    truth: Counter[str] = Counter()
    for sim_round in evening.rounds:
        truth.update(true_kills(sim_round))
    weapons = pipeline.rows("select guid, count(*) as n from weapon_metric where level = 'career' group by guid")
    assert min(row["n"] for row in weapons) > 1
    for view in ("player_metric", "weapon_metric"):
        totals = pipeline.rows(f"select guid, sum(kills) as kills from {view} where level = 'career' group by guid")
        assert {row["guid"]: row["kills"] for row in totals} == truth


def test_no_rate_of_headshots_is_above_100_percent(pipeline: Pipeline) -> None:
    def line(guid: str, side: int, rounds: int, hits: int, heads: int) -> gamestats.PlayerLine:
        weapons = {"mp40": WeaponCounts(hits, 50, 8, 3, heads), "luger": WeaponCounts(30, 90, 0, 0, 1)}
        return make_line(guid, side, rounds, weapons=weapons, headshot_kills=8, minutes_played=8.0 + 6 * rounds)

    evening = one_match()
    first, second = evening.rounds
    # More heads than hits in the file itself; and only in the difference, where they came from nowhere.
    bad = make_stats(line("ADA00000", AXIS, 0, hits=4, heads=5), map_name="supply")
    one = make_stats(line("ADA00000", AXIS, 0, 20, 0), line("B0B00000", ALLIES, 0, 20, 0), map_name="supply")
    two = make_stats(
        line("ADA00000", ALLIES, 1, 21, 9),
        line("B0B00000", AXIS, 1, 21, 1),
        map_name="supply",
        number=2,
        limit="8:00",
        attack_time="7:00",
    )
    key = pipeline.put_and_take_in(first.stats_name, gamestats.dump(bad))
    assert "head hits" in pipeline.file(key)["reason"]
    pipeline.put_and_take_in(first.stats_name, gamestats.dump(one))
    pipeline.put_and_take_in(second.stats_name, gamestats.dump(two))
    assert [r["status"] for r in pipeline.export()["rounds"]] == ["complete", "complete"]
    for view in ("round_player_metric", "player_metric"):
        rates = pipeline.rows(f"select guid, headshot_percent as hits, headshot_kill_percent as kills from {view}")
        assert len(rates) >= 4
        assert [row for row in rates if max(row["hits"] or 0, row["kills"] or 0) > 100] == []
    assert pipeline.rows("select * from weapon_metric where headshot_percent > 100") == []


def test_no_name_shows_a_colour_code(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(7, maps=2, players_per_team=6, ends_at=just_now())  # everybody's name has some
    pipeline.import_(archive(tmp_path, evening), publish=Wish.ASKED)
    shown = [
        row["name"]
        for table in ("round_player", "session_player", "alias", "player_name", "player_metric")
        for row in pipeline.rows(f"select distinct name from {table}")
    ]
    said = [json.dumps(message, ensure_ascii=False) for message in pipeline.page.messages()]
    told = json.dumps(pipeline.export(), ensure_ascii=False)
    assert len(shown) > 12 and said
    assert [text for text in (*shown, *said, told) if re.search(r"\^[^\s^]", text)] == []
    assert pipeline.rows("select * from parsed_player where name ~ '\\^[0-9]'")  # there they stay
