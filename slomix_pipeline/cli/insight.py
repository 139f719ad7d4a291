"""The commands about what is foretold: ``odds``, ``balance``.

Belongs here: arguments and exit codes. Does not belong here: the numbers (``stages``, ``warehouse``), their words
(``reports``).
"""

import click
from rich.table import Table

from slomix_pipeline.cli.careers import one_is_meant
from slomix_pipeline.cli.terminal import clear_errors, database_of, not_here, out, print_json, read_settings


@click.command()
@click.option("--score", is_flag=True, help="How good they were, worked out now.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def odds(score: bool, as_json: bool) -> None:
    """Show what was foretold of the latest matches and what came, or how good that was."""
    with clear_errors():
        database = database_of(read_settings())
        if score:
            from slomix_pipeline.stages.forecast_reports import report_forecasts

            reports = report_forecasts(database)
            if as_json:
                from slomix_pipeline.rules.forecast_report import as_json as plain

                print_json(
                    [
                        {"kind": kind, "source": source, "report": kept.report and plain(kept.report)}
                        for (kind, source), kept in sorted(reports.items())
                    ]
                )
            else:
                from slomix_pipeline.cli.terminal import print_markdown
                from slomix_pipeline.reports.forecast_words import report_markdown

                print_markdown(report_markdown({key: kept.report for key, kept in reports.items()}))
            return
        from slomix_pipeline.formats.times import format_time
        from slomix_pipeline.reports.career_words import as_json as plain_rows
        from slomix_pipeline.reports.odds_words import about, outcome_text
        from slomix_pipeline.warehouse.predictions import latest

        with database.snapshot() as conn:
            found = latest(conn)
        if as_json:
            print_json(plain_rows(found))
            return
        if not found:
            out.print(
                "Nothing was foretold yet: that needs models (made after each evening) and rounds as they are played."
            )
            return
        table = Table(box=None)
        for column in ("round 1", "map", "to beat", "said", "of attacks", "came"):
            table.add_column(column, no_wrap=True)
        for row in found:
            said = "too few" if row.chance is None else about(row.chance, row.attacks)
            table.add_row(
                row.round_key,
                row.map,
                format_time(row.to_beat),
                said,
                f"{row.attacks:,}",
                outcome_text(row.came_true, late=bool(row.late)),
            )
        out.print(table)


_WISH = "names with commas between them; can be given several times."


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--together", multiple=True, metavar="A,B", help=f"Who stays in one team, {_WISH}")
@click.option("--apart", multiple=True, metavar="A,B", help=f"Of whom no two are in one team, {_WISH}")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def balance(names: tuple[str, ...], together: tuple[str, ...], apart: tuple[str, ...], as_json: bool) -> None:
    """Suggest even teams of the players NAME...: the best three ways to divide them.

    Exit code 2 when by a name nobody or several are meant; these are listed.
    """
    with clear_errors():
        from slomix_pipeline.reports import balance_words
        from slomix_pipeline.reports.career_words import as_json as plain_rows
        from slomix_pipeline.warehouse.lobbies import NoSplit, suggest

        wishes = ([balance_words.names_typed(text) for text in texts] for texts in (together, apart))
        with database_of(read_settings()).snapshot() as conn, one_is_meant():
            try:
                found = suggest(conn, names, *wishes)
            except NoSplit as error:
                not_here(error)
        if as_json:
            print_json(plain_rows(found))
            return
        for line in balance_words.lines(found):
            out.print(line, soft_wrap=True)


COMMANDS = (odds, balance)
