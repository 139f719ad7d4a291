"""The pages over years: boards, records and maps say what the commands say, and name nobody who is hidden."""

import json
from typing import Any

import pytest

from slomix_pipeline.reports.career_words import board_value, record_title, record_value, rounds_text
from slomix_pipeline.reports.map_words import card_text
from slomix_pipeline.rules.boards import BOARDS, BoardName
from slomix_pipeline.rules.records import KINDS, RecordKind, RecordLevel
from slomix_pipeline.site.pages.shared import attack_text
from slomix_pipeline.site.templating import clock_text, name_text, url_of
from slomix_pipeline.warehouse.boards import BoardRow
from slomix_pipeline.warehouse.maps import map_numbers
from slomix_pipeline.warehouse.reading import matches
from slomix_pipeline.warehouse.records import RecordSeen
from slomix_pipeline_tests.site.test_pages import rows_of
from slomix_pipeline_tests.site_fixtures import Shown, seen_text


def told(shown: Shown, *words: str) -> Any:
    """What a command says, as JSON."""
    done = shown.pipeline.slomix(*words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def a_map(shown: Shown) -> str:
    return str(shown.pipeline.export()["matches"][0]["map"])


def places(text: str) -> list[list[str]]:
    """Rank, player, value, rounds."""
    return [[rank, player, value, over] for player, rank, value, over in rows_of(text)[1:]]


def as_shown(name: BoardName, row: dict[str, Any]) -> list[str]:
    own = BoardRow(**row)
    return [str(own.rank), name_text(own.name, own.guid), board_value(BOARDS[name], own), rounds_text(own)]


@pytest.mark.parametrize("name", BoardName)
def test_a_board_is_that_of_the_command(shown: Shown, a_map: str, name: BoardName) -> None:
    for query, words in (
        ("min_rounds=1", ["--min-rounds", "1"]),
        (f"min_rounds=1&map={a_map}", ["--min-rounds", "1", "--map", a_map]),
        ("min_rounds=1&since=2026-01-01", ["--min-rounds", "1", "--since", "2026-01-01"]),
        ("min_rounds=1&since=2999-01-01", ["--min-rounds", "1", "--since", "2999-01-01"]),
    ):
        page = shown.client.get(f"/boards/{name}?{query}")
        assert page.status_code == 200
        assert places(page.text) == [as_shown(name, row) for row in told(shown, "board", name.value, *words)], query
        assert BOARDS[name].formula in seen_text(page)


def test_a_board_says_what_it_asks_for_and_when_nobody_stands_on_it(shown: Shown) -> None:
    page = seen_text(shown.client.get("/boards/accuracy?min_rounds=500"))
    assert "from 500 rounds, 300 damage and 50000 shots" in page
    assert "Nobody has played enough for it" in page


def test_the_boards_are_listed_and_keep_their_filters(shown: Shown, a_map: str) -> None:
    listed = shown.client.get("/boards").text
    assert [name for name in BoardName if f'href="/boards/{name}"' not in listed] == []
    page = shown.client.get(f"/boards/dpm?map={a_map}&min_rounds=2").text
    assert f'href="/boards/kd?map={a_map}&amp;min_rounds=2"' in page


def test_a_board_that_is_none_leads_to_those_there_are_and_a_wrong_filter_is_named(shown: Shown) -> None:
    missing = shown.client.get(url_of("boards", "<b>"))
    assert missing.status_code == 404 and 'href="/boards/kd"' in missing.text and "<b>" not in missing.text
    for wrong in ("map=<script>", "since=today", "min_rounds=0", "min_rounds=x", "min_rounds=²", "after=-1"):
        page = shown.client.get(f"/boards/dpm?{wrong}")
        assert page.status_code == 400 and wrong.split("=")[0] in seen_text(page)
        assert "<script>" not in page.text


def records_told(rows: list[dict[str, Any]]) -> list[list[str]]:
    """What a record is of, its value, and its map."""
    found = [RecordSeen(**{**row, "kind": RecordKind(row["kind"]), "level": RecordLevel(row["level"])}) for row in rows]
    return [[record_title(record), record_value(record), record.map or ""] for record in found]


def records_shown(text: str) -> list[list[str]]:
    """Of rows as in the templates: told with what they broke, and who comes next, or without."""
    kinds = {kind.title for kind in KINDS.values()}
    rows = [row for row in rows_of(text) if len(row) in (5, 6, 7) and any(row[0].startswith(title) for title in kinds)]
    return [[row[0], row[1], row[3]] for row in rows]


def test_the_records_are_those_of_the_command_and_each_leads_to_its_round(shown: Shown, a_map: str) -> None:
    for query, words in (("", []), (f"?map={a_map}", ["--map", a_map])):
        page, rows = shown.client.get(f"/records{query}"), told(shown, "records", *words)
        assert records_shown(page.text) == records_told(rows) != []
        for row in rows:
            names = [name_text(name) for name in row["holders"]]
            assert [name for name in names if name not in seen_text(page)] == []
            if row["level"] == RecordLevel.ROUND:
                assert f'href="{url_of("rounds", row["round_key"])}' in page.text
    receipt = next(row for row in told(shown, "records") if row["kind"] == "kills" and row["level"] == "round")
    url = f"{url_of('rounds', receipt['round_key'])}?player={receipt['guids'][0]}"
    assert f"{url}#player" in shown.client.get("/records").text
    kills = {row[0]: row[1] for row in rows_of(shown.client.get(url).text) if len(row) == 6}["kills"]
    assert kills == f"{receipt['value']:.0f}"


def test_a_map_says_what_the_command_says(shown: Shown, a_map: str) -> None:
    seen = told(shown, "map", a_map)
    page = shown.client.get(url_of("maps", a_map))
    attacks = [record for record in seen["records"] if record["kind"] == RecordKind.ATTACK]
    assert records_shown(page.text) == records_told(attacks) != []
    assert f'href="/records?map={a_map}"' in page.text
    own = seen["par"]
    assert f"{own['completed']} of {own['attacks']} attacks completed" in seen_text(page)
    assert f"{seen['matches']} decided" in seen_text(page)
    assert f'href="/boards/dpm?map={a_map}"' in page.text


def test_the_maps_are_listed_with_their_fastest_attack(shown: Shown) -> None:
    with shown.pipeline.database.connect() as conn:
        sentences = {numbers.name: card_text(numbers) for numbers in map_numbers(conn)}
    rows = {row[0]: row[1:] for row in rows_of(shown.client.get("/maps").text)[1:]}
    assert rows.keys() == sentences.keys() == {match["map"] for match in shown.pipeline.export()["matches"]}
    for name, (played, sentence, *row) in rows.items():
        assert sentence == sentences[name] and sentence in seen_text(shown.client.get(url_of("maps", name)))
        seen = told(shown, "map", name)
        fastest = [record["value"] for record in seen["records"] if record["kind"] == RecordKind.ATTACK]
        assert played == str(seen["matches"])
        assert row[0] == (clock_text(fastest[0]) if fastest else "–")
        assert row[1] == f"{seen['par']['completed']}of {seen['par']['attacks']}"


def test_the_attacks_of_a_map_end_in_the_words_of_its_matches(shown: Shown, a_map: str) -> None:
    page = seen_text(shown.client.get(url_of("maps", a_map)))
    with shown.pipeline.database.connect() as conn:
        (match,) = (own for own in matches(conn, [shown.pipeline.export()["session"]["key"]]) if own.map_name == a_map)
    assert match.first is not None and match.second is not None
    for seen in (match.first, match.second):
        assert page.count(attack_text(seen)) >= 2  # of the few attacks, and of the last plays


def test_a_map_that_was_not_played_leads_to_those_that_were(shown: Shown, a_map: str) -> None:
    page = shown.client.get(url_of("maps", "<i>"))
    assert page.status_code == 404 and f'href="{url_of("maps", a_map)}"' in page.text and "<i>" not in page.text
    assert shown.client.get("/records?map=nowhere").status_code == 400
