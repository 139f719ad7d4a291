"""Three evenings as they were played: every number of every table, the score at every place, the hour in every zone."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.site.templating import number_text, url_of
from slomix_pipeline_tests.interaction_fixtures import commands_on, embed_of
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, open_pipeline
from slomix_pipeline_tests.postgres_fixtures import copied_database
from slomix_pipeline_tests.site.conftest import Opened
from slomix_pipeline_tests.site.looking import served
from slomix_pipeline_tests.site.test_pages import rows_of
from slomix_pipeline_tests.site_fixtures import pages_of, prepare, seen_text

BERLIN = ZoneInfo("Europe/Berlin")
TWICE = ("supply", "supply")
# Across midnight with a map played twice, and in both nights in which clocks are set: in spring from 2 to 3, in autumn
# from 3 to 2.
ENDS = (
    datetime(2026, 2, 2, 23, 20, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 20, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 20, tzinfo=UTC),
)
ZONES = (("CET", "CET"), ("CET", "CEST"), ("CEST", "CET"))


@dataclass(frozen=True)
class Nights:
    """Three sessions as they are exported, in the order of play, their truth and the pages of them."""

    pipeline: Pipeline
    evenings: list[Evening]
    exported: list[dict[str, Any]]
    client: TestClient


@pytest.fixture(scope="module")
def nights(postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    folder = tmp_path_factory.mktemp("nights")
    evenings = [
        play_evening(60 + n, maps=TWICE if n == 0 else 2, ends_at=end, zone=BERLIN) for n, end in enumerate(ENDS)
    ]
    with (
        pytest.MonkeyPatch.context() as patch,
        copied_database(postgres_server, migrated_template) as database,
        open_pipeline(database, folder) as pipeline,
    ):
        patch.setenv("SLOMIX_TIMEZONE", str(BERLIN))
        for evening in evenings:
            write_evening(folder / "old", evening)
        pipeline.import_(folder / "old")
        prepare(database)
        keys = [row["session_key"] for row in pipeline.rows("select session_key from session order by started_at")]
        with pages_of(database) as client:
            yield Nights(pipeline, evenings, [pipeline.export(key) for key in keys], client)


def added(rounds: list[dict[str, Any]]) -> dict[str, list[str]]:
    """What a table shows of each player: his numbers of some rounds of the export put together, as text, by name."""
    counted: dict[str, Counter[str]] = {}
    for round_ in rounds:
        for player in round_["players"]:
            own = counted.setdefault(player["name"], Counter())
            own.update({name: value for name, value in player.items() if isinstance(value, int) and name != "side"})
    return {
        name: [
            str(own["kills"]),
            str(own["deaths"]),
            number_text(own["kills"] / own["deaths"], 2),
            number_text(own["damage_given"] * 60 / own["seconds_played"], 1),
            str(own["damage_given"]),
            str(own["damage_received"]),
            number_text(100 * own["hits"] / own["shots"], 1),
        ]
        for name, own in counted.items()
    }


def shown_of(rows: list[list[str]], count: int) -> dict[str, list[str]]:
    """The first numbers of each player of the tables of teams, by name, without what they are compared with."""
    found: dict[str, list[str]] = {}
    for row in rows:
        numbers = [re.sub(r"[▲▼]", "", cell).strip() for cell in row[1 : 1 + count]]
        if len(row) > count and row[0] not in ("Player", "Together") and re.fullmatch(r"\d+\.\d\d", numbers[2]):
            found.setdefault(row[0], numbers)
    return found


def test_every_number_of_sessions_and_matches_is_that_of_their_rounds_together(nights: Nights) -> None:
    for exported in nights.exported:
        rounds = {round_["key"]: round_ for round_ in exported["rounds"]}
        wanted = added([round_ for round_ in rounds.values() if round_["valid"]])
        page = nights.client.get(url_of("sessions", exported["session"]["key"]))
        assert shown_of(rows_of(page.text), 7) == wanted
        for match in exported["matches"]:
            page = nights.client.get(url_of("matches", match["r1"]))
            assert shown_of(rows_of(page.text), 7) == added([rounds[match["r1"]], rounds[match["r2"]]]), match["r1"]


def test_the_score_is_the_same_everywhere_and_as_it_was_played(nights: Nights) -> None:
    feed = nights.client.get("/feed.xml").text
    listed = seen_text(nights.client.get("/sessions"))
    for evening, exported in zip(nights.evenings, nights.exported, strict=True):
        key, teams = exported["session"]["key"], exported["teams"]
        score = f"{exported['score']['A']} – {exported['score']['B']}"
        assert sorted(map(int, score.split(" – "))) == sorted((evening.score.a, evening.score.b))
        pages = [seen_text(nights.client.get(url_of("sessions", key))), listed, feed]
        pages += [seen_text(nights.client.get(url_of("matches", exported["matches"][-1]["r1"])))]
        assert all(score in page for page in pages), (score, teams)
        said = nights.client.get(f"/api/v1/sessions/{key}").json()
        assert said["score"] == exported["score"]
    assert score in seen_text(nights.client.get("/"))
    with commands_on(nights.pipeline.database) as commands:  # a message says the winner's points first
        points = sorted(exported["score"][team] for team in "AB")
        assert f"{points[1]}–{points[0]}" in embed_of(commands.message("session"))["title"]


def test_a_map_that_was_played_twice_has_two_lines_and_two_pages(nights: Nights) -> None:
    exported = nights.exported[0]
    rows = rows_of(nights.client.get(url_of("sessions", exported["session"]["key"])).text)
    assert [row[0] for row in rows if row and row[0] == "supply"] == ["supply", "supply"]
    pages = [nights.client.get(url_of("matches", match["r1"])) for match in exported["matches"]]
    assert [page.status_code for page in pages] == [200, 200] and pages[0].text != pages[1].text


@pytest.mark.parametrize("night", range(len(ENDS)), ids=["across midnight", "spring", "autumn"])
def test_every_hour_names_its_zone(nights: Nights, night: int) -> None:
    evening, exported = nights.evenings[night], nights.exported[night]
    assert len({round_["key"] for round_ in exported["rounds"]}) == len(evening.rounds)
    began, ended = ZONES[night]
    strip = seen_text(nights.client.get(url_of("sessions", exported["session"]["key"])))
    start, end = (datetime.fromisoformat(exported["session"][name]) for name in ("started_at", "ended_at"))
    assert start.astimezone(BERLIN).tzname() == began and end.astimezone(BERLIN).tzname() == ended
    assert f"{start.astimezone(BERLIN):%Y-%m-%d %H:%M} {began}" in strip
    assert f"{end.astimezone(BERLIN):%H:%M} {ended}" in strip
    for sim_round, round_ in zip(evening.rounds, exported["rounds"], strict=True):
        page = nights.client.get(url_of("rounds", round_["key"])).text
        moment = re.search(r'<time datetime="([^"]*)">([^<]*)</time>', page)
        assert moment is not None
        at = datetime.fromisoformat(moment[1])
        assert abs((at - sim_round.ended_at).total_seconds()) <= 5
        assert moment[2] == f"{at.astimezone(BERLIN):%Y-%m-%d %H:%M %Z}"


def test_who_visits_from_another_zone_reads_the_hours_of_the_server_and_their_zone(
    opened: Opened, nights: Nights
) -> None:
    """What it is on his own clock stands beside it, for who points at it."""
    zones = (str(BERLIN), "America/Los_Angeles", "Pacific/Auckland")
    visitors = [opened(timezone_id=zone) for zone in zones]
    urls = ["/", "/sessions", "/maps/supply"]
    for exported in nights.exported:
        urls += [url_of("sessions", exported["session"]["key"]), url_of("matches", exported["matches"][-1]["r1"])]
        urls += [url_of("rounds", exported["rounds"][-1]["key"])]
        urls += [url_of("players", exported["teams"]["A"]["players"][0]["guid"])]
    with served(nights.client.app) as base:
        for url in urls:
            said = set()
            for page, zone in zip(visitors, zones, strict=True):
                page.goto(base + url)
                said.add(page.locator("body").inner_text())
                hours = page.locator("time:not([data-day])")
                assert all(re.search(r" CES?T$", hour) for hour in hours.all_inner_texts()), url
                own = datetime.fromisoformat(hours.first.get_attribute("datetime") or "").astimezone(ZoneInfo(zone))
                assert f"{own:%H:%M} (your time)" in (hours.first.get_attribute("title") or ""), url
            assert len(said) == 1 and f"times in {BERLIN} unless named" in said.pop(), url
