"""Stage 3: the round-2 differential: what became of each round, and every player's own numbers."""

from zoneinfo import ZoneInfo

import dagster as dg

from slomix_pipeline.assets.common import Conn, for_touched_sessions, round_asset
from slomix_pipeline.checks.layers import report
from slomix_pipeline.checks.outcomes import comparison_outcome, laws_outcome, pairing_outcome, plausibility_outcome
from slomix_pipeline.rules.rounds import work_out
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import comparisons, overrides, parsed, results
from slomix_pipeline.warehouse.check_results import Outcome
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.rework import rules_in_force


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
    outcomes: dict[str, dict[str, Outcome]] = {
        "pairing": {}, "conservation_laws": {}, "plausibility": {}, "seven_comparisons": {},
    }  # fmt: skip

    def recompute(conn: Conn, server: str, session: list[Stamped]) -> None:
        rounds = {entry.key: entry for entry in parsed.load_rounds(conn, [entry.key for entry in session])}
        seen = results.second_rounds_seen(conn, server, session, ZoneInfo(settings.timezone))
        placed, players, validities = work_out(
            rounds.values(), settings.pairing_window, settings.filler_maps, seen, overrides.in_force(conn, server)
        )
        results.store_rounds(conn, placed, validities, players, rules_in_force(settings))
        # One file can change the place of every round of its session, and with it what the checks find.
        for key, entry in rounds.items():
            place = placed[key]
            partner = rounds[place.partner] if place.partner else None
            outcomes["pairing"][key] = pairing_outcome(entry, place, partner)
            outcomes["conservation_laws"][key] = laws_outcome(
                entry, place, players[key], partner if place.number == 2 else None
            )
            outcomes["plausibility"][key] = plausibility_outcome(entry, place, players)
        partners = {place.partner for key in own & placed.keys() if (place := placed[key]).partner}
        for key in (own | partners) & players.keys():
            off = comparisons.differences(conn, key, players[key])
            outcomes["seven_comparisons"][key] = comparison_outcome(off)

    for_touched_sessions(database, context.partition_keys, recompute, placed=False)
    with database.connect() as conn:
        totals = comparisons.totals(conn, context.partition_keys)
        checks = [report(context, conn, name, found) for name, found in outcomes.items()]
    return dg.MaterializeResult(metadata={name: int(value) for name, value in totals.items()}, check_results=checks)
