"""Beside the stages: what the stopwatch showed of a round against what was really played.

Does not belong here: what counts as off (``rules.timing``), the words (``discord``).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from slomix_pipeline.reports.markdown import Markdown, escape, table
from slomix_pipeline.rules.things import TIMINGS, Thing, ThingKind
from slomix_pipeline.rules.timing import TimingStatus
from slomix_pipeline.stages.common import Conn, Done, Tools, Wish
from slomix_pipeline.warehouse import due, restores
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
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


def timing_comparison(keys: Sequence[str], tools: Tools) -> Done:
    """Holds the stopwatch of these rounds against what was played, and tells the dev channel where they differ."""
    with tools.database.connect() as conn:
        found = timings_seen(conn, keys)
    outcomes = _tell(tools, tools.channels.dev, found) if tools.channels.dev else {}
    return Done({CheckName.TIMING_TOLD: outcomes}, _totals(found))


def _tell(tools: Tools, dev: "Discord", found: list[TimingSeen]) -> dict[str, Outcome]:
    """Tells the dev channel of rounds that are not aligned; of others it corrects what was said before."""
    # Loaded here: the messages need requests, which loading the definitions doesn't.
    from slomix_pipeline.discord.telling import Telling
    from slomix_pipeline.discord.timing_messages import timing_message

    with tools.database.transaction() as conn:
        for timing in found:
            _note_due(conn, timing.seen, tools.wish, tools.settings.publish_max_age)
        wanted = due.wanted(conn) if tools.wish else set()
    telling = Telling(tools, dev, TIMINGS, wanted)
    outcomes = {}
    for timing in found:
        told = telling.tell(Thing(ThingKind.TIMING, timing.seen.key), timing_message(timing))
        outcomes[timing.seen.key] = Outcome(
            not told.outcome.is_trouble, {"message": told.outcome.value, "detail": told.detail}
        )
    return outcomes


def _note_due(conn: Conn, seen: RoundSeen, wish: Wish | None, max_age: timedelta) -> None:
    """A timing that is right by now is no news; one that is not is, when a sensor brought it or a person asks."""
    thing = Thing(ThingKind.TIMING, seen.key)
    now = datetime.now(UTC)
    if seen.timing_status == TimingStatus.ALIGNED:
        due.strike_out(conn, thing)
    elif wish is Wish.ASKED:
        due.note(conn, thing, now + max_age)
    elif wish is Wish.LIVE and seen.by_sensor and now - seen.ended_at < max_age and not _is_silent(conn, seen):
        due.note(conn, thing, seen.ended_at + max_age)


def _is_silent(conn: Conn, seen: RoundSeen) -> bool:
    restored_at = restores.silent_before(conn)
    return restored_at is not None and seen.ended_at <= restored_at


def _totals(found: list[TimingSeen]) -> dict[str, Any]:
    rounds = [[_cell(getattr(timing.facts, name)) for name in _CLOCKS] for timing in found]
    players = [[_cell(getattr(row, name)) for name in _PEOPLE] for timing in found for row in timing.players]
    known = [t.facts.difference_seconds for t in found if t.facts.difference_seconds is not None]
    statuses = {status.value: sum(t.seen.timing_status == status for t in found) for status in TimingStatus}
    return statuses | {
        "largest difference, seconds": max(known, default=None),
        "clocks": Markdown("\n".join(table(_CLOCKS, rounds))),
        "players": Markdown("\n".join(table(_PEOPLE, players[:MOST_ROWS]))),
    }


def _cell(value: Any) -> str:
    if value is None:
        return "unknown"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else escape(str(value))
