"""The players of a session or a match, team by team: their numbers, against what is usual for each, and their weapons.

Belongs here: what both pages show alike. Does not belong here: who killed whom (``duel_tables``), what is usual
(``rules.form``), the numbers themselves (``warehouse``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from slomix_pipeline.formats.weapons import OF_BULLETS, weapon_called
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.site.pages.shared import TOTALS
from slomix_pipeline.site.sorting import Column, Order, in_order
from slomix_pipeline.site.templating import name_text, number_text
from slomix_pipeline.warehouse.own_usual import OwnUsual
from slomix_pipeline.warehouse.reading import PlayerTotals
from slomix_pipeline.warehouse.team_totals import TeamTotals, WeaponUsed

_COMPARED = ("kd", "dpm", "accuracy", "headshot_percent")  # rates: of a longer evening any count is higher
_DIGITS = {attribute: digits for _, _, attribute, digits in TOTALS}
COLUMNS: tuple[Column[PlayerTotals], ...] = (
    Column("player", "Player", lambda own: _called(own)[0], rises=True, is_number=False),
    *(Column(attribute, label, attrgetter(attribute), title) for label, title, attribute, _ in TOTALS),
)


@dataclass(frozen=True)
class Against:
    """How a number stands against what is usual for who has it; ``nights``: how many of his own that is said from."""

    sign: str
    words: str
    nights: int


@dataclass(frozen=True)
class TeamTable:
    """A team's players, most impact first or as they are asked for; ``team``: None of those whose team is open.
    ``against``: by GUID and number, where it can be said; ``nights``: how many of his own that is said from, by GUID,
    as text."""

    team: TeamName | None
    players: tuple[PlayerTotals, ...]
    total: TeamTotals | None
    against: Mapping[str, Mapping[str, Against]]
    nights: Mapping[str, str]


@dataclass(frozen=True)
class WeaponLine:
    """A weapon that somebody killed with; the numbers as text."""

    called: str
    kills: int
    accuracy: str
    headshots: str


@dataclass(frozen=True)
class Armed:
    """A player and the weapons that he killed with; None: not known of all of his rounds."""

    guid: str
    name: str
    weapons: tuple[WeaponLine, ...] | None


def team_tables(
    players: Sequence[PlayerTotals],
    names: Mapping[str, TeamName],
    totals: Mapping[Team | None, TeamTotals],
    usual: Mapping[str, OwnUsual] | None = None,
    order: Order | None = None,
) -> tuple[TeamTable, ...]:
    """The players by team, those whose team is open last. ``order``: of the players in each, by one of ``COLUMNS``."""
    found, players = [], in_order(players, COLUMNS, order, _called)
    for team in (*Team, None):
        own = tuple(player for player in players if player.team == team)
        if own:
            against = {player.guid: against_usual(player, (usual or {}).get(player.guid)) for player in own}
            nights = {guid: _nights(said.values()) for guid, said in against.items() if said}
            found.append(TeamTable(names[team] if team else None, own, totals.get(team), against, nights))
    return tuple(found)


def _called(player: PlayerTotals) -> tuple[str, str]:
    return name_text(player.name, player.guid).casefold(), player.guid


def against_usual(player: PlayerTotals, usual: OwnUsual | None) -> dict[str, Against]:
    """The numbers of a player that are above or below his usual, as far as pages show a difference."""
    found: dict[str, Against] = {}
    if usual is None:
        return found
    for attribute in _COMPARED:
        now, known, digits = getattr(player, attribute), getattr(usual, attribute), _DIGITS[attribute]
        if now is None or known is None:
            continue
        before, nights = known
        if round(now, digits) != round(before, digits):
            sign, word = ("▲", "above") if now > before else ("▼", "below")
            words = f"{word} {number_text(before, digits)}, the median of {nights} own sessions before"
            found[attribute] = Against(sign, words, nights)
    return found


def _nights(said: Iterable[Against]) -> str:
    """How many nights numbers are compared with; of each as many as know it."""
    nights = sorted({one.nights for one in said})
    return "–".join(map(str, dict.fromkeys((nights[0], nights[-1]))))


def unknown_columns(players: Iterable[PlayerTotals]) -> tuple[str, ...]:
    """What the columns are called in which a number of anybody is unknown."""
    listed = list(players)
    return tuple(
        title for _, title, attribute, _ in TOTALS if any(getattr(player, attribute) is None for player in listed)
    )


def armed(used: Sequence[WeaponUsed], players: Sequence[PlayerTotals]) -> tuple[Armed, ...]:
    """The weapons of players, in the order of the players."""
    weapons = {guid: tuple(map(_weapon, own)) for guid, own in groupby(used, key=lambda weapon: weapon.guid)}
    return tuple(
        Armed(player.guid, player.name, weapons.get(player.guid))
        for player in players
        if player.guid in weapons or player.kills is None
    )


def _weapon(used: WeaponUsed) -> WeaponLine:
    """Of what fires no bullets, hits per shot and heads say nothing."""
    if used.weapon not in OF_BULLETS:
        return WeaponLine(weapon_called(used.weapon), used.kills, "", "")
    return WeaponLine(weapon_called(used.weapon), used.kills, number_text(used.accuracy, 1), str(used.headshots))
