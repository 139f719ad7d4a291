"""What is learned of a match and of a player, on his page and in the API: the same numbers, each with what it is of."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from slomix_pipeline.site.api.kit import api_url
from slomix_pipeline.site.templating import url_of
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.site.api_walk import trouble
from slomix_pipeline_tests.site_fixtures import pages_of, play_and_tell, seen_text


@pytest.fixture
def match(pipeline: Pipeline) -> dict[str, Any]:
    """A match of which something was said at half-time."""
    play_and_tell(pipeline, maps=1)
    pipeline.rows(
        """insert into prediction (kind, round_key, version, map, limit_seconds, to_beat, attacks, chance, told, made_at)
           select 'half_time', r1_key, 'x/1', map, 720, r1_seconds, 48, 0.352, true, now() - interval '9 days'
           from match returning 1"""
    )
    (found,) = pipeline.rows("select * from match")
    return found


@pytest.fixture
def client(pipeline: Pipeline, match: dict[str, Any]) -> Iterator[TestClient]:
    with pages_of(pipeline.database) as client:
        yield client


def get(client: TestClient, *parts: str) -> Any:
    answer = client.get(api_url(*parts))
    assert answer.status_code == 200 and trouble(api_url(*parts), answer) == []
    return answer.json()


def test_what_was_said_at_half_time_is_on_the_page_and_in_the_resource(
    pipeline: Pipeline, match: dict[str, Any], client: TestClient
) -> None:
    beaten = match["winner"] == match["attackers_second"]
    own = get(client, "matches", match["match_key"])["half_time"]
    assert (own["to_beat"], own["attacks"], own["chance"]) == (match["r1_seconds"], 48, 0.352)
    assert own["came_true"] is beaten
    text = " ".join(seen_text(client.get(url_of("matches", match["match_key"]))).split())
    minutes, seconds = divmod(match["r1_seconds"], 60)
    assert f"{minutes}:{seconds:02} · about 35 % of attacks" in text and "(48 by then)" in text
    assert f"odds of what came: about {35 if beaten else 65} %" in text


def test_what_a_person_decided_is_held_against_no_odds(
    pipeline: Pipeline, match: dict[str, Any], client: TestClient
) -> None:
    done = pipeline.slomix("override", "winner", match["r2_key"], "draw", "--why", "agreed")
    assert done.exit_code == 0, done.output
    assert get(client, "matches", match["match_key"])["half_time"]["came_true"] is None
    text = seen_text(client.get(url_of("matches", match["match_key"])))
    assert "(48 by then)" in text and "odds of what came" not in text


def test_a_player_has_his_nemesis_and_with_whom_he_played_most(pipeline: Pipeline, client: TestClient) -> None:
    one, other = (row["person"] for row in pipeline.rows("select person from board_person order by name limit 2"))
    pipeline.rows("insert into nemesis values (%s, %s, 28, 40, 20.2) returning 1", one, other)
    pipeline.rows("insert into pair_record values (%s, %s, 31, 17, 15.8, 40, 19) returning 1", one, other)
    nemesis = get(client, "players", one)["nemesis"]
    assert (nemesis["guid"], nemesis["kills"], nemesis["times"]) == (other, 28, 40)
    assert nemesis["self"] == api_url("players", other)
    (pair,) = get(client, "players", one, "pairs")["items"]
    assert (pair["guid"], pair["matches"], pair["won"], pair["expected"], pair["apart"]) == (other, 31, 17, 15.8, 40)
    assert 0 < pair["low"] < 17 / 31 < pair["high"] < 1
    assert get(client, "players", other)["nemesis"] is None and get(client, "players", other, "pairs")["items"] == []
    assert pipeline.slomix("identity", "hide", other, "--why", "his wish").exit_code == 0
    assert get(client, "players", one)["nemesis"] is None and get(client, "players", one, "pairs")["items"] == []
