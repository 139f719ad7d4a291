"""What pictures are made of: the facts of a session, as rows, and of a map.

Belongs here: their shape; None is unknown. Does not belong here: reading them (``warehouse.session_facts``,
``warehouse.maps``), Altair.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from slomix_pipeline.rules.par import HoldingCurve
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.timing import AttackEnd


@dataclass(frozen=True)
class AttackFacts:
    """An attack. ``seconds``: how long it took; ``limit``: how long it might have."""

    team: Team | None
    end: AttackEnd
    seconds: float | None
    limit: int | None


@dataclass(frozen=True)
class MatchFacts:
    """A match, with the session's score after it. ``winner`` None: not counted."""

    map_name: str
    winner: Winner | None
    broken_off: bool
    attacks: tuple[AttackFacts, ...]
    score_a: int
    score_b: int


@dataclass(frozen=True)
class RoundFacts:
    """A round that counts. ``match``: which of the session's it belongs to, from 1."""

    key: str
    match: int
    number: int
    map_name: str


@dataclass(frozen=True)
class PlayerFacts:
    """A player's session. ``usual_…``: of his career before it, None where that is too short to tell; ``round_dpm``: by
    key of the rounds he was in."""

    name: str
    team: Team | None
    kills: int | None
    deaths: int | None
    kd: float | None
    dpm: float | None
    damage_given: int | None
    usual_kd: float | None
    usual_dpm: float | None
    round_dpm: Mapping[str, float | None]


@dataclass(frozen=True)
class SessionFacts:
    """A session. ``day``: by the server's clock; ``winner`` None: open, or nothing counts; ``players``: as the report
    lists them; ``usual_from``: rounds that it takes to have something usual."""

    day: date
    ended_at: datetime
    winner: Winner | None
    score_a: int
    score_b: int
    counted: int
    without_points: int
    teams: Mapping[str, TeamName]
    matches: tuple[MatchFacts, ...]
    rounds: tuple[RoundFacts, ...]
    players: tuple[PlayerFacts, ...]
    usual_from: int


@dataclass(frozen=True)
class MapFacts:
    """A map. ``sentence``: all of it in words; ``apart``: the curves of first and of second attacks, where one is not
    right for both; ``record``: seconds of the fastest attack."""

    name: str
    sentence: str
    limit_seconds: int | None
    curve: HoldingCurve
    apart: tuple[HoldingCurve, HoldingCurve] | None
    record: int | None
