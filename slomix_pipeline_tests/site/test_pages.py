"""The public pages: they say what the export says, are answered from what the reader has, and tell when they can't."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient

from slomix_pipeline.settings import load_settings
from slomix_pipeline.site.app import HEADERS, create_app
from slomix_pipeline.site.pages.shared import match_lines
from slomix_pipeline.site.templating import name_text, number_text, others_text, sparkline, url_of
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.site_store import SiteStore
from slomix_pipeline_tests.discord.seen import BEATEN, HELD, match_of, seen
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now
from slomix_pipeline_tests.site_fixtures import OWN, Shown, crawl, pages_of, play_and_tell, seen_text

SITE = Path(__file__).resolve().parent.parent.parent / "slomix_pipeline" / "site"
AWAY = "postgresql://slomix_web@127.0.0.1:1/nowhere"


class _Tables(HTMLParser):
    """The cells of all tables of a page, by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data.strip()


def rows_of(text: str) -> list[list[str]]:
    return _Tables(text).rows


@pytest.fixture(scope="module")
def exported(shown: Shown) -> dict[str, Any]:
    return shown.pipeline.export()


@pytest.fixture(scope="module")
def crawled(shown: Shown) -> dict[str, Any]:
    return crawl(shown.client)


def test_every_link_leads_somewhere_and_no_page_says_what_only_a_program_says(crawled: dict[str, Any]) -> None:
    assert {url: answer.status_code for url, answer in crawled.items() if answer.status_code not in (200, 302)} == {}
    assert len([url for url in crawled if url.startswith("/rounds/")]) > 20
    for url, answer in crawled.items():
        if answer.headers["content-type"].startswith("text/html"):
            assert [
                word for word in ("None", "undefined", "NaN", "[object", "Loading") if word in seen_text(answer)
            ] == [], url


def test_every_answer_has_the_headers_that_let_nothing_foreign_run(shown: Shown, crawled: dict[str, Any]) -> None:
    for answer in (*crawled.values(), shown.client.get("/nowhere"), shown.client.post("/")):
        assert (
            HEADERS.items() <= dict(answer.headers).items()
            or {name.lower(): value for name, value in HEADERS.items()}.items() <= dict(answer.headers).items()
        )
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert not re.search(r"<[^>]*\s(style|on\w+)=|<script(?! src)|<style|https?://(?!127)", answer.text)


def test_a_page_is_small(crawled: dict[str, Any]) -> None:
    assert max(len(answer.content) for url, answer in crawled.items() if "." not in url.rsplit("/", 1)[-1]) < 100_000
    assert (SITE / "static" / "site.css").stat().st_size <= 20_000
    assert (SITE / "static" / "site.js").stat().st_size <= 8_000


def test_the_session_says_the_score_and_every_match_of_the_export(shown: Shown, exported: dict[str, Any]) -> None:
    key, score = exported["session"]["key"], exported["score"]
    for url in ("/", "/sessions", url_of("sessions", key)):
        page = shown.client.get(url)
        assert f"{score['A']} – {score['B']}" in seen_text(page), url
    page = shown.client.get(url_of("sessions", key))
    assert re.search(rf'grade-{exported["grade"]["letter"]}"', page.text)
    maps = [row[0] for row in rows_of(page.text) if row and row[0] in {match["map"] for match in exported["matches"]}]
    assert maps == [match["map"] for match in exported["matches"]]


def test_every_number_of_a_round_is_that_of_the_export(shown: Shown, exported: dict[str, Any]) -> None:
    for round_ in exported["rounds"]:
        rows = rows_of(shown.client.get(url_of("rounds", round_["key"])).text)
        for player in round_["players"]:
            wanted = [
                number_text(player[name], digits)
                for name, digits in (
                    ("kills", 0),
                    ("deaths", 0),
                    ("dpm", 1),
                    ("damage_given", 0),
                    ("damage_received", 0),
                    ("accuracy", 2),
                    ("headshots", 0),
                    ("hits", 0),
                    ("shots", 0),
                    ("gibs", 0),
                    ("self_kills", 0),
                    ("revives_given", 0),
                    ("xp", 0),
                    ("seconds_played", 0),
                )
            ]
            assert wanted in [row[1:] for row in rows if row], (round_["key"], player["name"])


def test_from_a_number_of_the_session_it_is_one_click_to_what_it_is_made_of(
    shown: Shown, exported: dict[str, Any]
) -> None:
    round_ = next(round_ for round_ in exported["rounds"] if round_["round"] == 2)
    player = round_["players"][0]
    url = f"{url_of('rounds', round_['key'])}?player={player['guid']}"
    assert url in shown.client.get(url_of("sessions", exported["session"]["key"])).text
    page = shown.client.get(url)
    explained = shown.pipeline.slomix("explain", round_["key"], "--player", player["guid"], "--json")
    assert explained.exit_code == 0, explained.stderr
    rows = {row[0]: row[1:] for row in rows_of(page.text) if len(row) == 6}
    assert rows["kills"][0] == str(player["kills"]) and "-" in rows["kills"][1]
    assert f'"how": "{rows["kills"][1]}"' in explained.stdout
    assert "sha256" in seen_text(page)


def test_what_the_reader_has_is_not_sent_again_until_something_changed(pipeline: Pipeline) -> None:
    play_and_tell(pipeline)
    with pages_of(pipeline.database) as client:
        first = client.get("/sessions")
        tag = first.headers["etag"]
        assert client.get("/sessions", headers={"If-None-Match": tag}).status_code == 304
        assert client.get("/sessions", headers={"If-None-Match": f'"x", {tag}'}).status_code == 304
        key = pipeline.export()["session"]["key"]
        (match,) = pipeline.rows("select r1_key, map, winner from match where position = 1")
        other = "B" if match["winner"] == "A" else "A"
        done = pipeline.slomix("override", "winner", match["r1_key"], other, "--why=he saw it", "--by=ref")
        assert done.exit_code == 0, done.stderr
        again = client.get(url_of("sessions", key), headers={"If-None-Match": tag})
        assert again.status_code == 200 and again.headers["etag"] != tag
        assert "decided by a person" in again.text and "he saw it" in again.text


def test_the_version_is_asked_for_first_and_alone_where_nothing_changed(shown: Shown) -> None:
    tag = shown.client.get("/").headers["etag"]
    store = Mock(wraps=SiteStore(AWAY))
    asked: list[str] = []
    real = shown.client.app.state.answers._store  # type: ignore[attr-defined]

    class Conn:
        def execute(self, query: str, *_: object) -> None:
            asked.append(query)

    class Moments:
        def __enter__(self) -> Any:
            with real.moment() as moment:
                return Mock(version=moment.version, conn=Conn())

        def __exit__(self, *_: object) -> None: ...

    store.moment = Moments
    client = TestClient(create_app(load_settings(), store), base_url=OWN)
    assert client.get("/", headers={"If-None-Match": tag}).status_code == 304
    assert asked == []


def test_a_key_that_is_not_there_leads_to_those_around_it(shown: Shown, exported: dict[str, Any]) -> None:
    key = exported["session"]["key"]
    for kind, wrong, near in (
        ("sessions", f"{key[:-1]}x", key),
        ("rounds", f"{exported['rounds'][0]['key']}x", exported["rounds"][0]["key"]),
        ("matches", f"{exported['matches'][0]['r1']}x", exported["matches"][0]["r1"]),
    ):
        page = shown.client.get(url_of(kind, wrong))
        assert page.status_code == 404 and page.headers["cache-control"] == "no-store"
        assert f'href="{url_of(kind, near)}"' in page.text
    assert shown.client.get("/nowhere").status_code == 404
    assert shown.client.get("/sessions?before=x").status_code == 400
    assert shown.client.get("/sessions?on=yesterday").status_code == 400


def test_a_second_round_leads_to_its_match_and_latest_to_the_newest_session(
    shown: Shown, exported: dict[str, Any]
) -> None:
    match = exported["matches"][0]
    moved = shown.client.get(url_of("matches", match["r2"]))
    assert (moved.status_code, moved.headers["location"]) == (301, url_of("matches", match["r1"]))
    latest = shown.client.get("/sessions/latest")
    assert (latest.status_code, latest.headers["location"]) == (302, url_of("sessions", exported["session"]["key"]))
    assert latest.headers["cache-control"] == "no-store"


def test_only_known_hosts_are_answered() -> None:
    store = SiteStore(AWAY)
    client = TestClient(create_app(load_settings(site_address="https://stats.example.org"), store), base_url=OWN)
    assert client.get("/", headers={"Host": "elsewhere.example"}).status_code == 400
    assert client.get("/", headers={"Host": "stats.example.org"}).status_code == 503


def test_without_a_database_pages_say_so_and_find_it_again(database: Database) -> None:
    away = TestClient(create_app(load_settings(), SiteStore(AWAY)), base_url=OWN)
    page = away.get("/")
    assert page.status_code == 503 and page.headers["retry-after"] and "try again" in page.text
    assert AWAY not in page.text and "127.0.0.1:1" not in page.text
    with pages_of(database) as client:
        assert client.get("/").status_code == 200
        with database.connect() as conn:
            conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'slomix_web'")
        assert client.get("/").status_code == 200


def test_the_list_goes_on_before_a_session_and_neighbours_are_those_around_it(pipeline: Pipeline) -> None:
    with pipeline.database.transaction() as conn:
        conn.execute(
            """insert into session (session_key, server, started_at, ended_at)
               select 'main:' || n, 'main', moment, moment from generate_series(1, 60) n
               cross join lateral (select timestamptz '2026-01-01 12:00Z' + n * interval '1 day' as moment) at"""
        )
    with pages_of(pipeline.database) as client:
        first = client.get("/sessions").text
        assert 'href="/sessions/main:60"' in first and 'href="/sessions/main:35"' not in first
        older = client.get("/sessions?before=main:36").text
        assert 'href="/sessions/main:35"' in older and 'href="/sessions/main:36"' not in older
        day = client.get("/sessions?on=2026-01-11").text
        assert 'href="/sessions/main:10"' in day and 'href="/sessions/main:11"' not in day
        assert client.get("/sessions?on=9999-12-31").status_code == 200
        page = client.get("/sessions/main:10").text
        assert 'href="/sessions/main:9"' in page and 'href="/sessions/main:11"' in page


def test_an_address_that_no_database_takes_is_refused(shown: Shown) -> None:
    for url in ("/sessions/a%00b", "/rounds/%00", "/sessions?before=a%00", "/static/%00"):
        answer = shown.client.get(url)
        assert (answer.status_code, answer.headers["x-content-type-options"]) == (400, "nosniff"), url


def test_a_page_that_breaks_has_the_headers_too(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    app = shown.client.app
    monkeypatch.setattr(app.state.answers, "answer", broken)  # type: ignore[attr-defined]
    page = TestClient(app, base_url=OWN, raise_server_exceptions=False).get("/")
    assert page.status_code == 500 and "could not be made" in page.text
    assert {name.lower() for name in HEADERS} <= set(page.headers)


def test_what_a_page_does_not_name_makes_no_page_of_its_own(shown: Shown) -> None:
    answers = shown.client.app.state.answers  # type: ignore[attr-defined]
    shown.client.get("/sessions")
    kept = len(answers._made)
    assert shown.client.get("/sessions?fbclid=1&x=2").status_code == 200
    assert len(answers._made) == kept


def test_pages_are_sent_compressed_to_who_reads_that_and_pictures_of_dots_never(
    shown: Shown, exported: dict[str, Any]
) -> None:
    packed, open_ = (shown.client.get("/", headers={"Accept-Encoding": how}) for how in ("gzip", "identity"))
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in open_.headers
    assert packed.text == open_.text and packed.headers["vary"] == open_.headers["vary"] == "Accept-Encoding"
    card = shown.client.get(url_of("sessions", exported["session"]["key"], "card.png"))
    assert card.status_code == 200 and "content-encoding" not in card.headers


def test_what_the_reader_has_is_sent_again_where_it_shows_another_zone_or_address(shown: Shown) -> None:
    store = shown.client.app.state.answers._store  # type: ignore[attr-defined]
    tags = [
        TestClient(create_app(load_settings(**given), store), base_url=OWN).get("/").headers["etag"]
        for given in ({}, {"timezone": "Asia/Tokyo"}, {"site_address": "https://stats.example.org"})
    ]
    assert len(set(tags)) == 3


def test_an_empty_database_has_pages(database: Database) -> None:
    with pages_of(database) as client:
        found = crawl(client)
        assert {answer.status_code for answer in found.values()} == {200}
        assert "Nothing was played yet" in found["/"].text and "says whether all of that runs" in found["/"].text
        assert client.get("/sessions/latest").status_code == 404


def test_a_file_that_can_not_be_read_has_a_page_that_says_why(pipeline: Pipeline) -> None:
    key = pipeline.put_and_take_in(f"{just_now():%Y-%m-%d-%H%M%S}-supply-round-1.txt", b"nothing of the kind\n")
    with pages_of(pipeline.database) as client:
        page = client.get(url_of("rounds", key))
    assert (
        page.status_code == 200
        and "count nowhere" in page.text
        and pipeline.file(key)["reason"][:20] in seen_text(page)
    )


def test_a_file_that_was_not_worked_out_yet_has_no_page_that_could_stay(pipeline: Pipeline) -> None:
    name = f"{just_now():%Y-%m-%d-%H%M%S}-supply-round-1.txt"
    key = pipeline.put_and_take_in(name, b"nothing of the kind\n")
    pipeline.rows("update file set status = 'requested', reason = null where partition_key = %s returning 1", key)
    with pages_of(pipeline.database) as client:
        assert client.get(url_of("rounds", key)).status_code == 404


def test_names_are_shown_as_text_whatever_they_hold() -> None:
    assert name_text("a\u202eb\x1b[0m") == "ab [0m"
    assert name_text("e" + "\u0301" * 200) == others_text("e" + "\u0301" * 200) == "e\u0301\u0301"
    assert name_text("", "1A2B3C4D") == "(no name) 1A2B"
    assert url_of("sessions", "main:a b?<x>/../%") == "/sessions/main:a%20b%3F%3Cx%3E=2F..=2F%25"


def test_a_line_of_numbers_is_parted_where_one_is_unknown() -> None:
    assert sparkline([1, 2, None, 4], 90, 20) == ["0.0,18.0 30.0,12.7", "90.0,2.0"]
    assert sparkline([1, None]) == []


def test_no_template_takes_text_as_markup() -> None:
    for path in (SITE / "templates").glob("*.html"):
        assert not re.search(r"\|\s*safe|autoescape|Markup", path.read_text()), path
    for path in SITE.rglob("*.py"):
        assert "Markup" not in path.read_text(), path


def test_the_pages_know_neither_dagster_nor_what_draws() -> None:
    import subprocess
    import sys

    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, slomix_pipeline.site.serving as _; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert {"dagster", "altair", "vl_convert", "pandas", "discord_webhook"} & set(loaded) == set()


def test_the_play_of_a_map_is_numbered_and_a_missing_timing_is_said_where_others_have_one() -> None:
    timed = match_of(seen(**BEATEN), seen(**HELD))
    untimed = match_of(replace(seen(**BEATEN), record_key=None), seen(**HELD))
    flags = [line.flags for line in match_lines([timed, untimed, timed, replace(timed, map_name="te_escape2"), timed])]
    assert flags == [
        (),
        ("second play this evening", "no Lua timing of a round"),
        ("third play this evening",),
        (),
        ("4th play this evening",),
    ]
    nothing_timed = match_of(replace(seen(**BEATEN), record_key=None), replace(seen(**HELD), record_key=None))
    assert [line.flags for line in match_lines([nothing_timed])] == [()]
