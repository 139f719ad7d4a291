"""The players compared: damage, K/D and DPM of the evening, beside what is usual for each.

Does not belong here: DPM round by round (``rounds``).
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

from slomix_pipeline.charts.facts import PlayerFacts, SessionFacts
from slomix_pipeline.charts.look import (
    NAME_WIDTH,
    PANEL,
    ROW,
    STRONG,
    YELLOW,
    Chart,
    Tables,
    finished,
    fitted,
    in_words,
    name_text,
    number_text,
    own_colour,
    team_colours,
)

_PANEL_WIDTH, _NUMBER_WIDTH = 116, 52
_NAME = 14  # visible characters
_METRICS = (("Damage", "damage_given", None, 0), ("K/D", "kd", "usual_kd", 2), ("DPM", "dpm", "usual_dpm", 0))


def players_chart(facts: SessionFacts) -> Chart:
    """Every player of the session, team by team as the report lists them."""
    tables = Tables()
    rows, height = player_rows(facts)
    panels: list[Any] = [names_panel(tables, facts, rows, height)]
    panels += [_panel(tables, facts, rows, height, *metric) for metric in _METRICS]
    note = f"yellow line: his own usual, from {facts.usual_from} earlier rounds on" if _has_usual(facts) else ""
    return Chart("players", _alt(facts), finished(tables, alt.hconcat(*panels, spacing=14), "Players compared", note))


def player_rows(facts: SessionFacts) -> tuple[list[int], int]:
    """In which row each player stands, with an empty one between teams, and how many there are."""
    rows: list[int] = []
    at = 0
    for number, player in enumerate(facts.players):
        at += bool(number) and player.team != facts.players[number - 1].team
        rows.append(at)
        at += 1
    return rows, at


def row_of(count: int) -> alt.Y:
    """The row that each row of data has, of so many."""
    return alt.Y("row:O", axis=None, scale=alt.Scale(type="band", domain=list(range(count)), padding=0))


def names_panel(tables: Tables, facts: SessionFacts, rows: Sequence[int], height: int) -> Any:
    """The names of the players in the colours of their teams."""
    colours = team_colours(facts.teams)
    names = [
        {"row": row, "name": fitted(name_text(player.name, _NAME), 14, NAME_WIDTH), "colour": colours[player.team]}
        for row, player in zip(rows, facts.players, strict=True)
    ]
    mark = tables.chart(names).mark_text(align="left", baseline="middle", fontSize=14)
    return mark.encode(x=alt.value(0), y=row_of(height), text="name:N", color=own_colour()).properties(
        width=NAME_WIDTH, height=ROW * height
    )


def _panel(
    tables: Tables,
    facts: SessionFacts,
    rows: Sequence[int],
    height: int,
    title: str,
    value: str,
    usual: str | None,
    decimals: int,
) -> Any:
    """One number of all players, with bars beside it."""
    colours = team_colours(facts.teams)
    shown: list[dict[str, Any]] = [
        {
            "row": row,
            "value": getattr(player, value),
            "usual": usual and getattr(player, usual),
            "text": number_text(getattr(player, value), decimals),
            "colour": colours[player.team],
        }
        for row, player in zip(rows, facts.players, strict=True)
    ]
    most = max([row[what] for row in shown for what in ("value", "usual") if row[what] is not None], default=1) or 1
    x = alt.Scale(domain=[0, most], range=[_NUMBER_WIDTH, _PANEL_WIDTH], nice=False)
    y = row_of(height)
    ground = tables.chart(shown).mark_bar(color=PANEL, height=ROW - 4)
    layers: list[Any] = [ground.encode(x=alt.value(_NUMBER_WIDTH), x2=alt.value(_PANEL_WIDTH), y=y)]
    known = tables.chart(row for row in shown if row["value"] is not None).mark_bar(height=ROW - 4)
    layers.append(known.encode(x=alt.X("value:Q", scale=x, axis=None), y=y, color=own_colour()))
    marks = tables.chart(row for row in shown if row["usual"] is not None)
    layers.append(
        marks.mark_tick(color=YELLOW, thickness=3, size=ROW - 4, opacity=1).encode(
            x=alt.X("usual:Q", scale=x, axis=None), y=y
        )
    )
    numbers = tables.chart(shown).mark_text(align="right", baseline="middle", color=STRONG, fontSize=14)
    layers.append(numbers.encode(x=alt.value(_NUMBER_WIDTH - 6), y=y, text="text:N"))
    heading = alt.TitleParams(text=title, anchor="end", frame="group", color=STRONG, fontSize=14, offset=6)
    return alt.layer(*layers).properties(width=_PANEL_WIDTH, height=ROW * height, title=heading)


def _alt(facts: SessionFacts) -> str:
    usual = ", with what is usual for each" if _has_usual(facts) else ""
    return in_words(f"Players by damage, K/D and damage per minute (DPM){usual}.", list(map(_words, facts.players)))


def _has_usual(facts: SessionFacts) -> bool:
    return any(player.usual_kd is not None or player.usual_dpm is not None for player in facts.players)


def _words(player: PlayerFacts) -> str:
    damage, kd, dpm = _known(player.damage_given), _known(player.kd, 2), _known(player.dpm)
    if player.usual_kd is not None:
        kd += f" (usually {number_text(player.usual_kd, 2)})"
    if player.usual_dpm is not None:
        dpm += f" (usually {number_text(player.usual_dpm)})"
    team = f" ({player.team})" if player.team else ""
    return f"{name_text(player.name, _NAME)}{team}: {damage}, K/D {kd}, DPM {dpm}"


def _known(value: float | None, decimals: int = 0) -> str:
    return "unknown" if value is None else number_text(value, decimals)
