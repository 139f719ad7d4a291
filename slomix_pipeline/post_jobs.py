"""The jobs that post what people and schedules ask for: in Dagster's launchpad, each explains what it takes.

Belongs here: their configuration, the key of what a run asks for. Does not belong here: when schedules ask
(``schedules``), what is meant and what becomes of it (``actions.asking``), what is said (``stages.asked_content``).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import TypeVar

import dagster as dg
from psycopg import Connection
from psycopg.rows import DictRow
from pydantic import Field

from slomix_pipeline.actions import asking
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.discord.patience import OF_A_RUN, Patience
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.names import visible
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.rules import asked
from slomix_pipeline.rules.asked import Asked, Asking
from slomix_pipeline.rules.boards import MIN_ROUNDS, BoardName
from slomix_pipeline.setting_texts import moment_of_week
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse.database import Database

_WHO = "a GUID, a name he ever used, or a part of one; when several are meant the run fails and lists them"
_MAP = "only of this map, a part of its name is enough; null: of all"


class BoardConfig(dg.Config):
    """What ``slomix board`` takes."""

    board: BoardName = Field(description="what players are ranked by")
    map: str | None = Field(default=None, description=_MAP)
    since: str | None = Field(default=None, description="only sessions since this day, as 2026-11-29; null: all")
    min_rounds: int = Field(default=MIN_ROUNDS, ge=1, description="who played fewer rounds is left out")


class PlayerConfig(dg.Config):
    """What ``slomix player`` takes."""

    who: str = Field(description=_WHO)


class CompareConfig(dg.Config):
    """What ``slomix compare`` takes."""

    one: str = Field(description=_WHO)
    other: str = Field(description=f"the other one: {_WHO}")


class RecordsConfig(dg.Config):
    """What ``slomix records`` takes."""

    map: str | None = Field(default=None, description=_MAP)


class MapConfig(dg.Config):
    """What ``slomix map`` takes."""

    map: str = Field(description="a map, a part of its name is enough")


class DayConfig(dg.Config):
    """The day that a schedule asks for."""

    day: str | None = Field(
        default=None,
        description="for which day it is posted, as 2026-11-29, at most once; null: for the last whose time has come",
    )

    def or_latest(self, at: time, settings: Settings) -> date:
        """The day asked for, else the latest one on which it was this time."""
        since_then = timedelta(hours=at.hour, minutes=at.minute)
        return _day(self.day) or (datetime.now(settings.zone).replace(tzinfo=None) - since_then).date()


Config = TypeVar("Config", bound=dg.Config)
Asks = Callable[[Config, Connection[DictRow], Settings], Asked | list[Asking]]


def key_of(run: dg.DagsterRun, wanted: Asked) -> str:
    """The key of what a run asks for. One that executes another again asks for the same; a new one for something new,
    whatever its configuration."""
    return f"{wanted.what}-run-{(run.root_run_id or run.run_id).replace('-', '')[:16]}"


def _job(name: str, config_class: type[Config], asks: Asks[Config], description: str) -> dg.JobDefinition:
    """The job ``post_<name>``, of one op. It posts what ``asks`` makes of its configuration: what a person wants, under
    the key of the run, or what a schedule wants, under keys of its own."""

    @dg.op(name=name, description=description)
    def post(
        context: dg.OpExecutionContext,
        config: config_class,  # type: ignore[valid-type]  # Dagster reads it
        settings: dg.ResourceParam[Settings],
        database: dg.ResourceParam[Database],
        discord: dg.ResourceParam[Channels],
    ) -> None:
        with clear_failures():
            with database.snapshot() as conn:
                found = asks(config, conn, settings)
            askings = found if isinstance(found, list) else [Asking(key_of(context.run, found), found)]
            texts = asking.post(
                Tools(database, settings, NoGameServer(), discord, log=context.log, patience=Patience(OF_A_RUN)),
                askings,
            )
        for text in texts:
            context.log.info(text)
        context.add_output_metadata({"posts": dg.MetadataValue.json(texts)})

    return dg.GraphDefinition(name=f"post_{name}", node_defs=[post], description=description).to_job()


@contextmanager
def clear_failures() -> Iterator[None]:
    """Fails the run with what a person can do about it, without a trace or another try; of a name that means several,
    with these."""
    try:
        yield
    except SlomixError as error:
        lines = [str(error), *asking.hits(error)]
        raise dg.Failure("\n".join(map(visible, lines)), allow_retries=False) from None


class NotADay(SlomixError):
    """What should be a day is none."""


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotADay(f"{text!r} is no day; write it as 2026-11-29") from None


def _digest(config: DayConfig, _: Connection[DictRow], settings: Settings) -> list[Asking]:
    at = time.fromisoformat(settings.morning_digest_at) if settings.morning_digest_at else asked.MORNING
    return [asked.morning_digest(config.or_latest(at, settings), at, settings.zone, settings.session_over_after)]


def _weekly(config: DayConfig, _: Connection[DictRow], settings: Settings) -> list[Asking]:
    weekday, at = moment_of_week(settings.weekly_boards_at or asked.WEEK_ENDS)
    return asked.weekly_boards(config.or_latest(at, settings), weekday, at, settings.weekly_boards)


post_weekly_boards = _job(
    "weekly_boards",
    DayConfig,
    _weekly,
    "Posts the boards of the seven days before the last time of SLOMIX_WEEKLY_BOARDS_AT, those of "
    "SLOMIX_WEEKLY_BOARDS, each once a week; one on which nobody stands is left out.",
)
post_on_this_day = _job(
    "on_this_day",
    DayConfig,
    lambda config, _, settings: [asked.on_this_day(config.or_latest(time(), settings))],
    "Posts what was played on this calendar day in earlier years, once a day; silent when nothing was.",
)
post_morning_digest = _job(
    "morning_digest",
    DayConfig,
    _digest,
    "Posts what was played since the morning before, once a day; silent when nothing was.",
)

JOBS = [
    _job(
        "board",
        BoardConfig,
        lambda own, conn, _: asking.board_asked(conn, own.board, own.map, _day(own.since), own.min_rounds),
        "Posts a board as it stands now: what slomix board prints.",
    ),
    _job(
        "player",
        PlayerConfig,
        lambda own, conn, _: asking.player_asked(conn, own.who),
        "Posts a player's career as it stands now: what slomix player prints.",
    ),
    _job(
        "compare",
        CompareConfig,
        lambda own, conn, _: asking.compare_asked(conn, own.one, own.other),
        "Posts two players side by side as they stand now: what slomix compare prints.",
    ),
    _job(
        "records",
        RecordsConfig,
        lambda own, conn, _: asking.records_asked(conn, own.map),
        "Posts the records as they stand now: what slomix records prints.",
    ),
    _job(
        "map",
        MapConfig,
        lambda own, conn, _: asking.map_asked(conn, own.map),
        "Posts a map as it stands now: what slomix map prints.",
    ),
    post_weekly_boards,
    post_on_this_day,
    post_morning_digest,
]
