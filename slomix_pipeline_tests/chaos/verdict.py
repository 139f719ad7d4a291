"""What has to be so when a night is over and has settled, and what is not: one line for each.

Belongs here: numbers against the truth, files, messages against a calm run, what is left behind.
Does not belong here: the night (``night``).
"""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import psutil  # type: ignore[import-untyped]  # comes without types

from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.reports.export import session_as_json
from slomix_pipeline.runtime.children import _left_in
from slomix_pipeline.runtime.home import supervisor_of
from slomix_pipeline.settings import as_environment
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import round_files
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.session_reports import sessions_to_report
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.chaos.night import PASSWORD, Stage
from slomix_pipeline_tests.pipeline_fixtures import SERVER, SLOMIX, round_key

_DONE = ("ingested", "known")
Look = Callable[[Stage, Database, Evening], list[str]]
_CALM = "calm"  # the name of the database in which the night is played again


def wrong_numbers(made: Stage, database: Database, evening: Evening) -> list[str]:
    with database.snapshot() as conn:
        sessions = [row["session_key"] for row in conn.execute("select session_key from session")]
        if len(sessions) != 1:
            return [f"{len(sessions)} sessions"]
        return differences(as_exported(session_as_json(conn, made.settings, sessions[0])), as_played(evening))


def open_files(made: Stage, database: Database, evening: Evening) -> list[str]:
    """Files that were written and are not in the ledger, or not done, or more than were written."""
    with database.connect() as conn:
        rows = conn.execute("select name, status, reason from file").fetchall()
    known = {row["name"]: row for row in rows}
    written = {name.split("/")[1] for one in evening.rounds for name in round_files(one)}
    lost = [f"file {name} is not in the ledger" for name in sorted(written - known.keys())]
    strange = [f"file {name} was never written" for name in sorted(known.keys() - written)]
    waits = [f"file {r['name']} is {r['status']} ({r['reason']})" for r in rows if r["status"] not in _DONE]
    return [*lost, *strange, *waits]


def untold_results(made: Stage, database: Database, evening: Evening) -> list[str]:
    """Results that are neither told nor reported."""
    return _untold(database, [f"result:{round_key(match.r2)}" for match in evening.matches])


def untold_summary(made: Stage, database: Database, evening: Evening) -> list[str]:
    """The same of the evening's summary."""
    return _untold(database, [f"session:{SERVER}:{evening.rounds[0].stem[:17]}"])


def _untold(database: Database, due: Sequence[str]) -> list[str]:
    with database.connect() as conn:
        told = {row["thing"] for row in conn.execute("select thing from post where state = 'sent'")}
        reported = {row["thing"] for row in conn.execute("select thing from message_trouble")}
    return [f"{thing} is neither told nor reported" for thing in due if thing not in told | reported]


def undecided(made: Stage, database: Database, evening: Evening) -> list[str]:
    """What is still to come: corrections, runs, rounds to be worked out again, messages."""
    with database.connect() as conn:
        waits = [f"{r['thing']} waits ({r['state']}: {r['error']})" for r in conn.execute("select * from undelivered")]
        runs = conn.execute(
            "select run_id, status from dagster.runs where status not in ('SUCCESS', 'FAILURE', 'CANCELED')"
        )
        waits += [f"run {row['run_id'][:8]} is {row['status']}" for row in runs]
        left = conn.execute("select * from unfinished").fetchall()
        waits += [f"left half-way: {dict(row)}" for row in left]
        behind = conn.execute("select session_key from session where told_of is distinct from scored_at")
        waits += [f"{row['session_key']}: nobody compared it with what was told" for row in behind]
        reports = sessions_to_report(conn, datetime.now(UTC), 10)
        waits += [f"{key}: its report or summary is not as it is now" for key, _ in reports]
    return waits


LOOKS: tuple[Look, ...] = (wrong_numbers, open_files, untold_results, untold_summary, undecided)


def unsettled(made: Stage, database: Database, evening: Evening, looks: Sequence[Look] = LOOKS) -> list[str]:
    """What is not, or not yet, as it has to be."""
    found: list[str] = []
    for look in looks:
        try:
            found += look(made, database, evening)
        except Exception as error:  # the database may be just away
            found.append(f"it can't be told: {error!r}"[:300])
    return found


def never_back(made: Stage) -> list[str]:
    """What was harmed and did not come up again, and whether anything is down at the end of the night."""
    found = [
        f"{one.text}, at {one.at:.1f} s: never up again"
        for one in made.done
        if one.is_watched and one.back_after is None
    ]
    return found if made.pipeline.is_up() else [*found, "in the end not everything answers"]


def wrong_messages(made: Stage, database: Database, evening: Evening, calm: Mapping[str, str]) -> list[str]:
    """Messages that are there twice, are nobody's, or say something else than they would have on a calm night."""
    shown = {message["id"]: message for message in made.page.messages()}
    with database.connect() as conn:
        posts = conn.execute("select thing, kind, state, message_id from post").fetchall()
    noted = {row["message_id"]: row["thing"] for row in posts if row["state"] == "sent"}
    doubts = [row["thing"] for row in posts if row["state"] == "in_doubt"]
    found = [f"{noted[i]} is noted as message {i}, which is not there" for i in noted if i not in shown]
    if len(noted) != sum(row["state"] == "sent" for row in posts):
        found.append("two things are noted as one message")
    titles = Counter(title_of(message) for message in shown.values())
    as_calm, maps = Counter(calm_titles(calm)), Counter(match.map_name for match in evening.matches)
    strangers = [title_of(message) for number, message in shown.items() if number not in noted]
    if len(strangers) > len(doubts):
        found.append(f"{strangers} are there without being noted, but only {doubts} are in doubt")
    found += [f"said {n} times: {title}" for title, n in titles.items() if n > _most(title, as_calm, maps)]
    for number, thing in noted.items():
        if thing in calm and number in shown and (said := text_of(shown[number])) != calm[thing]:
            found.append(f"{thing} says\n{said}\ninstead of\n{calm[thing]}")
    return found


def _most(title: str, as_calm: Counter[str], maps: Counter[str]) -> int:
    """How often something may be said: of a match what was said on a calm night, at least once for each that was played
    on its map; all else once."""
    if found := re.fullmatch(r"(\S+) · (.*)", title):
        return as_calm[title] or maps[found[1].replace("\\", "")]
    return max(1, as_calm[title])


def title_of(message: Mapping[str, Any]) -> str:
    return str(message["embeds"][0]["title"])


def text_of(message: Mapping[str, Any]) -> str:
    """All that a message says, without ids and the moments of its making."""
    parts = [message["content"]]
    for embed in message["embeds"]:
        parts += [embed.get("title", ""), embed.get("description", ""), (embed.get("footer") or {}).get("text", "")]
        parts += [f"{one['name']}: {one['value']}" for one in embed.get("fields", ())]
    return "\n".join(filter(None, parts))


def calm_titles(calm: Mapping[str, str]) -> list[str]:
    return [text.split("\n")[0] for text in calm.values()]


def calm_messages(made: Stage, database: Database) -> dict[str, str]:
    """What the results and the summary say when the same files are taken at once, on a database of their own."""
    with database.connect() as conn:
        conn.autocommit = True
        conn.execute(f"create database {_CALM}")
    url = database.url.replace("@/postgres?", f"@/{_CALM}?")
    with StandIn(made.folder / _CALM) as page:
        own = as_environment(made.settings) | {
            "SLOMIX_POSTGRES_URL": url,
            "SLOMIX_HOME": str(made.folder / "calm-home"),
            "SLOMIX_DISCORD_WEBHOOK": page.webhook_url,
        }
        command = [*SLOMIX, "import", str(made.server), "--publish", "--json"]
        done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        shown = {message["id"]: message for message in page.messages()}
    with Database(url).connect() as conn:
        rows = conn.execute("select thing, message_id from post where state = 'sent' and kind in ('result', 'session')")
        return {row["thing"]: text_of(shown[row["message_id"]]) for row in rows}


def left_behind(made: Stage) -> Iterator[str]:
    """What is still there when everything has ended."""
    home = made.settings.home
    yield from (f"process {one.pid} {one.name()} still runs" for one in _left_in(home))
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name().startswith("postgres") and process.cwd() == str(made.settings.postgres_dir):
                yield f"PostgreSQL's process {process.pid} still runs"
    if holder := supervisor_of(home):
        yield f"the home is still held by {holder}"
    yield from (f"scratch left: {path.name}" for path in made.scratch.iterdir())
    yield from (f"half a file left: {path}" for path in home.rglob("*.new"))


def secrets_told(made: Stage) -> Iterator[str]:
    """Secrets in what was written for people."""
    token = made.page.webhook_url.rsplit("/", 1)[1]
    for path in [made.folder / "run.log", *(made.settings.home / "logs").iterdir(), made.settings.postgres_dir / "log"]:
        text = path.read_text(errors="replace")
        yield from (f"{what} is in {path.name}" for what, secret in _named(token) if secret in text)


def secrets_kept(database: Database, page: StandIn) -> list[str]:
    """Secrets in what Dagster shows."""
    token = page.webhook_url.rsplit("/", 1)[1]
    with database.connect() as conn:
        return [
            f"{what} is in Dagster's events"
            for what, secret in _named(token)
            if conn.execute("select from dagster.event_logs where position(%s in event) > 0", [secret]).fetchone()
        ]


def _named(token: str) -> list[tuple[str, str]]:
    return [("the webhook's token", token), ("the SFTP password", PASSWORD)]
