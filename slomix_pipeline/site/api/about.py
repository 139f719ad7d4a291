"""About the whole: corrections, what the numbers mean, whether the chain runs.

Does not belong here: what was played (the other modules).
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from slomix_pipeline.rules.forecast_report import Foretells, Report, ReportOf
from slomix_pipeline.rules.stages import StageSeen, StageState, stages, worst
from slomix_pipeline.site.answers import Asked
from slomix_pipeline.site.api.kit import (
    ROUTER,
    USUAL,
    Keyed,
    Limit,
    Linked,
    Listed,
    addresses,
    answer,
    api_url,
    following,
)
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import corrections as correction_reading
from slomix_pipeline.warehouse import forecast_reports, metric_texts
from slomix_pipeline.warehouse.corrections import CorrectionListed
from slomix_pipeline.warehouse.metric_texts import Described, MetricText
from slomix_pipeline.warehouse.site_status import chain_seen
from slomix_pipeline.warehouse.site_store import Moment


@dataclass(frozen=True)
class CorrectionInList(CorrectionListed, Keyed):
    """What was told of a result and is otherwise now. ``notice``: what is so instead; ``cause``: why."""


@dataclass(frozen=True, kw_only=True)
class MetricsResource(Linked):
    """What every number means. ``metrics``: ratios and rates; ``sums``: what is counted;
    ``left_out_of_aimed_accuracy``: weapons, and why."""

    metrics: tuple[MetricText, ...]
    sums: tuple[Described, ...]
    left_out_of_aimed_accuracy: tuple[Described, ...]


@dataclass(frozen=True)
class StageOfChain(StageSeen, Keyed):
    """A stage. ``at``: the moment that ``text`` is about, if there is one."""


@dataclass(frozen=True, kw_only=True)
class StatusResource(Linked):
    """``state``: of the worst stage; ``data_version``: raised by everything that changes what is shown."""

    state: StageState
    stages: tuple[StageOfChain, ...]
    data_version: int
    changed_at: datetime


@ROUTER.get("/corrections", response_model=Listed[CorrectionInList])
def corrections(
    request: Request,
    before: Annotated[
        int | None, Query(ge=0, le=2**31, description="Only those older than the one of this key.")
    ] = None,
    limit: Limit = USUAL,
) -> Response:
    """What was told of results and turned out otherwise, newest first."""

    def make(moment: Moment, asked: Asked) -> Listed[CorrectionInList]:
        rows = correction_reading.newest(moment.conn, limit + 1, before)
        part = rows[:limit]
        return Listed(
            tuple(
                CorrectionInList(
                    **vars(row),
                    key=str(row.id),
                    url=url_of("matches", row.match_key),
                    self_url=api_url("matches", row.match_key),
                )
                for row in part
            ),
            following(asked, before=str(part[-1].id)) if len(rows) > limit else None,
        )

    return answer(request, make)


@ROUTER.get("/metrics", response_model=MetricsResource)
def metrics(request: Request) -> Response:
    """What every number means: formula, unit and source, as the database says it."""

    def make(moment: Moment, asked: Asked) -> MetricsResource:
        return MetricsResource(
            metrics=tuple(metric_texts.metric_texts(moment.conn)),
            sums=tuple(metric_texts.sums(moment.conn)),
            left_out_of_aimed_accuracy=tuple(
                Described(*row) for row in metric_texts.left_out_of_aimed_accuracy(moment.conn)
            ),
            **addresses(None, api_url("metrics")),
        )

    return answer(request, make)


@dataclass(frozen=True)
class OddsReport(Keyed):
    """How good odds were. ``kind``: of what; ``source``: ledger is what was said, or noted, beforehand, backtest is
    history played through; ``report``: null while none of them is over."""

    kind: Foretells
    source: ReportOf
    made_at: datetime
    report: Report | None


@ROUTER.get("/odds", response_model=Listed[OddsReport])
def odds(request: Request) -> Response:
    """How good the odds are that were said, and would have been: held against what came, as the page says."""

    def make(moment: Moment, asked: Asked) -> Listed[OddsReport]:
        own = addresses(url_of("odds"), api_url("odds"))
        return Listed(
            tuple(
                OddsReport(
                    **own, key=f"{kind}:{source}", kind=kind, source=source, made_at=kept.made_at, report=kept.report
                )
                for (kind, source), kept in sorted(forecast_reports.reports(moment.conn).items())
            ),
            None,
        )

    return answer(request, make)


@ROUTER.get("/status", response_model=StatusResource)
def status(request: Request) -> Response:
    """Whether the whole chain runs, from the game server to the players, at this moment."""

    def make(moment: Moment, asked: Asked) -> StatusResource:
        found = stages(chain_seen(moment.conn, asked.settings))
        own = addresses(url_of("status"), api_url("status"))
        return StatusResource(
            state=worst(found),
            stages=tuple(StageOfChain(**asdict(stage), key=stage.name, **own) for stage in found),
            data_version=moment.version.number,
            changed_at=moment.version.changed_at,
            **own,
        )

    return answer(request, make, fresh=True)
