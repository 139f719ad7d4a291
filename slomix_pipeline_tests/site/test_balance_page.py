"""Even teams on a page: asked for by names, as people type them."""

import re
from typing import Any

import pytest

from slomix_pipeline.site.pages import balance
from slomix_pipeline.site.templating import url_of
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.site_fixtures import Shown, pages_of, play_and_tell, seen_text


@pytest.fixture(scope="module")
def people(shown: Shown) -> list[dict[str, Any]]:
    return shown.pipeline.rows("select person as guid, name from board_person order by name")


def test_the_best_three_ways_to_divide_them_lead_to_their_players(shown: Shown, people: list[dict[str, Any]]) -> None:
    guids = [own["guid"] for own in people[:6]]
    page = shown.client.get("/balance", params={"players": ", ".join(guids), "together": ",".join(guids[:2])})
    ways = page.text.split("<h2>")[1:]
    assert len(ways) == 3 and "As even as we can tell" in page.text
    for way in ways:
        first, second, *_ = re.findall(r"<li>(.*?)</li>", way, re.DOTALL)
        both = [{guid for guid in guids if url_of("players", guid) in team} for team in (first, second)]
        assert len(both[0]) == len(both[1]) == 3 and both[0] | both[1] == set(guids)
        assert set(guids[:2]) <= both[0] or set(guids[:2]) <= both[1]


def test_who_is_new_has_no_number_and_each_team_its_own(shown: Shown, people: list[dict[str, Any]]) -> None:
    guids = [own["guid"] for own in people[:3]]
    said = shown.client.get("/balance", params={"players": ",".join(guids)}).text
    assert said.count('<span class="soft">new</span>') == 3 * 3 and "nothing is known of anybody yet" in said
    assert "damage a minute expected" not in said
    named = []
    for way in said.split("<h2>")[1:]:
        sides = re.findall(r"<li>(.*?)</li>", way, re.DOTALL)
        named += re.findall(r">Team (\d): these two", way)
        assert sides[int(named[-1]) - 1].count("</a>") == 2  # who is alone was never together with anybody
    assert set(named) == {"1", "2"}


def test_robots_leave_it_alone_and_a_link_leads_to_it(shown: Shown) -> None:
    assert '<meta name="robots" content="noindex">' in shown.client.get("/balance").text
    assert "Disallow: /balance\n" in shown.client.get("/robots.txt").text
    assert 'href="/balance"' in shown.client.get("/players").text


def test_who_is_meant_is_chosen_where_several_are_and_why_there_are_no_teams_is_said(
    shown: Shown, people: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    guid = people[0]["guid"]
    page = shown.client.get("/balance", params={"players": f"o, {guid}", "apart": f"o, {guid}"})
    chosen = re.findall(r'<li><a href="(/balance[^"]*)"', page.text)
    assert len(chosen) >= 4 and "players are meant by" in page.text
    for url in chosen:
        assert "players are meant by" not in shown.client.get(url.replace("&amp;", "&")).text
    monkeypatch.setattr(balance, "_SHOWN", 1)
    page = shown.client.get("/balance", params={"players": f"o, {guid},"})
    assert f"and {len(chosen) - 1} more" in page.text
    for typed, why in (
        (guid, "2 to 16 players can be divided into teams, not 1"),
        (f"{guid}, nobody at all", "Nobody who played in a round that counts is called"),
        (f"{guid}, <b>", "Nobody who played in a round that counts is called"),
        (f"{guid}, %", "Nobody who played in a round that counts is called"),
        (f"{guid} " * 200, "players can be divided into teams, not"),
    ):
        page = shown.client.get("/balance", params={"players": typed})
        assert page.status_code == 200 and why in seen_text(page) and "<b>" not in page.text, typed


def test_how_even_the_teams_of_a_session_were_stands_beside_how_it_ended(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    play_and_tell(pipeline, maps=1)
    (session,) = pipeline.rows("select session_key, points_a, points_b from session_score")
    url = url_of("sessions", session["session_key"])
    with pages_of(pipeline.database) as client:
        assert "expected of both teams" not in client.get(url).text
        pipeline.rows(
            """insert into expectation
               select round_key, guid, case team when 'A' then 300 else 200 end, 5, 20 from player_round_fact
               returning 1"""
        )
        said = seen_text(client.get(url))
        assert re.search("expected of both teams in 2 rounds so far: (5[0-9]|6[0-9]) : [34][0-9] of the damage", said)
        assert "it ended" not in said  # it may go on
        pipeline.rows("update session set ended_at = ended_at - interval '9 hours' returning 1")
        ended = f"{session['points_a']} – {session['points_b']}"
        assert f"of the damage; it ended {ended}" in seen_text(client.get(url))
        assert 'id="even"' in client.get("/odds").text
