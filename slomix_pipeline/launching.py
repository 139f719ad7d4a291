"""Which ways there are to start runs and to execute their steps, and what each needs.

Belongs here: their names, which settings go together, which packages they take.
Does not belong here: Dagster's configuration of them (``deploy/launchers``, ``runtime.dagster_yaml``).
"""

import importlib.util
from enum import StrEnum

from pydantic import SecretStr

from slomix_pipeline.errors import SlomixError

HOST_AND_PORT = r"^[A-Za-z0-9._-]+:[0-9]{1,5}$"


class Launcher(StrEnum):
    """How a run gets its process; each is a file in ``deploy/launchers``. ``DAGSTER`` is Dagster's own way."""

    FORK = "fork"
    DAGSTER = "dagster"
    CELERY = "celery"
    DOCKER = "docker"
    KUBERNETES = "kubernetes"


class StepExecutor(StrEnum):
    """Where the steps of a run are executed."""

    IN_PROCESS = "in_process"
    MULTIPROCESS = "multiprocess"
    KUBERNETES = "kubernetes"


ELSEWHERE = (Launcher.CELERY, Launcher.DOCKER, Launcher.KUBERNETES)  # where runs may be on another machine

# The module that each takes, and the extra of our package that brings it.
_TAKES: dict[Launcher | StepExecutor, tuple[str, str]] = {
    Launcher.CELERY: ("dagster_celery", "celery"),
    Launcher.DOCKER: ("dagster_docker", "docker"),
    Launcher.KUBERNETES: ("dagster_k8s", "kubernetes"),
    StepExecutor.KUBERNETES: ("dagster_k8s", "kubernetes"),
}


class ExtraMissing(SlomixError):
    """A package that the settings need is not installed."""


def check_launching(
    launcher: Launcher, executor: StepExecutor, postgres_url: SecretStr | None, broker: SecretStr | None
) -> None:
    """Looks whether the settings of these names go together.

    Raises:
        ValueError: they don't; with what to do about it.
    """
    if broker is not None and not broker.get_secret_value().startswith(("redis://", "rediss://")):
        raise ValueError("SLOMIX_CELERY_BROKER is written as redis://:password@host:6379/0, or rediss:// with TLS")
    if launcher in ELSEWHERE and postgres_url is None:
        raise ValueError(
            f"SLOMIX_LAUNCHER={launcher} needs SLOMIX_POSTGRES_URL: nothing but this machine reaches the embedded one"
        )
    if launcher is Launcher.CELERY and broker is None:
        raise ValueError("SLOMIX_LAUNCHER=celery needs SLOMIX_CELERY_BROKER")
    if launcher is Launcher.CELERY and executor is StepExecutor.MULTIPROCESS:
        raise ValueError("SLOMIX_EXECUTOR=multiprocess can't work in Celery's workers, whose processes may start none")


def check_installed(*chosen: Launcher | StepExecutor) -> None:
    """Looks whether what was chosen is installed.

    Raises:
        ExtraMissing: it is not; with the command that installs it.
    """
    for choice in chosen:
        module, extra = _TAKES.get(choice, ("", ""))
        if module and importlib.util.find_spec(module) is None:
            kind = "LAUNCHER" if isinstance(choice, Launcher) else "EXECUTOR"
            raise ExtraMissing(
                f"SLOMIX_{kind}={choice} needs what is not installed here: pip install 'slomix-pipeline[{extra}]'"
            )
