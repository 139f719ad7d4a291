"""Files that came twice or as other bytes: copies are known, broken ones replace nothing, mended ones are taken."""

from dataclasses import replace
from pathlib import Path

import pytest

from slomix_pipeline.formats import gamestats
from slomix_pipeline.sensors.folders import GAMESTATS
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.spoilt_files import good_bytes, good_evening, name_of, subject

# --- duplicates ---


def twins() -> tuple[str, str]:
    return name_of(1), name_of(0)


def test_the_same_bytes_under_another_name_are_known(pipeline: Pipeline) -> None:
    earlier, later = twins()
    first = pipeline.put_and_take_in(later, good_bytes())
    second = pipeline.put_and_take_in(earlier, good_bytes())
    assert pipeline.file(first)["status"] == "ingested"
    assert (pipeline.file(second)["status"], pipeline.file(second)["reason"]) == ("known", f"the same bytes as {later}")
    assert [row["round_key"] for row in pipeline.rows("select round_key from round")] == [first]


def test_a_copy_becomes_a_round_of_its_own_when_its_original_is_replaced(pipeline: Pipeline) -> None:
    earlier, later = twins()
    first = pipeline.put_and_take_in(later, good_bytes())
    second = pipeline.put_and_take_in(earlier, good_bytes())
    pipeline.put_and_take_in(later, gamestats.dump(good_evening().rounds[0].stats))
    assert pipeline.file(second)["status"] == "requested"
    pipeline.take_in()
    assert pipeline.file(second)["status"] == "ingested"
    assert {row["round_key"] for row in pipeline.rows("select round_key from round")} == {first, second}


def test_the_same_bytes_twice_in_a_batch_count_once(pipeline: Pipeline) -> None:
    write_evening(pipeline.folder, good_evening())
    keys = [pipeline.put(name, good_bytes()) for name in twins()]
    pipeline.take_in()
    assert [pipeline.file(key)["status"] for key in keys] == ["ingested", "known"]
    assert len(pipeline.rows("select * from round")) == len(good_evening().rounds) + 1
    pipeline.work(keys)
    assert [pipeline.file(key)["status"] for key in keys] == ["ingested", "known"]


def test_the_same_bad_bytes_twice_in_a_batch_are_both_quarantined(pipeline: Pipeline) -> None:
    write_evening(pipeline.folder, good_evening())
    data = good_bytes().partition(b"\n")[0] + b"\n"
    keys = [pipeline.put(name, data) for name in twins()]
    pipeline.take_in()
    for key in keys:
        assert (pipeline.file(key)["status"], pipeline.file(key)["reason"][:18]) == (
            "quarantined",
            "only a header line",
        )


def test_a_round_whose_file_became_a_copy_of_another_keeps_its_own_version(pipeline: Pipeline) -> None:
    name, other = twins()
    original = good_evening().rounds[0].stats
    key = pipeline.put_and_take_in(name, gamestats.dump(original))
    pipeline.put_and_take_in(other, good_bytes())
    pipeline.put_and_take_in(name, good_bytes())
    row = pipeline.file(key)
    assert row["status"] == "known"
    assert other in row["reason"] and "earlier version" in row["reason"]
    (exported,) = [r for r in pipeline.export()["rounds"] if r["key"] == key]
    assert {p["guid"] for p in exported["players"]} == {line.guid for line in original.players}


# --- changes ---


def test_a_fixed_file_is_ingested_when_it_is_listed_again(pipeline: Pipeline) -> None:
    data = good_bytes()
    key = pipeline.put_and_take_in(name_of(0), data[:-40])
    assert pipeline.file(key)["status"] == "quarantined"
    pipeline.put_and_take_in(name_of_key(key), data)
    assert (pipeline.file(key)["status"], pipeline.file(key)["reason"]) == ("ingested", None)
    assert len(pipeline.page.messages()) == 1
    assert len(pipeline.rows("select * from file_content")) == 2  # the broken bytes are kept as well


def name_of_key(key: str) -> str:
    return key.partition(":")[2] + ".txt"


def test_a_fixed_file_is_ingested_by_another_import(pipeline: Pipeline, tmp_path: Path) -> None:
    data = good_bytes()
    (tmp_path / "archive").mkdir()
    file = tmp_path / "archive" / name_of(0)
    file.write_bytes(data[:-40])
    assert len(pipeline.import_(file.parent).quarantined) == 1
    file.write_bytes(data)
    summary = pipeline.import_(file.parent)
    assert (summary.ingested, summary.quarantined) == (1, [])


def test_a_quarantined_file_can_be_run_again_by_hand(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an update of the parser: nothing changed on the game server, and the file may be gone from there."""
    from slomix_pipeline.formats.errors import FormatError

    def refuse(data: bytes) -> None:
        raise FormatError("a layout of next year")

    with monkeypatch.context() as patch:
        patch.setattr("slomix_pipeline.stages.parsed_round.accept_stats", refuse)
        key = pipeline.put_and_take_in(name_of(0), good_bytes())
    assert pipeline.file(key)["reason"] == "a layout of next year"
    (pipeline.folder / GAMESTATS / name_of_key(key)).unlink()
    pipeline.work(key)
    assert pipeline.file(key)["status"] == "ingested"


def test_a_good_file_replaced_by_a_broken_one_keeps_its_earlier_version(pipeline: Pipeline) -> None:
    data = good_bytes()
    key = pipeline.put_and_take_in(name_of(0), data)
    before = pipeline.export()
    pipeline.put_and_take_in(name_of_key(key), data[:-40])
    row = pipeline.file(key)
    assert row["status"] == "quarantined"
    assert "cut" in row["reason"] and "keeps its earlier version" in row["reason"]
    assert pipeline.export() == before
    pipeline.put_and_take_in(name_of_key(key), b"")
    assert pipeline.file(key)["status"] == "quarantined"
    assert "empty file" in pipeline.file(key)["reason"]
    assert pipeline.export() == before
    pipeline.put_and_take_in(name_of_key(key), data)
    assert (pipeline.file(key)["status"], pipeline.export()) == ("ingested", before)


def test_a_good_file_replaced_by_another_good_one_says_so(pipeline: Pipeline) -> None:
    key = pipeline.put_and_take_in(name_of(0), good_bytes())
    fewer = replace(subject().stats, players=subject().stats.players[:-1])
    pipeline.put_and_take_in(name_of_key(key), gamestats.dump(fewer))
    (exported,) = pipeline.export()["rounds"]
    assert len(exported["players"]) == len(fewer.players)
    (check,) = pipeline.rows("select metadata from check_result where check_name = 'transfer'")
    assert "replaces" in check["metadata"]
    assert len(pipeline.page.messages()) == 1


def test_an_import_that_died_between_storing_and_reading_is_made_up_for_by_the_next(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slomix_pipeline.actions import import_batches

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "archive").mkdir()
    file = tmp_path / "archive" / name_of(0)
    file.write_bytes(good_bytes())
    pipeline.import_(file.parent)
    fewer = replace(subject().stats, players=subject().stats.players[:-1])
    file.write_bytes(gamestats.dump(fewer))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(import_batches, "run_stages", die)
        pipeline.import_(file.parent)
    pipeline.import_(file.parent)
    (exported,) = pipeline.export()["rounds"]
    assert len(exported["players"]) == len(fewer.players)
