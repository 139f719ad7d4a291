"""DPM per round: a row for each player, a column for each round that counts, brighter for more.

Does not belong here: the evening as a whole (``players``).
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

from slomix_pipeline.charts.facts import PlayerFacts, RoundFacts, SessionFacts
from slomix_pipeline.charts.look import (
    GREEN,
    MUTED,
    NAME_WIDTH,
    ROW,
    TEXT,
    Chart,
    Tables,
    finished,
    fitted,
    in_words,
    name_text,
    number_text,
    own_colour,
)
from slomix_pipeline.charts.players import names_panel, player_rows, row_of

_ROOM = 420  # for all columns, as long as they stay within these widths
_NARROWEST, _WIDEST = 12, 48
_NUMBERS_FROM = 28  # width of a column that three digits fit into
_INK_CHANGES = 0.6  # of the highest: what is brighter has dark numbers
_SHADES = ["#26282c", "#1f6b43", GREEN]
_MAP_WIDTH, _NAME = 14, 14


def rounds_chart(facts: SessionFacts) -> Chart:
    """Damage per minute of every player in every round he was in."""
    tables = Tables()
    rows, height = player_rows(facts)
    column = min(_WIDEST, max(_NARROWEST, _ROOM // max(1, len(facts.rounds))))
    grid = _grid(tables, facts, rows, height, column)
    note = f"brighter is more · empty: was not there{' · ?: unknown' if _anything_unknown(facts) else ''}"
    chart = alt.hconcat(names_panel(tables, facts, rows, height), grid)
    return Chart("rounds", _alt(facts), finished(tables, chart, "Damage per minute, round by round", note))


def _anything_unknown(facts: SessionFacts) -> bool:
    return any(value is None for player in facts.players for value in player.round_dpm.values())


def _grid(tables: Tables, facts: SessionFacts, rows: Sequence[int], height: int, column: int) -> Any:
    count = len(facts.rounds)
    most = max((v for player in facts.players for v in player.round_dpm.values() if v is not None), default=1) or 1
    cells = [
        _cell(row, at, player.round_dpm[played.key], most, column)
        for row, player in zip(rows, facts.players, strict=True)
        for at, played in enumerate(facts.rounds)
        if played.key in player.round_dpm
    ]
    x = alt.X("column:O", axis=None, scale=alt.Scale(type="band", domain=list(range(count)), padding=0))
    y = row_of(height)
    shade = alt.Color(
        "value:Q", scale=alt.Scale(domain=[0, most / 2, most], range=_SHADES, interpolate="rgb"), legend=None
    )
    known = tables.chart(cell for cell in cells if cell["value"] is not None)
    layers: list[Any] = [known.mark_rect(width=column - 2, height=ROW - 2).encode(x=x, y=y, color=shade)]
    texts = tables.chart(cells).mark_text(baseline="middle", fontSize=12 if column >= 32 else 11)
    layers.append(texts.encode(x=x, y=y, text="text:N", color=own_colour("ink")))
    layers += _headings(tables, facts, x, column, ROW * height)
    grid = alt.layer(*layers).resolve_scale(color="independent")  # cells have shades, numbers colours of their own
    return grid.properties(width=column * count, height=ROW * height)


def _cell(row: int, column: int, value: float | None, most: float, width: int) -> dict[str, Any]:
    text = number_text(value) if value is None or width >= _NUMBERS_FROM else ""
    ink = MUTED if value is None else "#111214" if value > _INK_CHANGES * most else TEXT
    return {"row": row, "column": column, "value": value, "text": text, "ink": ink}


def _headings(tables: Tables, facts: SessionFacts, x: alt.X, column: int, height: int) -> list[Any]:
    """The number of each round above, the map of each match below."""
    numbers = [{"column": at, "text": str(played.number)} for at, played in enumerate(facts.rounds)]
    starts = [
        {"column": at, "map": fitted(name_text(played.map_name, _MAP_WIDTH), 13, NAME_WIDTH)}
        for at, played in enumerate(facts.rounds)
        if at == 0 or facts.rounds[at - 1].match != played.match
    ]
    above = tables.chart(numbers).mark_text(color=MUTED, fontSize=12, baseline="bottom")
    below = tables.chart(starts).mark_text(
        angle=320, align="right", baseline="middle", fontSize=13, dx=-4, dy=column // 4
    )
    return [
        above.encode(x=x, y=alt.value(-4), text="text:N"),
        below.encode(x=x, y=alt.value(height + 8), text="map:N"),
    ]


def _alt(facts: SessionFacts) -> str:
    maps = ", ".join(_round_words(played) for played in facts.rounds)
    lead = f"Damage per minute of {len(facts.rounds)} rounds in order ({maps})."
    if len(lead) > 500:  # or nothing is left for the numbers
        lead = f"Damage per minute of {len(facts.rounds)} rounds in order."
    return in_words(lead, [_words(player, facts.rounds) for player in facts.players])


def _round_words(played: RoundFacts) -> str:
    return f"{name_text(played.map_name, _MAP_WIDTH)} {played.number}"


def _words(player: PlayerFacts, rounds: Sequence[RoundFacts]) -> str:
    values = ["–" if r.key not in player.round_dpm else _or_unknown(player.round_dpm[r.key]) for r in rounds]
    return f"{name_text(player.name, _NAME)}: {' '.join(values)}"


def _or_unknown(value: float | None) -> str:
    return "unknown" if value is None else number_text(value)
