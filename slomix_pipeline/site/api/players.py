"""Players: the list, a career and its parts, two of them side by side.

Does not belong here: what a career is (``warehouse.careers``, ``warehouse.players``), boards (``boards``), with whom
somebody played (``pairs``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from psycopg import Connection
from psycopg.rows import DictRow
from starlette.requests import Request
from starlette.responses import Response

from slomix_pipeline.formats.weapons import weapon_called
from slomix_pipeline.rules.milestones import LADDERS, Progress, milestones, progress
from slomix_pipeline.site.answers import Asked, Link, Moved, NotHere, NotUnderstood
from slomix_pipeline.site.api.kit import (
    ROUTER,
    USUAL,
    After,
    Keyed,
    Limit,
    Linked,
    Listed,
    addresses,
    answer,
    api_url,
    links,
    listed,
    player_links,
)
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import careers, players, records, standings
from slomix_pipeline.warehouse.careers import (
    AliasSeen,
    CareerNumbers,
    Form,
    NotOnePlayer,
    PlayerFound,
    WeaponSeen,
)
from slomix_pipeline.warehouse.deeds import DeedSeen, deeds
from slomix_pipeline.warehouse.nights import Night, lately
from slomix_pipeline.warehouse.pair_records import NemesisSeen, nemesis_of, pair_of
from slomix_pipeline.warehouse.players import MapPlayed, PlayerListed, PlayerMet
from slomix_pipeline.warehouse.records import RecordSeen
from slomix_pipeline.warehouse.site_store import Moment
from slomix_pipeline.warehouse.so_far import so_far_of
from slomix_pipeline.warehouse.standings import Meetings, Standing
from slomix_pipeline.warehouse.strengths import StrengthSeen, strength_of


@dataclass(frozen=True)
class PlayerInList(PlayerListed, Linked):
    """Somebody who played in a round that counts. ``nights``: sessions with one."""


@dataclass(frozen=True)
class NemesisOfPlayer(NemesisSeen, Linked):
    """Who killed him more often than is to be expected: ``kills`` of the ``times`` that one of them killed the other,
    of which ``expected`` were to be; in rounds with a list of who killed whom."""


@dataclass(frozen=True, kw_only=True)
class PlayerResource(Linked):
    """A player. All but ``guid`` and ``name`` is null of who never played in a round that counts. ``strength``,
    ``nemesis``: null also where nothing is known of it, or nobody is one."""

    guid: str
    name: str
    numbers: CareerNumbers | None
    standing: Standing | None
    form: Form | None
    bests: tuple[RecordSeen, ...] | None
    strength: StrengthSeen | None
    nemesis: NemesisOfPlayer | None


@dataclass(frozen=True)
class NightOfPlayer(Night, Keyed):
    """A player's numbers of a session, as far as they count in careers; one is null where a round does not know it."""


@dataclass(frozen=True)
class MapOfPlayer(MapPlayed, Keyed):
    """What somebody did on a map, and how his decided matches on it ended."""


@dataclass(frozen=True)
class WeaponOfPlayer(WeaponSeen, Keyed):
    """What a player did with a weapon over all rounds that count. ``called``: what players call it."""

    called: str


@dataclass(frozen=True)
class OpponentOfPlayer(PlayerMet, Linked):
    """Somebody whom the player met in decided matches: together, and against each other with the player's results."""


@dataclass(frozen=True)
class Reached:
    """A step of a ladder, and the round after which it was reached."""

    step: float
    is_badge: bool
    round_key: str
    at: datetime


@dataclass(frozen=True)
class BadgeOfPlayer(Progress, Keyed):
    """Where a career stands on a ladder. ``badge``: the highest that it has; ``next_step``: null above the last;
    ``known_rounds``: of how many rounds the number is known."""

    title: str
    reached: tuple[Reached, ...]


@dataclass(frozen=True)
class BadgesOfPlayer(Listed[BadgeOfPlayer]):
    """``deeds``: the first time that the player was part of each."""

    items: tuple[BadgeOfPlayer, ...]
    deeds: tuple[DeedSeen, ...]


@dataclass(frozen=True)
class AliasOfPlayer(AliasSeen, Keyed):
    """A name that somebody used. ``rounds``: in how many, also such as don't count."""


@dataclass(frozen=True)
class RecordTogether:
    """Decided matches of two players in one team, by how models take them, and those won. ``expected``: of ``won``, by
    how strong the teams are; ``low``, ``high``: the shares of wins, 0 to 1, between which they speak for in 95 of 100
    cases; ``apart``, ``apart_won``: matches with one of them alone, and those which he won."""

    matches: int
    won: int
    expected: float | None
    low: float
    high: float
    apart: int
    apart_won: int


@dataclass(frozen=True)
class Comparison(Linked):
    """Two players side by side: ``meetings``: decided matches that both played; ``record``: those in one team beside
    what was expected of them, null while they are too few."""

    players: tuple[PlayerResource, PlayerResource]
    meetings: Meetings
    record: RecordTogether | None


@ROUTER.get("/players", response_model=Listed[PlayerInList])
def players_(
    request: Request,
    q: Annotated[
        str | None, Query(max_length=100, description="Part of any name of his, or how his GUID begins.")
    ] = None,
    after: After = None,
    limit: Limit = USUAL,
) -> Response:
    """Everybody who played in a round that counts, who was there last first."""

    def make(moment: Moment, asked: Asked) -> Listed[PlayerInList]:
        rows: Sequence[PlayerListed] = players.everybody(moment.conn)
        if q is not None:
            meant = {one.guid for one in careers.players_meant(moment.conn, q)}
            rows = [row for row in rows if row.guid in meant]
        part, more = listed(asked, rows, lambda row: row.guid, limit, after)
        return Listed(tuple(PlayerInList(**vars(row), **player_links(row.guid)) for row in part), more)

    return answer(request, make)


@ROUTER.get("/players/{guid}", response_model=PlayerResource)
def player(request: Request, guid: str) -> Response:
    """One player: career, results, form, personal bests."""

    def make(moment: Moment, asked: Asked) -> PlayerResource:
        found = _found(moment.conn, guid)
        if isinstance(found, PlayerFound):
            return _resource(moment.conn, found)
        parts = ("numbers", "standing", "form", "bests", "strength", "nemesis")
        unknown: dict[str, Any] = dict.fromkeys(parts)
        return PlayerResource(guid=guid, name=found[0].name, **unknown, **player_links(guid))

    return answer(request, make)


def _resource(conn: Connection[DictRow], found: PlayerFound) -> PlayerResource:
    known = careers.behind(conn, found)
    return PlayerResource(
        guid=found.guid,
        name=found.name,
        numbers=careers.numbers_of(conn, found.guid),
        standing=standings.in_all(known.on_maps.values()),
        form=careers.form_of(known.lately.nights),
        bests=tuple(records.bests(conn, known.guids)),
        strength=strength_of(conn, found.guid),
        nemesis=_nemesis(conn, found.guid),
        **player_links(found.guid),
    )


def _nemesis(conn: Connection[DictRow], guid: str) -> NemesisOfPlayer | None:
    own = nemesis_of(conn, guid)
    return None if own is None else NemesisOfPlayer(**vars(own), **player_links(own.guid))


@ROUTER.get("/players/{guid}/sessions", response_model=Listed[NightOfPlayer])
def player_sessions(request: Request, guid: str, after: After = None, limit: Limit = USUAL) -> Response:
    """His sessions, newest first."""

    def make(moment: Moment, asked: Asked) -> Listed[NightOfPlayer]:
        guids = guids_of_player(moment.conn, guid, "sessions")
        nights = lately(moment.conn, guids, None).nights[::-1] if guids else ()
        part, more = listed(asked, nights, _night_key, limit, after)
        return Listed(
            tuple(
                NightOfPlayer(**vars(row), key=_night_key(row), **links("sessions", _night_key(row))) for row in part
            ),
            more,
        )

    return answer(request, make)


def _night_key(night: Night) -> str:
    assert night.session_key is not None, "it is one night"
    return night.session_key


@ROUTER.get("/players/{guid}/maps", response_model=Listed[MapOfPlayer])
def player_maps(request: Request, guid: str, after: After = None, limit: Limit = USUAL) -> Response:
    """What he did on each map, the most played first."""

    def make(moment: Moment, asked: Asked) -> Listed[MapOfPlayer]:
        guids = guids_of_player(moment.conn, guid, "maps")
        rows = players.maps_played(moment.conn, guids, standings.on_maps(moment.conn, guid)) if guids else []
        part, more = listed(asked, rows, lambda row: row.map, limit, after)
        return Listed(tuple(MapOfPlayer(**vars(row), key=row.map, **links("maps", row.map)) for row in part), more)

    return answer(request, make)


@ROUTER.get("/players/{guid}/weapons", response_model=Listed[WeaponOfPlayer])
def player_weapons(request: Request, guid: str, after: After = None, limit: Limit = USUAL) -> Response:
    """With which weapons he killed, the most used first."""

    def make(moment: Moment, asked: Asked) -> Listed[WeaponOfPlayer]:
        rows = careers.weapons_used(moment.conn, guids_of_player(moment.conn, guid, "weapons"), None)
        part, more = listed(asked, rows, lambda row: row.weapon, limit, after)
        own = _part_links(guid, "weapons")
        return Listed(
            tuple(WeaponOfPlayer(**vars(row), key=row.weapon, called=weapon_called(row.weapon), **own) for row in part),
            more,
        )

    return answer(request, make)


@ROUTER.get("/players/{guid}/opponents", response_model=Listed[OpponentOfPlayer])
def player_opponents(request: Request, guid: str, after: After = None, limit: Limit = USUAL) -> Response:
    """With and against whom he played, the most met first."""

    def make(moment: Moment, asked: Asked) -> Listed[OpponentOfPlayer]:
        rows = players.most_met(moment.conn, guid, None) if guids_of_player(moment.conn, guid, "opponents") else []
        part, more = listed(asked, rows, lambda row: row.guid, limit, after)
        return Listed(tuple(OpponentOfPlayer(**vars(row), **player_links(row.guid)) for row in part), more)

    return answer(request, make)


@ROUTER.get("/players/{guid}/badges", response_model=BadgesOfPlayer)
def player_badges(request: Request, guid: str, after: After = None, limit: Limit = USUAL) -> Response:
    """Where he stands on each ladder of milestones, and his deeds."""

    def make(moment: Moment, asked: Asked) -> BadgesOfPlayer:
        found = _found(moment.conn, guid, "badges")
        if not isinstance(found, PlayerFound):
            return BadgesOfPlayer((), None, ())
        so_far = so_far_of(moment.conn, [guid])[guid]
        every_step = milestones(so_far)
        part, more = listed(asked, progress(so_far, every_step), lambda row: row.number, limit, after)
        own = _part_links(guid, "badges")
        items = tuple(
            BadgeOfPlayer(
                **vars(row),
                key=row.number,
                title=LADDERS[row.number].title,
                reached=tuple(
                    Reached(one.step, one.is_badge, one.reached.round_key, one.reached.stamp)
                    for one in every_step
                    if one.number is row.number
                ),
                **own,
            )
            for row in part
        )
        return BadgesOfPlayer(items, more, deeds(moment.conn, careers.guids_of(moment.conn, guid)))

    return answer(request, make)


@ROUTER.get("/players/{guid}/aliases", response_model=Listed[AliasOfPlayer])
def player_aliases(request: Request, guid: str, after: After = None, limit: Limit = USUAL) -> Response:
    """All names that he used, the most used first."""

    def make(moment: Moment, asked: Asked) -> Listed[AliasOfPlayer]:
        found = _found(moment.conn, guid, "aliases")
        rows = found
        if isinstance(found, PlayerFound):
            rows = careers.aliases_used(moment.conn, careers.guids_of(moment.conn, guid))
        assert not isinstance(rows, PlayerFound)
        part, more = listed(asked, rows, lambda row: row.name, limit, after)
        own = _part_links(guid, "aliases")
        return Listed(tuple(AliasOfPlayer(**vars(row), key=row.name, **own) for row in part), more)

    return answer(request, make)


@ROUTER.get("/compare/{one}/{two}", response_model=Comparison)
def compare(request: Request, one: str, two: str) -> Response:
    """Two players side by side, and how often they won together and against each other. Each is his GUID, or a name
    that only he has."""

    def make(moment: Moment, asked: Asked) -> Comparison:
        first, second = (_meant(moment.conn, name, typed) for name, typed in (("one", one), ("two", two)))
        if first.guid == second.guid:
            raise NotUnderstood("two", "that is the same player")
        met = standings.meetings(moment.conn, first.guid, second.guid)
        both = (first.guid, second.guid)
        return Comparison(
            (_resource(moment.conn, first), _resource(moment.conn, second)),
            met,
            _record(moment.conn, *both),
            url=url_of("compare", *both),
            self_url=api_url("compare", *both),
        )

    return answer(request, make)


def _record(conn: Connection[DictRow], one: str, other: str) -> RecordTogether | None:
    own = pair_of(conn, one, other)
    if own is None:
        return None
    return RecordTogether(own.matches, own.won, own.expected, own.low, own.high, own.apart, own.apart_won)


def _meant(conn: Connection[DictRow], name: str, typed: str) -> PlayerFound:
    """The one player who is meant by a GUID or a name.

    Raises:
        NotHere: nobody, or several, with who may be.
    """
    try:
        return careers.find_player(conn, typed)
    except NotOnePlayer as error:
        found = error.found or careers.players_resembling(conn, typed)
        raise NotHere(f"{name}: {error}", [Link(url_of("players", one.guid), one.name) for one in found]) from None


def _found(conn: Connection[DictRow], guid: str, part: str = "") -> PlayerFound | Sequence[AliasSeen]:
    """The player of a GUID; of who never played in a round that counts the names that he used.

    Raises:
        NotHere: nobody played under it, or he wished to be hidden.
        Moved: it stands for another GUID.
    """
    found = careers.player_of(conn, guid)
    if found is None:
        aliases = players.aliases_of(conn, guid)
        if not aliases:
            near = careers.players_meant(conn, guid[:4]) if len(guid) >= careers.GUID_FROM else []
            raise NotHere("There is no such player.", [Link(url_of("players", one.guid), one.name) for one in near])
        return aliases
    if found.guid != guid:
        raise Moved(url_of("players", found.guid, *([part] if part else [])))
    return found


def guids_of_player(conn: Connection[DictRow], guid: str, part: str) -> list[str]:
    """All GUIDs of a player; none of who never played in a round that counts."""
    return careers.guids_of(conn, guid) if isinstance(_found(conn, guid, part), PlayerFound) else []


def _part_links(guid: str, part: str) -> dict[str, Any]:
    return addresses(url_of("players", guid), api_url("players", guid, part))
