"""Invented facts of sessions for the tests of pictures: sensible where a test does not say otherwise.

Does not belong here: facts that went through the database (``stages.test_session_pictures``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from slomix_pipeline.charts.facts import AttackFacts, MatchFacts, PlayerFacts, RoundFacts, SessionFacts
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import UNNAMED, TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.timing import AttackEnd

HOSTILE = (
    "<script>alert(1)</script>",
    "datum.value + 1",
    "'; drop table post; --",
    "@everyone **x** `y`",
    "\u202egnp.exe \x1b[31m",
    "ž" * 60,
    "x\u0301" * 200,
    "{{name}} ${name} %s",
    "",
    "👩🏽\u200d🚀" * 20,
    "ура льская сова",
    'a"b\\c\nd',
)


def made_match(map_name: str = "supply", winner: Winner | None = Winner.A, **values: Any) -> MatchFacts:
    """A match that team A attacked first: 6:42, and held for that time."""
    attacks = (
        AttackFacts(Team.A, AttackEnd.COMPLETED, 402, 720),
        AttackFacts(Team.B, AttackEnd.HELD, 402, 402),
    )
    return replace(MatchFacts(map_name, winner, False, attacks, 1, 0), **values)


def made_player(name: str = "ada", team: Team | None = Team.A, **values: Any) -> PlayerFacts:
    """A player without anything usual."""
    known = PlayerFacts(name, team, 41, 32, 41 / 32, 312.4, 12345, None, None, {"1-1": 305.0, "1-2": 320.6})
    return replace(known, **values)


def made_session(
    players: Sequence[PlayerFacts] = (made_player(), made_player("bob", Team.B)),
    matches: Sequence[MatchFacts] = (made_match(),),
    teams: Mapping[str, TeamName] = UNNAMED,
    **values: Any,
) -> SessionFacts:
    """A session of these matches, with two rounds each."""
    rounds = tuple(
        RoundFacts(f"{at}-{number}", at, number, match.map_name)
        for at, match in enumerate(matches, start=1)
        for number in (1, 2)
    )
    known = SessionFacts(
        day=date(2026, 3, 14),
        ended_at=datetime(2026, 3, 14, 22, 30, tzinfo=UTC),
        winner=Winner.A,
        score_a=1,
        score_b=0,
        counted=len(matches),
        without_points=0,
        teams=teams,
        matches=tuple(matches),
        rounds=rounds,
        players=tuple(players),
        usual_from=10,
    )
    return replace(known, **values)


def hostile_session(count: int = 40, matches: int = 12) -> SessionFacts:
    """Many players, maps and teams whose names try everything."""
    played = [
        made_match(HOSTILE[at % len(HOSTILE)], (*Winner, None)[at % 4], score_a=at, score_b=at // 2)
        for at in range(matches)
    ]
    keys = [f"{at}-{number}" for at in range(1, matches + 1) for number in (1, 2)]
    players = [
        made_player(
            HOSTILE[at % len(HOSTILE)],
            (Team.A, Team.B, None)[3 * at // count],
            kd=None if at % 5 == 0 else at / 7,
            usual_dpm=None if at % 3 else 250.0 + at,
            round_dpm={
                key: None if place % 11 == 0 else 40.0 * (place % 9 + at % 4)
                for place, key in enumerate(keys[at % 3 :])
            },
        )
        for at in range(count)
    ]
    teams: dict[str, TeamName] = {
        team: replace(UNNAMED[team], name=HOSTILE[place], colour=0) for place, team in enumerate(Team)
    }
    return made_session(players, played, teams, score_a=matches - 1, score_b=(matches - 1) // 2, without_points=1)
