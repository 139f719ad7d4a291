"""A made-up history of rounds whose truth is known: what everybody's rates are by, and how far rounds scatter."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import exp

from slomix_pipeline.rules.expected import Line, PlayedRound

MAPS = {"supply": 0.1, "te_escape2": -0.1, "et_brewdog": 0.0}
ATTACK = -0.12
DAMAGE, KILLS = 320.0, 1.3  # per minute
_FIRST = datetime(2026, 1, 1, 20, tzinfo=UTC)


def history(
    seed: int, skill: Mapping[str, float], nights: int, scatter: float = 0.2, per_team: int = 3
) -> list[PlayedRound]:
    """Nights of six maps, both rounds of each; teams are drawn by lot every night. ``skill``: what is added to the
    logarithm of somebody's rates; ``scatter``: the sd of that logarithm within a round."""
    lot, rounds = random.Random(seed), []
    for night in range(nights):
        there = lot.sample(sorted(skill), 2 * per_team)
        for number in range(12):
            map_name = list(MAPS)[number // 2 % 3]
            played_at = _FIRST + timedelta(days=night, minutes=12 * number)
            seconds = lot.randint(240, 720)
            lines = []
            for place, guid in enumerate(there):
                side = 1 + place // per_team
                attack = 0.5 if side == 1 + number % 2 else -0.5
                rate = exp(MAPS[map_name] + ATTACK * attack + skill[guid] + lot.gauss(0, scatter)) * seconds / 60
                lines.append(Line(guid, side, seconds, round(DAMAGE * rate), round(KILLS * rate)))
            key = f"main:{played_at:%Y-%m-%d-%H%M%S}"
            rounds.append(PlayedRound(key, f"night {night:03}", played_at, map_name, 1 + number % 2, tuple(lines)))
    return rounds
