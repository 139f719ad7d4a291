"""Says how good what was foretold was, and how good it would have been in all of history.

Belongs here: that it is worked out again only where there is anything new, and kept. Does not belong here: the scores
(``rules``), what was foretold (``warehouse.predictions``), when it is done (``sensors.insight``). numpy is loaded when
something has to be scored.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from slomix_pipeline.rules.attack_model import VERSION, RatedMatch, Terms
from slomix_pipeline.rules.forecast_report import PLAYED_THROUGH, Foretells, Report, ReportOf, report
from slomix_pipeline.warehouse import fitted, forecast_reports
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.fitted import Step
from slomix_pipeline.warehouse.forecast_reports import ReportKept, Reports, Scored
from slomix_pipeline.warehouse.rated_history import rated_matches


def report_forecasts(database: Database) -> Reports:
    """The reports of everything that is foretold, made again where there is anything new in them."""
    with database.hold(fitted.ONE_AT_A_TIME):
        with database.snapshot() as conn:
            state = fitted.history_state(conn)
            said = {kind: forecast_reports.scored(conn, kind) for kind in Foretells}
            matches = rated_matches(conn)[-PLAYED_THROUGH:]
            kept = forecast_reports.reports(conn)
        made = _made(said, matches, kept)
        with database.transaction() as conn:
            forecast_reports.store(conn, made)
            fitted.is_learned(conn, Step.FORECASTS, state)
    return {**kept, **made}


def _made(said: Mapping[Foretells, Sequence[Scored]], matches: Sequence[RatedMatch], kept: Reports) -> Reports:
    """The reports that have to be others now."""
    made_of = {
        ReportOf.LEDGER: fitted.fingerprint(said.items()),
        ReportOf.BACKTEST: fitted.fingerprint(matches),
    }
    known = {key: (own.version, own.fingerprint) for key, own in kept.items()}
    made: dict[tuple[Foretells, ReportOf], ReportKept] = {}
    for source, mark in made_of.items():
        if any(known.get((kind, source)) != (VERSION, mark) for kind in Foretells):
            found, temperature = _as_said(said) if source is ReportOf.LEDGER else _played_through(matches)
            for kind, own in found.items():
                of_match = temperature if kind is Foretells.MATCH else None
                made[kind, source] = ReportKept(VERSION, mark, own, of_match, datetime.now(UTC))
    return made


Found = tuple[Mapping[Foretells, Report | None], float | None]


def _as_said(said: Mapping[Foretells, Sequence[Scored]]) -> Found:
    from slomix_pipeline.rules.forecast_scores import COIN, Forecast, base_rates

    def against(kind: Foretells, own: Sequence[Scored]) -> Sequence[float]:
        return base_rates(each.came_true for each in own) if kind is Foretells.HALF_TIME else [COIN] * len(own)

    return {
        kind: report(
            [
                Forecast(each.night, each.chance, each.came_true, base)
                for each, base in zip(own, against(kind, own), strict=True)
            ]
        )
        for kind, own in said.items()
    }, None


def _played_through(matches: Sequence[RatedMatch]) -> Found:
    from slomix_pipeline.rules.forecast_scores import temperature_of
    from slomix_pipeline.rules.walk_forward import at_half_time, before_match, walk_forward

    said = walk_forward(matches, [Terms.MAPS, Terms.DAMAGE])
    found = {
        Foretells.HALF_TIME: report(at_half_time(said, Terms.MAPS)),
        Foretells.MATCH: report(before_match(said)),
    }
    return found, temperature_of(before_match(said, told=False))
