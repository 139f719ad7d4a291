"""Stage 7: the stopwatch score: who won each match, and why."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from psycopg.rows import DictRow

from slomix_pipeline.assets.common import Conn, for_stored_sessions, round_asset
from slomix_pipeline.formats.gamestats import Header
from slomix_pipeline.rules.scoring import POLICY, MatchResult, attacking_team, score_match
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse import parsed, results
from slomix_pipeline.warehouse.database import Database


@round_asset(
    "match_score",
    stage="stopwatch score",
    kinds={"postgres", "python"},
    deps=["session_teams"],
    description=f"The result of every match under the policy {POLICY}: one point per map for the faster attack. "
    "What can't be decided is not counted, which is another thing than a draw.",
)
def match_score(context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]) -> dg.MaterializeResult:
    scores: dict[str, str] = {}
    won = {"A": 0, "B": 0, "draw": 0, None: 0}

    def recompute(conn: Conn, session_key: str) -> None:
        rounds = results.lineups(conn, session_key)
        teams = results.load_teams(conn, session_key)
        headers = parsed.headers(conn, [r["round_key"] for r in rounds])
        matches = [(first, second, _result(first, second, headers, teams)) for first, second in _matches(rounds)]
        results.store_matches(conn, session_key, matches)
        winners = [result.winner for _, _, result in matches]
        for winner in winners:
            won[winner] += 1
        scores[session_key] = f"A {winners.count('A')} - {winners.count('B')} B, {winners.count('draw')} draws"

    for_stored_sessions(database, context.partition_keys, recompute)
    metadata: dict[str, Any] = {
        "maps won by A": won["A"], "maps won by B": won["B"], "draws": won["draw"], "not counted": won[None],
        "score": dg.MetadataValue.json(dict(sorted(scores.items())[-50:])),
    }  # fmt: skip
    return dg.MaterializeResult(metadata=metadata)


def _matches(rounds: list[DictRow]) -> list[tuple[DictRow, DictRow | None]]:
    """The rounds of a session as matches in play order: the first round, and the second where there is one."""
    by_key = {r["round_key"]: r for r in rounds}
    return [(r, by_key.get(r["partner_key"])) for r in rounds if r["round_key"] == r["match_key"]]


def _result(
    first: DictRow, second: DictRow | None, headers: Mapping[str, Header], teams: Mapping[str, str]
) -> MatchResult:
    if second is None or first["status"] != Status.COMPLETE:
        attackers = attacking_team(headers[first["round_key"]], first["sides"], teams) if first["number"] == 1 else None
        return MatchResult(None, None, first["reason"] or f"the match is {first['status']}", attackers)
    if unscored := first["unscored_reason"] or second["unscored_reason"]:
        return MatchResult(None, None, unscored)
    return score_match(
        headers[first["round_key"]], headers[second["round_key"]], first["sides"], second["sides"], teams
    )
