"""The maps: how fast an attack on one usually is, whether it pays to attack first, its records, who is good on it.

Does not belong here: what par is (``rules.par``), the numbers (``warehouse.maps``, ``warehouse.map_history``), the
words (``reports.map_words``), the curve's points (``map_curve``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from slomix_pipeline.reports.career_words import amount, record_value
from slomix_pipeline.reports.map_words import (
    advantage_text,
    attacks_text,
    card_below_par,
    card_text,
    curves_text,
    finish_text,
    quartiles_text,
)
from slomix_pipeline.rules.boards import BoardName
from slomix_pipeline.rules.par import Par
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.site.answers import Asked, Link
from slomix_pipeline.site.meant import check_played
from slomix_pipeline.site.pages import records
from slomix_pipeline.site.pages.map_curve import CurveShown, curve_shown
from slomix_pipeline.site.pages.records import RecordShown
from slomix_pipeline.site.pages.shared import attack_text
from slomix_pipeline.site.sorting import Column, Head, heads, in_order, order_asked
from slomix_pipeline.site.templating import UNKNOWN, url_of
from slomix_pipeline.warehouse.map_cards import Finish, closest_finishes, map_curves
from slomix_pipeline.warehouse.map_history import (
    LEAST_MATCHES,
    PlayOfMap,
    attacks_on,
    last_plays,
    players_on,
)
from slomix_pipeline.warehouse.maps import MapNumbers, map_numbers
from slomix_pipeline.warehouse.reading import RoundSeen, rounds_seen
from slomix_pipeline.warehouse.records import RecordSeen, fastest_attacks
from slomix_pipeline.warehouse.site_store import Moment
from slomix_pipeline.warehouse.teams import team_names

_PLAYS, _PLAYERS = 10, 20


@dataclass(frozen=True)
class MapLine:
    """A map in the list, in one ``sentence``, too. ``fastest``: None without a completed attack that counts;
    ``completed``: how many of the ``attacks`` with the usual limit; no share of them, as an attack that failed was not
    always on till the end: how many defences hold, the sentence says."""

    link: Link
    sentence: str
    matches: int
    fastest: str | None
    completed: int
    attacks: int
    last_played_at: datetime


@dataclass(frozen=True)
class MapsPage:
    """All maps, those first of which most matches are decided, or as is asked for."""

    maps: tuple[MapLine, ...]
    heads: tuple[Head, ...]


@dataclass(frozen=True)
class AttackLine:
    """An attack in a list, with how it ended."""

    url: str
    text: str
    ended_at: datetime


@dataclass(frozen=True)
class FinishLine:
    """A second attack that beat its time by little: who, and by how much in words."""

    url: str
    team: TeamName
    text: str
    ended_at: datetime


@dataclass(frozen=True)
class PlayLine:
    """A match on the map. ``winner``: None of a draw."""

    url: str
    ended_at: datetime
    winner: TeamName | None
    first: str
    second: str


@dataclass(frozen=True)
class PlayerLine:
    """Somebody on the map, his numbers as text."""

    guid: str
    name: str
    matches: int
    standing: str
    rounds: int
    kd: str
    dpm: str


@dataclass(frozen=True)
class MapPage:
    """A map. ``sentence``: its card, ``more``: what else is to be known of its par; ``attacks``: how many that is from;
    ``first``: how often who attacked first won, with its interval; ``boards``: where its boards are; ``curve``: None
    while there are too few attacks, which are then listed in ``few``; ``quartiles``: by when a quarter, half and three
    quarters of the defences fell."""

    numbers: MapNumbers
    sentence: str
    more: str
    attacks: str
    first: str
    boards: str
    record_book: str
    curve: CurveShown | None
    quartiles: str
    few: tuple[AttackLine, ...]
    finishes: tuple[FinishLine, ...]
    players: tuple[PlayerLine, ...]
    least_matches: int
    plays: tuple[PlayLine, ...]
    records: tuple[RecordShown, ...]


_Listed = tuple[MapNumbers, RecordSeen | None]  # a map with its fastest attack

COLUMNS: tuple[Column[_Listed], ...] = (
    Column("map", "Map", lambda row: row[0].name.casefold(), rises=True, is_number=False),
    Column("matches", "Matches", lambda row: row[0].matches),
    Column("par", "Par", lambda row: row[0].par.par, rises=True, is_number=False),
    Column("fastest", "Fastest", lambda row: None if row[1] is None else row[1].value, rises=True),
    Column("completed", "Completed", lambda row: _completed(row[0].par)),
    Column("last_played", "Last played", lambda row: row[0].last_played_at, is_number=False),
)


def maps_page(moment: Moment, asked: Asked) -> MapsPage:
    """All maps of which a round counts. ``?sort=``: by this column."""
    order = order_asked(asked, COLUMNS)
    fastest = {record.map: record for record in fastest_attacks(moment.conn)}
    found = sorted(map_numbers(moment.conn), key=lambda own: (-own.matches, own.name))
    listed = [(own, fastest.get(own.name)) for own in found]
    rows = in_order(listed, COLUMNS, order, lambda row: (row[0].name,))
    return MapsPage(tuple(map(_line, rows)), heads(COLUMNS, order, "/maps"))


def _completed(own: Par) -> float | None:
    return own.completed / own.attacks if own.attacks else None


def _line(row: _Listed) -> MapLine:
    own, fastest = row
    return MapLine(
        link=Link(url_of("maps", own.name), own.name),
        sentence=card_below_par(own),
        matches=own.matches,
        fastest=None if fastest is None else record_value(fastest),
        completed=own.par.completed,
        attacks=own.par.attacks,
        last_played_at=own.last_played_at,
    )


def map_page(moment: Moment, asked: Asked) -> MapPage:
    """One map, by its whole name."""
    conn, name = moment.conn, asked.given["map"]
    check_played(moment, name)
    (seen,) = map_numbers(conn, name)
    curves = map_curves(conn, name, seen.limit_seconds)
    fastest = fastest_attacks(conn, name)
    plays = last_plays(conn, name, _PLAYS)
    names = team_names(conn, {play.session_key for play in plays})
    few = () if curves else attacks_on(conn, name)
    keys = [own.round_key for own in few] + [key for play in plays for key in (play.r1_key, play.r2_key) if key]
    rounds = rounds_seen(conn, keys)
    asking = urlencode({"map": name})
    return MapPage(
        numbers=seen,
        sentence=card_text(seen),
        more=curves_text(curves),
        attacks=attacks_text(seen),
        first=advantage_text(seen),
        boards=f"{url_of('boards', BoardName.DPM)}?{asking}",
        record_book=f"/records?{asking}",
        curve=curve_shown(curves, seen.limit_seconds, round(fastest[0].value) if fastest else None) if curves else None,
        quartiles=quartiles_text(seen),
        few=tuple(
            AttackLine(url_of("rounds", own.round_key), attack_text(rounds[own.round_key]), own.ended_at)
            for own in few
            if own.round_key in rounds
        ),
        finishes=tuple(map(_finish, closest_finishes(conn, name))),
        players=_players(moment, name),
        least_matches=LEAST_MATCHES,
        plays=tuple(_play(play, names[play.session_key], rounds) for play in plays),
        records=records.attacks(fastest),
    )


def _finish(own: Finish) -> FinishLine:
    return FinishLine(url_of("matches", own.match_key), own.team, finish_text(own), own.ended_at)


def _play(play: PlayOfMap, names: Mapping[str, TeamName], rounds: Mapping[str, RoundSeen]) -> PlayLine:
    return PlayLine(
        url=url_of("matches", play.match_key),
        ended_at=play.ended_at,
        winner=None if play.winner == Winner.DRAW else names[Team(play.winner)],
        first=_attack(rounds.get(play.r1_key or "")),
        second=_attack(rounds.get(play.r2_key or "")),
    )


def _attack(seen: RoundSeen | None) -> str:
    return UNKNOWN if seen is None else attack_text(seen)


def _players(moment: Moment, name: str) -> tuple[PlayerLine, ...]:
    return tuple(
        PlayerLine(
            own.guid,
            own.name,
            own.matches,
            f"{own.won}–{own.drawn}–{own.matches - own.won - own.drawn}",
            own.rounds,
            amount(own.kd, 2),
            amount(own.dpm, 1),
        )
        for own in players_on(moment.conn, name, _PLAYERS)
    )
