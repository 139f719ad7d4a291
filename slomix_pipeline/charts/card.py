"""The result on one card, twice as wide as high, as previews of links are.

Does not belong here: how it came to that (``score``, ``times``).
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import altair as alt

from slomix_pipeline.charts.facts import PlayerFacts, SessionFacts
from slomix_pipeline.charts.look import (
    MUTED,
    STRONG,
    TEXT,
    UNKNOWN,
    Chart,
    Tables,
    finished,
    fitted,
    in_words,
    name_text,
    number_text,
    own_colour,
    team_colours,
    team_text,
    text_width,
)
from slomix_pipeline.rules.best import most_of
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team

WIDTH, HEIGHT = 600, 315  # drawn twice as large
_INNER, _INNER_HEIGHT = WIDTH - 32, HEIGHT - 32
_LONG = 10  # characters of a team's name that fit in large letters
_TEAM, _MAP_WIDTH, _NAME = 16, 16, 14
_TEAM_WIDTH = 190  # of a team's name beside the score
_SMALL, _LARGE = 18, 21  # letters: a phone shows them half as large
_SMALLEST = 12  # in which the name of a map says anything
_GAP = 10  # between two names
_MOST_MAPS = 9  # whose names fit


class _Texts(NamedTuple):
    """Texts that stand alike."""

    rows: list[dict[str, Any]]
    align: Literal["left", "center", "right"]
    weight: Literal["normal", "bold"] = "normal"


def card_chart(facts: SessionFacts) -> Chart:
    """Who won, by how much, on which maps, and whose numbers were highest."""
    tables = Tables()
    layers: list[Any] = [*(_layer(tables, texts) for texts in _texts(facts)), *_maps(tables, facts)]
    chart = alt.layer(*layers).properties(width=_INNER, height=_INNER_HEIGHT)
    return Chart("result", _alt(facts), finished(tables, chart))


def _texts(facts: SessionFacts) -> list[_Texts]:
    """All that is written on the card but the maps."""
    colours = team_colours(facts.teams)
    left, right = (
        [_text(text, x, 10, MUTED, _SMALL, _HALF)] for text, x in ((_day(facts), 0), (_counts(facts), _INNER))
    )
    for side, x, (what, best) in zip((left, right), (0, _INNER), _highest(facts), strict=True):
        side += [_text(what, x, 239, MUTED, _SMALL, _HALF), _text(best, x, 266, TEXT, _LARGE, _HALF)] if best else []
    names = [_team(facts.teams[team], x, colours[team]) for team, x in ((Team.A, 0), (Team.B, _INNER))]
    score = _text(f"{facts.score_a} – {facts.score_b}", _INNER / 2, 80, STRONG, 58)
    return [
        _Texts(left, "left"),
        _Texts(right, "right"),
        _Texts(names[:1], "left", "bold"),
        _Texts(names[1:], "right", "bold"),
        _Texts([score], "center", "bold"),
        _Texts([_text(_verdict(facts), _INNER / 2, 130, TEXT, _LARGE)], "center"),
    ]


def _team(team: TeamName, x: float, colour: str) -> dict[str, Any]:
    """A team's name, as large as there is room for it."""
    name = name_text(team.name, _TEAM)
    return _text(name, x, 82, colour, 32 if len(name) <= _LONG else 20, _TEAM_WIDTH)


_HALF = _INNER / 2 - 8


def _text(text: str, x: float, y: float, colour: str, size: int, room: float = _INNER) -> dict[str, Any]:
    return {"text": fitted(text, size, room), "x": x, "y": y, "colour": colour, "size": size}


def _layer(tables: Tables, texts: _Texts) -> Any:
    """Texts in their places."""
    mark = tables.chart(texts.rows).mark_text(align=texts.align, baseline="middle", fontWeight=texts.weight)
    return mark.encode(
        x=alt.X("x:Q", scale=alt.Scale(domain=[0, _INNER], nice=False), axis=None),
        y=alt.Y("y:Q", scale=alt.Scale(domain=[_INNER_HEIGHT, 0], nice=False), axis=None),
        text="text:N",
        color=own_colour(),
        size=alt.Size("size:Q", scale=None, legend=None),
    )


def _maps(tables: Tables, facts: SessionFacts) -> list[Any]:
    """A field for each match in the colour of who won it, its map below."""
    colours = team_colours(facts.teams)
    count = max(1, len(facts.matches))
    width = min(_INNER / 2, _INNER / count)
    start = (_INNER - width * count) / 2
    named = _named([match.map_name for match in facts.matches], start, width) if count <= _MOST_MAPS else []
    rows = [
        {
            "from": start + width * at + 2,
            "to": start + width * (at + 1) - 2,
            "colour": colours[match.winner],
        }
        for at, match in enumerate(facts.matches)
    ]
    scale = alt.Scale(domain=[0, _INNER], nice=False)
    fields = tables.chart(rows).mark_bar(cornerRadius=4)
    return [
        fields.encode(
            x=alt.X("from:Q", scale=scale, axis=None),
            x2="to:Q",
            y=alt.value(155),
            y2=alt.value(167),
            color=own_colour(),
        ),
        _layer(tables, _Texts(named, "center")),
    ]


def _named(maps: Sequence[str], start: float, width: float) -> list[dict[str, Any]]:
    """The names of maps, each below its field of this width: in one row if there they fit in large letters, else by
    turns in two, in which a name has more room."""
    names = [name_text(name, _MAP_WIDTH) for name in maps]
    rows = 1 if all(text_width(name, _SMALL) <= width - _GAP for name in names) else 2
    # The last of a row stands by its end instead of its middle at the edge; the one before it keeps its place.
    room = width - _GAP if rows == 1 else (2.5 * width - _GAP) / 1.5
    sizes = range(_SMALL, _SMALLEST - 1, -1)
    size = next((size for size in sizes if all(text_width(name, size) <= room for name in names)), _SMALLEST)
    texts = []
    for at, name in enumerate(names):
        shown = fitted(name, size, room)
        half = text_width(shown, size) / 2
        x = min(max(start + width * (at + 0.5), half), _INNER - half)
        texts.append(_text(shown, x, 183 + 22 * (at % rows), TEXT, size))
    return texts


def _day(facts: SessionFacts) -> str:
    return f"{facts.day:%-d %B %Y}"


def _counts(facts: SessionFacts) -> str:
    matches, players = len(facts.matches), len(facts.players)
    return f"{matches} match{'' if matches == 1 else 'es'} · {players} player{'' if players == 1 else 's'}"


def _verdict(facts: SessionFacts) -> str:
    if facts.winner is Winner.DRAW:
        return "Draw"
    if facts.winner is not None:
        return f"{team_text(facts.teams[facts.winner], _TEAM)} wins"
    return "Open: not all points are known" if facts.counted else "No match counts"


def _highest(facts: SessionFacts) -> list[tuple[str, str]]:
    """Who has most kills and most damage, as the summary's cards go; empty where that is no news."""
    return [
        ("Most kills", _most(facts.players, lambda player: player.kills)),
        ("Most damage", _most(facts.players, lambda player: player.damage_given)),
    ]


def _most(players: Sequence[PlayerFacts], value_of: Callable[[PlayerFacts], int | None]) -> str:
    if not players or any(value_of(player) is None for player in players):
        return UNKNOWN
    most = most_of(players, value_of)
    if most is None:
        return ""
    others = f" and {len(most.players) - 1} more" if len(most.players) > 1 else ""
    return f"{number_text(most.value)} · {name_text(most.players[0].name, _NAME)}{others}"


def _alt(facts: SessionFacts) -> str:
    a, b = (team_text(facts.teams[team]) for team in Team)
    highest = [f"{what}: {'unknown' if best == UNKNOWN else best}" for what, best in _highest(facts) if best]
    lead = f"{_day(facts)}: {a} {facts.score_a}, {b} {facts.score_b}; {_verdict(facts)}."
    return in_words(lead, [_counts(facts), *highest])
