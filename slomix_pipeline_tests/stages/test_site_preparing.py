"""What is prepared for pages: of every session as it is, the newest first, and nothing twice."""

import json
from datetime import UTC, datetime

import pytest

from slomix_pipeline.sensors.pages import prepare_waiting
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.stages import site_preparing as site_preparing_stage
from slomix_pipeline.stages.site_preparing import prepare_news, prepare_next
from slomix_pipeline.warehouse import site_preparing
from slomix_pipeline.warehouse.database import COMMAND_WORKS
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.site_fixtures import pages_of, play_and_tell


def waiting(pipeline: Pipeline) -> int:
    with pipeline.database.connect() as conn:
        return site_preparing.how_many(conn)


def test_every_round_has_the_receipt_that_explain_prints_without_names(pipeline: Pipeline) -> None:
    play_and_tell(pipeline)
    assert waiting(pipeline) == 0
    kept = {row["round_key"]: row["document"] for row in pipeline.rows("select * from site_receipt")}
    assert set(kept) == {round_["key"] for round_ in pipeline.export()["rounds"]}
    for key, document in kept.items():
        explained = json.loads(pipeline.slomix("explain", key, "--json").stdout)
        explained["round"].pop("age_seconds")
        assert [player.pop("name") for player in explained["players"]]
        assert document == explained
    (card,) = pipeline.rows("select grade from site_card")
    assert card["grade"] == pipeline.export()["grade"]["letter"]


def test_a_session_that_is_scored_anew_is_prepared_anew(pipeline: Pipeline) -> None:
    play_and_tell(pipeline)
    (match,) = pipeline.rows("select r1_key from match where position = 1")
    done = pipeline.slomix("override", "winner", match["r1_key"], "A", "--why=he saw it", "--by=ref")
    assert done.exit_code == 0, done.stderr
    assert waiting(pipeline) == 1
    assert pipeline.rows("select * from site.card") == []
    assert pipeline.rows("select * from site.receipt") == []
    with pages_of(pipeline.database) as client:
        assert "is being made" in client.get(url_of("rounds", match["r1_key"])).text
    assert prepare_next(pipeline.database, pipeline.settings, datetime.now(UTC)) is not None
    assert prepare_next(pipeline.database, pipeline.settings, datetime.now(UTC)) is None
    assert len(pipeline.rows("select * from site.card")) == 1


def test_what_was_made_of_a_session_that_changed_meanwhile_is_not_kept(pipeline: Pipeline) -> None:
    play_and_tell(pipeline)
    with pipeline.database.transaction() as conn:
        conn.execute("update session set scored_at = now()")
        session = site_preparing.next_one(conn)
        assert session is not None
        conn.execute("update session set scored_at = now() + interval '1 second'")
        site_preparing.store_prepared(conn, session, "D", {}, {})
    assert waiting(pipeline) == 1
    assert pipeline.rows("select * from site_card where grade = 'D'") == []


def test_a_session_that_can_not_be_prepared_keeps_no_other_one_waiting(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_and_tell(pipeline)
    pipeline.rows("update session set scored_at = now() returning 1")

    def broken(*_: object) -> None:
        raise ValueError("not to be read")

    monkeypatch.setattr(site_preparing_stage, "explain", broken)
    assert prepare_next(pipeline.database, pipeline.settings, datetime.now(UTC)) is not None
    assert prepare_next(pipeline.database, pipeline.settings, datetime.now(UTC)) is None
    assert pipeline.rows("select * from site.card") == pipeline.rows("select * from site.receipt") == []


def test_a_session_of_which_no_news_can_be_made_keeps_no_other_one_waiting(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_and_tell(pipeline, maps=1)
    pipeline.rows("delete from site_news returning 1")

    def broken(*_: object) -> None:
        raise ValueError("not to be read")

    monkeypatch.setattr(site_preparing_stage, "fallen_records", broken)
    assert prepare_news(pipeline.database, datetime.now(UTC)) is not None
    assert prepare_news(pipeline.database, datetime.now(UTC)) is None


def test_sessions_are_not_prepared_while_a_command_works_rounds_out(pipeline: Pipeline) -> None:
    play_and_tell(pipeline)
    pipeline.rows("update session set scored_at = now() returning 1")
    with pipeline.database.hold(COMMAND_WORKS):
        assert prepare_waiting(pipeline.instance, pipeline.database, pipeline.settings, 60) == 0
    assert prepare_waiting(pipeline.instance, pipeline.database, pipeline.settings, 60) == 2  # it and its news


def test_the_pictures_of_a_summary_are_kept_for_pages(pipeline: Pipeline) -> None:
    play_and_tell(pipeline)
    (picture,) = pipeline.rows("select name, alt, svg, of_present from site.picture")
    assert picture["name"] == "result" and picture["svg"].startswith("<svg") and picture["of_present"]
    pipeline.rows("update session set scored_at = now() returning 1")
    assert pipeline.rows("select of_present from site.picture") == [{"of_present": False}]
