"""Endstats files that are broken or out of reach: quarantined with a reason, and their rounds stand as they are."""

from typing import Any

import pytest

from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.gameserver.source import GameServer, PermanentError, RemoteFile, TooLarge, TransientError
from slomix_pipeline.warehouse import endstats
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.stages.endstats_steps import (
    AWARDS,
    BROKEN,
    WHOLE,
    a_round,
    awards,
    duels,
    link_of,
    look,
    names,
    put_endstats,
    put_stats,
    rework,
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BROKEN, "line 2"),
        (WHOLE[:-1], "cut"),
        ("", "empty"),
        ("\0" * 99, "zero bytes"),
        ("x\t1\t1\n" * 200_000, "large"),
    ],
)
def test_a_broken_file_is_quarantined_and_its_round_stays_as_it_is(pipeline: Pipeline, text: str, reason: str) -> None:
    entry = a_round()
    key = put_stats(pipeline, entry)
    pipeline.take_in()
    before = pipeline.export()
    file = put_endstats(pipeline, entry, text)
    assert rework(pipeline) == [key] and pipeline.stale() == []
    assert pipeline.file(file)["status"] == "quarantined" and reason in pipeline.file(file)["reason"]
    assert pipeline.export() == before and link_of(pipeline, key) == ("none", [])
    put_endstats(pipeline, entry)  # written anew
    assert rework(pipeline) == [key]
    assert awards(pipeline, key) == AWARDS


def test_a_round_keeps_its_awards_when_their_file_is_replaced_by_a_broken_one(pipeline: Pipeline) -> None:
    entry = a_round()
    put_endstats(pipeline, entry)
    key = put_stats(pipeline, entry)
    pipeline.take_in()
    file = put_endstats(pipeline, entry, BROKEN)
    assert rework(pipeline) == [key] and pipeline.stale() == []
    pipeline.work(key)
    assert pipeline.file(file)["status"] == "quarantined"
    assert awards(pipeline, key) == AWARDS


def test_names_of_any_bytes_are_stored(pipeline: Pipeline) -> None:
    entry = a_round()
    name = names(entry)[1]
    pipeline.put(name, b"Most revives\t\xff\x01\xc5\xbe\t4\nMost kittens\t\xff\t\xfe\n\xff\t1\t1\n")
    key = put_stats(pipeline, entry)
    pipeline.take_in()
    assert awards(pipeline, key) == [("revives_given", None, 4), (None, None, None)]
    assert duels(pipeline, key) == [(None, None, 1, 1)]


class NoEndstats(NoGameServer):
    """A game server whose endstats files can't be had."""

    def __init__(self, real: GameServer, error: Exception) -> None:
        self.real, self.error = real, error

    def describe(self) -> str:
        return self.real.describe()

    def folder_changed_at(self, folder: str) -> int:
        return self.real.folder_changed_at(folder)

    def list_folder(self, folder: str) -> list[RemoteFile]:
        return self.real.list_folder(folder)

    def read(self, folder: str, name: str, limit: int) -> bytes:
        if name.endswith("-endstats.txt"):
            raise self.error
        return self.real.read(folder, name, limit)

    def close(self) -> None:
        self.real.close()


@pytest.mark.parametrize("error", [TransientError("the line is dead"), PermanentError("login refused")])
def test_a_game_server_out_of_reach_fails_no_round_and_is_asked_again(pipeline: Pipeline, error: Exception) -> None:
    entry, real = a_round(), pipeline.gameserver
    file, key = put_endstats(pipeline, entry), put_stats(pipeline, entry)
    pipeline.gameserver = NoEndstats(real, error)
    pipeline.take_in()
    assert pipeline.file(file)["status"] == "listed"
    assert link_of(pipeline, key) == ("none", [])
    assert pipeline.export()["rounds"][0]["players"]
    pipeline.gameserver = real
    assert rework(pipeline) == [key]
    assert awards(pipeline, key) == AWARDS


def test_a_run_that_ended_between_reading_and_storing_is_made_up_for(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = a_round()
    file, key = put_endstats(pipeline, entry), put_stats(pipeline, entry)

    def end(*_: Any) -> None:
        raise OSError("the machine goes down")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="the machine goes down"):
        patch.setattr(endstats, "store_endstats", end)
        pipeline.take_in()
    assert rework(pipeline) == [key] and pipeline.stale() == []
    assert awards(pipeline, key) == AWARDS and pipeline.file(file)["status"] == "ingested"


def test_a_file_too_large_to_fetch_is_quarantined(pipeline: Pipeline) -> None:
    entry = a_round()
    file = put_endstats(pipeline, entry)
    put_stats(pipeline, entry)
    pipeline.gameserver = NoEndstats(pipeline.gameserver, TooLarge("larger than 1048576 bytes"))
    pipeline.take_in()
    assert pipeline.stale() == []
    assert (pipeline.file(file)["status"], pipeline.file(file)["reason"]) == (
        "quarantined",
        "larger than 1048576 bytes",
    )


def test_a_file_that_is_gone_before_it_was_read_is_quarantined_with_that_reason(pipeline: Pipeline) -> None:
    entry = a_round()
    file = put_endstats(pipeline, entry)
    look(pipeline)
    (pipeline.folder / "gamestats" / names(entry)[1]).unlink()
    key = put_stats(pipeline, entry)
    pipeline.take_in()
    assert pipeline.file(file)["status"] == "quarantined" and "no file" in pipeline.file(file)["reason"]
    assert link_of(pipeline, key) == ("none", []) and pipeline.stale() == []
