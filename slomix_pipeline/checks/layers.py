"""The checks by validation layer, and how outcomes per round are reported.

In a run of one round a failed blocking check stops the run. In a run of many rounds nothing stops: the check warns
with the list and every round that did not pass gets an evaluation of its own. Every outcome is stored per round.

Does not belong here: what makes a check fail (``outcomes``, and the laws in ``rules``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import dagster as dg
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline import partitions
from slomix_pipeline.reports.markdown import Markdown, escape
from slomix_pipeline.rules.linking import WITHIN_WINDOW
from slomix_pipeline.rules.things import ThingKind
from slomix_pipeline.stages.common import Done
from slomix_pipeline.warehouse import check_results
from slomix_pipeline.warehouse.check_results import LAYERS, CheckName, Layer, Outcome
from slomix_pipeline.warehouse.due import Alarm


@dataclass(frozen=True)
class Check:
    """One check."""

    name: CheckName
    asset: str
    blocking: bool
    description: str

    @property
    def layer(self) -> Layer:
        return LAYERS[self.name]


CHECKS = (
    Check(
        CheckName.TRANSFER,
        "raw_stats_file",
        blocking=True,
        description="The file arrived whole: not empty, a header line, the same sha256 after storing.",
    ),
    Check(
        CheckName.DUPLICATES,
        "raw_stats_file",
        blocking=False,
        description="Whether another file of the server has the same bytes: then this one is known and counts nowhere.",
    ),
    Check(
        CheckName.PARSE,
        "parsed_round",
        blocking=True,
        description="Every line is exactly of the format, numbers are in range, headshot kills are not above kills.",
    ),
    Check(
        CheckName.READ_BACK,
        "parsed_round",
        blocking=True,
        description="The database holds what was parsed: players, weapon rows, kills, deaths, head hits, damage.",
    ),
    Check(
        CheckName.CONSTRAINTS,
        "parsed_round",
        blocking=True,
        description="PostgreSQL took every row: types, ranges, unique keys.",
    ),
    Check(
        CheckName.PAIRING,
        "round_stats",
        blocking=False,
        description="The round found its place: no orphaned round 2, no pair that contradicts itself, a usual gap.",
    ),
    Check(
        CheckName.CONSERVATION_LAWS,
        "round_stats",
        blocking=False,
        description="Kills are deaths, side by side; damage and team damage given are received; header and pair agree. "
        "Who left, reconnected or changed sides may break a law: then he is named.",
    ),
    Check(
        CheckName.PLAUSIBILITY,
        "round_stats",
        blocking=False,
        description="No number is above what can be done in the time played, and no round 2 looks like a sum of both.",
    ),
    Check(
        CheckName.SEVEN_COMPARISONS,
        "round_stats",
        blocking=False,
        description="Own numbers as stored against the file: players, weapon rows, kills, deaths, weapon kills, "
        "negatives, and round 1 + round 2 = the file of round 2.",
    ),
    Check(
        CheckName.TIMING_LINK,
        "round_timing",
        blocking=False,
        description=f"No tie between timing records, header and record agree {WITHIN_WINDOW}, the length is known and "
        "nobody was there for longer.",
    ),
    Check(
        CheckName.TIMING_CHAIN,
        "round_timing",
        blocking=False,
        description="The timing record came the whole way: script alive, file written, fetched, parsed, linked. "
        "Names the first link that is broken.",
    ),
    Check(
        CheckName.TEAMS,
        "session_teams",
        blocking=False,
        description="The teams of the session are sure: nobody of the round stays open, the lobby was not split anew. "
        "Names substitutions, replaced teams and players who changed sides.",
    ),
    Check(
        CheckName.SCORE_SOURCES,
        "match_score",
        blocking=False,
        description="All that tells who won a match agrees: headers, times, the rosters of both rounds. Told at the "
        "match's last round. Where headers and times differ, the headers' winner stands.",
    ),
    Check(
        CheckName.ENDSTATS_LINK,
        "round_awards",
        blocking=False,
        description="No tie between endstats files: two at the same distance belong to neither.",
    ),
    Check(
        CheckName.RECORD_PARSE,
        "timing_record",
        blocking=False,
        description="The timing record is of a known shape and names map, round and a plausible end.",
    ),
    Check(
        CheckName.TIMING_TOLD,
        "timing_comparison",
        blocking=False,
        description="The dev channel's message about a round that is not aligned was delivered once.",
    ),
    Check(
        CheckName.TOLD_ONCE,
        "match_post",
        blocking=False,
        description="Every message due was delivered once; one in doubt is never sent again.",
    ),
    Check(
        CheckName.TOLD_ONCE,
        "session_post",
        blocking=False,
        description="The summary of the session was delivered once, if it was due; one in doubt is never sent again.",
    ),
    Check(
        CheckName.PICTURES,
        "session_pictures",
        blocking=False,
        description="The pictures of a session whose summary was told were drawn and delivered. Else it stands without "
        "them, or with older ones, and this says why.",
    ),
)

_PARTITIONS = {
    "timing_record": partitions.timings,
    "session_post": partitions.sessions,
    "session_pictures": partitions.sessions,
}


def check_specs(asset: str) -> list[dg.AssetCheckSpec]:
    """The checks of an asset, partitioned as it is: by round, by timing record, or by session."""
    own = _PARTITIONS.get(asset, partitions.rounds)
    return [
        dg.AssetCheckSpec(
            check.name.value,
            asset=asset,
            blocking=check.blocking,
            partitions_def=own,
            description=f"Layer {check.layer.number} ({check.layer}). {check.description}",
            metadata={"layer": check.layer.number},
        )
        for check in CHECKS
        if check.asset == asset
    ]


def report(context: dg.AssetExecutionContext, asset: str, done: Done) -> dg.MaterializeResult:
    """What a stage did, as Dagster shows it: totals and the results of the asset's checks.

    Outcomes of checks of other assets, which had to be done again, are told as evaluations of their own.
    """
    own = [check.name for check in CHECKS if check.asset == asset]
    for other in CHECKS:
        if other.name not in own and (found := done.outcomes.get(other.name)):
            for key in (key for key in context.partition_keys if key in found):
                context.log_event(evaluation(other.asset, other.name, key, found[key]))
    for key, facts in done.by_key.items():
        context.add_asset_metadata(shown(facts), partition_key=key)
    if context.has_partition_key:
        totals = shown(done.totals)
    else:  # Dagster would copy them to each of the partitions
        totals = {}
        context.log.info("\n".join(f"{name}: {value}" for name, value in done.totals.items()))
    return dg.MaterializeResult(
        metadata=totals,
        check_results=[_result(context, asset, name, done.outcomes.get(name, {})) for name in own],
    )


def _result(
    context: dg.AssetExecutionContext, asset: str, name: CheckName, found: Mapping[str, Outcome]
) -> dg.AssetCheckResult:
    """The run's result of a check. ``found``: by partition key, also of rounds that the run is not about."""
    outcomes = {key: found[key] for key in context.partition_keys if key in found}
    failed = {key: outcome for key, outcome in outcomes.items() if not outcome.passed}
    if context.has_partition_key:
        outcome = outcomes.get(
            context.partition_key, Outcome(True, {"looked at": "nothing: the file did not come so far"})
        )
        severity = dg.AssetCheckSeverity[outcome.severity]
        return dg.AssetCheckResult(
            check_name=name.value, passed=outcome.passed, severity=severity, metadata=shown(outcome.facts)
        )
    for key, outcome in failed.items():
        context.log_event(evaluation(asset, name, key, outcome))
    return dg.AssetCheckResult(
        check_name=name.value,
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rounds": len(outcomes), "not passed": len(failed), "which": dg.MetadataValue.md(_list(failed))},
    )


_TOLD_BY = {
    ThingKind.ROUND1: ("match_post", CheckName.TOLD_ONCE),
    ThingKind.RESULT: ("match_post", CheckName.TOLD_ONCE),
    ThingKind.SESSION: ("session_post", CheckName.TOLD_ONCE),
    ThingKind.TIMING: ("timing_comparison", CheckName.TIMING_TOLD),
}


def report_alarm(instance: dg.DagsterInstance, conn: Connection[DictRow], alarm: Alarm) -> None:
    """Fails the check of a message that no run is going to tell."""
    asset, name = _TOLD_BY[alarm.thing.kind]
    outcome = Outcome(False, {alarm.thing.name: f"{alarm.trouble}: {alarm.detail}"})
    check_results.store_outcomes(conn, name, {alarm.thing.partition_key: outcome})
    instance.report_runless_asset_event(evaluation(asset, name, alarm.thing.partition_key, outcome))


def evaluation(asset: str, check_name: CheckName, partition_key: str, outcome: Outcome) -> dg.AssetCheckEvaluation:
    """An outcome of a check of one partition, as it is told apart from the result of an asset."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset),
        check_name=check_name.value,
        passed=outcome.passed,
        partition=partition_key,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=shown(outcome.facts),
    )


def shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as Dagster's metadata."""
    return {name: _value(value) for name, value in facts.items()}


def _value(value: Any) -> Any:
    if value is None:
        return dg.MetadataValue.text("unknown")
    if isinstance(value, Markdown):
        return dg.MetadataValue.md(value)
    if isinstance(value, (list, dict)):
        return dg.MetadataValue.json(value)
    return value.value if isinstance(value, StrEnum) else value  # it knows no enumerations but its own


def _list(failed: Mapping[str, Outcome]) -> str:
    lines = [
        f"- `{key}`: {escape(', '.join(f'{name} {value}' for name, value in outcome.facts.items()))}"
        for key, outcome in list(failed.items())[:50]
    ]
    if len(failed) > len(lines):
        lines.append(f"- and {len(failed) - len(lines)} more")
    return "\n".join(lines) or "none"
