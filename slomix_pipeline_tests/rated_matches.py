"""Matches of real files as the model of attack times takes them."""

from collections import Counter
from collections.abc import Mapping

from slomix_pipeline.rules.attack_model import Dealt, RatedMatch, roster
from slomix_pipeline.rules.par import Attack
from slomix_pipeline.rules.scoring import Faster, MatchResult, Winner, score_match
from slomix_pipeline.rules.values import FiledRound, attackers_side
from slomix_pipeline_tests.real_files import Session, known


def rated_matches(sessions: Mapping[str, Session]) -> list[RatedMatch]:
    """All matches of sessions that are decided or a draw."""
    return [
        rated
        for night, session in sessions.items()
        for first, second in session.matches
        if (rated := _rated(night, session, first, second))
    ]


def _rated(night: str, session: Session, first: FiledRound, second: FiledRound) -> RatedMatch | None:
    sides = [session.lineups[r.key].sides for r in (first, second) if r.key in session.lineups]
    if len(sides) < 2:
        return None
    result = score_match(first.stats.header, second.stats.header, sides[0], sides[1], session.teams.team_of)
    attacks = result.first, result.second
    if result.winner is None or any(a.seconds is None or a.completed is None or a.team is None for a in attacks):
        return None
    winner = Faster.DRAW if result.winner is Winner.DRAW else _faster(result)
    side = attackers_side(first.stats.header)
    first_team: Counter[str] = Counter()
    second_team: Counter[str] = Counter()
    for filed, attacking, defending in ((first, first_team, second_team), (second, second_team, first_team)):
        for player in session.players[filed.key]:
            if player.side:
                (attacking if player.side == side else defending)[player.guid] += known(player.seconds_played)
    return RatedMatch(
        first.key,
        second.stamp,
        night,
        first.map_name,
        known(first.stats.header.limit_seconds),
        Attack(known(result.first.seconds), bool(result.first.completed)),
        Attack(known(result.second.seconds), bool(result.second.completed)),
        winner,
        roster(first_team),
        roster(second_team),
        tuple(
            {
                p.guid: Dealt(known(p.seconds_played), known(p.counters["damage_given"]))
                for p in session.players[filed.key]
            }
            for filed in (first, second)
        ),
    )


def _faster(result: MatchResult) -> Faster:
    return Faster.FIRST if str(result.winner) == result.first.team else Faster.SECOND
