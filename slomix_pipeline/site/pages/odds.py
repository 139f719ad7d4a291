"""How good the odds are: what was said, held against what came.

Does not belong here: the numbers (``rules.forecast_report``), their words (``reports.forecast_words``).
"""

from dataclasses import dataclass
from datetime import datetime

from slomix_pipeline.reports import forecast_words
from slomix_pipeline.rules.expected import LEAST_ROUNDS
from slomix_pipeline.rules.forecast_report import PLAYED_THROUGH, Foretells, Report, ReportOf
from slomix_pipeline.rules.odds import LEAST_ATTACKS
from slomix_pipeline.site.answers import Asked
from slomix_pipeline.warehouse import forecast_reports
from slomix_pipeline.warehouse.forecast_reports import Reports
from slomix_pipeline.warehouse.site_store import Moment

LEFT, RIGHT, TOP, BOTTOM = 56, 336, 12, 262  # of the picture's square, in 352 × 292


@dataclass(frozen=True)
class Dot:
    """A tenth of the chances in a picture: what was said to the right, what came true upwards, and between which shares
    that is; ``size`` by how many they are."""

    x: float
    y: float
    low: float
    high: float
    size: float


@dataclass(frozen=True)
class ReportSeen:
    """A report. ``verdict``: in one sentence; ``why_not``: why such odds are told nowhere yet; ``tenths``: a table of
    what was said and what came true, and ``dots`` its picture."""

    heading: str
    made_at: datetime
    verdict: str | None
    numbers: tuple[tuple[str, str], ...]
    tenths: tuple[tuple[str, str, str, str], ...]
    dots: tuple[Dot, ...]
    why_not: tuple[str, ...]


@dataclass(frozen=True)
class OddsPage:
    """``reports``: what was said first, then history played through; ``heads``: of their tables; ``least_rounds``: from
    which on a player is known, and ``least_attacks`` a map; ``played_through``: so many matches, the latest."""

    reports: tuple[ReportSeen, ...]
    heads: tuple[str, ...]
    least_attacks: int
    least_rounds: int
    played_through: int


def odds_page(moment: Moment, asked: Asked) -> OddsPage:
    """The odds page: all reports, never chosen by how good they look."""
    found = forecast_reports.reports(moment.conn)
    shown = [_seen(kind, source, found) for kind in Foretells for source in ReportOf if (kind, source) in found]
    return OddsPage(tuple(shown), forecast_words.TENTH_HEADS, LEAST_ATTACKS, LEAST_ROUNDS, PLAYED_THROUGH)


def _seen(kind: Foretells, source: ReportOf, found: Reports) -> ReportSeen:
    kept = found[kind, source]
    own = kept.report
    return ReportSeen(
        forecast_words.heading(kind, source),
        kept.made_at,
        forecast_words.verdict(own) if own else None,
        tuple(forecast_words.numbers(kind, own)) if own else (),
        tuple(map(forecast_words.tenth_text, own.tenths)) if own else (),
        _dots(own) if own else (),
        own.why_not if own and kind is Foretells.MATCH and source is ReportOf.LEDGER else (),
    )


def _dots(own: Report) -> tuple[Dot, ...]:
    most = max(tenth.cases for tenth in own.tenths)
    along, up = RIGHT - LEFT, BOTTOM - TOP

    def y(share: float) -> float:
        return round(BOTTOM - share * up, 1)

    return tuple(
        Dot(
            round(LEFT + tenth.said * along, 1),
            y(tenth.came_true / tenth.cases),
            y(tenth.low),
            y(tenth.high),
            round(2.5 + 4.5 * (tenth.cases / most) ** 0.5, 1),
        )
        for tenth in own.tenths
    )
