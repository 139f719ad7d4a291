"""The page of corrections: what was told and is another now, newest first, with its cause and without who is hidden."""

from slomix_pipeline.site.templating import url_of, utc_text
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.site.test_pages import rows_of
from slomix_pipeline_tests.site_fixtures import Shown, pages_of, play_and_tell, prepare, seen_text


def decide(pipeline: Pipeline, *arguments: str) -> None:
    done = pipeline.slomix("override", *arguments)
    assert done.exit_code == 0, done.stderr
    (match,) = pipeline.rows("select r2_key from match where position = 1")
    pipeline.work(match["r2_key"])


def test_what_was_corrected_is_listed_newest_first_and_stays(pipeline: Pipeline) -> None:
    play_and_tell(pipeline)
    pipeline.work([row["round_key"] for row in pipeline.rows("select round_key from round")], "asked")
    (match,) = pipeline.rows("select match_key, r1_key, map, winner from match where position = 1")
    (who, *_) = pipeline.rows("select guid, name from session_player order by length(name) desc, guid")
    other = "B" if match["winner"] == "A" else "A"
    decide(pipeline, "winner", match["r1_key"], other, "--why", f"<b>{who['name']}</b> saw it", "--by", "ref")
    decide(pipeline, "revoke", "1", "--why", "an error", "--by", "ref")
    told = pipeline.rows("select notice, cause from correction order by id desc")
    assert len(told) == 2
    with pages_of(pipeline.database) as client:
        page = client.get("/corrections")
        rows = rows_of(page.text)[1:]
        assert [row[0] for row in rows] == [match["map"]] * 2
        assert ["wins instead of" in row[1] for row in rows] == [True, True]
        assert rows[0][2] == "decision taken back by ref: an error" and "<b>" in rows[1][2]
        assert f'href="{url_of("matches", match["match_key"])}"' in page.text and "<b>" not in page.text
        older = client.get("/corrections?before=2")
        assert len(rows_of(older.text)[1:]) == 1
        done = pipeline.slomix("identity", "hide", who["guid"], "--why=he said so", "--by=ref")
        assert done.exit_code == 0, done.stderr
        prepare(pipeline.database)
        assert who["name"] not in seen_text(client.get("/corrections"))


def test_an_entry_of_the_feed_is_updated_when_its_report_becomes_another_one(pipeline: Pipeline) -> None:
    play_and_tell(pipeline, maps=1)
    (session,) = pipeline.rows("select session_key, ended_at from session")
    report = "select reported_at, changed_at from session_report"
    assert [row["changed_at"] for row in pipeline.rows(report)] == [None]
    with pages_of(pipeline.database) as client:
        assert utc_text(session["ended_at"]) in client.get("/feed.xml").text
        (match,) = pipeline.rows("select r1_key, winner from match")
        decide(pipeline, "winner", match["r1_key"], "B" if match["winner"] == "A" else "A", "--why=seen", "--by=ref")
        pipeline.report_sessions()
        (found,) = pipeline.rows(report)
        assert session["ended_at"] < found["changed_at"] <= found["reported_at"]
        assert f"<updated>{utc_text(found['changed_at'])}</updated>" in client.get("/feed.xml").text


def test_without_corrections_the_page_says_so(shown: Shown) -> None:
    assert "Nothing that was told had to be corrected" in shown.client.get("/corrections").text
    assert shown.client.get("/corrections?before=x").status_code == 400
    assert 'href="/corrections"' in shown.client.get("/").text
