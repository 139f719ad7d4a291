"""The pipeline as a picture and as tables, made of its definitions, and which folder of the code uses which.

Belongs here: the Markdown that ``docs/architecture.md`` holds between its marks. Does not belong here: what else that page
says, and whether it is as it should be (``test_made_parts``).
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import dagster as dg

import slomix_pipeline
from slomix_pipeline.checks.golden import golden_night
from slomix_pipeline.definitions import ASSETS, build_defs
from slomix_pipeline.settings import load_settings

# All schedules there can be, each at some time.
ALL_ON = load_settings(
    weekly_boards_at="mon 18:00", on_this_day_at="12:00", morning_digest_at="09:00", nightly_report_at="06:00"
)
ON_THE_GAME_SERVER = {"raw_stats_file": "gamestats/", "timing_record": "gametimes/", "round_awards": "gamestats/"}


def graph() -> Iterator[str]:
    """The picture, and a table each of sensors, jobs and schedules."""
    defs = build_defs(settings=ALL_ON)
    jobs = [job for job in defs.resolve_all_job_defs() if not job.name.startswith("__")]
    yield from _picture(defs, jobs)
    schedules = [schedule for schedule in defs.schedules or [] if isinstance(schedule, dg.ScheduleDefinition)]
    for title, what, rows in (
        ("sensor", "does", [(s.name, s.description) for s in _sensors(defs)]),
        ("job", "does", [(j.name, j.description) for j in jobs]),
        ("schedule, with its setting", "starts", [(s.name, f"`{s.job_name}`") for s in schedules]),
    ):
        yield ""
        yield f"| {title} | {what} |"
        yield "|---|---|"
        yield from (f"| `{name}` | {text} |" for name, text in rows)


def _sensors(defs: dg.Definitions) -> list[dg.SensorDefinition]:
    return [sensor for sensor in defs.sensors or [] if isinstance(sensor, dg.SensorDefinition)]


def _picture(defs: dg.Definitions, jobs: list[dg.JobDefinition]) -> Iterator[str]:
    yield "```mermaid"
    yield "flowchart LR"
    for folder in dict.fromkeys(ON_THE_GAME_SERVER.values()):
        yield f'  {_id(folder)}[("{folder}<br/>on the game server")]'
    job_of = {
        frozenset(key.to_user_string() for key in job.asset_layer.executable_asset_keys): job.name for job in jobs
    }
    specs = [spec for asset in ASSETS for spec in asset.specs]
    checks = {asset.key: list(asset.check_specs) for asset in ASSETS}
    for check in golden_night.check_specs:
        checks[check.asset_key].append(check)
    for group, members in groupby(specs, key=lambda spec: spec.group_name):
        own = list(members)
        job = job_of[frozenset(spec.key.to_user_string() for spec in own)]
        yield f'  subgraph {job}["{group}: job {job}"]'
        for spec in own:
            said = "".join(f"<br/>{'■' if c.blocking else '□'} {c.name}" for c in checks[spec.key])
            yield f'    {spec.key.to_user_string()}["<b>{spec.key.to_user_string()}</b>{said}"]'
        yield "  end"
    for spec in specs:
        name = spec.key.to_user_string()
        if name in ON_THE_GAME_SERVER:
            yield f"  {_id(ON_THE_GAME_SERVER[name])} --> {name}"
        yield from (f"  {dep.asset_key.to_user_string()} --> {name}" for dep in spec.deps)
    for sensor in _sensors(defs):
        for target in sensor.targets:
            yield f"  {sensor.name}([{sensor.name}]) -.-> {target.job_name}"
    yield "```"


def _id(folder: str) -> str:
    return folder.strip("/")


def imports() -> Iterator[str]:
    """A table of which folder or module of the package imports which others."""
    root = Path(slomix_pipeline.__path__[0])
    used: dict[str, set[str]] = defaultdict(set)
    for path in root.rglob("*.py"):
        own = _part(path.relative_to(root).with_suffix("").parts[0], root)
        used[own] |= {_part(name, root) for name in _imported(path)} - {own}
    yield "| this | imports |"
    yield "|---|---|"
    for part in sorted(used):
        if used[part]:
            yield f"| `{part}` | {', '.join(f'`{name}`' for name in sorted(used[part]))} |"


def _part(name: str, root: Path) -> str:
    return f"{name}/" if (root / name).is_dir() else f"{name}.py"


def _imported(path: Path) -> Iterator[str]:
    """The parts of the package that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == slomix_pipeline.__name__:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{slomix_pipeline.__name__}."):
            yield (node.module or "").split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith(f"{slomix_pipeline.__name__}."))
