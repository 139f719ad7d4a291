"""The times of all matches: both attacks as bars, full where they got through, pale where they did not.

Does not belong here: who won, but for its mark (``score``).
"""

from collections.abc import Iterator
from typing import Any

import altair as alt

from slomix_pipeline.charts.facts import AttackFacts, MatchFacts, SessionFacts
from slomix_pipeline.charts.look import (
    NAME_WIDTH,
    PANEL,
    TEXT,
    UNKNOWN,
    Chart,
    Tables,
    finished,
    fitted,
    in_words,
    legend,
    name_text,
    own_colour,
    team_colours,
    team_text,
)
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.timing import AttackEnd

_BAR = 18  # height of an attack's
_WIDTH = 240
_MAP_WIDTH = 14
_MARK, _TEXT = 16, 64  # of what stands before the names and behind the bars
_PALE = 0.4


def times_chart(facts: SessionFacts) -> Chart:
    """Both attacks of every match, in order of play."""
    tables = Tables()
    left, right = legend(tables, facts, -_MARK, _WIDTH + _TEXT)
    rows = list(_rows(facts))
    height = max((row["row"] for row in rows), default=0) + 1
    longest = max([row["limit"] or row["seconds"] or 0 for row in rows], default=0) or 1
    x = alt.Scale(domain=[0, longest], nice=False)
    y = alt.Y("row:O", axis=None, scale=alt.Scale(type="band", domain=list(range(height)), padding=0))
    limits = tables.chart(row for row in rows if row["limit"]).mark_bar(color=PANEL, height=_BAR - 3)
    bars = tables.chart(row for row in rows if row["seconds"]).mark_bar(height=_BAR - 3)
    texts = tables.chart(rows).mark_text(align="left", baseline="middle", fontSize=13, dx=6, color=TEXT)
    layers: list[Any] = [
        limits.encode(x=alt.X("limit:Q", scale=x, axis=None), y=y),
        bars.encode(
            x=alt.X("seconds:Q", scale=x, axis=None),
            y=y,
            color=own_colour(),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
        ),
        texts.encode(x=alt.X("end:Q", scale=x, axis=None), y=y, text="text:N"),
        right,
    ]
    attacks = alt.layer(*layers).properties(width=_WIDTH, height=_BAR * height)
    chart = alt.hconcat(
        alt.layer(left, *_maps(tables, facts, y)).properties(width=NAME_WIDTH, height=_BAR * height), attacks
    )
    return Chart("times", _alt(facts), finished(tables, chart, "Times of the attacks", "pale: did not get through"))


def _rows(facts: SessionFacts) -> Iterator[dict[str, Any]]:
    """A row for each attack, an empty one after each match."""
    colours = team_colours(facts.teams)
    for at, match in enumerate(facts.matches):
        if match.broken_off:
            yield {"row": 3 * at, "seconds": None, "limit": None, "end": 0, "text": "broken off"}
            continue
        for number, attack in enumerate(match.attacks):
            yield {
                "row": 3 * at + number,
                "seconds": attack.seconds,
                "limit": attack.limit,
                "end": max(attack.seconds or 0, attack.limit or 0),
                "text": _words(attack),
                "colour": colours[attack.team],
                "opacity": 1 if attack.end is AttackEnd.COMPLETED else _PALE,
            }


def _maps(tables: Tables, facts: SessionFacts, y: alt.Y) -> list[Any]:
    """The maps beside their attacks, each with the colour of who won it."""
    colours = team_colours(facts.teams)
    maps = [
        {
            "row": 3 * at,
            "map": fitted(name_text(match.map_name, _MAP_WIDTH), 14, NAME_WIDTH),
            "colour": colours[match.winner],
        }
        for at, match in enumerate(facts.matches)
    ]
    base = tables.chart(maps).encode(y=y)
    names = base.mark_text(align="left", baseline="middle", fontSize=14, dy=_BAR // 2, color=TEXT)
    marks = base.mark_square(size=110, opacity=1, yOffset=_BAR // 2).encode(x=alt.value(-10), color=own_colour())
    return [names.encode(x=alt.value(4), text="map:N"), marks]


def _words(attack: AttackFacts) -> str:
    if attack.end is AttackEnd.UNKNOWN:
        return UNKNOWN
    if attack.seconds is None:
        return f"{attack.end}, time unknown" if attack.end is AttackEnd.COMPLETED else attack.end.value
    clock = format_time(round(attack.seconds))
    return clock if attack.end is AttackEnd.COMPLETED else f"{attack.end} {clock}"


def _alt(facts: SessionFacts) -> str:
    return in_words("Times of the attacks, match by match.", [_match_words(facts, match) for match in facts.matches])


def _match_words(facts: SessionFacts, match: MatchFacts) -> str:
    a, b = (team_text(facts.teams[team]) for team in Team)
    won = {Winner.A: f"{a} wins", Winner.B: f"{b} wins", Winner.DRAW: "draw", None: "not counted"}[match.winner]
    names = {Team.A: a, Team.B: b, None: "unknown team"}
    attacks = [f"{names[attack.team]} {_words(attack).replace(UNKNOWN, 'unknown')}" for attack in match.attacks]
    told = "broken off" if match.broken_off else ", ".join(attacks)
    return f"{name_text(match.map_name, _MAP_WIDTH)}: {told}, {won}"
