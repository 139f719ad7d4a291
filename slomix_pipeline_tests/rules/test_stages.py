"""The stages of the chain: each stands for itself, the worst is the whole, and who does not play breaks nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slomix_pipeline.rules.stages import ChainSeen, StageState, stages, worst

NOW = datetime(2026, 2, 2, 21, tzinfo=UTC)
RUNNING = ChainSeen(
    as_of=NOW,
    watched_at=NOW - timedelta(seconds=20),
    looked_at=NOW - timedelta(seconds=50),
    waiting=0,
    waiting_since=None,
    unreadable=0,
    last_round_at=NOW - timedelta(minutes=4),
    stale=0,
    rounds=22,
    timed=22,
    failed_checks=0,
    warned_checks=0,
    messages=0,
    messages_since=None,
)


def states(**changed: Any) -> dict[str, StageState]:
    return {stage.name: stage.state for stage in stages(replace(RUNNING, **changed))}


def test_while_all_runs_every_stage_is_ok() -> None:
    assert set(states().values()) == {StageState.OK}
    assert worst(stages(RUNNING)) is StageState.OK


def test_where_nobody_plays_that_is_idle_and_no_trouble() -> None:
    idle = replace(RUNNING, last_round_at=NOW - timedelta(days=3))
    assert worst(stages(idle)) is StageState.IDLE


EACH: list[tuple[str, dict[str, Any], StageState]] = [
    ("Watch", {"watched_at": None}, StageState.UNKNOWN),
    ("Game server", {"looked_at": NOW - timedelta(minutes=6)}, StageState.WARN),
    ("Game server", {"looked_at": NOW - timedelta(minutes=31)}, StageState.DOWN),
    ("Game server", {"looked_at": None}, StageState.UNKNOWN),
    ("Files", {"waiting": 2, "waiting_since": NOW - timedelta(minutes=11)}, StageState.WARN),
    ("Files", {"waiting": 2, "waiting_since": NOW}, StageState.OK),
    ("Files", {"unreadable": 1}, StageState.WARN),
    ("Rounds", {"last_round_at": None}, StageState.IDLE),
    ("Lua timing", {"timed": 21}, StageState.WARN),
    ("Lua timing", {"timed": 0}, StageState.UNKNOWN),
    ("Checks", {"failed_checks": 1}, StageState.WARN),
    ("Checks", {"warned_checks": 9}, StageState.OK),
    ("Discord", {"messages": 1, "messages_since": NOW - timedelta(minutes=2)}, StageState.WARN),
    ("Discord", {"messages": 1, "messages_since": NOW}, StageState.OK),
]


@pytest.mark.parametrize(("stage", "changed", "state"), EACH)
def test_a_stage_in_trouble_changes_no_other(stage: str, changed: dict[str, Any], state: StageState) -> None:
    assert states(**changed) == {**states(), stage: state}
    assert worst(stages(replace(RUNNING, **changed))) is state


def test_where_nobody_watches_the_game_server_is_not_blamed() -> None:
    stopped = states(watched_at=NOW - timedelta(minutes=40), looked_at=NOW - timedelta(minutes=40))
    assert stopped == {**states(), "Watch": StageState.DOWN, "Game server": StageState.UNKNOWN}
