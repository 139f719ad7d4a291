"""The golden night: do the rules in force still give the result that a community knows?

Belongs here: playing it through the rules, without a database. The night itself is in ``simulator.golden``.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.score_policies import points
from slomix_pipeline.rules.scoring import ScoredMatch
from slomix_pipeline.rules.session_result import session_result
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


def scored_night() -> Sequence[ScoredMatch]:
    """The golden night from the bytes of its files to its results, by the rules alone."""
    from slomix_pipeline.formats.gamestats import parse
    from slomix_pipeline.simulator.golden import golden_night as played

    rounds = [FiledRound(r.stem, r.stamp, r.label, parse(r.stats_bytes)) for r in played(ENDED, UTC).rounds]
    return session_result(rounds, DEFAULT_WINDOW, ()).matches


def _points(policy: str, matches: Sequence[ScoredMatch]) -> tuple[int, int]:
    given = [points(policy, match.result.winner, match.result.both_completed) for match in matches]
    return sum(p.a for p in given if p), sum(p.b for p in given if p)
