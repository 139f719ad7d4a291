"""What slash commands take to be answered of a long history, and choices while somebody types.

Imports the stats files of 20,000 rounds made by the simulator, or the folder given, and asks each command many times,
of other players, maps and sessions each time, without HTTP. Prints one table of milliseconds as the clock has them:
Discord waits for three seconds, and we aim at a tenth of one.

    .venv/bin/python benchmarks/commands.py [folder]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from boards import FIRST, names, show
from bulk import MANY_ROUNDS, imported, simulated

from slomix_pipeline.settings import Settings
from slomix_pipeline.site.interactions.answering import Answering
from slomix_pipeline.site.interactions.commands import SessionPart
from slomix_pipeline.site.interactions.received import Call, CallKind
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.site_schema import ROLE
from slomix_pipeline.warehouse.site_store import SiteStore

TIMES, AIM = 40, 100  # ms
PARTS = (SessionPart.RESULT, SessionPart.PLAYERS, SessionPart.WHY)  # the others are of files that are not imported

Options = dict[str, str]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # the embedded server runs as another user when started by root
        folder = Path(sys.argv[1]) if sys.argv[1:] else simulated(scratch / "files", MANY_ROUNDS) / "gamestats"
        with imported(folder, scratch / "home", stats_only=not sys.argv[1:]) as (found, settings, database):
            database.learn_sizes()
            print(f"{found.rounds:,} rounds\n\n{'':<34}{'p50':>8}{'p95':>8}{'aim':>8}", flush=True)
            measure(settings, database)


def measure(settings: Settings, database: Database) -> None:
    store = SiteStore(site_url(database.url, ROLE))
    answering = Answering(store, settings, None)
    with database.connect() as conn:
        sessions, matches, people, maps = (
            names(conn, f"select {column} from {table} order by md5({column})")
            for column, table in (
                ("session_key", "session"),
                ("match_key", "match"),
                ("guid", "board_person"),
                ("map", "(select distinct map from match) m"),
            )
        )

    def nth(values: list[str], number: int) -> str:
        return values[number % len(values)]

    commands: dict[str, Callable[[int], Options]] = {
        **{f"session {part}": lambda n, part=part: {"which": nth(sessions, n), "part": part} for part in PARTS},
        "match": lambda n: {"which": nth(matches, n)},
        "player": lambda n: {"who": nth(people, n)},
        "compare": lambda n: {"a": nth(people, n), "b": nth(people, n + 1)},
        "top": lambda n: {"board": "kd"},
        "top of a map": lambda n: {"board": "kd", "map": nth(maps, n)},
        "records": lambda n: {},
        "map": lambda n: {"map": nth(maps, n)},
        "status": lambda n: {},
    }
    for title, options in commands.items():
        name = title.partition(" ")[0]
        ask(title, lambda n, name=name, options=options: call(CallKind.COMMAND, name, options(n)), answering)
    for name, option in (("player", "who"), ("session", "which"), ("match", "which"), ("map", "map")):
        typed = [{"name": option, "value": text, "focused": True} for text in ("", "a", "2026")]
        ask(
            f"choices of {name}",
            lambda n, name=name, typed=typed: call(CallKind.AUTOCOMPLETE, name, {}, typed[n % len(typed)]),
            answering,
        )
    store.close()


def call(kind: CallKind, name: str, options: Options, *more: dict[str, Any]) -> Call:
    """A call as Discord makes it."""
    given = [{"name": own, "value": value} for own, value in options.items()]
    data = {"name": name, "options": [*given, *more]}
    return Call.model_validate({"type": kind, "application_id": "1" * 18, "data": data})


def ask(title: str, made: Callable[[int], Call], answering: Answering) -> None:
    """Shows how long the answers to calls take, each made by its number."""
    took = []
    for number in range(TIMES + FIRST):
        asked = made(number)
        began = time.perf_counter()
        answer = answering.answer(asked, "https://stats.example.org")
        took.append((time.perf_counter() - began) * 1000)
        if answer["data"].get("flags"):
            raise SystemExit(f"{title}: {answer['data']['content']}")
    show(title, took[FIRST:], AIM)


if __name__ == "__main__":
    main()
