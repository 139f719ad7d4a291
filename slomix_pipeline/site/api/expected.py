"""What was expected of players, beside what they did: of a session, of a match, and of a player's sessions.

Does not belong here: what else these are (``sessions``, ``matches``, ``players``), the expectations themselves
(``warehouse.expectations``).
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from slomix_pipeline.site.answers import Asked, Moved
from slomix_pipeline.site.api.kit import (
    ROUTER,
    USUAL,
    After,
    Keyed,
    Limit,
    Linked,
    Listed,
    answer,
    links,
    listed,
    player_links,
)
from slomix_pipeline.site.api.players import guids_of_player
from slomix_pipeline.site.api.sessions import session_key
from slomix_pipeline.site.meant import nothing_near
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import expectations, form_changes, reading, site_reading
from slomix_pipeline.warehouse.expectations import Held, HeldOf, NightHeld, PlayerHeld
from slomix_pipeline.warehouse.fairness import ExpectedOfTeams, expected_of_teams
from slomix_pipeline.warehouse.form_changes import FormChange
from slomix_pipeline.warehouse.site_store import Moment


@dataclass(frozen=True)
class NumberAgainstExpected:
    """What a player did, held against what was expected of him. ``rounds``, ``minutes``: of his, that it is the sum of;
    ``ratio``: ``actual`` by ``expected``, 1 is what was expected; it is between ``usual_low`` and ``usual_high`` in 80
    of 100 cases that are as long."""

    rounds: int
    minutes: float
    actual: int
    expected: float
    ratio: float
    usual_low: float
    usual_high: float


@dataclass(frozen=True)
class PlayerAgainstExpected(Linked):
    """A player's damage and kills beside what was expected of him, by all sessions before; null where unknown.
    ``earlier_rounds``: of him, that this rests on."""

    guid: str
    name: str
    earlier_rounds: int
    damage: NumberAgainstExpected | None
    kills: NumberAgainstExpected | None


@dataclass(frozen=True)
class PlayersAgainstExpected(Listed[PlayerAgainstExpected]):
    """``not_known``: how many are left out because too few rounds of them are known."""

    items: tuple[PlayerAgainstExpected, ...]
    not_known: int


@dataclass(frozen=True)
class SessionAgainstExpected(PlayersAgainstExpected):
    """``teams``: the damage that was to be expected of team A and of team B, in so many rounds; null where it is not
    known of both."""

    teams: ExpectedOfTeams | None


@dataclass(frozen=True)
class NightAgainstExpected(NightHeld, Keyed):
    """A session of his: his damage and kills beside what was expected by all sessions before; null where unknown.
    ``earlier_rounds``: of his, that this rests on; ``judged``: even is a usual session, above and below are outside of
    where 80 of 100 end."""


@dataclass(frozen=True)
class NightsAgainstExpected(Listed[NightAgainstExpected]):
    """``changes``: since when his form has been another one, where that is sure; ``by``: as a part of the level before,
    0.1 is a tenth more, between ``low`` and ``high`` in 95 of 100 cases; ``probability``: 0 to 1, that it changed."""

    items: tuple[NightAgainstExpected, ...]
    changes: tuple[FormChange, ...]


@ROUTER.get("/sessions/{key}/expected", response_model=SessionAgainstExpected)
def session_expected(request: Request, key: str, after: After = None, limit: Limit = USUAL) -> Response:
    """What was expected of its players, by name, and of its teams; nothing until that was learned, after it."""

    def make(moment: Moment, asked: Asked) -> SessionAgainstExpected:
        own = session_key(moment, key, "expected")
        players = _players(asked, expectations.held_of_session(moment.conn, own), limit, after)
        return SessionAgainstExpected(**vars(players), teams=expected_of_teams(moment.conn, own))

    return answer(request, make)


@ROUTER.get("/matches/{key}/expected", response_model=PlayersAgainstExpected)
def match_expected(request: Request, key: str, after: After = None, limit: Limit = USUAL) -> Response:
    """The same of a match."""

    def make(moment: Moment, asked: Asked) -> PlayersAgainstExpected:
        found = site_reading.match_of(moment.conn, key)
        if found is None:
            raise nothing_near(moment, "match", key)
        if found[1] != key:
            raise Moved(url_of("matches", found[1], "expected"))
        match = next(one for one in reading.matches(moment.conn, [found[0]], players_of=()) if one.key == key)
        held = expectations.held_of_match(moment.conn, found[0], [seen.key for seen in match.rounds])
        return _players(asked, held, limit, after)

    return answer(request, make)


def _players(asked: Asked, held: HeldOf, limit: int, after: str | None) -> PlayersAgainstExpected:
    part, more = listed(asked, held.players, lambda row: row.guid, limit, after)
    return PlayersAgainstExpected(tuple(map(_player, part)), more, held.not_known)


def _player(own: PlayerHeld) -> PlayerAgainstExpected:
    both = _number(own.damage), _number(own.kills)
    return PlayerAgainstExpected(own.guid, own.name, own.earlier_rounds, *both, **player_links(own.guid))


def _number(own: Held | None) -> NumberAgainstExpected | None:
    """Beside others nobody is called below anything."""
    if own is None:
        return None
    usual = (own.usual_low, own.usual_high)
    return NumberAgainstExpected(own.rounds, own.minutes, own.actual, own.expected, own.ratio, *usual)


@ROUTER.get("/players/{guid}/expected", response_model=NightsAgainstExpected)
def player_expected(request: Request, guid: str, after: After = None, limit: Limit = USUAL) -> Response:
    """What was expected of him in each of his latest 120 sessions, newest first; and whether his form has changed."""

    def make(moment: Moment, asked: Asked) -> NightsAgainstExpected:
        guids = guids_of_player(moment.conn, guid, "expected")
        kept = expectations.latest_sums(moment.conn, guid, form_changes.NIGHTS) if guids else []
        nights = tuple(expectations.nights_held(kept))
        part, more = listed(asked, nights, lambda row: row.session_key, limit, after)
        return NightsAgainstExpected(
            tuple(
                NightAgainstExpected(**vars(row), key=row.session_key, **links("sessions", row.session_key))
                for row in part
            ),
            more,
            form_changes.changes_of(moment.conn, guids, kept) if guids else (),
        )

    return answer(request, make)
