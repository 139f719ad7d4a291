"""The shape of ``slomix export``, schema ``slomix.session/1``: what ``docs/session.schema.json`` is made from.

Belongs here: every key with its type. What the values are is in ``export``; more keys may come, none goes.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

Team = Literal["A", "B"]
Side = Literal["axis", "allies"]
Status = Literal["complete", "r1_only", "r2_only", "aborted", "superseded", "ambiguous"]
Reasons = list[str]


class _Strict(TypedDict):
    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]  # how pydantic wants it


class Session(_Strict):
    """Times are ISO 8601 in UTC with a Z."""

    key: str
    server: str
    started_at: str
    ended_at: str


class Grade(_Strict):
    letter: Literal["A", "B", "C", "D"]
    reasons: Reasons


class Person(_Strict):
    guid: str
    name: str


class TeamEntry(_Strict):
    name: str
    shown: str
    name_source: Literal["known", "tag", "letter"]
    colour: str | None
    players: list[Person]


class OpenPlayer(_Strict):
    guid: str
    name: str | None
    reason: str


class Flag(_Strict):
    kind: str
    team: Team | None
    rounds: list[str]
    players: list[str]
    gone: list[str]
    text: str


class Teams(_Strict):
    A: TeamEntry
    B: TeamEntry
    confidence: Literal["high", "medium", "low"] | None
    reasons: Reasons
    open: list[OpenPlayer]
    flags: list[Flag]


class Score(_Strict):
    """A and B are points by the policy; ``without_points``: decided matches whose points nobody knows."""

    A: int
    B: int
    draws: int
    not_counted: int
    without_points: int
    policy: str


class Points(_Strict):
    A: int
    B: int


class Time(_Strict):
    """A round's attack on the stopwatch: a copy of the limit where it was not completed."""

    seconds: int | None
    completed: bool | None


class Match(_Strict):
    order: int
    map: str
    winner: Literal["A", "B", "draw"] | None
    status: Status
    source: Literal["header", "time", "override"] | None
    confidence: Literal["verified_header", "time_fallback", "ambiguous", "missing"] | None
    disputed: bool | None
    reason: str
    points: Points | None
    attackers_first: Team | None
    attackers_side: Side | None
    times: list[Time]
    r1: str | None
    r2: str | None


class Player(_Strict):
    guid: Annotated[str, Field(pattern=r"^[!-~]{1,8}$")]
    name: str
    side: Side | None
    team: Team | None
    kills: int | None
    deaths: int | None
    damage_given: int | None
    damage_received: int | None
    headshots: int | None
    hits: int | None
    shots: int | None
    gibs: int | None
    self_kills: int | None
    seconds_played: int | None
    dpm: float | None
    accuracy: float | None
    revives_given: int | None
    xp: int | None
    flags: list[str]


class Round(_Strict):
    key: str
    map: str | None
    round: Literal[1, 2] | None
    status: Status | Literal["quarantined"]
    valid: bool
    reason: str | None
    ended_at: str
    duration_seconds: float | None
    duration_source: Literal["attack_time", "measured", "timing", "players", "limit"] | None
    stopwatch: str | None
    surrendered: Side | Literal["nobody"] | None
    timing_status: Literal["ALIGNED", "MINOR DIFF", "DISCREPANCY", "NO LUA DATA"]
    flags: list[str]
    players: list[Player]


class Decision(_Strict):
    round: str
    id: int
    kind: Literal["team", "winner", "round", "session", "pair"]
    guid: str | None
    value: str
    reason: str
    made_by: str
    made_at: str


class Correction(_Strict):
    notice: str
    cause: str
    found_at: str


class Export(_Strict):
    schema: Literal["slomix.session/1"]
    session: Session
    grade: Grade
    teams: Teams
    score: Score
    matches: list[Match]
    rounds: list[Round]
    decisions: list[Decision]
    corrections: list[Correction]


EXPORT: TypeAdapter[Any] = TypeAdapter(Export)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of an export. It allows keys that are not in it: more may come."""
    schema = EXPORT.json_schema()
    for part in (schema, *schema["$defs"].values()):
        part.pop("additionalProperties", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "slomix.session/1"} | schema
