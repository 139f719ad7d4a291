"""Stage 6: teams A and B of each session, by GUID, over the side swaps."""

from typing import Any

import dagster as dg

from slomix_pipeline.assets.common import Conn, for_stored_sessions, round_asset
from slomix_pipeline.rules.teams import Lineup, assign_teams
from slomix_pipeline.warehouse import results
from slomix_pipeline.warehouse.database import Database


@round_asset(
    "session_teams",
    stage="teams",
    kinds={"postgres", "python"},
    deps=["gaming_session"],
    description="Who played for team A and who for B in each session. A is who stood on the Axis side in the "
    "earliest valid round 1. A player who can't be told stays open.",
)
def session_teams(context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]) -> dg.MaterializeResult:
    sizes: dict[str, dict[str, int]] = {}

    def recompute(conn: Conn, session_key: str) -> None:
        scored = [half for half in results.halves(conn, session_key) if half.unscored_reason is None]
        teams = assign_teams([Lineup(half.key, half.number, half.sides) for half in scored])
        open_players = results.store_teams(conn, session_key, teams)
        found = list(teams.values())
        sizes[session_key] = {"A": found.count("A"), "B": found.count("B"), "open": open_players}

    for_stored_sessions(database, context.partition_keys, recompute)
    metadata: dict[str, Any] = {
        "players": sum(sum(size.values()) for size in sizes.values()),
        "open": sum(size["open"] for size in sizes.values()),
        "teams": dg.MetadataValue.json(dict(sorted(sizes.items())[-50:])),
    }
    return dg.MaterializeResult(metadata=metadata)
