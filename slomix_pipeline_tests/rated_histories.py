"""Histories of matches whose truth is known: attack times drawn as the model says, by players of known strength."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from math import exp, log
from random import Random

from slomix_pipeline.rules.attack_model import Dealt, RatedMatch, Roster, roster
from slomix_pipeline.rules.par import Attack
from slomix_pipeline.rules.scoring import Faster

NOISE = 0.45
STRENGTH_SD = 0.2
SPLITS_TRIED = 3  # of which people take the one that looks most even to them
LIMITS = {"tile": 600, "quarry": 720, "harbour": 720, "canal": 900, "depot": 900, "mill": 1200}
USUAL = {"tile": 240, "quarry": 290, "harbour": 430, "canal": 560, "depot": 720, "mill": 640}
BEGIN = datetime(2025, 1, 1, 20, tzinfo=UTC)


@dataclass(frozen=True)
class History:
    """Matches, and the strengths they were drawn by."""

    matches: list[RatedMatch]
    strengths: dict[str, float]

    def lead(self, match: RatedMatch) -> float:
        """By how much the team that attacked first was truly stronger."""
        return _mean(match.first_team, self.strengths) - _mean(match.second_team, self.strengths)


def _mean(team: Roster, values: Mapping[str, float]) -> float:
    return sum(share * values[guid] for guid, share in team.shares.items())


def history(matches: int, seed: int, *, balanced: bool = True, players: int = 14) -> History:
    """So many matches in nights of 6 to 10, three to five a side. ``balanced``: teams are made by people who roughly
    know who is strong."""
    chance = Random(seed)
    strengths = {f"PLAYER{number:02}": chance.gauss(0, STRENGTH_SD) for number in range(players)}
    damage = {guid: 0.5 * own * 0.75 + chance.gauss(0, 0.13) for guid, own in strengths.items()}  # correlated by a half
    played: list[RatedMatch] = []
    night = 0
    while len(played) < matches:
        lobby = chance.sample(sorted(strengths), 2 * chance.choice((3, 3, 4, 5)))
        first, second = _split(lobby, strengths, chance, SPLITS_TRIED if balanced else 1)
        for number in range(chance.randint(6, 10)):
            stamp = BEGIN + timedelta(days=night, minutes=20 * number)
            teams = (first, second) if chance.random() < 0.5 else (second, first)
            played.append(
                _match(f"{night:04}-{number:02}", f"night {night:04}", stamp, teams, strengths, damage, chance)
            )
        night += 1
    return History(played[:matches], strengths)


def _split(
    lobby: Sequence[str], strengths: Mapping[str, float], chance: Random, tried: int
) -> tuple[list[str], list[str]]:
    size = len(lobby) // 2
    rough = {guid: strengths[guid] + chance.gauss(0, 0.07) for guid in lobby}
    splits = chance.sample(list(combinations(lobby, size)), tried)
    first = min(splits, key=lambda team: abs(2 * sum(rough[guid] for guid in team) - sum(rough.values())))
    return list(first), [guid for guid in lobby if guid not in first]


def _match(
    key: str,
    night: str,
    stamp: datetime,
    teams: tuple[list[str], list[str]],
    strengths: Mapping[str, float],
    damage: Mapping[str, float],
    chance: Random,
) -> RatedMatch:
    map_name = chance.choice(sorted(LIMITS))
    limit = LIMITS[map_name]
    sides = [sum(strengths[guid] for guid in team) / len(team) for team in teams]
    times = [
        exp(log(USUAL[map_name]) - lead + chance.gauss(0, NOISE)) for lead in (sides[0] - sides[1], sides[1] - sides[0])
    ]
    first = Attack(max(1, int(times[0])), True) if times[0] < limit else Attack(limit, False)
    second = Attack(max(1, int(times[1])), True) if times[1] < first.seconds else Attack(first.seconds, False)
    rounds = tuple(
        {
            guid: Dealt(attack.seconds, 4 * attack.seconds * exp(damage[guid] + chance.gauss(0, 0.25)))
            for team in teams
            for guid in team
        }
        for attack in (first, second)
    )
    rosters = [roster({guid: float(first.seconds + second.seconds) for guid in team}) for team in teams]
    winner = Faster.SECOND if second.completed else Faster.FIRST if first.completed else Faster.DRAW
    return RatedMatch(key, stamp, night, map_name, limit, first, second, winner, rosters[0], rosters[1], rounds)


def with_rosters_exchanged(matches: Sequence[RatedMatch], seed: int) -> list[RatedMatch]:
    """The same matches, each with its teams exchanged by a coin: nobody is stronger than anybody any more."""
    chance = Random(seed)
    return [
        replace(m, first_team=m.second_team, second_team=m.first_team) if chance.random() < 0.5 else m for m in matches
    ]


def rank_correlation(found: Mapping[str, float], truth: Mapping[str, float]) -> float:
    """Spearman's, of the players that both know."""
    both = sorted(found.keys() & truth.keys())
    ranks = [{guid: at for at, guid in enumerate(sorted(both, key=values.__getitem__))} for values in (found, truth)]
    squares = sum((ranks[0][guid] - ranks[1][guid]) ** 2 for guid in both)
    return 1 - 6 * squares / (len(both) * (len(both) ** 2 - 1))
