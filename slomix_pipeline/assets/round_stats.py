"""Stage 3: the round-2 differential: what became of each round, and every player's own numbers."""

from collections.abc import Collection, Sequence

import dagster as dg

from slomix_pipeline.assets.common import Conn, for_touched_sessions, round_asset
from slomix_pipeline.checks.layers import report
from slomix_pipeline.checks.outcomes import comparison_outcome, laws_outcome, pairing_outcome, plausibility_outcome
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import comparisons, results
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.placing import work_out_session
from slomix_pipeline.warehouse.rework import rules_in_force

_CHECKS = (
    CheckName.PAIRING,
    CheckName.CONSERVATION_LAWS,
    CheckName.PLAUSIBILITY,
    CheckName.SEVEN_COMPARISONS,
)


@round_asset(
    "round_stats",
    stage="differential",
    kinds={"postgres", "python"},
    deps=["parsed_round"],
    description="Round 2 minus round 1, field by field, for every round of the sessions these rounds belong to; "
    "with pairing, status and validity. Numbers that can't be known are null.",
)
def round_stats(context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]) -> dg.MaterializeResult:
    outcomes: dict[CheckName, dict[str, Outcome]] = {name: {} for name in _CHECKS}

    def recompute(conn: Conn, server: str, session: list[Stamped]) -> None:
        for name, found in place_session(conn, server, session, context.partition_keys).items():
            outcomes[name] |= found

    for_touched_sessions(database, context.partition_keys, recompute, placed=False)
    with database.connect() as conn:
        totals = comparisons.totals(conn, context.partition_keys)
        checks = [report(context, conn, name, found) for name, found in outcomes.items()]
    return dg.MaterializeResult(metadata={name: int(value) for name, value in totals.items()}, check_results=checks)


def place_session(
    conn: Conn, server: str, session: Sequence[Stamped], own: Collection[str]
) -> dict[CheckName, dict[str, Outcome]]:
    """Works out and stores the rounds of a session with the timing records that are known by now. Returns what the
    checks find, by check and round.

    ``own``: the rounds that this is done for; what is stored of them and their partners is compared with the files.
    """
    settings = load_settings()
    rounds, found = work_out_session(conn, settings, server, session)
    results.store_rounds(conn, found, rules_in_force(settings))
    placed, players = found.placed, found.players
    outcomes: dict[CheckName, dict[str, Outcome]] = {name: {} for name in _CHECKS}
    # One file can change the place of every round of its session, and with it what the checks find.
    for key, entry in rounds.items():
        place = placed[key]
        partner = rounds[place.partner] if place.partner else None
        outcomes[CheckName.PAIRING][key] = pairing_outcome(entry, place, partner)
        outcomes[CheckName.CONSERVATION_LAWS][key] = laws_outcome(
            entry, place, players, partner if place.goes_on else None
        )
        outcomes[CheckName.PLAUSIBILITY][key] = plausibility_outcome(entry, place, players)
    asked = set(own) & placed.keys()
    for key in asked | {other for key in asked if (other := placed[key].partner)}:
        outcomes[CheckName.SEVEN_COMPARISONS][key] = comparison_outcome(
            comparisons.differences(conn, key, players[key])
        )
    return outcomes
