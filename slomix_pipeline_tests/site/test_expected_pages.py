"""What was expected of players, on pages and in the API: beside what they did, of whom enough is known, and never a
part for the whole."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slomix_pipeline.rules.expected import LEAST_ROUNDS, Metric, PlayedRound, Sum
from slomix_pipeline.site.api.kit import api_url
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import expectations, form_changes
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.expectations import NightKept
from slomix_pipeline.warehouse.nights import NIGHTS_OF_FORM
from slomix_pipeline.warehouse.played_history import (
    NightExpected,
    RoundExpected,
    played_rounds,
    store_expected,
    store_expected_nights,
)
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.site.api_walk import trouble
from slomix_pipeline_tests.site_fixtures import Shown, pages_of, play_and_tell, seen_text

TIMES = 2.0  # that everybody did what was expected of him
KNOWN = 34


def learned(database: Database, new: str | None = None, without: str | None = None) -> list[PlayedRound]:
    """As if the models had learned: everybody did ``TIMES`` what was expected. ``new``: the GUID of who is not known
    well enough; ``without``: a round of which nothing was expected yet."""
    with database.transaction() as conn:
        played = played_rounds(conn)
        of_rounds: list[RoundExpected] = []
        sums: dict[tuple[str, Metric], NightExpected] = {}
        for one in played:
            for line in one.lines:
                assert line.damage is not None and line.kills is not None
                earlier = LEAST_ROUNDS - 1 if line.guid == new else KNOWN
                own = (line.damage / TIMES + 1, line.kills / TIMES + 0.1)
                of_rounds.append(RoundExpected(one.key, line.guid, *own, earlier))
                for metric in Metric:
                    night = Sum(line.guid, metric, 4, 40.0, 5000.0, 6000, earlier)
                    sums[line.guid, metric] = NightExpected(one.night, night, 0.05)
        store_expected(conn, [row for row in of_rounds if row.round_key != without])
        store_expected_nights(conn, sums.values())
    return played


@pytest.fixture(scope="module")
def rounds(shown: Shown) -> Iterator[list[PlayedRound]]:
    """The evening with what was expected in it, but for the player of the first line."""
    first = played_in(shown.pipeline)[0].lines[0].guid
    yield learned(shown.pipeline.database, new=first)


def played_in(pipeline: Pipeline) -> list[PlayedRound]:
    with pipeline.database.connect() as conn:
        return played_rounds(conn)


def get(shown: Shown, *parts: str) -> Any:
    answer = shown.client.get(api_url(*parts, "expected"))
    assert answer.status_code == 200 and trouble(str(answer.request.url.path), answer) == []
    return answer.json()


def test_a_session_says_of_everybody_who_is_known_what_was_expected_and_how_usual_that_is(
    shown: Shown, rounds: list[PlayedRound]
) -> None:
    text = " ".join(seen_text(shown.client.get(url_of("sessions", rounds[0].night))).split())
    known = {line.guid for one in rounds for line in one.lines} - {rounds[0].lines[0].guid}
    items = get(shown, "sessions", rounds[0].night)
    assert {item["guid"] for item in items["items"]} == known and items["not_known"] == 1
    teams = items["teams"]
    share = round(100 * teams["a"] / (teams["a"] + teams["b"]))
    assert teams["rounds"] == len(rounds) and f"in {len(rounds)} rounds so far: {share} : {100 - share} of" in text
    assert "Against what was expected" in text and "Too few rounds are known of 1 player." in text
    for item in items["items"]:
        did = sum(line.damage or 0 for one in rounds for line in one.lines if line.guid == item["guid"])
        own = item["damage"]
        assert own["actual"] == did and "judged" not in own and item["earlier_rounds"] == KNOWN
        assert f"{did:,} damage, " in text and "above a usual session" in text
        assert own["usual_low"] < 1 < own["usual_high"] < own["ratio"]


def test_a_match_says_it_of_its_own_rounds_by_the_same_words(shown: Shown, rounds: list[PlayedRound]) -> None:
    (match,) = shown.pipeline.rows("select match_key, r1_key, r2_key from match where r1_key = %s", rounds[0].key)
    text = seen_text(shown.client.get(url_of("matches", match["match_key"])))
    for item in get(shown, "matches", match["match_key"])["items"]:
        own = [
            line
            for one in rounds
            for line in one.lines
            if one.key in (match["r1_key"], match["r2_key"]) and line.guid == item["guid"]
        ]
        assert item["kills"]["actual"] == sum(line.kills or 0 for line in own)
        assert item["kills"]["rounds"] == len(own)
        assert f"{item['damage']['actual']:,} damage, " in text and "a usual match" in text


def test_a_player_has_his_sessions_beside_it_where_he_was_known_before(shown: Shown, rounds: list[PlayedRound]) -> None:
    new, known = (line.guid for line in rounds[0].lines[:2])
    (night,) = get(shown, "players", known)["items"]
    assert night["session_key"] == rounds[0].night and night["damage"]["ratio"] == 1.2
    assert night["damage"]["judged"] == "above"
    assert "6,000 damage, 5,000 expected (+20 %)" in seen_text(shown.client.get(url_of("players", known)))
    assert get(shown, "players", new) == {"items": [], "next": None, "changes": []}
    assert "Against what was expected" not in seen_text(shown.client.get(url_of("players", new)))


def test_how_it_is_counted_says_from_when_on_anything_is_told(shown: Shown) -> None:
    page = shown.client.get("/metrics")
    assert 'id="expected"' in page.text and f"fewer than {LEAST_ROUNDS} earlier rounds" in seen_text(page)


def test_a_change_of_form_is_told_with_since_when_and_silence_is_the_answer_without_one(shown: Shown) -> None:
    began = datetime(2026, 1, 1, 20, tzinfo=UTC)
    nights = [
        NightKept(
            f"main:{at:02}",
            began + timedelta(days=at),
            began + timedelta(days=at, hours=2),
            Sum("A", Metric.DAMAGE, 12, 90.0, 10_000.0, 12_500 if at >= 20 else 10_000, KNOWN),
            0.08,
        )
        for at in range(40)
    ]
    with shown.pipeline.database.connect() as conn:
        (change,) = form_changes.changes_of(conn, ["A"], nights)
        assert (change.what, change.since, change.session_key) == ("damage", began + timedelta(days=20), "main:20")
        assert change.low < 0.25 < change.high and change.probability > 0.95
        assert form_changes.changes_of(conn, ["A"], [replace(night, sums=nights[0].sums) for night in nights]) == ()


def test_a_change_of_form_stands_on_the_page_of_its_player(pipeline: Pipeline) -> None:
    play_and_tell(pipeline, maps=1)
    guid = played_in(pipeline)[0].lines[0].guid
    nights = []
    with pipeline.database.transaction() as conn:
        for day in range(1, 31):
            key = f"main:2026-01-{day:02}-200000"
            conn.execute(
                """insert into session (session_key, server, started_at, ended_at)
                   values (%(key)s, 'main', %(at)s::timestamptz, %(at)s::timestamptz + interval '2 hours')""",
                {"key": key, "at": f"2026-01-{day:02} 20:00Z"},
            )
            own = Sum(guid, Metric.KILLS, 12, 90.0, 100.0, 130 if day > 15 else 100, KNOWN)
            nights.append(NightExpected(key, own, 0.1))
        store_expected_nights(conn, nights)
    with pages_of(pipeline.database) as client:
        page = client.get(url_of("players", guid))
        text = " ".join(seen_text(page).split())
        (change,) = client.get(api_url("players", guid, "expected")).json()["changes"]
    assert f"Kills up {change['by']:.0%}".replace("%", " %") + " since 2026-01-16 (99 % sure, +" in text
    assert (change["what"], change["session_key"]) == ("kills", "main:2026-01-16-200000")
    assert page.text.count("<circle") == NIGHTS_OF_FORM  # of kills alone: of damage nothing is known


def test_a_hidden_player_is_in_it_without_his_name_and_a_part_never_passes_for_the_whole(
    pipeline: Pipeline,
) -> None:
    play_and_tell(pipeline, maps=1)
    played = learned(pipeline.database)
    night, there = played[0], {line.guid for one in played for line in one.lines}
    hidden = night.lines[0].guid
    (own,) = pipeline.rows("select name from session_player where guid = %s", hidden)
    assert pipeline.slomix("identity", "hide", hidden, "--why", "asked").exit_code == 0
    with pages_of(pipeline.database) as client:
        items = client.get(api_url("sessions", night.night, "expected")).json()["items"]
        assert len(items) == len(there) and hidden not in {item["guid"] for item in items}
        assert own["name"] not in {item["name"] for item in items}
        assert client.get(api_url("players", hidden, "expected")).status_code == 404

        learned(pipeline.database, without=night.key)
        assert client.get(api_url("sessions", night.night, "expected")).json()["items"] == []
        assert "Against what was expected" not in seen_text(client.get(url_of("sessions", night.night)))
        with pipeline.database.connect() as conn:
            assert expectations.known_expectations(conn, played_rounds(conn)) == []
