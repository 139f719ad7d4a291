"""Matches and rounds, and the receipt of a round.

Does not belong here: the session around them (``sessions``), what a receipt says (``reports``).
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query
from pydantic import ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from slomix_pipeline.reports import export_schema
from slomix_pipeline.reports.export import lost_round_as_json, match_as_json, round_as_json
from slomix_pipeline.reports.odds_words import second_attack_won
from slomix_pipeline.reports.prepared_receipts import player_part
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.site.answers import Asked, Link, Moved, NotHere
from slomix_pipeline.site.api.kit import ROUTER, Linked, answer, api_url, player_links
from slomix_pipeline.site.meant import nothing_near
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import reading, session_evidence, session_rounds, site_reading
from slomix_pipeline.warehouse.fastest_attacks import FastestAttack
from slomix_pipeline.warehouse.reading import MatchSeen, PlayerTotals
from slomix_pipeline.warehouse.site_store import Moment


@dataclass(frozen=True)
class PlayerOfMatch(PlayerTotals, Linked):
    """A player's numbers of both rounds; ratios as the views have them, unrounded."""


class ScoreSoFar(export_schema.Points):
    """A session's score after one of its matches. ``draws``: of the matches so far; ``without_points``: decided ones
    whose points nobody knows: the score is too low by them."""

    draws: int
    without_points: int


@dataclass(frozen=True)
class HalfTimeOdds:
    """What was said when round 1 was over. ``to_beat``, ``limit_seconds``, ``par``: seconds; ``par``: of attacks with
    that limit, null: unknown; ``chance``: 0 to 1, that the second attack wins, null: too few attacks; ``attacks``: on
    the map with any limit, that it was learned from; ``came_true``: whether the second attack won, null where that is
    not held against what was said."""

    to_beat: int
    limit_seconds: int | None
    attacks: int
    par: int | None
    chance: float | None
    came_true: bool | None


class MatchResource(export_schema.Match):
    """A match as the export has it, and: ``score``: of the session after it; ``teams``: what they are called;
    ``without_identity``: names of who is in its numbers and in no total; ``record``: its attack that was the fastest on
    its map so far; ``half_time``: null where nothing was said then."""

    key: str
    session_key: str
    policy: str
    score: ScoreSoFar
    teams: dict[Literal["A", "B"], str]
    players: list[PlayerOfMatch]
    without_identity: list[str]
    substitutions: list[str]
    record: FastestAttack | None
    half_time: HalfTimeOdds | None
    url: str
    self: str


class RoundResource(export_schema.Round):
    """A round as the export has it, with its session, match and receipt; null of one whose file can't be read."""

    session_key: str | None
    match_key: str | None
    receipt: str | None
    url: str
    self: str


class Receipt(TypedDict):
    """What `slomix explain` says of a round, schema `slomix.receipt/1`. It has more keys than these: what became of the
    round, and each source of it. ``player``: of the one that was asked for, field by field."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]  # how pydantic wants it

    schema: Literal["slomix.receipt/1"]
    key: str
    file: dict[str, Any]
    checks: list[dict[str, Any]]
    player: dict[str, Any] | None
    url: str
    self: str


@ROUTER.get("/matches/{key}", response_model=MatchResource)
def match(request: Request, key: str) -> Response:
    """One match: result, what it rests on, and every player's numbers."""

    def make(moment: Moment, asked: Asked) -> dict[str, Any]:
        found = site_reading.match_of(moment.conn, key)
        if found is None:
            raise nothing_near(moment, "match", key)
        session_key, match_key = found
        if match_key != key:
            raise Moved(url_of("matches", match_key))
        seen = next(one for one in reading.matches(moment.conn, [session_key]) if one.key == key)
        evidence = session_evidence.session_evidence(moment.conn, session_key)
        return {
            **match_as_json(next(one for one in evidence.matches if one.position == seen.position)),
            "key": key,
            "session_key": session_key,
            "policy": seen.policy,
            "score": {
                "A": seen.score_a,
                "B": seen.score_b,
                "draws": seen.draws,
                "without_points": seen.without_points,
            },
            "teams": {team: seen.teams[team].shown for team in Team},
            "players": [PlayerOfMatch(**_totals(player), **player_links(player.guid)) for player in seen.players],
            "without_identity": list(seen.without_identity),
            "substitutions": list(seen.substitutions),
            "record": seen.record,
            "half_time": _half_time(seen),
            "url": url_of("matches", key),
            "self": api_url("matches", key),
        }

    return answer(request, make)


def _half_time(match: MatchSeen) -> HalfTimeOdds | None:
    said = match.half_time
    if said is None:
        return None
    came_true = None if said.chance is None else second_attack_won(match)
    return HalfTimeOdds(said.to_beat, said.limit_seconds, said.attacks, said.par, said.chance, came_true)


def _totals(player: PlayerTotals) -> dict[str, Any]:
    """His numbers, without the match that each row names."""
    return {name: getattr(player, name) for name in PlayerTotals.__dataclass_fields__}


@ROUTER.get("/rounds/{key}", response_model=RoundResource)
def round_(request: Request, key: str) -> Response:
    """One round: what became of it, and every player's own numbers. Also one whose file can't be read."""

    def make(moment: Moment, asked: Asked) -> dict[str, Any]:
        conn, session_key = moment.conn, site_reading.session_of_round(moment.conn, key)
        of_match = site_reading.match_of(conn, key)
        if session_key is not None:
            rows = session_rounds.session_rounds(conn, session_key)
            said = round_as_json(next(one for one in rows if one.round_key == key))
        else:
            lost = session_rounds.lost_file(conn, key)
            if lost is None:
                raise nothing_near(moment, "round", key)
            said = lost_round_as_json(moment.conn, lost, request.app.state.settings)
        return {
            **said,
            "session_key": session_key,
            "match_key": of_match and of_match[1],
            "receipt": api_url("rounds", key, "receipt") if session_key is not None else None,
            "url": url_of("rounds", key),
            "self": api_url("rounds", key),
        }

    return answer(request, make)


@ROUTER.get("/rounds/{key}/receipt", response_model=Receipt)
def receipt(
    request: Request,
    key: str,
    player: Annotated[
        str | None, Query(max_length=40, description="The GUID of a player: how his numbers came out.")
    ] = None,
) -> Response:
    """Where each number of a round comes from: file, pairing, length, checks."""

    def make(moment: Moment, asked: Asked) -> dict[str, Any]:
        prepared = site_reading.receipt(moment.conn, key)
        if prepared is None:
            if site_reading.session_of_round(moment.conn, key) is None:
                raise nothing_near(moment, "round", key)
            raise NotHere("The receipt of this round is being made.", [Link(url_of("rounds", key), key)])
        part = None
        if player is not None:
            found = player_part(moment.conn, key, player, prepared)
            if found is None:
                there = [one["guid"] for one in prepared.get("players", ())]
                own = url_of("rounds", key, "receipt")
                raise NotHere(
                    f"No {player} played in it.", [Link(f"{own}?{urlencode({'player': guid})}", guid) for guid in there]
                )
            part = found[0] | {"line": found[1]}
        return prepared | {"player": part, "url": url_of("rounds", key), "self": api_url("rounds", key, "receipt")}

    return answer(request, make)
