"""The golden night: do the rules in force still give the result that a community knows?

Belongs here: playing it through the rules, without a database. The night itself is in ``simulator.golden``.
"""

from datetime import UTC, datetime

import dagster as dg

from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.rounds import work_out
from slomix_pipeline.rules.score_policies import points
from slomix_pipeline.rules.scoring import Half, ScoredMatch, score_session
from slomix_pipeline.rules.teams import Lineup, assign_teams
from slomix_pipeline.rules.values import FiledRound

ENDED = datetime(2026, 2, 2, 23, 30, tzinfo=UTC)


@dg.asset_check(
    asset="session_report",
    description="The community's own result of 2026-02-02 (7 – 4 over 11 maps, map by map, and by every score policy) "
    "still comes out of the rules. Played anew from invented files each time; a failure means that no result of now "
    "is to be trusted.",
)
def golden_night() -> dg.AssetCheckResult:
    return check_result()


def check_result() -> dg.AssetCheckResult:
    """What the rules make of the night, held against what is known."""
    from slomix_pipeline.simulator.golden import NIGHT, POINTS

    matches = scored_night()
    winners = "".join(match.result.winner or "-" for match in matches)
    expected = "".join(won.winner for won in NIGHT)
    given = {policy: _points(policy, matches) for policy in POINTS}
    return dg.AssetCheckResult(
        passed=winners == expected and given == POINTS,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "winners": winners,
            "as the community knows it": expected,
            **{policy: f"A {a} - {b} B" for policy, (a, b) in given.items()},
        },
    )


def scored_night() -> list[ScoredMatch]:
    """The golden night from the bytes of its files to its results, by the rules alone."""
    from slomix_pipeline.formats.gamestats import parse
    from slomix_pipeline.simulator.golden import golden_night as played

    rounds = [FiledRound(r.stem, r.stamp, r.label, parse(r.stats_bytes)) for r in played(ENDED, UTC).rounds]
    found = work_out(rounds, DEFAULT_WINDOW, ())
    sides = {key: {p.guid: p.side for p in players if p.side} for key, players in found.players.items()}
    placed = found.placed
    teams = assign_teams([Lineup(r.key, placed[r.key].number, sides[r.key]) for r in rounds])
    halves = [
        Half(
            r.key,
            placed[r.key].partner,
            placed[r.key].match_key,
            placed[r.key].number,
            placed[r.key].status,
            placed[r.key].reason,
            found.validities[r.key].unscored_reason,
            r.map_name,
            r.stats.header,
            sides[r.key],
        )
        for r in rounds
    ]
    return score_session(halves, teams.team_of)


def _points(policy: str, matches: list[ScoredMatch]) -> tuple[int, int]:
    given = [points(policy, match.result.winner, match.result.both_completed) for match in matches]
    return sum(p.a for p in given if p), sum(p.b for p in given if p)
