"""Seasons and awards, how it is counted, about, feeds: what they say is what boards, rules and comments say."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from slomix_pipeline.rules.awards import AwardGiven, collected
from slomix_pipeline.rules.boards import BOARDS
from slomix_pipeline.rules.grades import costs
from slomix_pipeline.rules.score_policies import POLICIES
from slomix_pipeline.rules.seasons import LEAST_SESSIONS, season_of
from slomix_pipeline.settings import load_settings
from slomix_pipeline.site.answers import Asked
from slomix_pipeline.site.app import create_app
from slomix_pipeline.site.pages.feeds import Entry, _atom
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse.metric_texts import metric_texts, sums
from slomix_pipeline.warehouse.site_store import Moment, Version
from slomix_pipeline_tests.site_fixtures import Shown, seen_text

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def season(shown: Shown) -> str:
    (row,) = shown.pipeline.rows("select started_at from session")
    return season_of(row["started_at"], load_settings().zone).id


def test_the_season_of_the_evening_is_listed_and_leads_to_its_boards(shown: Shown, season: str) -> None:
    assert f'href="/seasons/{season}"' in shown.client.get("/seasons").text
    page = shown.client.get(f"/seasons/{season}")
    text = seen_text(page)
    assert [board.title for board in BOARDS.values() if board.title not in text] == []
    assert text.count("nobody played enough") == len(BOARDS)  # of one session nobody is the champion
    assert f"at least {LEAST_SESSIONS} sessions" in text


def test_a_season_without_a_session_leads_to_those_with_one(shown: Shown, season: str) -> None:
    for missing in ("2001-Q1", "x", "<b>"):
        page = shown.client.get(url_of("seasons", missing))
        assert page.status_code == 404 and f"/seasons/{season}" in page.text and "<b>" not in page.text
    assert shown.client.get("/awards?season=2001-Q1").status_code == 400


def test_awards_are_counted_as_they_were_given(shown: Shown, season: str) -> None:
    page = shown.client.get("/awards")
    assert seen_text(page) == seen_text(shown.client.get(f"/awards?season={season}"))
    (row,) = shown.pipeline.rows(
        """select n.called, count(distinct a.round_key) as times
           from valid_round_award a join session_name n using (session_key, guid)
           where a.award = 'damage_given' group by 1 order by 2 desc, 1 limit 1"""
    )
    assert re.search(
        rf"Most damage given\s+{re.escape(row['called'])}\s+{row['times']}×", re.sub(r"\s+", " ", seen_text(page))
    )


def test_collected_awards_go_by_how_often_and_leave_nameless_ones_uncounted() -> None:
    (award,) = collected(
        [AwardGiven("gibs", "B", "Bob", 2), AwardGiven("gibs", "A", "Ada", 3), AwardGiven("gibs", None, None, 9)]
    )
    assert [one.name for one in award.collectors] == ["Ada", "Bob"] and award.untold == 9


def test_how_it_is_counted_says_every_metric_sum_threshold_policy_and_grade(shown: Shown) -> None:
    text = re.sub(r"\s+", " ", seen_text(shown.client.get("/metrics")))
    with shown.pipeline.database.connect() as conn:
        told = [
            part
            for metric in metric_texts(conn)
            for part in (metric.name, metric.meaning, metric.formula, metric.source)
        ]
        told += [own.comment or "" for own in sums(conn)]
    told += [policy.in_words for policy in POLICIES.values()] + [reason for _, reason in costs()]
    assert [part for part in told if re.sub(r"\s+", " ", part) not in text] == []


def test_every_letter_of_trust_has_examples_of_what_costs_it() -> None:
    assert {letter for letter, _ in costs()} == {"B", "C", "D"}
    assert len(costs()) > 15


def test_about_says_whom_to_ask(shown: Shown) -> None:
    assert "the admins of the game server" in seen_text(shown.client.get("/about"))
    settings = load_settings().model_copy(update={"site_contact": "<b>Ada</b>"})
    app = create_app(settings, shown.client.app.state.answers._store)  # type: ignore[attr-defined]
    other = type(shown.client)(app, base_url="http://127.0.0.1").get("/about")
    assert "&lt;b&gt;Ada&lt;/b&gt;" in other.text
    assert other.headers["etag"] != shown.client.get("/about").headers["etag"]


def test_the_feed_tells_the_result_and_links_lead_to_it(shown: Shown) -> None:
    answer = shown.client.get("/feed.xml")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(answer.content)
    (entry,) = feed.findall(f"{ATOM}entry")
    (session,) = shown.pipeline.rows("select session_key, ended_at, installation from session, data_version")
    score = shown.pipeline.export()["score"]
    assert entry.findtext(f"{ATOM}id") == (f"urn:slomix:{session['installation']}:session:{session['session_key']}")
    assert f"{score['A']} – {score['B']}" in (entry.findtext(f"{ATOM}title") or "")
    assert entry.findtext(f"{ATOM}updated") == session["ended_at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    link = entry.find(f"{ATOM}link")
    assert link is not None and shown.client.get(link.get("href", "")).status_code == 200
    assert 'type="application/atom+xml"' in shown.client.get("/").text


def test_a_feed_of_hostile_text_is_still_a_feed() -> None:
    now = datetime(2026, 2, 2, tzinfo=UTC)
    text = "<script>\x00\x08\ufffe]]>&amp; \u202eevil \ud800"
    made = _atom(
        "urn:slomix:1", "Results", "/feed.xml", "/", [Entry("urn:slomix:1:session:x", text, "/sessions/x", now, text)],
        Moment(None, Version(1, 0, now)),  # type: ignore[arg-type]
        Asked("/feed.xml", {}, {}, "http://127.0.0.1", now, load_settings()),
    )  # fmt: skip
    (entry,) = ElementTree.fromstring(made).findall(f"{ATOM}entry")
    title = entry.findtext(f"{ATOM}title") or ""
    assert title.startswith("<script>") and "evil" in title and "\u202e" not in title


def test_the_feed_of_corrections_is_empty_while_nothing_was_corrected(shown: Shown) -> None:
    feed = ElementTree.fromstring(shown.client.get("/corrections.xml").content)
    assert feed.findall(f"{ATOM}entry") == [] and feed.findtext(f"{ATOM}updated")
    assert shown.client.get("/robots.txt").text.startswith("User-agent: *\n")
