"""What is prepared for pages: of every session as it is, the newest first, and nothing twice."""

import json
from datetime import UTC, datetime

from slomix_pipeline.stages.site_preparing import prepare_next
from slomix_pipeline.warehouse import site_preparing
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.site_fixtures import play_and_tell


def waiting(pipeline: Pipeline) -> int:
    with pipeline.database.connect() as conn:
        return site_preparing.how_many(conn)


def test_every_round_has_the_receipt_that_explain_prints(pipeline: Pipeline) -> None:
    play_and_tell(pipeline)
    assert waiting(pipeline) == 0
    kept = {row["round_key"]: row["document"] for row in pipeline.rows("select * from site_receipt")}
    assert set(kept) == {round_["key"] for round_ in pipeline.export()["rounds"]}
    for key, document in kept.items():
        explained = json.loads(pipeline.slomix("explain", key, "--json").stdout)
        explained["round"].pop("age_seconds")
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
        site_preparing.store_prepared(conn, session, "D", {})
    assert waiting(pipeline) == 1
    assert pipeline.rows("select * from site_card where grade = 'D'") == []


def test_the_pictures_of_a_summary_are_kept_for_pages(pipeline: Pipeline) -> None:
    play_and_tell(pipeline)
    (picture,) = pipeline.rows("select name, alt, svg from site.picture")
    assert picture["name"] == "result" and picture["svg"].startswith("<svg")
