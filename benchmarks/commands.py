"""What slash commands take to be answered of a long history, and choices while somebody types.

Imports the files of 20,000 rounds made by the simulator, or of as many as are given, and asks each command many times,
of other players, maps and sessions each time, without HTTP. Prints one table: milliseconds of CPU, of PostgreSQL and
the answering process together, so that a busy machine tells the same as a quiet one. Discord waits for three seconds,
and we aim at a tenth of one.

    .venv/bin/python benchmarks/commands.py [rounds]
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from boards import FIRST, names, show
from bulk import MANY_ROUNDS, imported, simulated
from pages import backends, cpu_seconds

from slomix_pipeline.settings import Settings
from slomix_pipeline.site.interactions.answering import Answering
from slomix_pipeline.site.interactions.commands import MatchPart, PlayerPart, SessionPart
from slomix_pipeline.site.interactions.received import Call, CallKind
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.site_schema import ROLE
from slomix_pipeline.warehouse.site_store import SiteStore

TIMES, AIM = 40, 100  # ms

Options = dict[str, str]


def main() -> None:
    rounds = int(sys.argv[1]) if sys.argv[1:] else MANY_ROUNDS
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # the embedded server runs as another user when started by root
        with imported(simulated(scratch / "files", rounds), scratch / "home") as (found, settings, database):
            database.learn_sizes()
            print(f"{found.rounds:,} rounds\n\n{'':<34}{'p50':>8}{'p95':>8}{'aim':>8}", flush=True)
            measure(settings, database)


def measure(settings: Settings, database: Database) -> None:
    store = SiteStore(site_url(database.url, ROLE))
    answering = Answering(store, settings.zone, settings.session_gap, None)
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
        "session": lambda n: {},  # the latest
        **{f"session {part}": lambda n, part=part: {"which": nth(sessions, n), "part": part} for part in SessionPart},
        "match": lambda n: {},
        **{f"match {part}": lambda n, part=part: {"which": nth(matches, n), "part": part} for part in MatchPart},
        **{f"player {part}": lambda n, part=part: {"who": nth(people, n), "part": part} for part in PlayerPart},
        "compare": lambda n: {"a": nth(people, n), "b": nth(people, n + 1)},
        "top": lambda n: {"board": "kd"},
        "top of a map": lambda n: {"board": "kd", "map": nth(maps, n)},
        "records": lambda n: {},
        "records of a map": lambda n: {"map": nth(maps, n)},
        "map": lambda n: {"map": nth(maps, n)},
        "status": lambda n: {},
    }
    for title, options in commands.items():
        name = title.partition(" ")[0]
        ask(title, lambda n, name=name, options=options: call(CallKind.COMMAND, name, options(n)), answering, database)
    for name, option in (("player", "who"), ("session", "which"), ("match", "which"), ("map", "map")):
        typed = [{"name": option, "value": text, "focused": True} for text in ("", "a", "2026")]
        ask(
            f"choices of {name}",
            lambda n, name=name, typed=typed: call(CallKind.AUTOCOMPLETE, name, {}, typed[n % len(typed)]),
            answering,
            database,
        )
    store.close()


def call(kind: CallKind, name: str, options: Options, *more: dict[str, Any]) -> Call:
    """A call as Discord makes it."""
    given = [{"name": own, "value": value} for own, value in options.items()]
    data = {"name": name, "options": [*given, *more]}
    return Call.model_validate({"type": kind, "application_id": "1" * 18, "data": data})


def ask(title: str, made: Callable[[int], Call], answering: Answering, database: Database) -> None:
    """Shows how long the answers to calls take, each made by its number."""
    took = []
    for number in range(TIMES + FIRST):
        asked = made(number)
        pids = backends(database)
        began = cpu_seconds(pids)
        answer = answering.answer(asked, "https://stats.example.org")
        took.append((cpu_seconds(pids) - began) * 1000)
        if answer["data"].get("flags"):
            raise SystemExit(f"{title}: {answer['data']['content']}")
    show(title, took[FIRST:], AIM)


if __name__ == "__main__":
    main()
