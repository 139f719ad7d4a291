"""The commands for parts that run by themselves: ``serve``, ``worker``, and what goes before, ``migrate``.

Does not belong here: what the parts are and need (``runtime.parts``).
"""

import os
import sys
from urllib.parse import urlsplit

import click

from slomix_pipeline.cli.terminal import clear_errors, out, read_settings
from slomix_pipeline.settings import Settings

_PARTS = ("code", "daemon", "ui")


@click.command()
@click.argument("part", type=click.Choice(_PARTS))
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where code and ui listen; neither asks who comes."
)
@click.option("--port", type=click.IntRange(1, 65535), help="[default: that of SLOMIX_CODE_SERVER; SLOMIX_UI_PORT]")
@click.option("--check", is_flag=True, help="Only look whether it works: exit code 0 when it does.")
def serve(part: str, host: str, port: int | None, check: bool) -> None:
    """Run one of Dagster's three processes by itself: the code server, the daemon (one on all machines together) or
    the UI. All settings and the PostgreSQL are the same for each; slomix run has all three."""
    with clear_errors():
        from slomix_pipeline.runtime import parts

        settings = read_settings()
        at = port or _port_of(settings, part)
        if check:
            _say(parts.part_works(settings, parts.Part(part), at))
        parts.serve(settings, parts.Part(part), host, at)


@click.command()
@click.option("--concurrency", type=click.IntRange(1), help="Runs at once.  [default: cores of this machine]")
@click.option("--queue", default="slomix", show_default=True, help="Take only runs with this tag dagster-celery/queue.")
@click.option("--check", is_flag=True, help="Only look whether one on this machine answers: exit code 0 when it does.")
def worker(concurrency: int | None, queue: str, check: bool) -> None:
    """Execute runs that the daemon sends through Celery (SLOMIX_LAUNCHER=celery), on any machine."""
    with clear_errors():
        from slomix_pipeline.runtime import parts

        settings = read_settings()
        if check:
            _say(parts.worker_works(settings))
        parts.work(settings, concurrency or os.cpu_count() or 1, queue)


def _port_of(settings: Settings, part: str) -> int:
    return settings.ui_port if part == "ui" else urlsplit(f"//{settings.code_server}").port or 0


def _say(works: bool) -> None:
    out.print("works" if works else "does not work")
    sys.exit(0 if works else 1)


@click.command()
def migrate() -> None:
    """Make or migrate all tables, and the schema of Dagster's records. Every start does so too."""
    with clear_errors():
        from slomix_pipeline.runtime import parts

        parts.prepare(read_settings())


COMMANDS = (migrate, serve, worker)
