"""Sessions: the list, one as ``slomix export`` has it, and what belongs to one.

Does not belong here: the export itself (``reports.export``, ``reports.export_schema``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from slomix_pipeline.formats.weapons import weapon_called
from slomix_pipeline.reports.export import listed_session, session_as_csv, session_as_json
from slomix_pipeline.reports.export_schema import Export, Score, Session
from slomix_pipeline.rules.awards import Award
from slomix_pipeline.site.answers import Asked, Moved, NotUnderstood
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
    following,
    listed,
    player_links,
)
from slomix_pipeline.site.meant import nothing_near
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import duels, reading, session_awards, site_reading, team_totals, teams
from slomix_pipeline.warehouse.duels import Duel, Duels, Met
from slomix_pipeline.warehouse.reading import PlayerTotals
from slomix_pipeline.warehouse.site_reading import PictureListed
from slomix_pipeline.warehouse.site_store import Moment
from slomix_pipeline.warehouse.team_totals import WeaponUsed


class SessionListed(Session):
    """A session in the list. ``grade``: null until it was worked out."""

    rounds: int
    matches: int
    score: Score
    teams: dict[Literal["A", "B"], str]
    grade: str | None
    url: str
    self: str


@dataclass(frozen=True)
class PlayerOfSession(PlayerTotals, Linked):
    """A player's numbers of the session, as far as its rounds count; ratios as the views have them, unrounded."""


@dataclass(frozen=True)
class WeaponOfSession(WeaponUsed, Keyed):
    """What a player did with a weapon. ``called``: what players call it."""

    name: str
    called: str


@dataclass(frozen=True)
class DuelOfSession(Duel, Keyed):
    """How often ``player`` killed ``opponent`` and was killed by him."""

    guid: str
    opponent_guid: str


@dataclass(frozen=True)
class DuelsOfSession(Listed[DuelOfSession]):
    """``rounds``: of how many of the ``of_rounds`` that count this is known in full; ``with_endstats``: of how many
    there are endstats; ``unowned``: of how many of these nobody can tell whose lines are whose."""

    items: tuple[DuelOfSession, ...]
    rounds: int
    of_rounds: int
    with_endstats: int
    unowned: int


@dataclass(frozen=True)
class AwardOfSession(Award, Keyed):
    """Who was given an award most often."""


@dataclass(frozen=True)
class AwardsOfSession(Listed[AwardOfSession]):
    """``rounds``: of how many of the ``of_rounds`` that count there are awards."""

    items: tuple[AwardOfSession, ...]
    rounds: int
    of_rounds: int


@dataclass(frozen=True)
class ChartOfSession(PictureListed, Keyed):
    """A picture. ``alt``: the same in words; ``svg``: where it is."""

    svg: str


@ROUTER.get("/sessions", response_model=Listed[SessionListed])
def sessions(
    request: Request,
    before: Annotated[
        str | None, Query(max_length=200, description="Only sessions older than the one of this key.")
    ] = None,
    on: Annotated[date | None, Query(description="Only sessions that began on this day, in the server's zone.")] = None,
    limit: Limit = USUAL,
) -> Response:
    """All sessions, newest first."""

    def make(moment: Moment, asked: Asked) -> Listed[dict[str, Any]]:
        older_than = None if before is None else reading.resolve_session(moment.conn, before)
        if before is not None and older_than is None:
            raise NotUnderstood("before", f"there is no session {before}")
        keys = site_reading.newest_sessions(moment.conn, limit + 1, before=older_than, on=on, zone=asked.zone)
        part = keys[:limit]
        more = following(asked, before=part[-1]) if len(keys) > limit else None
        return Listed(_lines(request, moment, part), more)

    return answer(request, make)


def _lines(request: Request, moment: Moment, keys: Sequence[str]) -> tuple[dict[str, Any], ...]:
    names, grades = teams.team_names(moment.conn, keys), site_reading.grades(moment.conn, keys)
    return tuple(
        {
            **listed_session(row, names[row.session_key], request.app.state.settings),
            "grade": grades.get(row.session_key),
            "url": url_of("sessions", row.session_key),
            "self": api_url("sessions", row.session_key),
        }
        for row in reading.session_rows_of(moment.conn, keys)[::-1]
    )


@ROUTER.get(
    "/sessions/{key}.csv",
    response_model=None,
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def session_csv(request: Request, key: str) -> Response:
    """One session as a table: a line for each player and round."""

    def make(moment: Moment, asked: Asked) -> bytes:
        found = session_key(moment, key, ".csv")
        return session_as_csv(session_as_json(moment.conn, request.app.state.settings, found)).encode()

    headers = {"Content-Disposition": 'attachment; filename="session.csv"'}
    done: Response = request.app.state.answers.answer(request, make, "text/csv; charset=utf-8", headers=headers)
    return done


@ROUTER.get("/sessions/{key}", response_model=Export)
def session(request: Request, key: str) -> Response:
    """One session: exactly what `slomix export` gives, schema `slomix.session/1`. `latest` leads to the newest."""

    def make(moment: Moment, asked: Asked) -> dict[str, Any]:
        return session_as_json(moment.conn, request.app.state.settings, session_key(moment, key))

    return answer(request, make, of_page=url_of("sessions", key))


@ROUTER.get("/sessions/{key}/players", response_model=Listed[PlayerOfSession])
def session_players(request: Request, key: str, after: After = None, limit: Limit = USUAL) -> Response:
    """Who played, with his numbers; team by team, most impact first."""

    def make(moment: Moment, asked: Asked) -> Listed[PlayerOfSession]:
        rows = reading.session_players(moment.conn, session_key(moment, key, "players"))
        part, more = listed(asked, rows, lambda row: row.guid, limit, after)
        return Listed(tuple(PlayerOfSession(**vars(row), **player_links(row.guid)) for row in part), more)

    return answer(request, make)


@ROUTER.get("/sessions/{key}/weapons", response_model=Listed[WeaponOfSession])
def session_weapons(request: Request, key: str, after: After = None, limit: Limit = USUAL) -> Response:
    """With which weapons each player killed, his most used first."""

    def make(moment: Moment, asked: Asked) -> Listed[WeaponOfSession]:
        found = session_key(moment, key, "weapons")
        names = {one.guid: one.shown for one in reading.rosters(moment.conn, found)}
        rows = team_totals.weapons_used(moment.conn, "session", found)
        part, more = listed(asked, rows, _weapon_key, limit, after)
        return Listed(
            tuple(
                WeaponOfSession(
                    **vars(row),
                    **player_links(row.guid),
                    key=_weapon_key(row),
                    name=names.get(row.guid, row.guid),
                    called=weapon_called(row.weapon),
                )
                for row in part
            ),
            more,
        )

    return answer(request, make)


def _weapon_key(row: WeaponUsed) -> str:
    return f"{row.guid}:{row.weapon}"


@ROUTER.get("/sessions/{key}/versus", response_model=DuelsOfSession)
def session_versus(request: Request, key: str, after: After = None, limit: Limit = USUAL) -> Response:
    """Who killed whom how often, of rounds whose endstats tell."""

    def make(moment: Moment, asked: Asked) -> DuelsOfSession:
        found: Duels = duels.duels_of(moment.conn, session_key(moment, key, "versus"))
        part, more = listed(asked, found.met, _duel_key, limit, after)
        return DuelsOfSession(
            tuple(map(_duel, part)), more, found.rounds, found.of_rounds, found.with_endstats, found.unowned
        )

    return answer(request, make)


def _duel(row: Met) -> DuelOfSession:
    return DuelOfSession(
        row.player,
        row.opponent,
        row.kills,
        row.deaths,
        guid=row.person,
        opponent_guid=row.other,
        key=_duel_key(row),
        **player_links(row.person),
    )


def _duel_key(row: Met) -> str:
    return f"{row.person}:{row.other}"


@ROUTER.get("/sessions/{key}/awards", response_model=AwardsOfSession)
def session_awards_(request: Request, key: str, after: After = None, limit: Limit = USUAL) -> Response:
    """The awards that are told, the most wanted first."""

    def make(moment: Moment, asked: Asked) -> AwardsOfSession:
        own = session_key(moment, key, "awards")
        found = session_awards.awards_of(moment.conn, own)
        part, more = listed(asked, found.awards, lambda award: award.award, limit, after)
        own_links = addresses(url_of("sessions", own), api_url("sessions", own, "awards"))
        items = tuple(AwardOfSession(**vars(award), **own_links, key=award.award) for award in part)
        return AwardsOfSession(items, more, found.rounds, found.of_rounds)

    return answer(request, make)


@ROUTER.get("/sessions/{key}/charts", response_model=Listed[ChartOfSession])
def session_charts(request: Request, key: str, after: After = None, limit: Limit = USUAL) -> Response:
    """The pictures, each with its numbers in words."""

    def make(moment: Moment, asked: Asked) -> Listed[ChartOfSession]:
        own = session_key(moment, key, "charts")
        part, more = listed(asked, site_reading.pictures(moment.conn, own), lambda row: row.name, limit, after)
        own_links = addresses(url_of("sessions", own), api_url("sessions", own, "charts"))
        return Listed(
            tuple(
                ChartOfSession(**vars(row), **own_links, key=row.name, svg=url_of("sessions", own, f"{row.name}.svg"))
                for row in part
            ),
            more,
        )

    return answer(request, make)


def session_key(moment: Moment, key: str, part: str = "") -> str:
    """The session that a key means. ``part``: what of it is asked for.

    Raises:
        NotHere: there is none.
        Moved: it has another key, as it was merged, or is just now the latest.
    """
    found = reading.resolve_session(moment.conn, key)
    if found is None:
        raise nothing_near(moment, "session", key)
    if found != key:
        way = part and (part if part.startswith(".") else f"/{part}")
        raise Moved(f"{url_of('sessions', found)}{way}", for_good=key != "latest")
    return found
