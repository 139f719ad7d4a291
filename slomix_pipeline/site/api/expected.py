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
from slomix_pipeline.warehouse.expectations import HeldOf, NightHeld, PlayerHeld
from slomix_pipeline.warehouse.form_changes import FormChange
from slomix_pipeline.warehouse.site_store import Moment


@dataclass(frozen=True)
class PlayerAgainstExpected(PlayerHeld, Linked):
    """A player's damage and kills beside what was expected of him, by all sessions before. ``earlier_rounds``: of him,
    that this rests on."""


@dataclass(frozen=True)
class PlayersAgainstExpected(Listed[PlayerAgainstExpected]):
    """``not_known``: how many are left out because too few rounds of them are known."""

    items: tuple[PlayerAgainstExpected, ...]
    not_known: int


@dataclass(frozen=True)
class NightAgainstExpected(NightHeld, Keyed):
    """A session of his."""


@dataclass(frozen=True)
class NightsAgainstExpected(Listed[NightAgainstExpected]):
    """``changes``: since when his form has been another one, where that is sure."""

    items: tuple[NightAgainstExpected, ...]
    changes: tuple[FormChange, ...]


@ROUTER.get("/sessions/{key}/expected", response_model=PlayersAgainstExpected)
def session_expected(request: Request, key: str, after: After = None, limit: Limit = USUAL) -> Response:
    """What was expected of its players, by name; nobody until that was learned, after the session."""

    def make(moment: Moment, asked: Asked) -> PlayersAgainstExpected:
        own = session_key(moment, key, "expected")
        return _players(asked, expectations.held_of_session(moment.conn, own), limit, after)

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
    items = tuple(PlayerAgainstExpected(**vars(row), **player_links(row.guid)) for row in part)
    return PlayersAgainstExpected(items, more, held.not_known)


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
