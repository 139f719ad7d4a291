"""The curve of a map: the share of defences that still hold, how sure that is, par, and the record.

Does not belong here: the shares (``rules.par``), the sentence (``reports.map_words``), the same on pages
(``site.pages.map_curve``).
"""

from typing import Any, Literal

import altair as alt

from slomix_pipeline.charts.facts import MapFacts
from slomix_pipeline.charts.look import (
    GREEN,
    PANEL,
    STRONG,
    TEXT,
    WIDTH,
    YELLOW,
    Chart,
    Tables,
    finished,
    fitted,
    in_words,
    name_text,
)
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.reports.odds_words import share_text
from slomix_pipeline.rules.par import HoldingCurve

_HEIGHT = 240
_NAME = 40  # characters of a map's name
_LINE, _SECOND = "#7c8cff", GREEN  # that of all attacks or of first ones; that of second ones
_DASHED = [8, 5]  # that of second ones, for whom colours are alike
_PALE = 0.25
_SHARES = alt.Scale(domain=[0, 1], nice=False)
_PERCENT = alt.Axis(title=None, values=[0, 0.25, 0.5, 0.75, 1], labelExpr="round(100 * datum.value) + ' %'")
_MOST_LINES = 8  # of the grid
_MINUTES = (1, 2, 3, 5, 10, 15, 30, 60)  # between two of them


def map_chart(facts: MapFacts) -> Chart:
    """The curve; two of them where first and second attacks differ."""
    tables = Tables()
    last = max(facts.limit_seconds or 0, facts.curve.seen_until, facts.record or 0, 1)
    every = next((own for own in _MINUTES if last <= 60 * own * _MOST_LINES), last // 60 // _MOST_LINES + 1)
    x = alt.X(
        "at:Q",
        scale=alt.Scale(domain=[0, last], nice=False),
        axis=alt.Axis(
            title=None,
            values=list(range(0, last + 1, 60 * every)),
            labelExpr="floor(datum.value / 60) + ':00'",
            grid=False,
        ),
    )
    y = alt.Y("holds:Q", scale=_SHARES, axis=_PERCENT)
    layers = [*_lines(tables, facts, x, y), *_marks(tables, facts, x, y, last), *_heading(tables, facts)]
    chart = alt.layer(*layers).properties(width=WIDTH, height=_HEIGHT, view=alt.ViewConfig(fill=PANEL))
    count = f"by time, of {facts.curve.attacks:,} attacks"
    return Chart("map", _alt(facts), finished(tables, chart, "Defences that still hold", count))


def _lines(tables: Tables, facts: MapFacts, x: alt.X, y: alt.Y) -> list[Any]:
    """The one line in its band, or that of first and that of second attacks."""
    if facts.apart is not None:
        return [
            tables.chart(_points(own))
            .mark_line(interpolate="step-after", color=colour, strokeWidth=3, strokeDash=dash)
            .encode(x=x, y=y)
            for own, colour, dash in zip(facts.apart, (_LINE, _SECOND), ([], _DASHED), strict=True)
        ]
    both = tables.chart(_points(facts.curve))
    return [
        both.mark_area(interpolate="step-after", color=_LINE, opacity=_PALE).encode(
            x=x, y=alt.Y("low:Q", scale=_SHARES, axis=_PERCENT), y2="high:Q"
        ),
        both.mark_line(interpolate="step-after", color=_LINE, strokeWidth=3).encode(x=x, y=y),
    ]


def _points(curve: HoldingCurve) -> list[dict[str, Any]]:
    """From everything to what is left, as far as was seen."""
    points = [{"at": 0, "holds": 1.0, "low": 1.0, "high": 1.0}]
    points += [{"at": own.seconds, "holds": own.holds, "low": own.low, "high": own.high} for own in curve.steps]
    return [*points, points[-1] | {"at": curve.seen_until}]


def _marks(tables: Tables, facts: MapFacts, x: alt.X, y: alt.Y, last: int) -> list[Any]:
    """Par as a line, the record as a dot, each with its time."""
    layers: list[Any] = []
    if facts.curve.par is not None:
        row = {"at": facts.curve.par, "text": f"par {format_time(facts.curve.par)}"}
        par = tables.chart([row])
        layers += [
            par.mark_rule(color=YELLOW, strokeDash=[5, 4], strokeWidth=2).encode(x=x),
            par.mark_text(color=YELLOW, fontSize=14, baseline="top", **_beside(facts.curve.par, last)).encode(
                x=x, y=alt.value(6), text="text:N"
            ),
        ]
    if facts.record is not None:
        record = tables.chart([{"at": facts.record, "holds": facts.curve.holds_at(facts.record)}])
        called = tables.chart([{"text": f"● record {format_time(facts.record)}"}])
        layers += [
            record.mark_circle(color=STRONG, size=90, opacity=1).encode(x=x, y=y),
            called.mark_text(color=STRONG, fontSize=14, baseline="bottom", align="left").encode(
                x=alt.value(8), y=alt.value(_HEIGHT - 8), text="text:N"
            ),
        ]
    return layers


def _beside(seconds: int, last: int) -> dict[str, Any]:
    """To the right of a time; to its left where there is no room."""
    return {"align": "left", "dx": 6} if seconds < 0.8 * last else {"align": "right", "dx": -6}


def _heading(tables: Tables, facts: MapFacts) -> list[Any]:
    """The map's name above the picture, and which line is which."""
    room = 0.9 if facts.apart is None else 0.35
    called: list[tuple[str, Literal["left", "right"], float, str]] = [
        (fitted(name_text(facts.name, _NAME), 15, room * WIDTH), "left", 0.0, TEXT)
    ]
    if facts.apart is not None:
        called += [
            ("● first attacks", "right", 0.58 * WIDTH, _LINE),
            ("● second attacks, dashed", "right", WIDTH, _SECOND),
        ]
    return [
        tables.chart([{"text": text}])
        .mark_text(align=align, baseline="bottom", fontSize=15, color=colour)
        .encode(x=alt.value(at), y=alt.value(-8), text="text:N")
        for text, align, at, colour in called
    ]


def _alt(facts: MapFacts) -> str:
    after = range(60, facts.curve.seen_until + 1, 60)
    held = [f"{format_time(own)} {share_text(facts.curve.holds_at(own), facts.curve.attacks)}" for own in after]
    return in_words(f"{name_text(facts.name, _NAME)}: {facts.sentence}. Defences that still hold after:", held)
