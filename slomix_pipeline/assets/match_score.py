"""Stage 7: the stopwatch score: who won each match, and why."""

from typing import Any

import dagster as dg

from slomix_pipeline.assets.common import Conn, for_stored_sessions, round_asset
from slomix_pipeline.rules.scoring import POLICY, score_session
from slomix_pipeline.warehouse import results
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
        matches = score_session(results.halves(conn, session_key), results.load_teams(conn, session_key))
        results.store_matches(conn, session_key, matches)
        winners = [match.result.winner for match in matches]
        for winner in winners:
            won[winner] += 1
        scores[session_key] = f"A {winners.count('A')} - {winners.count('B')} B, {winners.count('draw')} draws"

    for_stored_sessions(database, context.partition_keys, recompute)
    metadata: dict[str, Any] = {
        "maps won by A": won["A"], "maps won by B": won["B"], "draws": won["draw"], "not counted": won[None],
        "score": dg.MetadataValue.json(dict(sorted(scores.items())[-50:])),
    }  # fmt: skip
    return dg.MaterializeResult(metadata=metadata)
