"""Beside the stages: what the stopwatch showed of a round against what was really played."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from slomix_pipeline.assets.common import Conn, round_asset
from slomix_pipeline.checks.layers import report
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.jobs import ASKED, LIVE, PUBLISH_TAG
from slomix_pipeline.reports.markdown import escape, table
from slomix_pipeline.rules.things import TIMINGS, Thing, ThingKind
from slomix_pipeline.rules.timing import TimingStatus
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import due, unfinished
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.reading import RoundSeen
from slomix_pipeline.warehouse.timing_comparison import TimingSeen, timings_seen

if TYPE_CHECKING:
    from slomix_pipeline.discord.client import Discord

MOST_ROWS = 200  # of a table in the metadata
_CLOCKS = (
    "round_key",
    "timing_status",
    "stopwatch",
    "record_seconds",
    "difference_seconds",
    "correction",
    "duration_seconds",
    "duration_source",
    "surrender_side",
    "pause_seconds",
    "end_reason",
)
_PEOPLE = ("round_key", "name", "damage_given", "seconds_played", "stopwatch_dpm", "dpm")


@round_asset(
    "timing_comparison",
    stage="timing comparison",
    kinds={"discord", "postgres"},
    deps=["round_timing"],
    description="Stopwatch, timing record and the length that counts, side by side, with every player's damage per "
    "minute by the stopwatch and by the time he was there. A fresh round that is not aligned is told to the dev "
    "channel, if there is one, in one message; it is edited when the record comes late.",
    op_tags={"dagster/priority": "-1"},  # after the stages that a message waits for
)
def timing_comparison(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], discord: dg.ResourceParam[Channels]
) -> dg.MaterializeResult:
    with database.connect() as conn:
        begun = unfinished.begun(conn, context.partition_keys, unfinished.Stage.TIMING_COMPARISON)
        found = timings_seen(conn, context.partition_keys)
    wish, max_age = context.run.tags.get(PUBLISH_TAG), load_settings().publish_max_age
    outcomes = _tell(context, database, discord.dev, found, wish, max_age) if discord.dev else {}
    with database.connect() as conn:
        check = report(context, conn, CheckName.TIMING_TOLD, outcomes)
        unfinished.note_done(conn, begun)
    return dg.MaterializeResult(metadata=_metadata(found), check_results=[check])


def _tell(
    context: dg.AssetExecutionContext,
    database: Database,
    dev: "Discord",
    found: list[TimingSeen],
    wish: str | None,
    max_age: timedelta,
) -> dict[str, Outcome]:
    """Tells the dev channel of rounds that are not aligned; of others it corrects what was said before."""
    # Loaded here: the messages need requests, which loading the definitions doesn't.
    from slomix_pipeline.discord.telling import Telling
    from slomix_pipeline.discord.timing_messages import timing_message

    with database.transaction() as conn:
        for timing in found:
            _note_due(conn, timing.seen, wish, max_age)
        wanted = due.wanted(conn) if wish in (LIVE, ASKED) else set()
    telling = Telling(database, dev, TIMINGS, wanted, context.log)
    outcomes = {}
    for timing in found:
        told = telling.tell(Thing(ThingKind.TIMING, timing.seen.key), timing_message(timing))
        outcomes[timing.seen.key] = Outcome(
            not told.outcome.is_trouble, {"message": told.outcome.value, "detail": told.detail}
        )
    return outcomes


def _note_due(conn: Conn, seen: RoundSeen, wish: str | None, max_age: timedelta) -> None:
    """A timing that is right by now is no news; one that is not is, when a sensor brought it or a person asks."""
    thing = Thing(ThingKind.TIMING, seen.key)
    now = datetime.now(UTC)
    if seen.timing_status == TimingStatus.ALIGNED:
        due.strike_out(conn, thing)
    elif wish == ASKED:
        due.note(conn, thing, now + max_age)
    elif wish == LIVE and seen.by_sensor and now - seen.ended_at < max_age:
        due.note(conn, thing, seen.ended_at + max_age)


def _metadata(found: list[TimingSeen]) -> dict[str, Any]:
    rounds = [[_cell(getattr(timing.facts, name)) for name in _CLOCKS] for timing in found]
    players = [[_cell(getattr(row, name)) for name in _PEOPLE] for timing in found for row in timing.players]
    known = [t.facts.difference_seconds for t in found if t.facts.difference_seconds is not None]
    statuses = {status.value: sum(t.seen.timing_status == status for t in found) for status in TimingStatus}
    return statuses | {
        "largest difference, seconds": max(known, default=None),
        "clocks": dg.MetadataValue.md("\n".join(table(_CLOCKS, rounds))),
        "players": dg.MetadataValue.md("\n".join(table(_PEOPLE, players[:MOST_ROWS]))),
    }


def _cell(value: Any) -> str:
    if value is None:
        return "unknown"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else escape(str(value))
