"""The commands about the pipeline itself: ``doctor``, ``report``.

Belongs here: arguments, layout and exit codes. Does not belong here: looking (``actions.doctor``), what the report says
(``reports.pipeline_report``).
"""

import sys
from typing import TYPE_CHECKING

import click
from rich.text import Text

from slomix_pipeline.cli.terminal import clear_errors, database_of, out, print_json, read_settings

if TYPE_CHECKING:
    from slomix_pipeline.reports.findings import Finding


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
@click.option("--json", "as_json", is_flag=True, help="As JSON, schema slomix.doctor/1, with every setting.")
@click.option("--settings", "with_settings", is_flag=True, help="Also list every setting, and where it stands.")
def doctor(as_json: bool, with_settings: bool) -> None:
    """Check everything the pipeline needs, and say what to do about what is wrong. Changes nothing.

    Exit code 1 when something failed, else 0; a warning is no failure.
    """
    from pydantic import ValidationError

    from slomix_pipeline.actions.doctor import examine
    from slomix_pipeline.actions.doctor.settings_look import VALUES, invalid
    from slomix_pipeline.reports import findings
    from slomix_pipeline.settings import UnreadableSettings, load_settings

    try:
        found = examine(load_settings())
    except ValidationError as error:
        found = invalid(error)
    except UnreadableSettings as unreadable:
        fix = "let who runs slomix read it (chown, chmod), and save it as UTF-8"
        found = [findings.failed("settings", str(unreadable), fix)]
    if as_json:
        print_json(findings.as_json(found))
    else:
        _print([finding for finding in found if with_settings or finding.subject != VALUES])
    sys.exit(0 if all(finding.fine for finding in found) else 1)


def _print(found: "list[Finding]") -> None:
    """What somebody should look at first, then the rest by subject."""
    from slomix_pipeline.reports.findings import Found

    colours = {Found.FAILED: "red", Found.WARNING: "yellow", Found.UNKNOWN: "cyan"}
    for status, colour in colours.items():
        for finding in found:
            if finding.status is status:
                out.print(Text(f"{status:<8}", colour), end=" ")
                out.print(finding.in_words, soft_wrap=True)
    right = [finding for finding in found if finding.status is Found.OK]
    for subject in dict.fromkeys(finding.subject for finding in right):
        out.print()
        out.print(subject, style="bold")
        for finding in right:
            if finding.subject == subject:
                out.print(Text("ok", "green"), end=" ")
                out.print(finding.in_words, soft_wrap=True)
