"""How good forecasts were, in words and tables: for pages, the terminal and Dagster.

Does not belong here: the numbers (``rules.forecast_report``), how a forecast itself is told (``odds_words``).
"""

from collections.abc import Iterable, Mapping, Sequence

from slomix_pipeline.reports.career_words import count
from slomix_pipeline.rules.forecast_report import ENOUGH, LEAST_NIGHTS, Foretells, Report, ReportOf, Tenth

WHAT = {
    Foretells.HALF_TIME: "Half-time odds",
    Foretells.MATCH: "Odds before the match",
}
FROM = {
    (Foretells.HALF_TIME, ReportOf.LEDGER): "as they were said",
    (Foretells.MATCH, ReportOf.LEDGER): "as they were noted (nobody was told)",
    (Foretells.HALF_TIME, ReportOf.BACKTEST): "history played through (nobody was told)",
    (Foretells.MATCH, ReportOf.BACKTEST): "history played through, with who played both rounds (nobody was told)",
}
AGAINST = {
    Foretells.HALF_TIME: "the share that was beaten so far",
    Foretells.MATCH: "a coin",
}


def heading(kind: Foretells, source: ReportOf) -> str:
    """What a report is about."""
    return f"{WHAT[kind]}, {FROM[kind, source]}"


def verdict(report: Report) -> str:
    """In one sentence whether forecasts were better than knowing nothing."""
    if report.low is None or report.high is None:
        return f"too few to tell: that takes {ENOUGH} forecasts of {LEAST_NIGHTS} evenings"
    if report.high < 0:
        return "better than knowing nothing"
    return "worse than knowing nothing" if report.low > 0 else "not proven to be better than knowing nothing"


def numbers(kind: Foretells, report: Report) -> list[tuple[str, str]]:
    """The numbers of a report with their names."""
    slope = (
        "too few to tell"
        if report.slope is None or report.slope_sd is None
        else f"{report.slope:.2f} ± {report.slope_sd:.2f}"
    )
    sure = "too few to tell how sure"
    if report.low is not None and report.high is not None:
        sure = f"{report.low:+.3f} to {report.high:+.3f}"
    return [
        ("forecasts", f"{report.cases:,} in {count(report.nights, 'session')}"),
        ("log loss", f"{report.log_loss:.3f}"),
        (f"log loss of {AGAINST[kind]}", f"{report.base_log_loss:.3f}"),
        ("difference (below 0 is better)", f"{report.difference:+.3f} ({sure})"),
        ("Brier score (0.25 is a coin)", f"{report.brier:.3f}"),
        ("calibration slope (1 is right)", slope),
    ]


def tenth_text(tenth: Tenth) -> tuple[str, str, str, str]:
    """A row of the calibration: which chance, how often, how many came true, and which share that speaks for."""
    return (
        f"{100 * tenth.said:.0f} %",
        f"{tenth.cases:,}",
        f"{tenth.came_true:,}",
        f"{100 * tenth.low:.0f}–{100 * tenth.high:.0f} %",
    )


TENTH_HEADS = ("chance", "times", "came true", "likely")


def report_markdown(found: Mapping[tuple[Foretells, ReportOf], Report | None]) -> str:
    """All reports, for Dagster."""
    parts: list[str] = []
    for (kind, source), report in sorted(found.items()):
        parts.append(f"### {heading(kind, source)}")
        if report is None:
            parts.append("Nothing to score yet.")
            continue
        parts += [_table(("", ""), numbers(kind, report)), _table(TENTH_HEADS, map(tenth_text, report.tenths))]
    return "\n\n".join(parts)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
