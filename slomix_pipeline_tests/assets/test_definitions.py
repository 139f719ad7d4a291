"""The definitions as Dagster sees them: complete, described, quick to load, and unchanged unless somebody meant it."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import slomix_pipeline
from slomix_pipeline.assets.insight import INSIGHT
from slomix_pipeline.assets.rounds import BESIDE_THE_CHAIN, CHAIN
from slomix_pipeline.assets.sessions import SESSIONS
from slomix_pipeline.assets.timings import TIMINGS
from slomix_pipeline.checks.layers import CHECKS
from slomix_pipeline.definitions import ASSETS, build_defs
from slomix_pipeline.stages import chain
from slomix_pipeline.stages.common import Stage
from slomix_pipeline.warehouse.check_results import CheckName
from slomix_pipeline_tests.snapshots import assert_as_kept

SNAPSHOT = Path(__file__).parent / "asset_specs.json"

OF_THE_ROUNDS = [*CHAIN, *BESIDE_THE_CHAIN]


def names(assets: list[dg.AssetsDefinition]) -> list[str]:
    return [asset.key.to_user_string() for asset in assets]


def spec_of(asset: dg.AssetsDefinition) -> dg.AssetSpec:
    (spec,) = asset.specs
    return spec


def test_loading_the_definitions_loads_nothing_heavy() -> None:
    """They are loaded by every process of Dagster, and again for each run."""
    heavy = ("pandas", "altair", "vl_convert", "paramiko", "requests", "numpy", "asyncssh", "uvicorn")
    code = (
        "import slomix_pipeline.definitions as d, sys; d.build_defs().resolve_all_job_defs();"
        f"print(*(m for m in {heavy!r} if m in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.split() == []


def test_what_works_rounds_out_loads_no_dagster_and_nothing_else_that_is_heavy() -> None:
    """Commands and their worker processes begin at once."""
    heavy = ("dagster", "pandas", "altair", "vl_convert", "requests", "paramiko", "starlette")
    modules = [
        f"slomix_pipeline.{folder}.{path.stem}"
        for folder in ("stages", "warehouse")
        for path in sorted(Path(slomix_pipeline.__path__[0], folder).glob("[a-z]*.py"))
    ]
    code = (
        f"import importlib, sys; [importlib.import_module(m) for m in {[*modules, 'slomix_pipeline.actions.importing']}];"
        f"print(*(m for m in {heavy!r} if m in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.split() == []


def test_definitions_can_be_loaded() -> None:
    dg.Definitions.validate_loadable(build_defs())


def test_the_stages_of_a_round_stand_in_their_order() -> None:
    graph = build_defs().resolve_asset_graph()
    for earlier, later in itertools.pairwise(CHAIN):
        assert earlier.key in graph.get(later.key).parent_keys


@pytest.mark.parametrize(
    ("assets", "stages"),
    [(OF_THE_ROUNDS, chain.OF_A_ROUND), (TIMINGS, chain.OF_A_TIMING), (SESSIONS, chain.OF_A_SESSION)],
)
def test_commands_run_the_stages_in_the_order_of_their_assets(
    assets: list[dg.AssetsDefinition], stages: tuple[Stage, ...]
) -> None:
    assert names(assets) == [stage.__name__ for stage in stages]


@pytest.mark.parametrize("asset", ASSETS, ids=names(ASSETS))
def test_every_asset_says_what_it_is(asset: dg.AssetsDefinition) -> None:
    spec = spec_of(asset)
    assert spec.description and spec.description.endswith(".")
    assert spec.group_name and spec.group_name != "default"
    assert spec.kinds and spec.owners
    assert any(not tag.startswith("dagster/") for tag in spec.tags)


OF_PARTITIONS = [asset for asset in ASSETS if asset not in INSIGHT]


@pytest.mark.parametrize("asset", OF_PARTITIONS, ids=names(OF_PARTITIONS))
def test_every_asset_takes_many_partitions_in_one_run_but_not_all_of_history(asset: dg.AssetsDefinition) -> None:
    assert asset.backfill_policy == dg.BackfillPolicy.multi_run(max_partitions_per_run=100)
    assert isinstance(asset.partitions_def, dg.DynamicPartitionsDefinition)


def test_no_asset_of_the_rounds_depends_on_one_of_the_sessions() -> None:
    graph = build_defs().resolve_asset_graph()
    sessions = {asset.key for asset in ASSETS if spec_of(asset).group_name == "sessions"}
    assert sessions
    for asset in OF_THE_ROUNDS:
        assert not graph.get(asset.key).parent_keys & sessions


def all_checks() -> Iterator[dg.AssetCheckSpec]:
    """Those of the validation layers; what is learned of all history has its own."""
    for asset in OF_PARTITIONS:
        yield from asset.check_specs


def test_every_check_is_described_and_partitioned() -> None:
    checks = list(all_checks())
    assert checks
    for check in checks:
        assert check.description and check.description.startswith("Layer "), check.name
        assert check.partitions_def is not None, check.name


def test_every_check_has_a_name_of_the_list_once_per_asset() -> None:
    named = [(check.asset, check.name) for check in CHECKS]
    assert len(named) == len(set(named))
    assert list(dict.fromkeys(name for _, name in named)) == list(CheckName)
    assert sorted(check.name for check in all_checks()) == sorted(name for _, name in named)


def test_only_checks_that_quarantine_block() -> None:
    assert {check.name for check in all_checks() if check.blocking} == {
        "transfer",
        "parse",
        "read_back",
        "constraints",
    }


def test_sensors_run_from_the_start_and_jobs_and_sensors_are_described() -> None:
    defs = build_defs()
    for sensor in defs.sensors or []:
        assert isinstance(sensor, dg.SensorDefinition)
        assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
        assert sensor.description
    assert all(job.description for job in defs.resolve_all_job_defs() if not job.name.startswith("__"))


def test_what_is_about_all_of_history_has_no_partitions_and_described_checks() -> None:
    checks = [check for asset in INSIGHT for check in asset.check_specs]
    assert len(checks) >= len(INSIGHT) and all(check.description for check in checks)
    assert [asset.partitions_def for asset in INSIGHT] == [None] * len(INSIGHT)


def plain(asset: dg.AssetsDefinition) -> dict[str, Any]:
    """What the graph promises of an asset, as JSON."""
    spec = spec_of(asset)
    partitions = asset.partitions_def
    return {
        "key": spec.key.to_user_string(),
        "description": spec.description,
        "group": spec.group_name,
        "kinds": sorted(spec.kinds),
        "owners": list(spec.owners),
        "tags": {k: v for k, v in sorted(spec.tags.items()) if not k.startswith("dagster/")},
        "partitions": partitions.name if isinstance(partitions, dg.DynamicPartitionsDefinition) else None,
        "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
        "checks": [
            {"name": c.name, "blocking": c.blocking, "layer": c.metadata.get("layer")}
            for c in sorted(asset.check_specs, key=lambda c: c.name)
        ],
    }


def test_the_asset_specs_are_those_of_the_snapshot() -> None:
    now = [plain(asset) for asset in ASSETS]
    assert_as_kept(SNAPSHOT, json.dumps(now, indent=2, ensure_ascii=False) + "\n")
