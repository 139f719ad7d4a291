"""Pages of players, their list, and the search: they say what the command says, and nothing of who is hidden."""

import json
import re
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from httpx import Response

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
    tiles = dict(re.findall(r'<div class="card"><dt>(.*?)</dt>(.*?)</div>', page.text, re.DOTALL))
    assert {title for title, tile in tiles.items() if "/boards/" in tile} == {"damage per minute", "K/D", "headshots"}
    assert f"{lacking} more rounds" in page.text and not re.search(r"\bplace \d", seen_text(page))


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


def compared(page: Response) -> dict[str, list[str]]:
    """The numbers of both, by title."""
    lines = re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd><dd>(.*?)</dd>", page.text.split('class="pair"')[1])
    texts = {title: [re.sub(r"<span.*", "", value) for value in values] for title, *values in lines[1:]}
    return {title: [re.sub(r"<[^>]*>", "", value).strip() for value in values] for title, values in texts.items()}


def compared_in_rounds_of_both(pipeline: Pipeline, one: str, other: str) -> dict[str, list[str]]:
    """The same, added up here."""
    sums = [
        pipeline.rows(
            """select count(*) as rounds, sum(f.kills) as kills, sum(f.kills)::float / count(*) as kills_per_round,
                      sum(f.kills)::float / sum(f.deaths) as kd, 100.0 * sum(f.kills) / sum(f.kills + f.deaths) as efficiency,
                      60.0 * sum(f.damage_given) / sum(f.seconds_played) as dpm,
                      100.0 * sum(f.hits) / sum(f.shots) as accuracy,
                      100.0 * sum(f.aimed_hits) / sum(f.aimed_shots) as aimed_accuracy,
                      100.0 * sum(f.headshots) / sum(f.hits) as headshot_percent, sum(f.gibs) as gibs,
                      sum(f.revives_given) as revives_given
               from player_round_fact f
               where f.guid = %s and exists (
                   select from player_round_fact also where also.round_key = f.round_key and also.guid = %s
               )""",
            *pair,
        )[0]
        for pair in ((one, other), (other, one))
    ]
    return {
        number.title: [amount(own[number.attribute], number.decimals, number.unit) for own in sums]
        for number in CAREER_NUMBERS
    }


def test_two_players_are_compared_with_the_numbers_of_their_careers(
    shown: Shown, persons: list[dict[str, Any]]
) -> None:
    one, other = persons[0]["guid"], persons[-1]["guid"]
    found = shown.client.get("/compare", params={"a": one, "b": other})
    assert (found.status_code, found.headers["location"]) == (302, url_of("compare", one, other))
    page = shown.client.get(url_of("compare", one, other))
    careers_of_both = [career_of(shown.pipeline, guid)["numbers"] for guid in (one, other)]
    assert compared(page) == {
        number.title: [amount(own[number.attribute], number.decimals, number.unit) for own in careers_of_both]
        for number in CAREER_NUMBERS
    }
    both = shown.client.get(f"{url_of('compare', one, other)}?both=1")
    assert both.status_code == 200 and "only rounds both played" in both.text
    assert compared(both) == compared_in_rounds_of_both(shown.pipeline, one, other)
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


def test_beyond_the_last_place_a_board_shows_its_last_places(shown: Shown) -> None:
    page = shown.client.get("/boards/kills", params={"min_rounds": 1, "after": 5000})
    assert rows_of(page.text) == rows_of(shown.client.get("/boards/kills?min_rounds=1").text)
    assert "nobody ranked" not in page.text


def test_more_who_are_meant_than_are_listed_are_counted(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (("compare", "_SHOWN"), ("boards", "_CHOICE"), ("search", "_SHOWN")):
        monkeypatch.setattr(import_module(f"slomix_pipeline.site.pages.{module}"), name, 1)
    meant = shown.client.get("/compare?a=o&b=").text.count("<li><a")
    for url in ("/compare?a=o&b=", "/boards/kills?find=o", "/search?q=o"):
        page = shown.client.get(url)
        (more,) = re.findall(r"and (\d+) more; type more of the name", page.text)
        assert meant == 1 and int(more) >= 1, url


def test_a_comparison_that_moved_is_still_of_the_rounds_of_both(database: Database) -> None:
    with database.connect() as conn:
        played = Played(conn)
        played.round(*({"guid": guid, "name": guid} for guid in ("1A2B3C4D", "2A2B3C4D", "3A2B3C4D")))
        played.decided("merge", "2A2B3C4D", "3A2B3C4D")
    with pages_of(database) as client:
        moved = client.get("/compare/1A2B3C4D/2A2B3C4D?both=1")
        assert (moved.status_code, moved.headers["location"]) == (301, "/compare/1A2B3C4D/3A2B3C4D?both=1")


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


def test_a_night_whose_sources_contradict_each_other_is_not_drawn(database: Database) -> None:
    with database.connect() as conn:
        played = Played(conn)
        for session, alive in enumerate((90, 90, 80, 90, 90, 90), start=1):
            line = {"guid": "1A2B3C4D", "seconds_played": 600, "seconds_dead": 60, "alive_percent": alive}
            played.round(line, session=session)
    with pages_of(database) as client:
        page = client.get("/players/1A2B3C4D")
    drawn = "time alive in each of the last sessions: first 90.0 %, last 90.0 %, lowest 90.0 %, highest 90.0 %"
    assert drawn in page.text and "Disputed: where it is missing" in page.text


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
        for table in ("round_player", "player_round_fact", "player_session_fact", "alias_fact"):
            conn.execute(f"update {table} set name = %s where guid = %s", [hostile, one["guid"]])
    with pages_of(pipeline.database) as client:
        own = url_of("players", one["guid"])
        other = next(person["guid"] for person in persons_of(pipeline) if person["guid"] != one["guid"])
        compare, board = url_of("compare", one["guid"], other), "/boards/kills?min_rounds=1&find=cmd"
        assert client.get(own).text.split('id="names"')[1].count("&lt;script&gt;alert") >= 1
        for url in (own, "/players", "/search?q=cmd", f"/compare?{urlencode({'a': hostile})}", compare, board):
            answer = client.get(url)
            assert "<script>alert" not in answer.text and "\u202e" not in answer.text
            assert answer.status_code == 302 or "&lt;script&gt;alert" in answer.text, url
