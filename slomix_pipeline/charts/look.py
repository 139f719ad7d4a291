"""How all pictures look: Discord's dark colours, sizes, and names and numbers as they are shown.

Names are text of others: they go into a picture as values of its data, cut to a width, and nowhere else. They are cut
here and not by the library, whose measuring breaks at half an emoji.

Belongs here: what is the same for all of them. Does not belong here: any one picture.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from slomix_pipeline.charts.facts import SessionFacts
from slomix_pipeline.formats.names import clip
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import LETTER_COLOURS, TeamName
from slomix_pipeline.rules.teams import Team

BACKGROUND, PANEL = "#2b2d31", "#1e1f22"
TEXT, STRONG, MUTED = "#dbdee1", "#f2f3f5", "#a3a8b0"
GREEN, YELLOW = "#57F287", "#FEE75C"
FONT = "Liberation Sans, Arimo, Arial, Helvetica, sans-serif"

WIDTH = 440  # of what stands beside or below the margins: a phone shows it at three quarters
NAME_WIDTH = 112  # for names beside a picture
ROW = 24  # height of a player's
UNKNOWN = "?"

_DARKEST = 0.35  # brightness of a colour that can be told from the background, which has 0.18
_ALT_LENGTH = 1000  # UTF-16 units, below Discord's limit
_MARGIN = 16
_TITLE = {
    "anchor": "start",
    "frame": "bounds",
    "offset": 14,
    "color": STRONG,
    "fontSize": 18,
    "subtitleColor": MUTED,
    "subtitleFontSize": 13,
    "subtitlePadding": 5,
}
_CONFIG = {
    "font": FONT,
    "view": {"stroke": None},
    "axis": {"labelColor": MUTED, "labelFontSize": 12, "gridColor": "#3f4147", "domain": False, "ticks": False},
    "text": {"color": TEXT, "fontSize": 13},
    "concat": {"spacing": 8},
}


@dataclass(frozen=True)
class Chart:
    """A picture before it is drawn. ``alt``: the same in words; ``spec``: its Vega-Lite specification."""

    name: str
    alt: str
    spec: dict[str, Any]


class Tables:
    """The rows that a picture shows. They stand beside its charts and not in them: Altair copies what is in a chart at
    every step of making it."""

    def __init__(self) -> None:
        self._rows: list[list[dict[str, Any]]] = []

    def chart(self, rows: Iterable[Mapping[str, Any]]) -> alt.Chart:
        """A chart of these rows."""
        self._rows.append([dict(row) for row in rows])
        return alt.Chart(alt.NamedData(name=self._name(len(self._rows) - 1)))

    @property
    def datasets(self) -> dict[str, list[dict[str, Any]]]:
        """All rows, by the names that the charts have for them."""
        return {self._name(number): rows for number, rows in enumerate(self._rows)}

    @staticmethod
    def _name(number: int) -> str:
        return f"table{number}"


def finished(tables: Tables, chart: Any, title: str = "", subtitle: str = "") -> dict[str, Any]:
    """The specification of a chart of Altair's in our colours. Title and subtitle are words of ours."""
    # Not checked against the schema, nor styled by Altair: either takes longer than drawing it.
    spec: dict[str, Any] = chart.to_dict(validate=False)
    heading = {"title": _TITLE | {"text": title, "subtitle": subtitle}} if title else {}
    return (
        spec | heading | {"datasets": tables.datasets, "config": _CONFIG, "background": BACKGROUND, "padding": _MARGIN}
    )


def own_colour(field: str = "colour") -> alt.Color:
    """The colour that each row has."""
    return alt.Color(f"{field}:N", scale=None, legend=None)


def name_text(name: str, width: int) -> str:
    """A player's, team's or map's name; cut before it is clipped, for a visible character may hold any number of
    marks."""
    return clip(name[: 2 * width], width) or UNKNOWN


def fitted(text: str, size: int, room: float) -> str:
    """As much of a text as there is room for in letters of a size, all in pixels; it ends in ``…`` where it was cut."""
    width = len(text)
    while width > 1 and text_width(text, size) > room:
        width -= 1
        text = clip(text, width)
    return text


def text_width(text: str, size: int) -> float:
    """About how many pixels wide a text is, as no library tells before it draws: by kinds of letters in our font."""
    return size * sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    """In shares of the size of the letters."""
    if letter in "ijl.,:;'|!I ft()[]/-r·":
        return 0.34
    if letter in "mwMW@%шщжюШЩЖЮ":
        return 0.95
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    if ord(letter) > 0xFFFF or unicodedata.east_asian_width(letter) in "WF":
        return 1.4
    return 0.73 if letter.isupper() else 0.57


def team_text(team: TeamName, width: int = 18) -> str:
    """A team's name with its letter."""
    shown = name_text(team.name, width)
    return shown if team.shown == team.name else f"{shown} ({team.team})"


def number_text(value: float | None, decimals: int = 0) -> str:
    """A number as it is shown."""
    return UNKNOWN if value is None else f"{value:,.{decimals}f}"


def team_colours(teams: Mapping[str, TeamName]) -> dict[str | None, str]:
    """The colours of both teams, and of nobody's: those of their letters where their own can't be told apart."""
    own: dict[str | None, str] = {team: _seen(teams[team].shown_colour) for team in Team}
    if own[Team.A] == own[Team.B]:
        own = {team: _seen(LETTER_COLOURS[team]) for team in Team}
    return own | {None: MUTED, Winner.DRAW: YELLOW}


def _seen(colour: int) -> str:
    """A colour (0xRRGGBB), mixed with white until it can be seen."""
    parts = [colour >> shift & 0xFF for shift in (16, 8, 0)]
    while sum(weight * part / 255 for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)) < _DARKEST:
        parts = [part + (255 - part + 7) // 8 for part in parts]
    return "#" + "".join(f"{part:02x}" for part in parts)


def legend(tables: Tables, facts: SessionFacts, left: int = 0, right: int = WIDTH) -> list[Any]:
    """Which colour is whose, above a picture, from the left to the right: a layer of it for each team."""
    colours = team_colours(facts.teams)
    a, b = (team_text(facts.teams[team]) for team in Team)
    layers = []
    for team, text, at in ((Team.A, f"● {a}", left), (Team.B, f"{b} ●", right)):
        mark = tables.chart([{"text": fitted(text, 15, (right - left) / 2 - 8)}]).mark_text(
            align="left" if team is Team.A else "right",
            baseline="bottom",
            color=colours[team],
            fontSize=14,
            fontWeight="bold",
        )
        layers.append(mark.encode(x=alt.value(at), y=alt.value(-8), text="text:N"))
    return layers


def in_words(lead: str, items: Sequence[str]) -> str:
    """An alt text: as many of the items as fit, and how many there are more."""
    for kept in range(len(items), -1, -1):
        more = [f"and {len(items) - kept} more"] if kept < len(items) else []
        text = f"{lead} {'; '.join([*items[:kept], *more])}.".strip()
        if len(text.encode("utf-16-le", "surrogatepass")) // 2 <= _ALT_LENGTH:
            return text
    return lead[:_ALT_LENGTH]
