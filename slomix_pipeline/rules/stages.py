"""How the stages from the game server to the players stand, each alone, and the chain as a whole.

Belongs here: the states, from when on something is late, one sentence for each stage. No sentence names a machine, a
path or a file: everybody may read them.
Does not belong here: reading what is (``warehouse.site_status``), what whoever runs the server is told (``alarms``).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from slomix_pipeline.rules.alarms import SETTLES
from slomix_pipeline.rules.sessions import DEFAULT_GAP

WATCH_LOST = timedelta(minutes=3)  # its daemon gives a sign of life twice a minute
# A folder is listed every minute also while nothing changes in it.
LOOK_LATE = timedelta(minutes=5)
LOOK_LOST = timedelta(minutes=30)
FILE_LATE = timedelta(minutes=10)  # after it was asked for; it is asked for again meanwhile


class StageState(StrEnum):
    """How a stage stands, the best first."""

    OK = "ok"
    IDLE = "idle"  # nobody plays
    UNKNOWN = "unknown"
    WARN = "warn"
    DOWN = "down"


HEADINGS = {
    StageState.OK: "Everything runs",
    StageState.IDLE: "Everything runs, nobody plays",
    StageState.UNKNOWN: "Not everything is known",
    StageState.WARN: "Something needs a look",
    StageState.DOWN: "Something is down",
}
"""How the chain stands as a whole, in words."""


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """What is known of the chain. ``watched_at``: when what watches over all of it last gave a sign of life, None: it
    can't be seen from here; ``looked_at``: when a folder of the game server was last listed; ``waiting`` files
    were asked for and have no outcome, the oldest since ``waiting_since``; ``stale``: rounds to be worked out again, by
    newer rules or as their session is older than they are; ``rounds`` of the last session, of which
    ``timed`` have a timing record; ``messages`` are in trouble, the oldest since ``messages_since``. Unreadable files,
    checks and messages: of lately."""

    as_of: datetime
    watched_at: datetime | None
    looked_at: datetime | None
    waiting: int
    waiting_since: datetime | None
    unreadable: int
    last_round_at: datetime | None
    stale: int
    rounds: int
    timed: int
    failed_checks: int
    warned_checks: int
    messages: int
    messages_since: datetime | None


@dataclass(frozen=True, slots=True)
class StageSeen:
    """One stage. ``at``: the moment that ``text`` is about, if there is one."""

    name: str
    state: StageState
    text: str
    at: datetime | None = None


def stages(seen: ChainSeen) -> tuple[StageSeen, ...]:
    """All stages, in the order in which a round passes them."""
    return _watch(seen), _game_server(seen), _files(seen), _rounds(seen), _timing(seen), _checks(seen), _messages(seen)


def worst(found: tuple[StageSeen, ...]) -> StageState:
    """How the chain stands as a whole."""
    return max((stage.state for stage in found), key=list(StageState).index)


def _watch(seen: ChainSeen) -> StageSeen:
    if seen.watched_at is None:
        return StageSeen("Watch", StageState.UNKNOWN, "whether anybody watches can't be seen from here")
    if _is_watched(seen):
        return StageSeen("Watch", StageState.OK, "last sign of life", seen.watched_at)
    return StageSeen(
        "Watch", StageState.DOWN, "nobody fetches files or tells results; last sign of life", seen.watched_at
    )


def _is_watched(seen: ChainSeen) -> bool:
    return seen.watched_at is None or seen.as_of - seen.watched_at <= WATCH_LOST


def _game_server(seen: ChainSeen) -> StageSeen:
    name = "Game server"
    if seen.looked_at is None:
        return StageSeen(name, StageState.UNKNOWN, "its files were never listed")
    if not _is_watched(seen):
        return StageSeen(name, StageState.UNKNOWN, "nobody looks; its files were last listed", seen.looked_at)
    age = seen.as_of - seen.looked_at
    state = StageState.DOWN if age > LOOK_LOST else StageState.WARN if age > LOOK_LATE else StageState.OK
    return StageSeen(name, state, "its files were last listed", seen.looked_at)


def _files(seen: ChainSeen) -> StageSeen:
    unreadable = f"; {seen.unreadable} of the last days can't be read" if seen.unreadable else ""
    if seen.waiting_since is None:
        state = StageState.WARN if seen.unreadable else StageState.OK
        return StageSeen("Files", state, f"none waits{unreadable}")
    late = seen.as_of - seen.waiting_since > FILE_LATE
    state = StageState.WARN if late or seen.unreadable else StageState.OK
    return StageSeen("Files", state, f"{seen.waiting} on the way{unreadable}; the oldest since", seen.waiting_since)


def _rounds(seen: ChainSeen) -> StageSeen:
    if seen.last_round_at is None:
        return StageSeen("Rounds", StageState.IDLE, "none was played yet")
    stale = f"{seen.stale} {'round' if seen.stale == 1 else 'rounds'} to work out again; " if seen.stale else ""
    if seen.as_of - seen.last_round_at > DEFAULT_GAP:
        return StageSeen("Rounds", StageState.IDLE, f"{stale}nobody plays; the last one ended", seen.last_round_at)
    return StageSeen("Rounds", StageState.OK, f"{stale}the last one ended", seen.last_round_at)


def _timing(seen: ChainSeen) -> StageSeen:
    if not seen.timed:
        return StageSeen("Lua timing", StageState.UNKNOWN, "no round of the last session has a timing record")
    state = StageState.OK if seen.timed == seen.rounds else StageState.WARN
    return StageSeen("Lua timing", state, f"{seen.timed} of {seen.rounds} rounds of the last session have a record")


def _checks(seen: ChainSeen) -> StageSeen:
    if not seen.failed_checks + seen.warned_checks:
        return StageSeen("Checks", StageState.OK, "all of the last days passed")
    text = f"of the last days {seen.failed_checks} failed and {seen.warned_checks} warned"
    return StageSeen("Checks", StageState.WARN if seen.failed_checks else StageState.OK, text)


def _messages(seen: ChainSeen) -> StageSeen:
    if seen.messages_since is None:
        return StageSeen("Discord", StageState.OK, "nothing that was to be told waits")
    state = StageState.WARN if seen.as_of - seen.messages_since >= SETTLES else StageState.OK
    return StageSeen(
        "Discord", state, f"{seen.messages} not told as it should be; the oldest since", seen.messages_since
    )
