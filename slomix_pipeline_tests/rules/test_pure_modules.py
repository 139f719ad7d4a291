"""``formats`` and ``rules`` know neither Dagster nor a database nor a clock, nor any other part of the project."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import slomix_pipeline

PACKAGE = Path(slomix_pipeline.__file__).parent
ALLOWED_OF_OURS = {
    "formats": ("slomix_pipeline.formats",),
    "rules": ("slomix_pipeline.formats", "slomix_pipeline.rules"),
}
PURE = [path for package in ALLOWED_OF_OURS for path in sorted((PACKAGE / package).glob("*.py"))]
# What fits and judges over all of history, and what is built on it: no message waits for these.
WITH_NUMPY = {"attack_times", "censored_fit", "expectation", "forecast_scores", "walk_forward"}
CLOCK_CALLS = {"now", "utcnow", "today"}


def imports_of(source: str) -> set[str]:
    """Full names of all modules a source imports, in functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


def impurities(source: str, ours: tuple[str, ...]) -> set[str]:
    """What a source uses beside the standard library without its clock, and ``ours``."""
    found = set()
    for name in imports_of(source):
        top = name.partition(".")[0]
        if not (name.startswith(ours) or (top in sys.stdlib_module_names and top != "time")):
            found.add(name)
    attributes = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return found | (attributes & CLOCK_CALLS)


@pytest.mark.parametrize("path", PURE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_pure_module_uses_only_the_standard_library_and_its_own_layer(path: Path) -> None:
    ours = ALLOWED_OF_OURS[path.parent.name] + (("numpy",) if path.stem in WITH_NUMPY else ())
    assert impurities(path.read_text("utf-8"), ours) == set()


def test_both_packages_were_looked_at() -> None:
    assert {path.parent.name for path in PURE} == {"formats", "rules"} and len(PURE) > 10


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import dagster as dg", "dagster"),
        ("def f():\n    import psycopg", "psycopg"),
        ("from time import monotonic", "time"),
        ("from datetime import datetime as d\nd.now()", "now"),
        ("import datetime\ndatetime.date.today()", "today"),
        ("from slomix_pipeline.settings import Settings", "slomix_pipeline.settings"),
    ],
)
def test_the_look_finds_what_does_not_belong(source: str, found: str) -> None:
    assert impurities(source, ALLOWED_OF_OURS["rules"]) == {found}


def test_importing_the_rules_loads_nothing_heavy_but_by_what_is_fitted() -> None:
    modules = [
        f"slomix_pipeline.{path.parent.name}.{path.stem}"
        for path in PURE
        if path.stem not in WITH_NUMPY and path.stem != "__init__"
    ]
    heavy = {"dagster", "numpy", "pandas", "psycopg"}
    code = f"import sys, {', '.join(modules)}\nprint(*sorted({heavy} & sys.modules.keys()))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
