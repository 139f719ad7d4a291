"""Whatever Discord, the network and whoever tells do to a message: it is there once, or not and somebody is told."""

import itertools
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.doubts import settle_abandoned
from slomix_pipeline.discord.embeds import Embed, Message, block
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.discord.telling import Telling
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.rules.things import PostState, Thing, ThingKind
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse import due
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.kept import served_page

MOST_LINES = 500  # of the ledger, on the way of two messages
_numbers = itertools.count()


@dataclass(frozen=True)
class Run:
    """Somebody tells all things as they are in this version; maybe two do at once, maybe by another webhook."""

    version: int
    faults: Sequence[Fault | None]
    tellers: int = 1
    webhook_replaced: bool = False


RUNS = st.builds(
    Run,
    st.integers(0, 2),
    st.lists(st.none() | st.sampled_from(Fault), max_size=6),
    st.integers(1, 2),
    st.sampled_from([False, False, False, True]),
)


def message(thing: Thing, version: int) -> Message:
    """It takes two: each says of what it is in the name of its first field."""
    title = f"{thing.partition_key} v{version}"
    return Message(embeds=(Embed("", fields=block(title, ["x" * 1000] * 7)),))


def title_of(sent: Mapping[str, Any]) -> str:
    """The thing and version, with the number of the message."""
    fields = sent["embeds"][0]["fields"]
    return f"{fields[0]['name']} #{1 if len(fields) > 2 else 2}"


def tell_all(database: Database, webhook: str, things: Sequence[Thing], version: int) -> None:
    """What a run does."""
    tools = Tools(database, Settings(_env_file=None), NoGameServer())
    with database.connect() as conn:
        wanted = due.wanted(conn)
    discord = Discord(webhook, timeout=0.3, max_wait=1, sleep=lambda _: None)
    telling = Telling(tools, discord, [ThingKind.RESULT], wanted)
    for thing in things:
        telling.tell(thing, message(thing, version))


def go(database: Database, page: StandIn, things: Sequence[Thing], run: Run) -> None:
    if run.webhook_replaced:
        page.delete_webhook()
        tell_all(database, page.webhook_url, things, run.version)
        page.replace_webhook()
    page.misbehave(*run.faults)
    tellers = [
        threading.Thread(target=tell_all, args=(database, page.webhook_url, things, run.version))
        for _ in range(run.tellers)
    ]
    for teller in tellers:
        teller.start()
    for teller in tellers:
        teller.join()


def check(database: Database, page: StandIn, things: Sequence[Thing], version: int) -> None:
    """Each message is there once and says what it should, or somebody is told."""
    titles = [title_of(sent) for sent in page.messages()]
    with database.connect() as conn:
        states = {row["thing"]: row["state"] for row in conn.execute("select thing, state from post")}
        told_of = {trouble.thing for trouble in due.troubles(conn)}
    for thing, number in itertools.product(things, (1, 2)):
        part = replace(thing, part=number)
        count = sum(title.startswith(f"{thing.partition_key} v") and title.endswith(f"#{number}") for title in titles)
        state = states.get(part.name)
        assert count <= 1, f"{part.name} is there {count} times"
        assert state != PostState.SENT or count == 1
        assert state != PostState.CLAIMED
        if f"{thing.partition_key} v{version} #{number}" not in titles:  # what follows waits for what is in trouble
            assert {part.name, thing.name} & told_of, f"{part.name} is {state}, there {count} times; nobody is told"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[StandIn]:
    with served_page(tmp_path / "page") as running:
        running.allow(10_000, 1)
        yield running


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(RUNS, min_size=1, max_size=4))
def test_under_any_schedule_of_faults_every_message_is_there_once_or_somebody_is_told(
    database: Database, page: StandIn, runs: list[Run]
) -> None:
    things = [Thing(ThingKind.RESULT, f"main:{next(_numbers)}") for _ in range(3)]
    with database.transaction() as conn:
        for thing in things:
            due.note(conn, thing, datetime.now(UTC) + timedelta(hours=6))
    for run in runs:
        go(database, page, things, run)
    page.misbehave()
    for _ in range(2):  # Discord works again; the first one that is asked for may only find that out
        tell_all(database, page.webhook_url, things, version=3)
    check(database, page, things, version=3)


_TELLER = """
import os, signal, sys
from slomix_pipeline.discord import ledger
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.discord.test_fault_schedules import tell_all, thing_of_line

PUBLISHER = {ledger.__file__}

def killed_at(line):
    steps = 0
    def step(frame, event, _):
        nonlocal steps
        if frame.f_code.co_filename not in PUBLISHER:
            return None
        if event == "line":
            steps += 1
            if steps == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return step
    return step

url, webhook, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
for line in range(1, most):
    child = os.fork()
    if child == 0:
        sys.settrace(killed_at(line))
        tell_all(Database(url), webhook, [thing_of_line(line)], 0)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break  # it has no more lines
print(line)
"""


def thing_of_line(line: int) -> Thing:
    return Thing(ThingKind.RESULT, f"main:killed-{line}")


def test_wherever_a_run_is_killed_its_message_is_there_once_or_somebody_is_told(
    database: Database, page: StandIn
) -> None:
    things = [thing_of_line(line) for line in range(1, MOST_LINES)]
    with database.transaction() as conn:
        for thing in things:
            due.note(conn, thing, datetime.now(UTC) + timedelta(hours=6))
    told = subprocess.run(
        [sys.executable, "-c", _TELLER, database.url, page.webhook_url, str(MOST_LINES)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = int(told.stdout)
    assert 50 < lines < MOST_LINES - 1
    settle_abandoned(database)
    with database.connect() as conn:
        left = Counter(row["state"] for row in conn.execute("select state from post"))
    assert left[PostState.IN_DOUBT] > 5 and left[PostState.SENT] > 5  # it was killed between, and behind, these steps
    tell_all(database, page.webhook_url, things[:lines], version=0)
    check(database, page, things[:lines], version=0)
    with database.connect() as conn:
        after = Counter(row["state"] for row in conn.execute("select state from post"))
    assert after[PostState.IN_DOUBT] == left[PostState.IN_DOUBT]  # the others are sent by now
    assert set(after) == {PostState.IN_DOUBT, PostState.SENT}
