"""``slomix demo``: one simulated evening, without waiting, through SFTP, assets and checks, to the stand-in.

Does not belong here: what of it came out otherwise than it was played (``demo_truth``), how that is printed (``cli``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from slomix_pipeline.actions.demo_truth import PlayedRound, as_logged, as_simulated, differences
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.gameserver.choose import open_game_server
from slomix_pipeline.reports.export import session_as_json
from slomix_pipeline.runtime.home import dagster_instance, open_database, sole_owner
from slomix_pipeline.runtime.simulated_home import demo_home, empty_demo_home, simulated_server
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES, take, watched_folders
from slomix_pipeline.settings import Settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.rough import play_rough_evening
from slomix_pipeline.simulator.through_lua import write_evening_through_lua
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages.chain import OF_A_ROUND, OF_A_SESSION, OF_A_TIMING, Progress, run_stages
from slomix_pipeline.stages.common import Tools, Wish
from slomix_pipeline.warehouse import check_results, results
from slomix_pipeline.warehouse.check_results import Severity
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.embedded import stop_embedded


@dataclass(frozen=True)
class DemoResult:
    """What the demo came to. ``complaints``: checks that had to pass and did not, or a result other than was played."""

    home: Path
    page: Path
    session: Mapping[str, Any]
    messages: int
    warnings: int
    complaints: list[str]


def play_demo(settings: Settings, progress: Progress, seed: int = 3, *, through_lua: bool = False) -> DemoResult:
    """Plays an evening and takes it through the whole pipeline.

    ``through_lua``: a rough one, whose files our game-side scripts write; what is true then is the engine's own log.

    Raises:
        HomeInUse: a simulated evening is being played in this home.
        MissingLua: what runs the scripts is not installed.
    """
    home = demo_home(settings)
    with sole_owner(home):
        empty_demo_home(home)
        progress("playing an evening", 0, 1)
        play = play_rough_evening if through_lua else play_evening
        evening = play(seed, ends_at=datetime.now(UTC) - timedelta(seconds=5))
        with simulated_server(settings) as (demo, folder), StandIn(home / "discord") as page:
            rounds = _write(folder, evening, through_lua=through_lua)
            try:
                database = open_database(demo)
                _ingest(demo, database, page.webhook_url, progress)
                result = _conclude(demo, database, evening, rounds, page)
            finally:
                stop_embedded(demo.postgres_dir)
    return result


def _write(folder: Path, evening: Evening, *, through_lua: bool) -> list[PlayedRound]:
    """Writes all files of an evening; returns what was played."""
    if through_lua:
        return as_logged(evening, write_evening_through_lua(folder, evening))
    write_evening(folder, evening)
    return as_simulated(evening)


def _ingest(demo: Settings, database: Database, webhook: str, progress: Progress) -> None:
    with dagster_instance(demo, database) as instance, open_game_server(demo) as gameserver:
        tools = Tools(database, demo, gameserver, Channels(Discord(webhook)), Wish.LIVE)
        look_back_to = datetime.now(UTC) - demo.lookback
        for name, stages in ((GAMETIMES, OF_A_TIMING), (GAMESTATS, OF_A_ROUND)):  # so that rounds find their records
            folder = watched_folders(demo)[name]
            progress(f"listing {name} over SFTP", 0, 1)
            listing = gameserver.list_folder(folder.name)
            held_still = {file.name: file for file in listing}
            taken = take(instance, demo, database, folder, listing, held_still, look_back_to)
            keys = [wanted.key for wanted in taken.wanted]
            run_stages(stages, keys, tools, progress)
        with database.connect() as conn:
            sessions = results.session_keys(conn)
        run_stages(OF_A_SESSION, sessions, tools, progress)


def _conclude(
    settings: Settings, database: Database, evening: Evening, rounds: Sequence[PlayedRound], page: StandIn
) -> DemoResult:
    with database.snapshot() as conn:
        sessions = results.session_keys(conn)
        failed = check_results.failed(conn)
        session = session_as_json(conn, settings, sessions[0]) if sessions else {}
    complaints = [f"check {check} failed for {key}" for key, check, severity in failed if severity is Severity.ERROR]
    if len(sessions) != 1:
        complaints.append(f"{len(sessions)} sessions instead of one")
    else:
        complaints += differences(evening, rounds, session)
    posts = settings.home / "posts.html"
    page.write_page(posts)
    warnings = sum(severity is Severity.WARN for _, _, severity in failed)
    return DemoResult(settings.home, posts, session, len(page.messages()), warnings, complaints)
