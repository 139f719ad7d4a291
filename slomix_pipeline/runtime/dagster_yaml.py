"""Dagster's configuration as a home has it: what is the same everywhere, and how runs are started.

Belongs here: making one file of two. Does not belong here: what they say, and why (``deploy``).
"""

from collections.abc import Collection

import yaml

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.launching import Launcher
from slomix_pipeline.settings import Settings


def dagster_yaml(settings: Settings, variables: Collection[str]) -> str:
    """The text of ``dagster.yaml``. ``variables``: the names of those that a run's process needs."""
    if settings.dagster_yaml is not None:
        return settings.dagster_yaml.read_text("utf-8")
    deploy = bundled_folder("deploy")
    files = [deploy / "dagster.yaml", deploy / "launchers" / f"{settings.launcher}.yaml"]
    whole: dict[str, object] = {}
    for file in files:
        whole |= yaml.safe_load(file.read_text("utf-8"))
    if settings.launcher is Launcher.DOCKER:  # a container has of our variables what it is given
        whole["run_launcher"]["config"]["env_vars"] = sorted(variables)  # type: ignore[index]
    names = " and ".join(f"deploy/{file.relative_to(deploy)}" for file in files)
    return f"# Made of {names} at every start.\n{yaml.safe_dump(whole, sort_keys=False)}"
