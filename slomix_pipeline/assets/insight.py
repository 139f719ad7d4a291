"""The assets about all of history: what is learned from it, and how good that is. They have no partitions: each is made
anew from everything, when history is another one.

Does not belong here: any work (``stages``), when it is done (``sensors.insight``).
"""

from collections.abc import Callable, Sequence

import dagster as dg

from slomix_pipeline.assets.common import NOBODY_WAITS, OWNER
from slomix_pipeline.jobs import INSIGHT as GROUP
from slomix_pipeline.reports.forecast_words import report_markdown
from slomix_pipeline.rules.attack_model import unlikely
from slomix_pipeline.rules.expected import SUMS_WITHIN
from slomix_pipeline.rules.forecast_report import Foretells, ReportOf
from slomix_pipeline.rules.pairs import too_many
from slomix_pipeline.stages.attack_model import learn
from slomix_pipeline.stages.forecast_reports import report_forecasts
from slomix_pipeline.stages.pairs import find_pairs
from slomix_pipeline.stages.usual import learn_usual
from slomix_pipeline.warehouse import played_history
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.fitted import Model


def _of_history(
    name: str, *, deps: Sequence[str | dg.AssetDep], description: str, check: str, check_description: str
) -> Callable[[Callable[..., dg.MaterializeResult]], dg.AssetsDefinition]:
    """Declares an asset of them, with its one check."""
    return dg.asset(
        name=name,
        group_name=GROUP,
        owners=[OWNER],
        kinds={"postgres", "python"},
        tags={"stage": "insight"},
        op_tags=NOBODY_WAITS,
        deps=list(deps),
        description=description,
        check_specs=[dg.AssetCheckSpec(check, asset=name, description=check_description)],
    )


_MATCHES = dg.AssetDep("match_score", partition_mapping=dg.AllPartitionMapping())


@_of_history(
    "attack_model",
    deps=[_MATCHES],
    description="How long attacks take: on each map, second ones, by who plays. Fitted from nothing to all matches "
    "that were decided by what was played; half-time odds and strengths are read from it.",
    check="parameters",
    check_description="Every parameter is a number, nobody is stronger than a team, and times scatter as they do.",
)
def attack_model(database: dg.ResourceParam[Database]) -> dg.MaterializeResult:
    learned = learn(database)
    maps, players = learned.models[Model.MAP_TIMES], learned.models[Model.PLAYER_TIMES]
    wrong = [*unlikely(maps), *unlikely(players)]
    return dg.MaterializeResult(
        metadata={
            "matches": learned.matches,
            "maps": len(maps.attacks),
            "players": len(players.played),
            "sigma": maps.sigma,
            "fitted anew": learned.anew,
        },
        check_results=[
            dg.AssetCheckResult(
                passed=not wrong, severity=dg.AssetCheckSeverity.WARN, metadata={"wrong": ", ".join(wrong) or "nothing"}
            )
        ],
    )


@_of_history(
    "forecast_scores",
    deps=["attack_model"],
    description="How good what was foretold was (the ledger), and how good it would have been, playing history through "
    "night by night (a backtest): log loss against knowing nothing, Brier score, calibration.",
    check="calibration",
    check_description="What was said at half-time came true about as often as it was said to, as far as can be told.",
)
def forecast_scores(database: dg.ResourceParam[Database]) -> dg.MaterializeResult:
    found = {key: kept.report for key, kept in report_forecasts(database).items()}
    said = found[Foretells.HALF_TIME, ReportOf.LEDGER]
    plotted = {
        f"{kind} {source}: {name}": value
        for (kind, source), report in found.items()
        if report is not None
        for name, value in (("forecasts", report.cases), ("log loss against base", report.difference))
    }
    return dg.MaterializeResult(
        metadata={**plotted, "reports": dg.MetadataValue.md(report_markdown(found))},
        check_results=[
            dg.AssetCheckResult(
                passed=said is None or said.is_calibrated is not False,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"forecasts": said.cases if said else 0, "slope": (said and said.slope) or "not known yet"},
            )
        ],
    )


@_of_history(
    "expectation",
    deps=[_MATCHES],
    description="The damage and kills that were to be expected of everybody in every round, by his own usual, the map, "
    "attack or defence and his opponents, as all sessions before tell; and what is usual now.",
    check="sums",
    check_description="Of the last month, what all did together is what was expected of all, within 3 %.",
)
def expectation(database: dg.ResourceParam[Database]) -> dg.MaterializeResult:
    learned = learn_usual(database)
    with database.snapshot() as conn:
        off = played_history.sums_off(conn)
    return dg.MaterializeResult(
        metadata={"rounds": learned.rounds, "rows changed": learned.changed, "fitted anew": learned.anew},
        check_results=[
            dg.AssetCheckResult(
                passed=all(abs(share) <= SUMS_WITHIN for share in off.values()),
                severity=dg.AssetCheckSeverity.WARN,
                metadata={f"{metric}, % above what was expected": 100 * share for metric, share in off.items()},
            )
        ],
    )


@_of_history(
    "pairs",
    deps=["attack_model", "forecast_scores"],
    description="What every two players won together, beside what strengths let expect of their teams, and who killed "
    "somebody surely more often than was to be expected: counted anew over all of history.",
    check="nemeses",
    check_description="Few have a nemesis: were it many, what is expected of duels would be wrong.",
)
def pairs(database: dg.ResourceParam[Database]) -> dg.MaterializeResult:
    found = find_pairs(database)
    return dg.MaterializeResult(
        metadata={"pairs": found.pairs, "nemeses": found.nemeses, "rows changed": found.changed},
        check_results=[
            dg.AssetCheckResult(
                passed=not too_many(found.nemeses, found.players),
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"nemeses": found.nemeses, "players in duels": found.players},
            )
        ],
    )


INSIGHT = [attack_model, expectation, forecast_scores, pairs]
