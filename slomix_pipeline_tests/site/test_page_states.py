"""What is incomplete, old, wrong or asked for by somebody with bad intentions: pages say so, and stay pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from slomix_pipeline.simulator.evening import MAPS, play_courses
from slomix_pipeline.simulator.matches import Course, Files, Shape
from slomix_pipeline.simulator.values import SimRound
from slomix_pipeline.simulator.writers import Writer
from slomix_pipeline.simulator.writing import GAMESTATS, write_round
from slomix_pipeline.site.pages import PAGES
from slomix_pipeline.site.templating import url_of
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, open_pipeline, round_key
from slomix_pipeline_tests.postgres_fixtures import copied_database
from slomix_pipeline_tests.site.looking import PROGRAM_WORDS
from slomix_pipeline_tests.site.test_pages import rows_of
from slomix_pipeline_tests.site_fixtures import Shown, pages_of, prepare, seen_text

OLD = Writer(33, 8)
COURSES = (
    Course("supply", MAPS["supply"], Shape.BEATEN, writers=(OLD, OLD)),
    Course("te_escape2", MAPS["te_escape2"], Shape.HELD, files=Files.ONLY_R1),
    Course("etl_adlernest", MAPS["etl_adlernest"], Shape.BEATEN, files=Files.ONLY_R2),
    Course("et_brewdog", MAPS["et_brewdog"], Shape.BEATEN, bots=1),
    Course("etl_frostbite", MAPS["etl_frostbite"], Shape.HELD, files=Files.R2_ABORTED),
    Course("braundorf_b4", MAPS["braundorf_b4"], Shape.BEATEN),
)
BAD = (
    "' or 1=1 --",
    "%27;select pg_sleep(9)--",
    "{{7*7}}",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "-1",
    "9" * 400,
)


@dataclass(frozen=True)
class Rough:
    """An evening of which much is missing, and the pages of it. ``rounds``: those that were played, by map and number."""

    pipeline: Pipeline
    rounds: dict[tuple[str, int], SimRound]
    client: TestClient

    def seen(self, kind: str, map_name: str, number: int) -> str:
        answer = self.client.get(url_of(kind, round_key(self.rounds[map_name, number])), follow_redirects=True)
        assert answer.status_code == 200
        return " ".join(seen_text(answer).split())


@pytest.fixture(scope="module")
def rough(postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rough]:
    """Files of old scripts, rounds without the other one, a bot, a file that can't be read; endstats and timing records
    of the last match alone, whose winner a person left open."""
    with (
        copied_database(postgres_server, migrated_template) as database,
        open_pipeline(database, tmp_path_factory.mktemp("rough")) as pipeline,
        pages_of(database) as client,
    ):
        evening = play_courses(61, COURSES, ends_at=just_now())
        for sim_round in evening.rounds:
            if sim_round.map_name == "braundorf_b4":
                write_round(pipeline.folder, sim_round)
            else:
                (pipeline.folder / GAMESTATS / sim_round.stats_name).write_bytes(sim_round.stats_bytes)
        lost = evening.rounds[0].stamp + timedelta(seconds=40)
        (pipeline.folder / GAMESTATS / f"{lost:%Y-%m-%d-%H%M%S}-supply-round-1.txt").write_bytes(b"half of a li")
        pipeline.take_in_all()
        pipeline.report_sessions()
        prepare(database)
        rounds = {(sim_round.map_name, sim_round.number): sim_round for sim_round in evening.rounds}
        yield Rough(pipeline, rounds, client)


def test_what_is_missing_is_said_where_it_is_missing(rough: Rough) -> None:
    assert "The second half is missing: not counted" in rough.seen("matches", "te_escape2", 1)
    assert "its round 1 is not here" in rough.seen("rounds", "etl_adlernest", 2)
    assert "its round 2 was broken off" in rough.seen("matches", "etl_frostbite", 1)
    assert "count nowhere" in rough.seen("rounds", "et_brewdog", 1)
    assert "there are no endstats" in rough.seen("matches", "supply", 1)
    assert "there are no endstats" not in rough.seen("matches", "braundorf_b4", 1)
    assert "NO LUA DATA" in rough.seen("rounds", "supply", 1)
    assert "NO LUA DATA" not in rough.seen("rounds", "braundorf_b4", 1)


def test_a_session_says_which_of_its_rounds_and_files_count_nowhere(rough: Rough) -> None:
    exported = rough.pipeline.export()
    page = rough.client.get(url_of("sessions", exported["session"]["key"]))
    text = seen_text(page)
    assert "Rounds whose numbers count nowhere" in text and "Files that could not be read" in text
    assert "1 file could not be read" in text
    read = [round_ for round_ in exported["rounds"] if round_["status"] != "quarantined"]
    assert f"Lua timing 2/{len(read)}" in text
    assert not PROGRAM_WORDS.search(text)


def test_what_an_old_script_did_not_write_is_unknown_and_never_0(rough: Rough) -> None:
    old = next(one for one in rough.pipeline.export()["rounds"] if one["map"] == "supply" and one["round"] == 1)
    missing = {name for name, value in old["players"][0].items() if value is None}
    rows = rows_of(rough.client.get(url_of("rounds", old["key"])).text)
    for player in old["players"]:
        (own,) = (row for row in rows if row and row[0].startswith(player["name"]))
        for name, column in (("revives_given", 12), ("gibs", 10), ("xp", 13)):
            assert (own[column] == "–") is (name in missing), (name, own)


def test_every_round_match_and_player_of_it_has_a_page(rough: Rough) -> None:
    urls = [url_of("rounds", row["round_key"]) for row in rough.pipeline.rows("select round_key from round")]
    urls += [url_of("matches", row["match_key"]) for row in rough.pipeline.rows("select match_key from match")]
    urls += [url_of("players", row["guid"]) for row in rough.pipeline.rows("select guid from board_person")]
    for url in urls:
        answer = rough.client.get(url)
        assert answer.status_code == 200 and not PROGRAM_WORDS.search(seen_text(answer)), url
    assert len(urls) > 20


def test_a_session_that_was_merged_away_leads_to_the_one_that_has_it(rough: Rough) -> None:
    key = rough.pipeline.export()["session"]["key"]
    inner = round_key(rough.rounds["et_brewdog", 1])  # what a session was called that began with this round
    moved = rough.client.get(url_of("sessions", inner[: len(key)]))
    assert (moved.status_code, moved.headers["location"]) == (301, url_of("sessions", key))


def test_what_changes_is_on_every_page_with_the_next_request(pipeline: Pipeline) -> None:
    evening = play_courses(61, [Course("supply", MAPS["supply"], Shape.BEATEN)], ends_at=just_now())
    (match,) = evening.matches
    write_round(pipeline.folder, match.r1)
    pipeline.take_in_all()
    with pages_of(pipeline.database) as client:
        key = pipeline.export()["session"]["key"]
        urls = ("/", url_of("sessions", key), f"/api/v1/sessions/{key}", url_of("matches", round_key(match.r1)))
        tags = {url: client.get(url).headers["etag"] for url in urls}

        def renewed(url: str) -> str:
            answer = client.get(url, headers={"If-None-Match": tags[url]})
            assert answer.status_code == 200 and answer.headers["etag"] != tags[url], url
            tags[url] = answer.headers["etag"]
            assert client.get(url, headers={"If-None-Match": tags[url]}).status_code == 304
            return str(answer.text)

        write_round(pipeline.folder, match.r2)
        pipeline.take_in_all()
        points = "1 – 0" if match.winner == "A" else "0 – 1"
        assert all(points in renewed(url) for url in urls if "/api/" not in url)
        assert f'"winner":"{match.winner}"' in renewed(urls[2]).replace(": ", ":")
        other = "B" if match.winner == "A" else "A"
        done = pipeline.slomix("override", "winner", round_key(match.r1), other, "--why=he saw it", "--by=ref")
        assert done.exit_code == 0, done.output
        assert all("he saw it" in renewed(url) for url in urls[1:])
        (who, *_) = pipeline.export()["teams"]["A"]["players"]
        assert who["name"] in seen_text(client.get(urls[1]))
        done = pipeline.slomix("identity", "hide", who["guid"], "--why=he said so", "--by=ref")
        assert done.exit_code == 0, done.output
        assert all(who["guid"] not in renewed(url) for url in urls[1:])
        assert who["name"] not in seen_text(client.get(urls[1]))


def asked_badly() -> Iterator[str]:
    """Every page, each of its parts and parameters with every bad text."""
    for page in PAGES:
        parts = [part.split("}")[0] for part in page.path.split("{")[1:]]
        for bad in BAD:
            path = page.path.format(**{part: url_of(bad)[1:] for part in parts})
            yield path
            yield from (f"{path}?{name}={url_of(bad)[1:]}" for name in page.names)


def test_whatever_is_asked_for_no_page_breaks_and_nobody_but_their_role_asks(shown: Shown) -> None:
    counted: dict[int, int] = {}
    for url in asked_badly():
        answer = shown.client.get(url)
        counted[answer.status_code] = counted.get(answer.status_code, 0) + 1
        assert answer.status_code in (200, 301, 302, 400, 404), url
        assert (
            "<script>alert" not in answer.text and "49" not in answer.text.split("<title>")[-1].split("</title>")[0]
        ), url
        assert not any(word in answer.text.lower() for word in ("psycopg", "traceback", "syntax error")), url
    assert counted[404] > 50 and counted[400] > 5
    connected: list[dict[str, Any]] = shown.pipeline.rows(
        """select distinct usename as who, application_name as of from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid()"""
    )
    assert {"slomix_web"} <= {row["who"] for row in connected}
