"""The score over the evening: a line for each team, a dot for each match in the colour of who won it.

Does not belong here: the result alone (``card``).
"""

from typing import Any

import altair as alt

from slomix_pipeline.charts.facts import MatchFacts, SessionFacts
from slomix_pipeline.charts.look import (
    NAME_WIDTH,
    WIDTH,
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
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.teams import Team

_HEIGHT = 190
_MAP_WIDTH = 14
_MOST_NAMES = 24  # maps whose names stand beside each other
_SOONEST_STEP = 8  # points up to which each has a line of the grid


def score_chart(facts: SessionFacts) -> Chart:
    """The score after each match. Matches that are not counted, or give points nobody knows, leave it as it is."""
    count, top = len(facts.matches), max(1, facts.score_a, facts.score_b)
    x = alt.X("after:Q", scale=alt.Scale(domain=[0, max(1, count)], nice=False), axis=None)
    step = -(-top // _SOONEST_STEP)
    ticks = alt.Axis(values=list(range(0, top + 1, step)), format="d", title=None, labelPadding=10)
    y = alt.Y("points:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=ticks)
    tables = Tables()
    layers: list[Any] = legend(tables, facts)
    for team, lower in ((Team.A, -2), (Team.B, 2)):  # by pixels: both are seen where they are even
        points = _points(facts, team)
        line = tables.chart(points).encode(x=x, y=y, color=own_colour())
        layers += [line.mark_line(strokeWidth=4, yOffset=lower), line.mark_circle(size=70, opacity=1, yOffset=lower)]
        last = tables.chart(points[-1:]).mark_text(
            align="left", dx=10, dy=5 * lower if facts.score_a == facts.score_b else 0, fontSize=20, fontWeight="bold"
        )
        layers.append(last.encode(x=x, y=y, color=own_colour(), text="points:Q"))
    lines = alt.layer(*layers).properties(width=WIDTH, height=_HEIGHT)
    return Chart(
        "score",
        _alt(facts),
        finished(tables, alt.vconcat(lines, _matches(tables, facts, x)), "Score over the evening", _note(facts)),
    )


def _points(facts: SessionFacts, team: Team) -> list[dict[str, Any]]:
    colour = team_colours(facts.teams)[team]
    so_far = [0, *(_score(match, team) for match in facts.matches)]
    return [{"after": after, "points": points, "colour": colour} for after, points in enumerate(so_far)]


def _score(match: MatchFacts, team: Team) -> int:
    return match.score_a if team is Team.A else match.score_b


def _matches(tables: Tables, facts: SessionFacts, x: alt.X) -> Any:
    """The matches below the lines: who won, and the map."""
    colours = team_colours(facts.teams)
    every = -(-len(facts.matches) // _MOST_NAMES)
    rows = [
        {
            "after": after,
            "counted": match.winner is not None,
            "colour": colours[match.winner],
            "map": fitted(name_text(match.map_name, _MAP_WIDTH), 13, NAME_WIDTH) if after % every == 0 else "",
        }
        for after, match in enumerate(facts.matches, start=1)
    ]
    middle = alt.value(6)
    counted = tables.chart(row for row in rows if row["counted"]).mark_square(size=130, opacity=1)
    others = tables.chart(row for row in rows if not row["counted"])
    others = others.mark_square(size=110, filled=False, strokeWidth=2)
    names = tables.chart(rows).mark_text(angle=320, align="right", baseline="middle", dx=-12, dy=6, fontSize=13)
    layers = [marks.encode(x=x, y=middle, color=own_colour()) for marks in (counted, others)]
    return alt.layer(*layers, names.encode(x=x, y=middle, text="map:N")).properties(width=WIDTH, height=12)


def _note(facts: SessionFacts) -> str:
    not_counted = sum(match.winner is None for match in facts.matches)
    draws = sum(match.winner is Winner.DRAW for match in facts.matches)
    notes = [
        f"yellow: draw{'s' if draws > 1 else ''}" if draws else "",
        f"empty: not counted ({not_counted})" if not_counted else "",
        f"points of {facts.without_points} unknown" if facts.without_points else "",
    ]
    return " · ".join(filter(None, notes))


def _alt(facts: SessionFacts) -> str:
    a, b = (team_text(facts.teams[team]) for team in Team)
    words = {Winner.A: f"{a} wins", Winner.B: f"{b} wins", Winner.DRAW: "draw", None: "not counted"}
    items = [
        f"{name_text(match.map_name, _MAP_WIDTH)}: {words[match.winner]}, {match.score_a}–{match.score_b}"
        for match in facts.matches
    ]
    note = f" {_note(facts)}." if facts.without_points else ""
    return in_words(f"Score of {a} and {b} after each match.{note}", items)
