"""The API says what the pages, the commands and the export say, in the shapes that its document promises."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient

from slomix_pipeline.rules.boards import BoardName
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.site.api.kit import api_url
from slomix_pipeline.site.api.schema import schema
from slomix_pipeline.site.app import create_app
from slomix_pipeline.site.templating import number_text, url_of
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.site_store import SiteStore
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, open_pipeline
from slomix_pipeline_tests.postgres_fixtures import copied_database
from slomix_pipeline_tests.site.api_walk import otherwise, resource_of, starts, trouble, walk, whole
from slomix_pipeline_tests.site.test_pages import AWAY
from slomix_pipeline_tests.site_fixtures import OWN, Shown, pages_of, play_and_tell, prepare, seen_text

HOSTILE = (
    "'; drop table session; --",
    "<script>alert(1)</script>",
    "%25",
    "../../x",
    "\u202e\U0001f600",
    "9" * 5000,
    "-1",
)


@pytest.fixture(scope="module")
def exported(shown: Shown) -> dict[str, Any]:
    return shown.pipeline.export()


@pytest.fixture(scope="module")
def answers(shown: Shown, exported: dict[str, Any]) -> dict[str, Any]:
    return walk(shown.client, *starts(exported))


def get(shown: Shown, *parts: str, **asked: str) -> Any:
    answer = shown.client.get(api_url(*parts), params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(shown: Shown, *words: str) -> Any:
    """What a command says, as JSON."""
    done = shown.pipeline.slomix(*words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_every_answer_is_as_the_document_promises(answers: dict[str, Any]) -> None:
    assert {url: answer.status_code for url, answer in answers.items() if answer.status_code != 200} == {}
    assert {resource_of(url) for url in answers} == set(schema()["paths"])
    assert {url: said for url, answer in answers.items() if (said := trouble(url, answer))} == {}


def test_every_reference_of_the_document_leads_to_a_shape() -> None:
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema())))
    assert schema()["openapi"].startswith("3.1") and named <= set(schema()["components"]["schemas"])


def test_a_list_in_parts_is_the_whole_list(shown: Shown, exported: dict[str, Any], answers: dict[str, Any]) -> None:
    lists = [url for url, answer in answers.items() if "limit" not in url and answer.text.startswith('{"items"')]
    assert len({resource_of(url) for url in lists}) > 12
    for url in lists:
        assert whole(shown.client, url) == answers[url].json()["items"], url


def test_the_part_that_is_asked_for_changes_no_rank(shown: Shown) -> None:
    board = get(shown, "boards", "dpm", min_rounds="1")
    second = get(shown, "boards", "dpm", min_rounds="1", limit="1", after=board["items"][0]["guid"])
    assert second["items"] == board["items"][1:2] and second["standing"] == len(board["items"]) > 2


def test_a_session_is_the_export_and_its_table(shown: Shown, exported: dict[str, Any]) -> None:
    key = exported["session"]["key"]
    assert get(shown, "sessions", key) == exported
    table = shown.client.get(f"{api_url('sessions', key)}.csv")
    done = shown.pipeline.slomix("export", key, "--csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines() == done.stdout.splitlines()


def test_the_score_is_that_of_the_page_everywhere(shown: Shown, exported: dict[str, Any]) -> None:
    key, score = exported["session"]["key"], exported["score"]
    (listed,) = get(shown, "sessions")["items"]
    last = get(shown, "matches", exported["matches"][-1]["r1"])
    assert listed["score"] == score and last["score"] == {
        name: score[name] for name in ("A", "B", "draws", "without_points")
    }
    assert f"{score['A']} – {score['B']}" in seen_text(shown.client.get(url_of("sessions", key)))


def test_a_match_and_a_round_are_those_of_the_export(shown: Shown, exported: dict[str, Any]) -> None:
    for match in exported["matches"]:
        assert get(shown, "matches", match["r1"]).items() >= match.items()
    for round_ in exported["rounds"]:
        assert get(shown, "rounds", round_["key"]).items() >= round_.items()


def test_the_numbers_of_players_are_those_of_the_pages(shown: Shown, exported: dict[str, Any]) -> None:
    for way in (("sessions", exported["session"]["key"]), ("matches", exported["matches"][0]["r1"])):
        said = get(shown, *way, "players")["items"] if way[0] == "sessions" else get(shown, *way)["players"]
        page = seen_text(shown.client.get(url_of(*way))).split()
        for player in said:
            for name, digits in (("kills", 0), ("dpm", 1), ("damage_given", 0), ("accuracy", 1), ("impact", 2)):
                assert number_text(player[name], digits) in page, (way, player["name"], name)


def test_a_receipt_says_how_a_number_came_out(shown: Shown, exported: dict[str, Any]) -> None:
    round_ = next(one for one in exported["rounds"] if one["round"] == 2)
    player = round_["players"][0]
    said = get(shown, "rounds", round_["key"], "receipt", player=player["guid"])
    explained = told(shown, "explain", round_["key"], "--player", player["guid"])
    assert said["player"]["fields"] == explained["player"]["fields"]
    assert said["file"]["sha256"] == explained["file"]["sha256"] and said["schema"] == "slomix.receipt/1"


@pytest.mark.parametrize("name", BoardName)
def test_a_board_is_that_of_the_command(shown: Shown, name: BoardName) -> None:
    rows = told(shown, "board", name.value, "--min-rounds", "1")
    said = get(shown, "boards", name, min_rounds="1")["items"]
    assert [{field: place[field] for field in row} for place, row in zip(said, rows, strict=True)] == rows


def test_careers_records_and_maps_are_those_of_the_commands(shown: Shown, exported: dict[str, Any]) -> None:
    one, other = (exported["teams"][team]["players"][0]["guid"] for team in ("A", "B"))
    career, map_name = told(shown, "player", one), exported["matches"][0]["map"]
    said = get(shown, "players", one)
    assert {name: said[name] for name in ("numbers", "standing", "form", "bests")}.items() <= career.items()
    for part in ("weapons", "aliases"):
        rows = [{name: row[name] for name in career[part][0]} for row in get(shown, "players", one, part)["items"]]
        assert rows[: len(career[part])] == career[part]
    assert get(shown, "compare", one, other)["meetings"] == told(shown, "compare", one, other)["meetings"]
    records, on_map = told(shown, "records"), told(shown, "map", map_name)
    assert [{name: row[name] for name in records[0]} for row in get(shown, "records")["items"]] == records
    assert get(shown, "maps", map_name)["par"] == on_map["par"]


def test_who_has_it_already_gets_nothing_again(shown: Shown, answers: dict[str, Any]) -> None:
    for url, answer in answers.items():
        if "status" in url:
            assert "etag" not in answer.headers and answer.headers["cache-control"] == "no-store"
            continue
        again = shown.client.get(url, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), url


def test_whatever_somebody_asks_for_is_answered(shown: Shown, exported: dict[str, Any]) -> None:
    for url in (other for start in starts(exported) for other in otherwise(start, HOSTILE)):
        answer = shown.client.get(url)
        assert answer.status_code in (200, 400, 404), url
        assert answer.status_code == 200 or answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("url", [api_url("sessions"), "/sessions", "/sessions/"])
def test_bytes_that_are_no_text_are_answered(shown: Shown, url: str) -> None:
    async def with_bytes(scope: Any, receive: Any, send: Any) -> None:
        await cast(Any, shown.client.app)({**scope, "query_string": b"on=\xff&q=\xff"}, receive, send)

    answer = TestClient(with_bytes, base_url=OWN).get(url)
    assert answer.status_code == 400


def test_a_problem_says_what_is_wrong_and_what_may_be_meant(shown: Shown, exported: dict[str, Any]) -> None:
    key, match = exported["session"]["key"], exported["matches"][0]
    guid = exported["teams"]["A"]["players"][0]["guid"]
    for url, status, parameter, near in (
        (api_url("sessions", f"{key}x"), 404, None, api_url("sessions", key)),
        (api_url("matches", "main:0"), 404, None, api_url("matches", match["r1"])),
        (api_url("rounds", f"{match['r1']}x", "receipt"), 404, None, api_url("rounds", match["r1"])),
        (f"{api_url('rounds', match['r1'], 'receipt')}?player=x", 404, None, guid),
        (api_url("players", f"{guid[:4]}ZZZZ"), 404, None, api_url("players", guid)),
        (api_url("boards", "x"), 404, None, api_url("boards", "kd")),
        (api_url("maps", "x"), 404, None, api_url("maps", match["map"])),
        (api_url("compare", "fox", guid), 404, None, api_url("players", guid)),
        (api_url("compare", guid, guid), 400, "two", None),
        (f"{api_url('sessions')}?on=yesterday", 400, "on", None),
        (f"{api_url('sessions')}?before=x", 400, "before", None),
        (f"{api_url('sessions')}?limit=201", 400, "limit", None),
        (f"{api_url('boards', 'kd')}?map=x", 400, "map", None),
        (f"{api_url('players')}?after=x", 400, "after", None),
        (api_url("sessions", "a\0b"), 400, None, None),
        (api_url("nothing"), 404, None, None),
        ("/api/v2/sessions", 404, None, None),
    ):
        answer = shown.client.get(url.replace("\0", "%00"))
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), url
        said = answer.json()
        assert (said["status"], said["parameter"]) == (status, parameter), url
        assert near is None or any(near in one["self"] for one in said["candidates"]), (url, said)
        assert answer.headers["cache-control"] == "no-store"
        assert set(said) == set(schema()["components"]["schemas"]["Problem"]["properties"])


def test_only_looking_is_answered(shown: Shown) -> None:
    refused = shown.client.post(api_url("sessions"))
    assert (refused.status_code, refused.headers["content-type"]) == (405, "application/problem+json")
    head = shown.client.head(api_url("sessions"))
    assert (head.status_code, head.headers["etag"]) == (200, shown.client.get(api_url("sessions")).headers["etag"])


def test_without_a_database_the_api_says_when_to_come_back() -> None:
    client = TestClient(create_app(load_settings(), SiteStore(AWAY)), base_url=OWN)
    answer = client.get(api_url("sessions"))
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert int(answer.headers["retry-after"]) > 0 and "127.0.0.1" not in answer.text
    assert client.get(api_url("openapi.json")).status_code == 200


def test_an_answer_that_breaks_is_a_problem(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    app = shown.client.app
    monkeypatch.setattr(app.state.answers, "answer", broken)  # type: ignore[attr-defined]
    answer = TestClient(app, base_url=OWN, raise_server_exceptions=False).get(api_url("sessions"))
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert (
        answer.headers["x-content-type-options"] == "nosniff" and answer.headers["access-control-allow-origin"] == "*"
    )


def test_other_names_of_a_thing_lead_to_it(shown: Shown, exported: dict[str, Any]) -> None:
    key, match = exported["session"]["key"], exported["matches"][0]
    (swallowed,) = shown.pipeline.rows("select max(session_if_first) as key from parsed_round")
    for url, status, to in (
        (api_url("sessions", swallowed["key"]), 301, api_url("sessions", key)),
        (api_url("matches", match["r2"]), 301, api_url("matches", match["r1"])),
        (api_url("sessions", "latest"), 302, api_url("sessions", key)),
        (api_url("sessions", "latest", "versus"), 302, api_url("sessions", key, "versus")),
        (f"{api_url('sessions', 'latest')}.csv", 302, f"{api_url('sessions', key)}.csv"),
    ):
        answer = shown.client.get(url)
        assert (answer.status_code, answer.headers["location"]) == (status, to)


def test_a_page_names_its_data_and_the_data_its_page(shown: Shown, exported: dict[str, Any]) -> None:
    key = exported["session"]["key"]
    url = api_url("sessions", key)
    page = shown.client.get(url_of("sessions", key))
    assert f'<link rel="alternate" type="application/json" href="{url}">' in page.text
    assert f'<a href="{url}">JSON</a>' in page.text and f'<a href="{url}.csv">CSV</a>' in page.text
    assert url_of("sessions", key) in shown.client.get(url).headers["link"]
    board = shown.client.get("/boards/kd?min_rounds=1&after=1&map=&since=").text
    assert f'href="{api_url("boards", "kd")}?min_rounds=1"' in board
    guid = exported["teams"]["A"]["players"][0]["guid"]
    assert f'href="{api_url("players")}?after={guid}"' in shown.client.get(f"/players?after={guid}").text
    assert "JSON" not in shown.client.get("/").text and "JSON" not in shown.client.get("/sessions/x").text


def test_the_page_about_the_api_lists_every_resource(shown: Shown) -> None:
    said = seen_text(shown.client.get("/api"))
    assert [path for path in schema()["paths"] if f"/api{path}" not in said] == []
    assert [name for name in ("SessionListed", "DuelOfSession", "Problem") if name not in said] == []


def test_where_nothing_was_played_the_lists_are_empty(database: Database) -> None:
    with pages_of(database) as client:
        for path in (
            "sessions",
            "players",
            "boards",
            "boards/kd",
            "records",
            "maps",
            "corrections",
            "metrics",
            "status",
        ):
            answer = client.get(f"/api/v1/{path}")
            assert answer.status_code == 200 and trouble(f"/api/v1/{path}", answer) == [], path
            assert answer.json().get("items", []) == [] or path == "boards"


def test_what_counts_nowhere_has_resources_that_say_so(pipeline: Pipeline) -> None:
    evening = play_evening(61, maps=1, ends_at=just_now())
    pipeline.put_stats(evening.rounds[1])  # a round 2 alone
    pipeline.take_in()
    unread = pipeline.put_and_take_in(f"{just_now():%Y-%m-%d-%H%M%S}-supply-round-1.txt", b"nothing of the kind\n")
    (row,) = pipeline.rows("select guid, round_key from round_player limit 1")
    with pages_of(pipeline.database) as client:
        for parts in (
            (),
            ("sessions",),
            ("maps",),
            ("weapons",),
            ("opponents",),
            ("pairs",),
            ("badges",),
            ("aliases",),
        ):
            url = api_url("players", row["guid"], *parts)
            answer = client.get(url)
            assert answer.status_code == 200 and trouble(url, answer) == [], url
        player = client.get(api_url("players", row["guid"])).json()
        assert player["name"] and player["numbers"] is None and player["standing"] is None
        for key in (row["round_key"], unread):
            answer = client.get(api_url("rounds", key))
            assert answer.status_code == 200 and trouble(api_url("rounds", key), answer) == []
            assert answer.json()["valid"] is False and answer.json()["reason"]
            assert (answer.json()["receipt"] is None) is (key == unread)
        assert client.get(api_url("rounds", unread, "receipt")).status_code == 404


@dataclass(frozen=True)
class Decided:
    """Two evenings, and corrections of the later one, of whose players one is hidden; ``merged`` is another GUID of
    ``into``."""

    pipeline: Pipeline
    client: TestClient
    hidden: dict[str, Any]
    merged: str
    into: str


@pytest.fixture(scope="module")
def decided(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Decided]:
    with (
        copied_database(postgres_server, migrated_template) as database,
        open_pipeline(database, tmp_path_factory.mktemp("decided")) as pipeline,
        pages_of(database) as client,
    ):
        write_evening(pipeline.folder, play_evening(62, maps=1, ends_at=just_now() - timedelta(hours=5)))
        play_and_tell(pipeline, maps=1)
        (who, merged, into, *_) = pipeline.rows(
            """select guid, name from session_player where session_key = (select max(session_key) from session)
               order by length(name) desc, guid"""
        )
        pipeline.rows(
            """insert into correction (thing, before, after, notice, cause)
               select thing, facts, facts, 'another result', 'a late file'
               from published_result, generate_series(1, 3) returning 1"""
        )
        pipeline.rows(
            """insert into identity_decision (kind, guid, other_guid, reason, made_by)
               values ('merge', %s, %s, 'both are his', 'ref') returning 1""",
            merged["guid"],
            into["guid"],
        )
        done = pipeline.slomix("identity", "hide", who["guid"], "--why=he said so", "--by=ref")
        assert done.exit_code == 0, done.stderr
        prepare(database)
        yield Decided(pipeline, client, who, merged["guid"], into["guid"])


def test_who_is_hidden_is_in_no_answer(decided: Decided) -> None:
    who = decided.hidden
    assert decided.client.get(api_url("players", who["guid"])).status_code == 404
    players = [row["guid"] for row in decided.client.get(api_url("players")).json()["items"]]
    compared = api_url("compare", players[0], players[1])
    answers = walk(decided.client, compared, *starts(decided.pipeline.export()))
    found = {url: answer for url, answer in answers.items() if answer.status_code == 200}
    assert {resource_of(url) for url in found} == set(schema()["paths"])
    assert [
        url for url, answer in found.items() if who["guid"] in url + answer.text or who["name"] in answer.text
    ] == []
    assert {url: said for url, answer in found.items() if (said := trouble(url, answer))} == {}


def test_nobody_finds_who_is_hidden(decided: Decided) -> None:
    who, exported = decided.hidden, decided.pipeline.export()
    listed = api_url("players")
    for typed in (who["guid"], who["name"], who["name"][:4]):
        found = decided.client.get(listed, params={"q": typed}).json()["items"]
        assert who["guid"] not in [one["guid"] for one in found] and who["name"] not in [one["name"] for one in found]
    receipt = api_url("rounds", exported["matches"][0]["r1"], "receipt")
    for url in (
        api_url("players", f"{who['guid'][:4]}ZZZZ"),
        api_url("compare", who["name"], decided.into),
        api_url("compare", who["guid"], decided.into),
        f"{receipt}?player={who['guid']}",
    ):
        said = decided.client.get(url).json()
        assert said["status"] == 404, url
        assert [one for one in said["candidates"] if who["name"] in one["title"] or who["guid"] in one["self"]] == []


def test_a_list_by_cursor_in_parts_is_the_whole_list(decided: Decided) -> None:
    for url in (api_url("sessions"), api_url("corrections")):
        items = decided.client.get(url).json()["items"]
        assert len(items) > 1 and whole(decided.client, url, 1) == items, url


def test_another_guid_of_somebody_leads_to_him(decided: Decided) -> None:
    for part in ((), ("maps",), ("badges",)):
        answer = decided.client.get(api_url("players", decided.merged, *part), params={"limit": "1"})
        to = f"{api_url('players', decided.into, *part)}?limit=1"
        assert (answer.status_code, answer.headers["location"]) == (301, to)
