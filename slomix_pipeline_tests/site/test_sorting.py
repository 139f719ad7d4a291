"""Tables in the order that a reader asks for: by their heads, what is unknown last, and as they are where nobody asks."""

import re
from dataclasses import dataclass
from html import unescape
from operator import attrgetter

import pytest

from slomix_pipeline.site.pages import PAGES
from slomix_pipeline.site.sorting import SORT, Column, Order, heads, in_order
from slomix_pipeline.site.templating import name_text, url_of
from slomix_pipeline_tests.site.test_pages import rows_of
from slomix_pipeline_tests.site_fixtures import Shown, pages_of, seen_text


@dataclass(frozen=True)
class Row:
    name: str
    kills: int | None = None


COLUMNS: tuple[Column[Row], ...] = (
    Column("player", "Player", attrgetter("name"), rises=True, is_number=False),
    Column("kills", "K", attrgetter("kills"), "kills"),
    Column("ended", "W–D–L", None),
)
ROWS = (Row("dee"), Row("cat", 3), Row("bob", 7), Row("ann", 3), Row("abe"))


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        (None, "dee cat bob ann abe"),
        (Order("dpm", falls=True), "dee cat bob ann abe"),
        (Order("kills", falls=False), "ann cat bob abe dee"),
        (Order("kills", falls=True), "bob ann cat abe dee"),
        (Order("player", falls=True), "dee cat bob ann abe"),
        (Order("player", falls=False), "abe ann bob cat dee"),
    ],
)
def test_what_is_unknown_stands_last_both_ways_and_equals_by_name(order: Order | None, wanted: str) -> None:
    found = in_order(ROWS, COLUMNS, order, lambda row: (row.name,))
    assert " ".join(row.name for row in found) == wanted


def test_a_head_leads_to_its_order_and_then_to_the_other_way_round() -> None:
    def urls(order: Order | None) -> list[str | None]:
        return [head.url for head in heads(COLUMNS, order, "/there")]

    assert urls(None) == ["/there?sort=player", "/there?sort=-kills", None]
    assert urls(Order("kills", falls=True)) == ["/there?sort=player", "/there?sort=kills", None]
    assert urls(Order("player", falls=False)) == ["/there?sort=-player", "/there?sort=-kills", None]
    said = [head.order for head in heads(COLUMNS, Order("kills", falls=True), "/there")]
    assert said == [None, "descending", None]


def sorted_pages(shown: Shown) -> list[str]:
    """A page of each kind whose tables can be sorted."""
    exported = shown.pipeline.export()
    values = {
        "/sessions/{key}": url_of("sessions", exported["session"]["key"]),
        "/matches/{key}": url_of("matches", exported["matches"][0]["r1"]),
        "/players/{guid}": url_of("players", exported["teams"]["A"]["players"][0]["guid"]),
    }
    return [values.get(page.path, page.path) for page in PAGES if SORT in page.names]


def test_every_head_of_every_sorted_table_leads_to_the_same_rows_in_its_order(shown: Shown) -> None:
    pages = sorted_pages(shown)
    assert len(pages) == 5
    for url in pages:
        plain = shown.client.get(url).text
        asked = {unescape(found) for found in re.findall(rf'<th[^>]*><a href="({re.escape(url)}[?]sort=[^"]*)"', plain)}
        assert len(asked) >= 4
        for head in asked:
            address, _, anchor = head.partition("#")
            column = address.partition(f"{SORT}=")[2].lstrip("-")
            for sign, word in (("-", "descending"), ("", "ascending")):
                answer = shown.client.get(f"{url}?{SORT}={sign}{column}").text
                assert f'aria-sort="{word}"' in answer and f'id="{anchor}"' in answer, head
                assert set(map(tuple, rows_of(answer))) == set(map(tuple, rows_of(plain))), head
        assert "aria-sort" not in plain


def test_players_stand_by_the_number_that_is_asked_for_and_totals_stay_last(shown: Shown) -> None:
    exported = shown.pipeline.export()
    key = exported["session"]["key"]
    rows = rows_of(shown.client.get(f"{url_of('sessions', key)}?sort=-kills").text)
    names = {name_text(own["name"]): team for team in "AB" for own in exported["teams"][team]["players"]}
    for team in "AB":
        kills = [int(row[1]) for row in rows if len(row) > 12 and names.get(row[0]) == team]
        assert len(kills) > 2 and kills == sorted(kills, reverse=True)
    listed = rows_of(shown.client.get("/players?sort=player").text)[1:]
    assert [row[0].casefold() for row in listed] == sorted(row[0].casefold() for row in listed)


def test_the_list_of_players_goes_on_in_its_order(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slomix_pipeline.site.pages.players._A_PAGE", 3)
    url, pages = "/players?sort=-player", []
    with pages_of(shown.pipeline.database) as client:
        while url:
            text = client.get(url).text
            pages.append([row[0].casefold() for row in rows_of(text)[1:]])
            more = re.search(r'<a href="([^"]*)" rel="next"', text)
            url = unescape(more[1]) if more else ""
    names = [name for page in pages for name in page]
    assert len(pages) > 2 and len(names) == len(set(names)) and names == sorted(names, reverse=True)


def test_no_column_is_not_understood_and_named(shown: Shown) -> None:
    for url in sorted_pages(shown):
        for wrong in ("xp", "--kills", "ended", "Kills"):
            answer = shown.client.get(f"{url}?sort={wrong}")
            assert answer.status_code == 400 and f"sort: {wrong} is no column" in seen_text(answer), url
        assert shown.client.get(f"{url}?sort=").status_code == 200
