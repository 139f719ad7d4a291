"""Pages of players, their list, and the search: they say what the command says, and nothing of who is hidden."""

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from slomix_pipeline.reports.career_words import CAREER_NUMBERS, amount
from slomix_pipeline.settings import load_settings
from slomix_pipeline.site.app import create_app
from slomix_pipeline.site.templating import has_player, name_text, url_of
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.site_schema import ROLE
from slomix_pipeline.warehouse.site_store import SiteStore
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.site.test_pages import rows_of
from slomix_pipeline_tests.site_fixtures import OWN, Shown, crawl, pages_of, play_and_tell, seen_text
from slomix_pipeline_tests.warehouse.played_rounds import Played


def career_of(pipeline: Pipeline, guid: str) -> dict[str, Any]:
    told = pipeline.slomix("player", guid, "--json")
    assert told.exit_code == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def persons_of(pipeline: Pipeline) -> list[dict[str, Any]]:
    return pipeline.rows(
        """select p.person as guid, p.name, max(f.last_played_at) as seen from board_person p
           join player_session_fact f using (guid) group by 1, 2 order by 3 desc, 1"""
    )


@pytest.fixture(scope="module")
def persons(shown: Shown) -> list[dict[str, Any]]:
    return persons_of(shown.pipeline)


def test_a_page_says_every_number_that_the_command_says(shown: Shown, persons: list[dict[str, Any]]) -> None:
    for person in persons[:4]:
        career = career_of(shown.pipeline, person["guid"])
        page = shown.client.get(url_of("players", person["guid"]))
        text = " ".join(seen_text(page).split())
        assert page.status_code == 200 and name_text(person["name"]) in text
        for number in CAREER_NUMBERS:
            value = amount(career["numbers"][number.attribute], number.decimals, number.unit)
            assert f"{number.title} {value}" in text, number
        rows = rows_of(page.text)
        for night in career["form"]["nights"]:
            values = [amount(night["kd"], 2), amount(night["dpm"], 1), amount(night["kills"]), str(night["rounds"])]
            assert [night["ended_at"][:10], *values] in [[*row[:3], *row[4:]] for row in rows]
            assert f'href="{url_of("sessions", night["session_key"])}"' in page.text
        assert [row[1] for row in rows if len(row) == 4 and row[2].startswith("20") and row[3].startswith("20")] == [
            str(alias["rounds"]) for alias in career["aliases"]
        ]
        for best in career["bests"]:
            assert f'href="{url_of("rounds", best["round_key"])}"' in page.text
        on_maps = [int(row[1]) for row in rows if len(row) == 5 and row[2].count("–") == 2 and row[1].isdigit()]
        assert sum(on_maps) == career["numbers"]["rounds"]


def test_met_players_are_counted_as_the_command_counts_them(shown: Shown, persons: list[dict[str, Any]]) -> None:
    one, other = persons[:2]
    told = shown.pipeline.slomix("compare", one["guid"], other["guid"], "--json")
    meetings = json.loads(told.stdout)["meetings"]
    wanted = ["–".join(str(meetings[how][end]) for end in ("won", "drawn", "lost")) for how in ("together", "against")]
    rows = rows_of(shown.client.get(url_of("players", one["guid"])).text)
    assert [name_text(other["name"]), *wanted] in [row[:3] for row in rows]


def test_who_has_too_little_for_a_board_is_told_what_he_lacks(shown: Shown, persons: list[dict[str, Any]]) -> None:
    career = career_of(shown.pipeline, persons[0]["guid"])
    lacking = 10 - career["numbers"]["rounds"]
    assert lacking > 0
    page = shown.client.get(url_of("players", persons[0]["guid"]))
    assert f"{lacking} more rounds" in page.text and "place 1" not in seen_text(page)


def test_pages_of_players_are_for_no_search_engine(shown: Shown, persons: list[dict[str, Any]]) -> None:
    for url in ("/players", url_of("players", persons[0]["guid"]), "/search?q=a"):
        assert '<meta name="robots" content="noindex">' in shown.client.get(url).text


def test_the_list_has_everybody_who_was_there_last_first_and_goes_on_after_a_player(
    shown: Shown, persons: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [f'href="{url_of("players", person["guid"])}"' for person in persons]
    page = shown.client.get("/players").text
    assert [page.index(link) for link in wanted] == sorted(page.index(link) for link in wanted)
    after = shown.client.get(f"/players?after={persons[0]['guid']}").text
    assert wanted[0] not in after and all(link in after for link in wanted[1:])
    monkeypatch.setattr("slomix_pipeline.site.pages.players._A_PAGE", 2)
    assert (
        f'href="/players?after={persons[3]["guid"]}"' in shown.client.get(f"/players?after={persons[1]['guid']}").text
    )
    assert shown.client.get("/players?after=x").status_code == 400


def test_one_hit_is_where_the_search_leads(shown: Shown, persons: list[dict[str, Any]]) -> None:
    session = shown.pipeline.export()["session"]["key"]
    guid = persons[0]["guid"]
    for typed, url in (
        (guid, url_of("players", guid)),
        (guid[:6].lower(), url_of("players", guid)),
        (session, url_of("sessions", session)),
    ):
        answer = shown.client.get("/search", params={"q": typed})
        assert (answer.status_code, answer.headers.get("location")) == (302, url), typed


def test_the_search_lists_several_finds_maps_and_suggests_where_there_is_nothing(
    shown: Shown, persons: list[dict[str, Any]]
) -> None:
    (map_name,) = {row["map"] for row in shown.pipeline.rows("select map from match order by map limit 1")}
    found = shown.client.get("/search", params={"q": map_name})
    assert (found.status_code, found.headers["location"]) == (302, url_of("maps", map_name))
    name = next(name_text(person["name"]) for person in persons if len(name_text(person["name"])) > 4)
    nothing = shown.client.get("/search", params={"q": f"{name[:-1]}qx"})
    assert nothing.status_code == 200 and name in seen_text(nothing).split("Maybe one of these")[1]
    for typed in ("", "%", "_", "<b>x</b>", "'; drop", "x" * 5000, "\u202e^1"):
        answer = shown.client.get("/search", params={"q": typed})
        assert answer.status_code == 200 and "<b>x" not in answer.text and len(answer.content) < 20_000, typed


def test_a_page_tells_the_latest_matches_and_leads_to_them(shown: Shown, persons: list[dict[str, Any]]) -> None:
    page = shown.client.get(url_of("players", persons[0]["guid"]))
    for match in shown.pipeline.rows("select match_key from match"):
        assert f'href="{url_of("matches", match["match_key"])}"' in page.text
    assert "His sessions" in page.text and len(page.content) < 50_000


def test_search_engines_may_list_players_where_that_is_wished(shown: Shown, persons: list[dict[str, Any]]) -> None:
    store = SiteStore(site_url(shown.pipeline.database.url, ROLE))
    client = TestClient(create_app(load_settings(site_index_players=True), store), base_url=OWN)
    assert "noindex" not in client.get(url_of("players", persons[0]["guid"])).text
    assert "noindex" in client.get("/search?q=a").text
    store.close()


def test_two_players_are_compared_with_the_numbers_of_their_careers(
    shown: Shown, persons: list[dict[str, Any]]
) -> None:
    one, other = persons[0]["guid"], persons[-1]["guid"]
    found = shown.client.get("/compare", params={"a": one, "b": other})
    assert (found.status_code, found.headers["location"]) == (302, url_of("compare", one, other))
    page = shown.client.get(url_of("compare", one, other))
    text = " ".join(seen_text(page).split())
    for guid in (one, other):
        career = career_of(shown.pipeline, guid)
        for number in CAREER_NUMBERS:
            assert amount(career["numbers"][number.attribute], number.decimals, number.unit) in text, number
    both = shown.client.get(f"{url_of('compare', one, other)}?both=1")
    assert both.status_code == 200 and "only rounds both played" in both.text
    assert "too few to say who is better" in seen_text(page)
    for nobody in (url_of("compare", one, one), url_of("compare", one, "00000000")):
        assert shown.client.get(nobody).status_code == 404


def test_who_is_to_be_compared_is_chosen_where_several_are_meant_and_nobody_is_said(
    shown: Shown, persons: list[dict[str, Any]]
) -> None:
    page = shown.client.get("/compare", params={"a": persons[0]["guid"], "b": "o"})
    assert "Several players are meant" in page.text and f"a={persons[0]['guid']}&amp;b=" in page.text
    for typed in ("nobody at all", "<b>", "%", "_"):
        page = shown.client.get("/compare", params={"a": typed, "b": ""})
        assert page.status_code == 200 and "<b>" not in page.text


def test_a_player_is_found_on_a_board_or_told_why_he_is_not(shown: Shown, persons: list[dict[str, Any]]) -> None:
    guid = persons[0]["guid"]
    page = shown.client.get("/boards/kills", params={"min_rounds": 1, "find": guid})
    (row,) = re.findall(r'<tr id="found".*?</tr>', page.text)
    assert guid in row
    page = shown.client.get("/boards/kills", params={"find": guid})
    assert "He has no place:" in page.text and "Just not on it" in page.text
    assert "from one round on:" in page.text
    assert "Nobody who played is called so." in shown.client.get("/boards/kills?find=nobody at all").text


def test_nobody_unknown_has_a_page(shown: Shown) -> None:
    for guid in ("00000000", "BOT-1A2B", "x", "%"):
        assert shown.client.get(url_of("players", guid)).status_code == 404
    assert has_player("1A2B3C4D") and not any(map(has_player, ("BOT-1A2B", "H1A2B3C4", "", None)))


def test_who_played_in_no_round_that_counts_has_names_and_no_numbers(database: Database) -> None:
    with database.connect() as conn:
        Played(conn).round({"guid": "1A2B3C4D", "name": "Ada"}, invalid="filler map")
    with pages_of(database) as client:
        page = client.get("/players/1A2B3C4D")
        assert page.status_code == 200 and "in no round that counts" in page.text
        assert ["Ada", "1"] in [row[:2] for row in rows_of(page.text)] and "K/D" not in page.text
        assert "Ada" not in client.get("/players").text


def test_of_who_is_hidden_there_is_no_page_no_line_and_no_hit(pipeline: Pipeline) -> None:
    play_and_tell(pipeline)
    who, *others = persons_of(pipeline)
    names = {row["name"] for row in pipeline.rows("select name from alias where guid = %s", [who["guid"]])}
    with pages_of(pipeline.database) as client:
        assert client.get(url_of("players", who["guid"])).status_code == 200
        done = pipeline.slomix("identity", "hide", who["guid"], "--why=he said so", "--by=ref")
        assert done.exit_code == 0, done.stderr
        (hidden,) = pipeline.rows("select public_guid from hidden_player")
        for guid in (who["guid"], hidden["public_guid"]):
            answer = client.get(url_of("players", guid))
            assert answer.status_code == 404 and "There is no such player." in answer.text
        assert client.get(f"/players?after={who['guid']}").status_code == 400
        for typed in (who["guid"], who["guid"][:5], *names):
            answer = client.get("/search", params={"q": typed})
            assert answer.status_code == 200 and "/players/" not in answer.text.split("<h1>")[1].split("Maybe")[0]
        found = crawl(client)
        assert {answer.status_code for answer in found.values()} <= {200, 302}
        assert url_of("players", others[0]["guid"]) in found
        for url, answer in found.items():
            if url.startswith(("/players", "/search")):
                assert who["guid"] not in answer.text and not any(f">{name}<" in answer.text for name in names), url


def test_a_name_of_any_kind_is_text_on_every_page(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    play_and_tell(pipeline)
    hostile = '<script>alert("x")</script>\u202e=cmd[x](http://y)'
    (one,) = pipeline.rows("select guid from board_person order by guid limit 1")
    with pipeline.database.connect() as conn:
        for table in ("round_player", "player_round_fact", "player_session_fact"):
            conn.execute(f"update {table} set name = %s where guid = %s", [hostile, one["guid"]])
    with pages_of(pipeline.database) as client:
        for url in (url_of("players", one["guid"]), "/players", "/search?q=cmd"):
            answer = client.get(url)
            assert "<script>alert" not in answer.text and "\u202e" not in answer.text
            assert answer.status_code == 302 or "&lt;script&gt;alert" in answer.text, url
