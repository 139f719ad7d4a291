"""Who is there to be divided into teams, by the names that people type; and how he can be, as far as anybody can tell.

Belongs here: whom the names mean, what is known of them, whether odds may be told of them. Does not belong here: which
division is how even (``rules.balance``), how it is said (``reports.balance_words``). Pages have all relations that this
reads, so a command and a page say the same of the same names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.rules import balance, odds
from slomix_pipeline.rules.attack_model import VERSION, AttackModel, Roster
from slomix_pipeline.rules.balance import MOST_PLAYERS, REPEATS_WITHIN, LineUp, Side, Split, Wishes
from slomix_pipeline.rules.expected import LEAST_ROUNDS
from slomix_pipeline.rules.forecast_report import Foretells, ReportOf
from slomix_pipeline.warehouse import forecast_reports
from slomix_pipeline.warehouse.attack_terms import known_of
from slomix_pipeline.warehouse.careers import PlayerFound, find_players
from slomix_pipeline.warehouse.usual_rates import rate_of_a_newcomer, rates_of

LEAST_PLAYERS = 2


class NoSplit(SlomixError):
    """These players can't be divided, or not as was wished; the text says why."""


@dataclass(frozen=True)
class LobbyPlayer:
    """Somebody who is there. ``damage_per_minute``: what is expected of him; ``rounds``: his, that this rests on."""

    guid: str
    name: str
    damage_per_minute: float
    rounds: int

    @property
    def is_new(self) -> bool:
        """Whether too few of his rounds are known to say much of him."""
        return self.rounds < LEAST_ROUNDS


@dataclass(frozen=True)
class Team:
    """One team of a split, in the order in which they were named. ``last_together``: when the last session
    began in which all of them were in one team; None: there was none."""

    players: tuple[LobbyPlayer, ...]
    damage_per_minute: float
    last_together: datetime | None


@dataclass(frozen=True)
class Odds:
    """The chance of a split's first team, and between which it lies in 80 of 100 cases; ``matches``: it is learned
    from."""

    chance: float
    low: float
    high: float
    matches: int


@dataclass(frozen=True)
class TeamsSuggested:
    """A way to divide who is there. ``odds``: None while none may be told."""

    first: Team
    second: Team
    odds: Odds | None

    @property
    def difference(self) -> float:
        """By what part the damage expected of the one team is more than that of the other."""
        less, more = sorted(team.damage_per_minute for team in (self.first, self.second))
        return more / less - 1


@dataclass(frozen=True)
class Suggestions:
    """The most even ways to divide a lobby, the best first; ``players``: who is in it, as they were named;
    ``together``, ``apart``: the wishes that were kept, by GUIDs."""

    players: tuple[LobbyPlayer, ...]
    together: tuple[tuple[str, ...], ...]
    apart: tuple[tuple[str, ...], ...]
    ways: tuple[TeamsSuggested, ...]

    @property
    def newcomers(self) -> list[LobbyPlayer]:
        return [player for player in self.players if player.is_new]


def suggest(
    conn: Connection[DictRow],
    names: Sequence[str],
    together: Sequence[Sequence[str]] = (),
    apart: Sequence[Sequence[str]] = (),
) -> Suggestions:
    """The most even teams of those whom the names mean. ``together``: who stays in one team; ``apart``: of whom no two
    do; by names, as well.

    Raises:
        NotOnePlayer: nobody, or several, are meant by a name.
        NoSplit: too few or too many, somebody twice, a wish that can't be kept, or nothing is known of anybody yet.
    """
    if not LEAST_PLAYERS <= len(names) <= MOST_PLAYERS:
        raise NoSplit(f"{LEAST_PLAYERS} to {MOST_PLAYERS} players can be divided into teams, not {len(names)}")
    meant = find_players(conn, [*names, *(name for group in (*together, *apart) for name in group)])
    players = _lobby(conn, _each_once(names, meant))
    stay, part = (_wished(groups, players, meant) for groups in (together, apart))
    wishes = Wishes(stay, [pair for group in part for pair in combinations(group, 2)])
    model, temperature = told_model(conn, list(players)), forecast_reports.temperature(conn)

    def chance(first: Side, second: Side) -> float:
        assert model is not None
        return odds.decided_odds(model, _equal(first), _equal(second), temperature)

    lobby = balance.Lobby(
        {guid: player.damage_per_minute for guid, player in players.items()},
        [player.guid for player in players.values() if player.is_new],
        line_ups(conn, list(players)),
    )
    found = balance.most_even(lobby, wishes, chance if model else None)
    if not found:
        raise NoSplit("nothing keeps all of these wishes")
    ways = tuple(_way(split, players, model, temperature) for split in found)
    return Suggestions(tuple(players.values()), stay, part, ways)


def _each_once(names: Sequence[str], meant: Mapping[str, PlayerFound]) -> list[PlayerFound]:
    by_guid: dict[str, str] = {}
    for name in names:
        other = by_guid.setdefault(meant[name].guid, name)
        if other != name or names.count(name) > 1:
            raise NoSplit(f"{other!r} and {name!r} are the same player")
    return [meant[name] for name in names]


def _lobby(conn: Connection[DictRow], found: Sequence[PlayerFound]) -> dict[str, LobbyPlayer]:
    """What is expected of each, by person; of whom nothing is known what is of anybody new."""
    rates, of_new = rates_of(conn, [player.guid for player in found]), rate_of_a_newcomer(conn)
    if of_new is None:
        raise NoSplit("what damage is usual is not known yet: it is learned after each evening")
    return {
        player.guid: LobbyPlayer(player.guid, player.name, own.damage_per_minute, own.rounds)
        if (own := rates.get(player.guid))
        else LobbyPlayer(player.guid, player.name, of_new, 0)
        for player in found
    }


def _wished(
    groups: Sequence[Sequence[str]], players: Mapping[str, LobbyPlayer], meant: Mapping[str, PlayerFound]
) -> tuple[tuple[str, ...], ...]:
    for name in (name for group in groups for name in group):
        if meant[name].guid not in players:
            raise NoSplit(f"{meant[name].name} is not among who is to be divided")
    return tuple(tuple(meant[name].guid for name in group) for group in groups)


def line_ups(conn: Connection[DictRow], persons: Sequence[str]) -> list[LineUp]:
    """Who of these stood in one team of a session, two at least: each time of late, before that the last time of each.
    Of sessions and not of matches, as it is by evenings that people know with whom they played."""
    rows = conn.execute(
        """with who as (
               select p.guid, 1 << own.place::integer as bit
               from unnest(%(persons)s::text[]) with ordinality as own (person, place)
               join board_person p using (person)
           ), stood as (
               select p.session_key, bit_or(who.bit) as players
               from session_player p join who using (guid)
               where p.team is not null group by p.session_key, p.team
           ), team as (
               select stood.players, s.session_key, s.started_at, max(s.started_at) over () as latest
               from stood join session s using (session_key)
               where stood.players & (stood.players - 1) <> 0
           )
           select players, max(started_at) as played_at from team
           group by players, case when started_at >= latest - %(late)s::interval then session_key end""",
        {"persons": list(persons), "late": REPEATS_WITHIN},
    )
    return [
        LineUp(
            frozenset(person for place, person in enumerate(persons, 1) if row["players"] >> place & 1),
            row["played_at"],
        )
        for row in rows
    ]


def told_model(conn: Connection[DictRow], persons: Sequence[str]) -> AttackModel | None:
    """The part of the model of attack times that tells chances of these players; None while odds before a match have
    not proven that they may be told."""
    kept = forecast_reports.reports(conn).get((Foretells.MATCH, ReportOf.LEDGER))
    if kept is None or kept.version != VERSION or kept.report is None or kept.report.why_not:
        return None
    known = known_of(conn, persons)
    return known and known.model


def _way(
    split: Split, players: Mapping[str, LobbyPlayer], model: AttackModel | None, temperature: float
) -> TeamsSuggested:
    first, second = (
        Team(
            tuple(own for guid, own in players.items() if guid in side),
            damage,
            last,
        )
        for side, damage, last in zip((split.first, split.second), split.damage, split.last_together, strict=True)
    )
    if model is None or split.chance is None:
        return TeamsSuggested(first, second, None)
    low, high = odds.decided_range(model, _equal(split.first), _equal(split.second), temperature)
    return TeamsSuggested(first, second, Odds(split.chance, low, high, model.matches))


def _equal(side: Side) -> Roster:
    """A team all of whom will be there all the time; of what is counted in seconds, teams are compared alone."""
    return Roster(dict.fromkeys(side, 1 / len(side)), float(len(side)))
