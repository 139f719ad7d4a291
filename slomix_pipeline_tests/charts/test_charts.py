"""Pictures of a session: they can be drawn, show what is known and nothing else, and what players wrote stays data."""

import hashlib
import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
import vl_convert
from hypothesis import given, settings
from hypothesis import strategies as st

from slomix_pipeline.charts import look
from slomix_pipeline.charts.card import HEIGHT, WIDTH, card_chart
from slomix_pipeline.charts.facts import AttackFacts, MapFacts, SessionFacts
from slomix_pipeline.charts.look import Chart
from slomix_pipeline.charts.map_curve import map_chart
from slomix_pipeline.charts.players import players_chart
from slomix_pipeline.charts.render import png, svg
from slomix_pipeline.charts.rounds import rounds_chart
from slomix_pipeline.charts.score import score_chart
from slomix_pipeline.charts.session import session_charts
from slomix_pipeline.charts.times import times_chart
from slomix_pipeline.discord.embeds import ALT_LIMIT, ATTACHMENTS_LIMIT, length
from slomix_pipeline.rules.par import Attack, HoldingCurve, holding_curve
from slomix_pipeline.rules.team_names import UNNAMED, NameSource, TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.timing import AttackEnd
from slomix_pipeline_tests.charts.made import HOSTILE, hostile_session, made_match, made_player, made_session


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def values_of(spec: Any) -> list[dict[str, Any]]:
    """All rows of data in a specification."""
    return [row for rows in spec["datasets"].values() for row in rows]


@pytest.mark.parametrize("facts", [made_session(), hostile_session()], ids=["ordinary", "hostile"])
def test_every_picture_is_drawn_as_png_and_svg(facts: SessionFacts) -> None:
    charts = session_charts(facts)
    score = ["score"] if len(facts.matches) > 1 else []
    assert [chart.name for chart in charts] == ["result", *score, "times", "players", "rounds"]
    assert len(charts) <= ATTACHMENTS_LIMIT
    for chart in charts:
        width, height = size_of(png(svg(chart)))
        assert 600 <= width <= 1500 and 200 <= height <= 3000, chart.name
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg(chart)).iter()}
        assert "svg" in tags and not tags & {"script", "image", "foreignObject", "a"}


ATTACKS = [Attack(60 * minute, True) for minute in range(2, 12)] + [Attack(720, False)] * 2
CURVE = holding_curve(ATTACKS)


@pytest.mark.parametrize("apart", [None, (CURVE, holding_curve(ATTACKS[3:]))])
@pytest.mark.parametrize("name", ["supply", *HOSTILE[:3]])
def test_the_picture_of_a_map_is_drawn_whatever_it_is_called(
    name: str, apart: tuple[HoldingCurve, HoldingCurve] | None
) -> None:
    chart = map_chart(MapFacts(name, "par 7:00, one in five is held", 720, CURVE, apart, 120))
    width, height = size_of(png(svg(chart)))
    assert 600 <= width <= 1500 and 200 <= height <= 3000
    assert {"par 7:00", "● record 2:00"} <= shown(chart)
    assert ("● second attacks, dashed" in shown(chart)) == (apart is not None)
    assert ("strokeDash" in str(chart.spec["layer"][1]["mark"])) == (
        apart is not None
    )  # not told apart by colour alone
    assert (
        length(chart.alt) <= ALT_LIMIT and "par 7:00, one in five is held. Defences that still hold after" in chart.alt
    )


def test_a_map_that_always_holds_has_a_picture_without_par_or_record() -> None:
    curve = holding_curve([Attack(720, False)] * 10)
    chart = map_chart(MapFacts("supply", "par not reached", 720, curve, None, None))
    assert png(svg(chart)) and shown(chart) == {"supply"}


@pytest.mark.parametrize("broken_at", ["vegalite_to_svg", "svg_to_png"])
def test_a_library_that_breaks_is_an_error_like_any_other(broken_at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        """As Rust code raises it."""

    def broken(*_: Any, **__: Any) -> bytes:
        raise PanicException("index out of bounds")

    monkeypatch.setattr(vl_convert, broken_at, broken)
    with pytest.raises(ValueError, match="index out of bounds"):
        png(svg(card_chart(made_session())))


def test_the_card_is_as_wide_and_as_light_as_a_preview_may_be() -> None:
    for facts in (made_session(), hostile_session()):
        picture = png(svg(card_chart(facts)))
        assert size_of(picture) == (2 * WIDTH, 2 * HEIGHT)
        assert len(picture) <= 300_000


def test_the_same_facts_give_the_same_bytes_in_every_process() -> None:
    drawn = [hashlib.sha256(png(svg(chart))).hexdigest() for chart in session_charts(hostile_session(12, 5))]
    assert drawn == [hashlib.sha256(png(svg(chart))).hexdigest() for chart in session_charts(hostile_session(12, 5))]
    code = (
        "import hashlib\n"
        "from slomix_pipeline.charts.render import png, svg\n"
        "from slomix_pipeline.charts.session import session_charts\n"
        "from slomix_pipeline_tests.charts.made import hostile_session\n"
        "print(*(hashlib.sha256(png(svg(chart))).hexdigest() for chart in session_charts(hostile_session(12, 5))))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.split() == drawn


def outside_of_data(spec: Any) -> Iterator[tuple[str, Any]]:
    """All keys and values of a specification but those of its rows."""
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key != "datasets":
                yield key, value
                yield from outside_of_data(value)
    elif isinstance(spec, list):
        for value in spec:
            yield "", value
            yield from outside_of_data(value)


def test_what_players_wrote_is_data_and_no_picture_has_an_expression() -> None:
    for chart in session_charts(hostile_session()):
        found = list(outside_of_data(chart.spec))
        assert not {key for key, _ in found} & {"expr", "signal", "calculate", "filter", "labelExpr", "href", "url"}
        texts = {value for _, value in found if isinstance(value, str)}
        assert not [text for text in texts for name in HOSTILE if name and name[:8] in text], chart.name


@given(
    st.lists(st.tuples(st.text(max_size=60), st.sampled_from((Team.A, Team.B, None))), max_size=40),
    st.lists(st.text(max_size=60), max_size=22),
)
@settings(max_examples=10)
def test_any_number_of_players_and_any_names_make_specifications_with_short_words(
    players: list[tuple[str, Team | None]], maps: list[str]
) -> None:
    facts = made_session([made_player(*player) for player in players], [made_match(name) for name in maps])
    for chart in session_charts(facts):
        json.dumps(chart.spec).encode()
        assert 0 < length(chart.alt) <= ALT_LIMIT
        assert all(len(str(value)) < 250 for row in values_of(chart.spec) for value in row.values())


def test_an_unknown_number_is_shown_as_unknown_and_has_no_bar() -> None:
    nobody_knows = made_player(kd=None, dpm=None, damage_given=None, round_dpm={"1-1": None})
    for chart in (players_chart(made_session([nobody_knows])), rounds_chart(made_session([nobody_knows]))):
        rows = values_of(chart.spec)
        assert "?" in {row.get("text") for row in rows}
        assert {row["value"] for row in rows if "value" in row} == {None}
        assert "unknown" in chart.alt and " 0" not in chart.alt.replace("0 more", "")
    assert "Most damage: unknown" in card_chart(made_session([nobody_knows])).alt


def test_what_more_share_than_the_summary_names_is_not_on_the_card_either() -> None:
    many = [made_player(name, damage_given=9 + (name == "ada")) for name in ("ada", "bob", "cyd", "dan")]
    assert all(player.kills == many[0].kills for player in many)
    alt = card_chart(made_session(many)).alt
    assert "Most kills" not in alt and "Most damage: 10 · ada" in alt
    assert "Most kills" not in card_chart(made_session([made_player(kills=0)])).alt


def test_the_words_of_a_picture_have_its_numbers() -> None:
    facts = made_session([made_player("ada", usual_kd=1.5, usual_dpm=299.6), made_player("bob", Team.B, kd=None)])
    assert players_chart(facts).alt == (
        "Players by damage, K/D and damage per minute (DPM), with what is usual for each. "
        "ada (A): 12,345, K/D 1.28 (usually 1.50), DPM 312 (usually 300); "
        "bob (B): 12,345, K/D unknown, DPM 312."
    )
    assert rounds_chart(facts).alt == (
        "Damage per minute of 2 rounds in order (supply 1, supply 2). ada: 305 321; bob: 305 321."
    )
    assert score_chart(facts).alt == "Score of Team A and Team B after each match. supply: Team A wins, 1–0."
    assert times_chart(facts).alt == (
        "Times of the attacks, match by match. supply: Team A 6:42, Team B held 6:42, Team A wins."
    )
    assert card_chart(facts).alt == (
        "14 March 2026: Team A 1, Team B 0; Team A wins. 1 match · 2 players; "
        "Most kills: 41 · ada and 1 more; Most damage: 12,345 · ada and 1 more."
    )


def shown(chart: Chart) -> set[str]:
    return {str(row["text"]) for row in values_of(chart.spec) if "text" in row}


@pytest.mark.parametrize(
    ("end", "seconds", "text"),
    [
        (AttackEnd.COMPLETED, 402.4, "6:42"),
        (AttackEnd.COMPLETED, None, "completed, time unknown"),
        (AttackEnd.HELD, 600, "held 10:00"),
        (AttackEnd.GAVE_UP, 311, "gave up 5:11"),
        (AttackEnd.ENDED, 61, "ended 1:01"),
        (AttackEnd.HELD, None, "held"),
        (AttackEnd.UNKNOWN, None, "?"),
    ],
)
def test_an_attack_is_shown_as_it_ended(end: AttackEnd, seconds: float | None, text: str) -> None:
    match = made_match(attacks=(AttackFacts(Team.A, end, seconds, 600),))
    assert text in shown(times_chart(made_session(matches=[match])))


def test_a_match_that_was_broken_off_has_no_times() -> None:
    chart = times_chart(made_session(matches=[made_match(winner=None, broken_off=True)]))
    assert "broken off" in shown(chart) and "6:42" not in shown(chart)
    assert "supply: broken off, not counted" in chart.alt


def test_a_session_without_players_or_rounds_has_its_result_alone() -> None:
    facts = made_session([], [], winner=None, score_a=0)
    (card,) = session_charts(facts)
    assert "No match counts" in card.alt
    png(svg(card))


def test_a_name_is_cut_as_a_person_would() -> None:
    assert look.name_text("nightingale the third", 14) == "nightingale t…"
    assert look.name_text("\u202e\x07", 14) == "?"
    assert len(look.name_text("x\u0301" * 200, 14)) <= 28


def test_a_text_is_cut_to_the_room_that_it_has() -> None:
    assert look.fitted("etl_adlernest", 18, 130) == "etl_adlernest"
    cut = look.fitted("etl_adlernest", 18, 90)
    assert cut.endswith("…") and 70 < look.text_width(cut, 18) <= 90
    assert look.fitted("👩🏽\u200d🚀" * 20, 14, 112).removesuffix("…").strip("👩🏽\u200d🚀") == ""


def test_the_card_names_the_maps_of_a_usual_evening_whole_and_none_over_another() -> None:
    maps = ["supply", "te_escape2", "braundorf_b4", "et_brewdog", "sw_goldrush_te", "etl_adlernest", "erdenberg_t2"]
    for count in range(1, len(maps) + 1):
        chart = card_chart(made_session(matches=[made_match(name) for name in maps[-count:]]))
        named = [row for row in values_of(chart.spec) if row.get("text") in maps]
        assert [row["text"] for row in named] == maps[-count:]
        assert all(row["size"] >= 16 for row in named)
        for left, right in ((a, b) for a, b in combinations(named, 2) if a["y"] == b["y"]):
            halves = sum(look.text_width(row["text"], row["size"]) / 2 for row in (left, right))
            assert right["x"] - left["x"] > halves


def test_a_team_has_a_colour_that_can_be_seen_and_told_from_the_other() -> None:
    black: dict[str, TeamName] = {team: TeamName(team, "dark", NameSource.KNOWN, 0x000000) for team in Team}
    colours = look.team_colours(black)
    assert (colours[Team.A], colours[Team.B]) == ("#3498db", "#e74c3c")
    one = look.team_colours(UNNAMED | {Team.A: black[Team.A]})[Team.A]
    assert int(one[1:3], 16) > 0x50
    assert (
        look.team_colours(UNNAMED | {Team.A: TeamName(Team.A, "lime", NameSource.KNOWN, 0x00FF00)})[Team.A] == "#00ff00"
    )
