"""Stage 3: the round-2 differential: what became of each round, and every player's own numbers."""

from zoneinfo import ZoneInfo

import dagster as dg

from slomix_pipeline.assets.common import Conn, for_touched_sessions, round_asset
from slomix_pipeline.checks.layers import Outcome, report
from slomix_pipeline.rules.pairing import pair_rounds
from slomix_pipeline.rules.rounds import own_numbers
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.validity import why_invalid
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import comparisons, parsed, results
from slomix_pipeline.warehouse.database import Database


@round_asset(
    "round_stats",
    stage="differential",
    kinds={"postgres", "python"},
    deps=["parsed_round"],
    description="Round 2 minus round 1, field by field, for every round of the sessions these rounds belong to; "
    "with pairing, status and validity. Numbers that can't be known are null.",
)
def round_stats(context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]) -> dg.MaterializeResult:
    settings = load_settings()
    own = set(context.partition_keys)
    compared: dict[str, Outcome] = {}

    def recompute(conn: Conn, server: str, session: list[Stamped]) -> None:
        rounds = parsed.load_rounds(conn, [entry.key for entry in session])
        seen = results.second_rounds_seen(conn, server, session, ZoneInfo(settings.timezone))
        placed = pair_rounds(rounds, settings.pairing_window, seen)
        invalid = {
            entry.key: why_invalid(placed[entry.key].status, entry.map_name, entry.stats, settings.filler_maps)
            for entry in rounds
        }
        players = own_numbers(rounds, placed)
        results.store_rounds(conn, placed, invalid, players)
        # A round 1 that came late makes its round 2's numbers too, whose outcome is no longer that of an orphan.
        partners = {partner for key in own & placed.keys() if (partner := placed[key].partner)}
        for key in (own | partners) & players.keys():
            off = comparisons.differences(conn, key, players[key])
            worst = max(off.values())
            compared[key] = Outcome(worst == 0, off, error=worst > comparisons.TOLERANCE)

    for_touched_sessions(database, context.partition_keys, recompute, placed=False)
    with database.connect() as conn:
        totals = comparisons.totals(conn, context.partition_keys)
        check = report(context, conn, "seven_comparisons", compared)
    return dg.MaterializeResult(metadata={name: int(value) for name, value in totals.items()}, check_results=[check])
