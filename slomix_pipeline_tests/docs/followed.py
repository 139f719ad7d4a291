"""An evening on which the commands of the pages are followed, and what their examples stand for there.

Belongs here: the fixture ``followed`` and the table of words. Does not belong here: which commands there are, and how each
is to end (``test_documented_commands``).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from psycopg.conninfo import conninfo_to_dict

from slomix_pipeline.actions.backing_up import back_up
from slomix_pipeline.actions.lua_scripts import CONFIG, TIMING_SCRIPT
from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.filenames import stats_file_name
from slomix_pipeline.rules.backups import BackupKind
from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages.usual import learn_usual
from slomix_pipeline.warehouse.connections import forget_idle
from slomix_pipeline_tests.building import EVENING, first_round, lobby, make_round, with_file_guids
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, open_pipeline, round_key
from slomix_pipeline_tests.postgres_fixtures import copied_database, databases_may_be_made

_HALVES_AT = SOME_EVENING + timedelta(days=20)


@dataclass(frozen=True)
class Followed:
    """The evening, told and learned, with its game server (SFTP), stand-in and application."""

    pipeline: Pipeline
    words: dict[str, str]
    settings: dict[str, str]
    server: str
    template: str

    @contextmanager
    def afresh(self) -> Iterator["Followed"]:
        """The same on a database of its own, as nothing was done yet."""
        (self.pipeline.folder / TIMING_SCRIPT).unlink(missing_ok=True)
        with copied_database(self.server, self.template) as database:
            yield replace(self, pipeline=replace(self.pipeline, database=database))
            forget_idle()

    def put(self, text: str) -> str:
        """A text with what its examples stand for."""
        longest_first = sorted(self.words, key=len, reverse=True)
        found = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest_first)
        return re.sub(found, lambda match: self.words[match[0]], text)

    def slomix(self, *arguments: str, typed: str | None = None) -> Result:
        return self.pipeline.slomix(*arguments, typed=typed, **self.settings)


@pytest.fixture(scope="module")
def followed(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Followed]:
    folder = tmp_path_factory.mktemp("followed")
    with (
        databases_may_be_made(postgres_server),
        copied_database(postgres_server, migrated_template) as database,
        open_pipeline(database, folder, over_sftp=True) as pipeline,
    ):
        before = play_evening(62, maps=2, ends_at=SOME_EVENING)
        write_evening(folder / "archive", before)
        halves = [_put_half(folder / "archive", 0), _put_half(folder / "archive", 20)]
        pipeline.import_(folder / "archive")
        evening = play_evening(61, maps=("etl_adlernest", "supply"), ends_at=just_now())
        write_evening(pipeline.folder, evening)
        (pipeline.folder / CONFIG).write_text("-- the server's own")
        pipeline.take_in_all()
        pipeline.report_sessions()
        learn_usual(database)
        words = _words(evening, before, halves, pipeline, folder)
        backup = back_up(pipeline.settings, database, BackupKind.NIGHTLY)
        words[".slomix/backups/slomix-20261129-033000-nightly.dump"] = str(backup.path)
        _leave_alone(database.url, postgres_server)
        page = pipeline.page
        settings = {
            "SLOMIX_DISCORD_APPLICATION_ID": page.application.id,
            "SLOMIX_DISCORD_PUBLIC_KEY": page.application.public_key,
            "SLOMIX_DISCORD_GUILD": page.application.guild,
            "SLOMIX_DISCORD_BOT_TOKEN": page.application.bot_token,
            "SLOMIX_DISCORD_API": page.api_url,
            "SLOMIX_SITE_ADDRESS": "https://stats.example.org",
        }
        yield Followed(pipeline, words, settings, postgres_server, _name_of(database.url))


def _words(evening: Evening, before: Evening, halves: list[str], pipeline: Pipeline, folder: Path) -> dict[str, str]:
    """What the examples of the pages stand for. Names are GUIDs here, so that one means one player."""
    r1, r2, next_r1, next_r2 = map(round_key, evening.rounds)
    once, again = min(_all(evening) - _all(before)), min(_all(before) - _all(evening))
    somebody, ada, bob, cyd, dan, eve, fay = sorted(_all(evening) - {once})
    result = pipeline.rows("select message_id from post where thing = %s", f"result:{next_r2}")
    return {
        "2026-02-02-211352-etl_adlernest-round-1": r1,
        "2026-02-02-211352-etl_adlernest-round-2": r2,
        "2026-02-02-213333-supply-round-2": next_r2,
        "2026-02-02-221500-supply-round-1": next_r1,
        "main:2026-02-02-213333-supply-round-2": next_r2,
        "2026-02-02-223000-supply-round-1": halves[0],
        "2026-02-02-224800-supply-round-1": halves[1],
        "1A2B3C4D": somebody,
        "1A2B": somebody[:4],
        "5E6F7A8B": once,
        "9C0D1E2F": again,
        "ada": ada,
        "bob": bob,
        "cyd": cyd,
        "dan": dan,
        "eve": eve,
        "fay": fay,
        "1234567890": str(result[0]["message_id"]),
        "/path/to/archive": str(folder / "archive"),
        "/var/www/stats": str(folder / "copy"),
        "/mnt/other": str(folder / "other"),
        "audit.md": str(folder / "audit.md"),
    }


def _all(evening: Evening) -> set[str]:
    return {guid for sim_round in evening.rounds for guid in sim_round.players}


def _put_half(folder: Path, minutes: float) -> str:
    """One of two rounds 1 that were the halves of one match. Returns its key."""
    if minutes:
        players = lobby(rounds=0, swap=True, kills=4, damage_given=400, minutes_played=6.0)
        entry = make_round(minutes, 1, *players, limit="8:00", attack_time="6:00")
    else:
        entry = first_round(0)
    name = stats_file_name((_HALVES_AT + (entry.stamp - EVENING)).replace(tzinfo=None), entry.map_name, entry.number)
    (folder / "gamestats" / name).write_bytes(gamestats.dump(with_file_guids(entry.stats)))
    return f"main:{name.removesuffix('.txt')}"


def _leave_alone(url: str, server: str) -> None:
    """A database in use can't be copied."""
    forget_idle()
    with psycopg.connect(server, autocommit=True) as conn:
        query = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s"
        conn.execute(query, [_name_of(url)])


def _name_of(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])
