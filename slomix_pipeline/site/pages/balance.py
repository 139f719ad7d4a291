"""Even teams: how those who are there could be divided.

Does not belong here: the teams (``warehouse.lobbies``), their words (``reports.balance_words``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from slomix_pipeline.reports import balance_words as words
from slomix_pipeline.rules.balance import LONGEST_NAMES, MOST_PLAYERS
from slomix_pipeline.site.answers import Asked, Link
from slomix_pipeline.warehouse.careers import NotOnePlayer, PlayerFound
from slomix_pipeline.warehouse.lobbies import LobbyPlayer, NoSplit, Team, TeamsSuggested, suggest
from slomix_pipeline.warehouse.site_store import Moment

LABELS = {"players": "Who is there", "together": "Who stays in one team", "apart": "Who does not"}
_SHOWN = 10  # among whom to choose


@dataclass(frozen=True)
class Field:
    """What can be typed. ``text``: what was."""

    name: str
    label: str
    text: str


@dataclass(frozen=True)
class Side:
    """A team. ``together``: whether they played so before, in words that ``last_together`` follows."""

    players: tuple[LobbyPlayer, ...]
    together: str | None
    last_together: datetime | None


@dataclass(frozen=True)
class Way:
    """A way to divide them. ``texts``: how even it is."""

    sides: tuple[Side, Side]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class BalancePage:
    """``trouble``: why nothing is suggested, and ``choices``: who may be meant, each with the address of the page
    where he is; ``more``: how many of them are left out; ``basis``: what teams are compared by."""

    fields: tuple[Field, ...]
    longest: int
    most_players: int
    trouble: str
    choices: tuple[tuple[Link, PlayerFound], ...]
    more: int
    basis: str
    ways: tuple[Way, ...]
    newcomers: tuple[LobbyPlayer, ...]
    new: str


def balance_page(moment: Moment, asked: Asked) -> BalancePage:
    """``?players=``: names or GUIDs between commas; ``?together=`` and ``?apart=``: some of them."""
    typed = {name: asked.query.get(name, "").strip()[:LONGEST_NAMES] for name in LABELS}
    players, together, apart = (words.names_typed(text) for text in typed.values())
    trouble, more, suggested = "", 0, None
    choices: tuple[tuple[Link, PlayerFound], ...] = ()
    if players:
        try:
            suggested = suggest(moment.conn, players, [together] if together else [], [apart] if apart else [])
        except NoSplit as error:
            trouble = str(error)
        except NotOnePlayer as error:
            trouble, choices = str(error), _choices(typed, error)
            more = len(error.found) - len(choices)
    return BalancePage(
        fields=tuple(Field(name, label, typed[name]) for name, label in LABELS.items()),
        longest=LONGEST_NAMES,
        most_players=MOST_PLAYERS,
        trouble=trouble[:1].upper() + trouble[1:],
        choices=choices,
        more=more,
        basis=words.basis_text(suggested) if suggested else "",
        ways=tuple(map(_way, suggested.ways)) if suggested else (),
        newcomers=tuple(suggested.newcomers) if suggested else (),
        new=words.NEW,
    )


def _choices(typed: Mapping[str, str], error: NotOnePlayer) -> tuple[tuple[Link, PlayerFound], ...]:
    """The same question with each of those whom the name may mean in its place."""

    def instead(text: str, guid: str) -> str:
        return ", ".join(guid if name == error.typed else name for name in words.names_typed(text))

    return tuple(
        (Link(f"/balance?{urlencode({name: instead(text, own.guid) for name, text in typed.items()})}", own.name), own)
        for own in error.found[:_SHOWN]
    )


def _way(way: TeamsSuggested) -> Way:
    texts = (words.odds_text(way), words.damage_text(way), words.men_text(way))
    return Way((_side(way.first), _side(way.second)), tuple(text for text in texts if text))


def _side(team: Team) -> Side:
    return Side(team.players, words.together_text(team), team.last_together)
