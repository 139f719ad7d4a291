"""Validation: silent where all is right, by name where something is not, and it writes nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.reports.validating import Held, Validated, validate
from slomix_pipeline.rules.reach import Reach
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages.chain import nobody_watches
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, round_key


@pytest.fixture
def evening(pipeline: Pipeline) -> Evening:
    played = play_evening(61, maps=2, ends_at=just_now())
    write_evening(pipeline.folder, played)
    pipeline.take_in_all()
    return played


def held(pipeline: Pipeline) -> Validated:
    return validate(pipeline.database, pipeline.settings, lambda _: Reach(everything=True), nobody_watches)


def test_nothing_is_said_of_what_is_right_and_nothing_is_written(
    pipeline: Pipeline, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[Any] = []
    snapshot = Database.snapshot

    @contextmanager
    def watched(self: Database) -> Iterator[Connection[DictRow]]:
        with snapshot(self) as conn:
            yield conn
            modes.append(conn.execute("show transaction_read_only").fetchone())

    def no_other_way(self: Database) -> Iterator[Connection[DictRow]]:
        raise AssertionError("something is read beside the snapshot")

    version, before = pipeline.rows("select version from data_version"), pipeline.contents()
    with monkeypatch.context() as patch:
        patch.setattr(Database, "snapshot", watched)
        patch.setattr(Database, "transaction", no_other_way)
        found = held(pipeline)
    assert modes == [{"transaction_read_only": "on"}]
    assert found.fine and (found.rounds, found.sessions, found.records) == (4, 1, 4)
    assert all(found.looked_at[what] for what in Held)
    assert pipeline.contents() == before and pipeline.rows("select version from data_version") == version


TAMPERED = {
    "update round_player set kills = kills + 1 where round_key = %(key)s": {Held.NUMBERS, Held.COMPARISONS, Held.FACTS},
    "update player_session_fact set kills = kills + 1": {Held.FACTS},
    "update book_night set kills = kills + 1": {Held.FACTS},
    "update parsed_player set gibs = 99 where round_key = %(key)s": {Held.READ},
    "update match set winner = 'draw'": {Held.NUMBERS, Held.MATCHES},
    "update session_player set team = null": {Held.TEAMS},
    "delete from session_player where guid = (select min(guid) from session_player)": {Held.TEAMS},
    "delete from session_team where team = 'B'": {Held.TEAMS},
    "insert into session values ('main:1', 'main', now(), now())": {Held.SESSIONS},
    "update file_content set bytes = 'cut'": {Held.BYTES, Held.RECORDS},
    "update file_content c set bytes = 'cut' from file f where f.sha256 = c.sha256 and kind = 'endstats'": {
        Held.BYTES,
        Held.AWARDS,
    },
    "update session_round set position = position + 10": {Held.SESSIONS},
    "delete from award": {Held.AWARDS},
    "update check_result set passed = not passed where check_name = 'conservation_laws'": {Held.LAWS},
    "update timing_record set pause_count = 77": {Held.RECORDS},
}


@pytest.mark.parametrize("change", TAMPERED)
def test_what_was_tampered_with_is_found(pipeline: Pipeline, evening: Evening, change: str) -> None:
    pipeline.facts_hold = False
    with pipeline.database.transaction() as conn:
        conn.execute(change, {"key": round_key(evening.rounds[0])})
    found = held(pipeline)
    assert TAMPERED[change] <= found.differing.keys()
    assert {difference.held for difference in found.named} == found.differing.keys()


def test_the_command_says_what_differs_with_exit_code_1_and_of_no_other_time(
    pipeline: Pipeline, evening: Evening
) -> None:
    assert pipeline.slomix("validate").exit_code == 0
    key = round_key(evening.rounds[0])
    with pipeline.database.transaction() as conn:
        conn.execute("update parsed_player set gibs = 99 where round_key = %s", [key])
    said = pipeline.slomix("validate", "latest", "--json")
    assert said.exit_code == 1
    (difference,) = json.loads(said.output)["differences"]
    assert (difference["key"], difference["held"]) == (key, Held.READ)
    assert key in pipeline.slomix("validate").output
    before = f"{evening.rounds[0].stamp - timedelta(days=3):%Y-%m-%d}"
    assert pipeline.slomix("validate", "--until", before).exit_code == 0
    assert pipeline.slomix("validate", "nothing").exit_code == 2
    nowhere = pipeline.slomix("validate", SLOMIX_POSTGRES_URL="postgresql://nobody@127.0.0.1:1/none")
    assert nowhere.exit_code == 2


def test_a_fresh_home_has_nothing_to_hold(pipeline: Pipeline) -> None:
    said = pipeline.slomix("validate")
    assert said.exit_code == 0 and "no round of that time is here" in said.output
