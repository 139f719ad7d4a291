"""Rounds that were broken off though their files look whole, through the real stages: the timing record tells, and it
does not matter when it comes."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from slomix_pipeline.formats import gamestats, gametimes
from slomix_pipeline.formats.filenames import gametime_file_name, stats_file_name
from slomix_pipeline.formats.gamestats import AXIS
from slomix_pipeline.rules.pairing import BROKEN_OFF
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES
from slomix_pipeline.stages.common import Wish
from slomix_pipeline_tests.building import first_round, lobby, make_record, make_round, second_round, with_file_guids
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now

# Round 1 took 8:00. Round 2 was left after 3:00, for another map or by a reset, and its file has what the engine had
# preset: the limit as the time, the Axis side as the winner.
FIRST = first_round(0, playtime="480050")
CUT = make_round(
    4,
    2,
    *lobby(rounds=1, swap=True, kills=9, damage_given=900, minutes_played=11.0),
    winner=AXIS,
    limit="8:00",
    attack_time="8:00",
    playtime="180000",
)
ENDED_AT = just_now().replace(microsecond=0)


@pytest.fixture(params=["map_change", "map_restart"])
def evening(pipeline: Pipeline, request: pytest.FixtureRequest) -> dict[str, dict[str, bytes]]:
    """The files of the evening by folder, not written yet."""
    files: dict[str, dict[str, bytes]] = {GAMESTATS: {}, GAMETIMES: {}}
    for entry, ended in ((FIRST, {}), (CUT, {"aborted": True, "end_reason": request.param, "exit_print": None})):
        stamp = ENDED_AT - (CUT.stamp - entry.stamp)
        name = stats_file_name(stamp.replace(tzinfo=None), "supply", entry.number)
        files[GAMESTATS][name] = gamestats.dump(with_file_guids(entry.stats))
        record = replace(
            make_record("record", 0, entry.number, **ended).record,
            started_at=stamp - timedelta(seconds=183),
            ended_at=stamp if ended else stamp - timedelta(seconds=3),
            duration_seconds=180.0 if ended else 480.0,
        )
        name = gametime_file_name("supply", entry.number, int(record.ended_at.timestamp()))
        files[GAMETIMES][name] = gametimes.dump(record)
    return files


def write(pipeline: Pipeline, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        pipeline.put(name, data)


def rework(pipeline: Pipeline) -> None:
    for key in pipeline.stale():
        pipeline.work(key, Wish.LIVE)


def what_became(pipeline: Pipeline) -> dict[str, list[str]]:
    """Everything that the stages up to the score say of the rounds, whichever way the files came."""
    contents = pipeline.contents()
    tables = ("round", "round_player", "round_weapon", "round_timing", "session_round", "match")
    checks = ("pairing", "conservation_laws", "plausibility", "seven_comparisons", "timing_link", "score_sources")
    said = [row for row in contents["check_result"] if any(f"'{name}'" in row for name in checks)]
    return {table: contents[table] for table in tables} | {"checks": said}


def statuses(pipeline: Pipeline) -> list[tuple[int, str, bool, str | None]]:
    rows = pipeline.rows("select number, status, valid, reason from round order by round_key")
    return [(row["number"], row["status"], row["valid"], row["reason"]) for row in rows]


BECAME = [
    (1, "r1_only", True, BROKEN_OFF),
    (2, "aborted", False, "broken off: its timing record says that it did not reach its end"),
]


def test_a_round_that_was_broken_off_is_the_same_whatever_came_first_and_never_told_as_a_result(
    pipeline: Pipeline, evening: dict[str, dict[str, bytes]]
) -> None:
    write(pipeline, evening[GAMESTATS])
    write(pipeline, evening[GAMETIMES])
    pipeline.take_in(GAMESTATS)  # each round fetches its record itself
    assert statuses(pipeline) == BECAME
    assert pipeline.rows("select winner, surrender_side from match join round_timing on round_key = r2_key") == [
        {"winner": None, "surrender_side": None}
    ]
    assert pipeline.stale() == []
    found = what_became(pipeline)
    said = json.dumps(pipeline.page.messages())
    assert "Round 2 has to beat" in said and "gave up" not in said and "wins" not in said
    assert pipeline.titles() == ["supply · round 1"]

    imported = pipeline.folder.parent / "archive"
    shutil.copytree(pipeline.folder, imported)
    with pipeline.database.transaction() as conn:
        conn.execute("truncate file, parsed_round, timing_record, session, match, check_result, post cascade")
    pipeline.import_(imported)
    assert statuses(pipeline) == BECAME
    assert what_became(pipeline) == found


def test_a_record_that_comes_late_takes_the_result_back(
    pipeline: Pipeline, evening: dict[str, dict[str, bytes]]
) -> None:
    write(pipeline, evening[GAMESTATS])
    pipeline.take_in(GAMESTATS)
    assert [row[1] for row in statuses(pipeline)] == ["complete", "complete"]  # the file alone looks like a surrender
    assert "gave up" in json.dumps(pipeline.page.messages())
    write(pipeline, evening[GAMETIMES])
    pipeline.take_in(GAMETIMES)
    rework(pipeline)
    assert statuses(pipeline) == BECAME
    assert pipeline.stale() == []
    said = json.dumps(pipeline.page.messages()).lower()
    assert "not counted: broken off" in said and "gave up after" not in said


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("75:25", "1 match with a longer limit in round 2 than round 1's time"),
        ("0:00", "1 match of which the limit, the sides or the time between don't confirm the pair"),
    ],
)
def test_a_limit_that_is_none_is_never_told_and_makes_nobody_give_up(
    pipeline: Pipeline, limit: str, reason: str
) -> None:
    held = second_round(9, winner=AXIS, limit=limit, attack_time=limit, playtime="480050")
    for entry in (FIRST, held):
        stamp = ENDED_AT - (held.stamp - entry.stamp)
        name = stats_file_name(stamp.replace(tzinfo=None), "supply", entry.number)
        key = pipeline.put(name, gamestats.dump(with_file_guids(entry.stats)))
    pipeline.take_in(GAMESTATS)
    assert pipeline.rows("select winner, reason, r2_seconds, r2_completed from match") == [
        {"winner": "B", "reason": "round 1 set 8:00, round 2 did not beat it", "r2_seconds": 480, "r2_completed": False}
    ]
    assert pipeline.rows("select surrender_side, duration_source from round_timing where round_key = %s", key) == [
        {"surrender_side": 0, "duration_source": "measured"}
    ]
    said = json.dumps(pipeline.page.messages())
    assert "did not make it in **8:00**" in said and "gave up" not in said
    assert f"*{limit}" not in said and f" {limit}" not in said
    assert reason in pipeline.export()["grade"]["reasons"]
    assert json.loads(pipeline.slomix("explain", key, "--json").stdout)["differs_from_rules"] == []
