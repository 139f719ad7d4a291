"""Dagster told of what was made without a run of its: what a run would have said, partition by partition.

Belongs here: which events that is. Which partitions wait for it: ``warehouse.catalogue``; when it is done:
``sensors.catalogue``.
"""

from collections.abc import Iterator

import dagster as dg
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline import partitions
from slomix_pipeline.checks.layers import CHECKS, evaluation, shown
from slomix_pipeline.stages.chain import OF_A_ROUND, OF_A_SESSION, OF_A_TIMING
from slomix_pipeline.warehouse import catalogue
from slomix_pipeline.warehouse.catalogue import Partitions, Uncatalogued
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.database import Database

_DEFINITIONS = {
    Partitions.ROUNDS: partitions.rounds,
    Partitions.TIMINGS: partitions.timings,
    Partitions.SESSIONS: partitions.sessions,
}
_ASSETS = {
    kind: [stage.__name__ for stage in stages]
    for kind, stages in {
        Partitions.ROUNDS: OF_A_ROUND,
        Partitions.TIMINGS: OF_A_TIMING,
        Partitions.SESSIONS: OF_A_SESSION,
    }.items()
}
_CHECKS_OF = {asset: {c.name for c in CHECKS if c.asset == asset} for assets in _ASSETS.values() for asset in assets}

Event = dg.AssetMaterialization | dg.AssetCheckEvaluation


def add_partitions(instance: dg.DagsterInstance, database: Database) -> None:
    """Lets Dagster have the keys of all partitions that it is not told of yet."""
    with database.connect() as conn:
        waiting = catalogue.keys_waiting(conn)
    for kind, keys in waiting.items():
        if keys:
            partitions.add_keys(instance, _DEFINITIONS[kind], keys)


def events(conn: Connection[DictRow], made: Uncatalogued) -> Iterator[Event]:
    """What a partition's run would have told: a materialisation of every asset, with what the asset's checks saw, and
    the evaluation of each check that did not pass."""
    rows = conn.execute(
        "select check_name, passed, severity, metadata from check_result where partition_key = %s", [made.key]
    ).fetchall()
    outcomes = {r["check_name"]: Outcome(r["passed"], r["metadata"], r["severity"] == "ERROR") for r in rows}
    for asset in _ASSETS[made.kind]:
        own = {name: outcome for name, outcome in outcomes.items() if name in _CHECKS_OF[asset]}
        facts = {f"{name}: {fact}": value for name, o in own.items() if o.passed for fact, value in o.facts.items()}
        yield dg.AssetMaterialization(asset, partition=made.key, metadata=shown(facts))
        for name, outcome in own.items():
            if not outcome.passed:
                yield evaluation(asset, CheckName(name), made.key, outcome)
