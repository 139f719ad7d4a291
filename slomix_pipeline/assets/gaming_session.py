"""Stage 5: the gaming sessions: rounds whose stamps follow each other within the gap."""

from typing import Any

import dagster as dg

from slomix_pipeline.assets.common import Conn, for_touched_sessions, round_asset
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.warehouse import results
from slomix_pipeline.warehouse.database import Database


@round_asset(
    "gaming_session",
    stage="gaming session",
    kinds={"postgres", "python"},
    deps=["round_timing"],
    description="The gaming sessions of these rounds, by their stamps and what people decided: the same for any order "
    "of arrival. A file that falls into a hole merges two sessions.",
)
def gaming_session(context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]) -> dg.MaterializeResult:
    sessions: dict[str, int] = {}

    def recompute(conn: Conn, server: str, session: list[Stamped]) -> None:
        sessions[results.store_session(conn, server, session)] = len(session)

    for_touched_sessions(database, context.partition_keys, recompute)
    metadata: dict[str, Any] = {
        "sessions": len(sessions),
        "rounds": sum(sessions.values()),
        "session": dg.MetadataValue.json(dict(sorted(sessions.items())[-50:])),
    }
    return dg.MaterializeResult(metadata=metadata)
