"""Endstats files through the real stages: awards come with their round, late ones too, and no round waits for them."""

from pathlib import Path

import pytest

from slomix_pipeline.formats import gamestats
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline_tests.as_played import differences
from slomix_pipeline_tests.building import make_line, make_round
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.stages.endstats_steps import (
    ADA,
    AWARDS,
    BOT,
    BROKEN,
    DUELS,
    NONE_NEAR,
    SPLIT_AT,
    WHOLE,
    a_round,
    awards,
    check_of,
    duels,
    keys_of,
    link_of,
    look,
    names,
    players,
    put_endstats,
    put_stats,
    rework,
    why_without,
)

# --- as they come ---


def test_awards_come_with_their_round(pipeline: Pipeline) -> None:
    entry = a_round()
    file, key = put_endstats(pipeline, entry), put_stats(pipeline, entry)
    pipeline.put("notes of an admin.txt", b"x")  # a name without a time disturbs nobody
    pipeline.take_in()
    assert link_of(pipeline, key) == ("exact_end", [file])
    assert awards(pipeline, key) == AWARDS
    assert duels(pipeline, key) == DUELS
    assert (pipeline.file(file)["status"], pipeline.file(file)["reason"]) == ("ingested", None)
    facts = check_of(pipeline, key)["metadata"]
    assert (facts["files"], facts["awards"], facts["lines of who killed whom"]) == (1, 3, 2)
    assert facts["awards of nobody known"] == 1
    assert check_of(pipeline, key)["passed"] and pipeline.stale() == [] and why_without(pipeline) == {}


def test_what_an_award_says_is_stored_with_its_unit_and_what_it_covers(pipeline: Pipeline) -> None:
    for entry in (a_round(0, 1), a_round(8, 2)):
        put_endstats(pipeline, entry)
        key = put_stats(pipeline, entry)
    pipeline.take_in()
    rows = pipeline.rows("select * from award where round_key = %s order by position", key)
    assert [(row["label"], row["player"], row["text"], row["unit"], row["scope"]) for row in rows] == [
        ("Most damage given", "Ada", "3214", None, "both_rounds"),
        ("Most revives", "b|b.", "4", None, "this_round"),
        ("Most playtime denied", "nobody", "113 seconds", "s", "this_round"),
    ]
    assert {row["scope"] for row in pipeline.rows("select * from award where round_key <> %s", key)} == {"this_round"}


def test_a_late_file_is_asked_for_by_its_round_alone(pipeline: Pipeline) -> None:
    entries = [a_round(0, 1), a_round(8, 2)]
    first, second = (put_stats(pipeline, entry) for entry in entries)
    pipeline.take_in()
    assert link_of(pipeline, first) == link_of(pipeline, second) == ("none", [])
    assert why_without(pipeline) == {first: NONE_NEAR, second: NONE_NEAR}
    before = pipeline.export()
    put_endstats(pipeline, entries[0])
    assert rework(pipeline) == [first] and pipeline.stale() == []
    assert awards(pipeline, first) == AWARDS and awards(pipeline, second) == []
    assert why_without(pipeline) == {second: NONE_NEAR}
    assert pipeline.export() == before


def test_a_file_waits_for_its_round(pipeline: Pipeline) -> None:
    entry = a_round()
    file = put_endstats(pipeline, entry)
    look(pipeline)
    assert pipeline.file(file)["status"] == "listed" and "with its round" in pipeline.file(file)["reason"]
    assert pipeline.stale() == []
    key = put_stats(pipeline, entry)
    pipeline.take_in()
    assert awards(pipeline, key) == AWARDS and pipeline.file(file)["status"] == "ingested"


@pytest.mark.parametrize("late", [False, True])
def test_a_file_split_over_two_seconds_is_put_together(pipeline: Pipeline, late: bool) -> None:
    entry = a_round()
    parts = [put_endstats(pipeline, entry, WHOLE[:SPLIT_AT])]
    key = put_stats(pipeline, entry)
    if late:
        pipeline.take_in()
        assert duels(pipeline, key) == DUELS[:1]
        parts.append(put_endstats(pipeline, entry, WHOLE[SPLIT_AT:], seconds=-1))
        assert rework(pipeline) == [key]
    else:
        parts.append(put_endstats(pipeline, entry, WHOLE[SPLIT_AT:], seconds=-1))
        pipeline.take_in()
    assert link_of(pipeline, key) == ("exact_end", parts)
    assert (awards(pipeline, key), duels(pipeline, key)) == (AWARDS, DUELS)


def test_of_two_files_at_the_same_distance_none_is_taken_and_a_check_says_so(pipeline: Pipeline) -> None:
    entry = a_round()
    files = [put_endstats(pipeline, entry, WHOLE, seconds) for seconds in (-10, 10)]
    key = put_stats(pipeline, entry)
    pipeline.take_in()
    check = check_of(pipeline, key)
    assert (check["passed"], check["severity"]) == (False, "WARN")
    assert link_of(pipeline, key) == ("tie", []) and awards(pipeline, key) == [] == duels(pipeline, key)
    assert why_without(pipeline) == {key: check["metadata"]["why"]} and "same distance" in check["metadata"]["why"]
    assert {pipeline.file(file)["status"] for file in files} == {"ingested"} and pipeline.stale() == []


def test_two_plays_of_one_map_have_each_their_own(pipeline: Pipeline) -> None:
    for entry, damage in ((a_round(0), "111"), (a_round(20), "222")):
        put_endstats(pipeline, entry, WHOLE.replace("3214", damage))
        put_stats(pipeline, entry)
    pipeline.take_in()
    found = pipeline.rows("select value from award where award = 'damage_given' order by round_key")
    assert [row["value"] for row in found] == [111, 222]


def test_a_replaced_file_replaces_its_awards(pipeline: Pipeline) -> None:
    entry = a_round()
    put_endstats(pipeline, entry)
    key = put_stats(pipeline, entry)
    pipeline.take_in()
    file = put_endstats(pipeline, entry, "Most damage given\tAda\t9999\n")
    assert rework(pipeline) == [key] and pipeline.stale() == []
    assert awards(pipeline, key) == [("damage_given", ADA, 9999)] and duels(pipeline, key) == []
    kept = pipeline.rows("select bytes from file_content")
    assert WHOLE.encode() in [bytes(row["bytes"]) for row in kept] and pipeline.file(file)["status"] == "ingested"


def test_running_rounds_again_changes_nothing(pipeline: Pipeline) -> None:
    keys = []
    for entry in (a_round(0, 1), a_round(8, 2)):
        put_endstats(pipeline, entry)
        keys.append(put_stats(pipeline, entry))
    pipeline.take_in()
    pipeline.work(keys)
    before = pipeline.contents()
    pipeline.work(keys)
    pipeline.work(keys[0])
    assert differences(pipeline.contents(), before) == []


# --- import ---


def archive(tmp_path: Path, *entries: FiledRound, stats: bool = True, text: str | None = WHOLE) -> Path:
    """A folder with the stats files of rounds, their endstats files, or both."""
    folder = tmp_path / f"archive {stats} {text is not None}"
    folder.mkdir(exist_ok=True)
    for entry in entries:
        name, endstats_name = names(entry)
        if stats:
            (folder / name).write_bytes(gamestats.dump(entry.stats))
        if text is not None:
            (folder / endstats_name).write_text(text)
    return folder


def test_an_imported_folder_brings_its_awards_and_again_changes_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    entries = [a_round(0, 1), a_round(8, 2)]
    folder = archive(tmp_path, *entries)
    first = pipeline.import_(folder)
    assert (first.found, first.ingested, first.known, first.waiting, first.quarantined) == (4, 4, 0, 0, [])
    assert [awards(pipeline, keys_of(entry)[0]) for entry in entries] == [AWARDS, AWARDS]
    before = pipeline.contents()
    again = pipeline.import_(folder)
    assert (again.found, again.ingested, again.known, again.waiting) == (4, 0, 4, 0)
    assert differences(pipeline.contents(), before) == [] and pipeline.stale() == []


def test_awards_may_be_imported_later_than_their_round(pipeline: Pipeline, tmp_path: Path) -> None:
    entry = a_round()
    pipeline.import_(archive(tmp_path, entry, text=None))
    key, _ = keys_of(entry)
    assert awards(pipeline, key) == []
    summary = pipeline.import_(archive(tmp_path, entry, stats=False))
    assert (summary.ingested, summary.waiting) == (1, 0)
    assert awards(pipeline, key) == AWARDS and pipeline.stale() == []


def test_awards_whose_round_is_not_here_wait_for_it(pipeline: Pipeline, tmp_path: Path) -> None:
    entry = a_round()
    summary = pipeline.import_(archive(tmp_path, entry, stats=False))
    key, file = keys_of(entry)
    assert (summary.ingested, summary.waiting) == (0, 1)
    assert pipeline.file(file)["status"] == "listed" and "with its round" in pipeline.file(file)["reason"]
    pipeline.import_(archive(tmp_path, entry, text=None))
    assert pipeline.file(file)["status"] == "ingested" and awards(pipeline, key) == AWARDS


def test_an_import_names_the_broken_file_and_a_mended_one_takes_its_place(pipeline: Pipeline, tmp_path: Path) -> None:
    entry = a_round()
    key, _ = keys_of(entry)
    summary = pipeline.import_(archive(tmp_path, entry, text=BROKEN))
    ((name, reason),) = summary.quarantined
    assert name == names(entry)[1] and "line 2" in reason
    assert link_of(pipeline, key) == ("none", []) and pipeline.stale() == []
    pipeline.import_(archive(tmp_path, entry))
    assert awards(pipeline, key) == AWARDS


def test_what_was_imported_is_known_to_the_sensor(pipeline: Pipeline, tmp_path: Path) -> None:
    entry = a_round()
    pipeline.import_(archive(tmp_path, entry))
    key, file = keys_of(entry)
    put_endstats(pipeline, entry)
    put_stats(pipeline, entry)
    pipeline.take_in()
    assert pipeline.stale() == [] and pipeline.file(file)["status"] == "ingested"
    assert awards(pipeline, key) == AWARDS


# --- what is shown ---


def test_awards_of_rounds_that_do_not_count_are_left_out(pipeline: Pipeline) -> None:
    first = a_round(0)
    bots = (make_line(BOT, name="[BOT]moe"), *(make_line(f"{BOT[:7]}{n}", name=f"[BOT]{n}") for n in range(1, 4)))
    with_bots = make_round(20, 1, *players(1), *bots, map_name="radar")
    for entry in (first, with_bots):
        put_endstats(pipeline, entry)
        put_stats(pipeline, entry)
    pipeline.take_in()
    counting, invalid = (keys_of(entry)[0] for entry in (first, with_bots))
    assert awards(pipeline, invalid) == AWARDS  # stored, with the round it is of
    for view in ("valid_round_award", "valid_round_versus"):
        assert {row["round_key"] for row in pipeline.rows(f"select * from {view}")} == {counting}
    (row,) = pipeline.rows("select * from valid_round_award where award = 'damage_given'")
    assert (row["number"], row["guid"], row["value"]) == (1, ADA, 3214) and row["session_key"]


def test_rounds_without_endstats_say_why_and_invalid_ones_need_none(pipeline: Pipeline) -> None:
    missing, tied, orphan = a_round(0), a_round(20, map_name="te_escape2"), a_round(40, 2, "radar")
    for entry in (missing, tied, orphan):
        put_stats(pipeline, entry)
    for seconds in (-9, 9):
        put_endstats(pipeline, tied, WHOLE, seconds)
    pipeline.take_in()
    assert why_without(pipeline) == {
        keys_of(missing)[0]: NONE_NEAR,
        keys_of(tied)[0]: "two candidates at the same distance",
    }
    with pipeline.database.transaction() as conn:
        conn.execute("delete from round_endstats where round_key = %s", [keys_of(missing)[0]])
    assert why_without(pipeline)[keys_of(missing)[0]] == "not looked for yet"
