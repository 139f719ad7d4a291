"""The commands about the pipeline itself: ``doctor``, ``report``.

Belongs here: arguments, layout and exit codes. Does not belong here: looking (``actions.doctor``), what the report says
(``reports.pipeline_report``).
"""

import sys

import click

from slomix_pipeline.cli.terminal import clear_errors, database_of, out, print_json, read_settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def report(as_json: bool) -> None:
    """Say how the pipeline stands: what came, what is missing, what nobody looked at."""
    with clear_errors():
        from datetime import UTC, datetime

        from slomix_pipeline.reports import pipeline_report

        settings = read_settings()
        with database_of(settings).snapshot() as conn:
            made = pipeline_report.gather(conn, settings, datetime.now(UTC))
        if as_json:
            print_json(pipeline_report.as_json(made))
            return
        out.print(pipeline_report.headline(made))
        for section in pipeline_report.sections(made):
            out.print()
            out.print(section.title, style="bold")
            for line in section.lines:
                out.print(f"  {line}", soft_wrap=True)


@click.command()
def doctor() -> None:
    sys.exit(0)
