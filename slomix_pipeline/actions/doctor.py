"""``slomix doctor``: looks at everything a running pipeline needs; one line each, and what to do about it.

Never prints a secret.

Does not belong here: mending anything, printing (``cli``).
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow
from pydantic import SecretStr

from slomix_pipeline.actions.lua_scripts import TIMING_SCRIPT
from slomix_pipeline.actions.registering import slash_commands
from slomix_pipeline.discord.client import Discord, DiscordError
from slomix_pipeline.formats import consolelog
from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.gameserver.choose import open_game_server
from slomix_pipeline.gameserver.source import (
    FileMissing,
    FolderMissing,
    GameServer,
    GameServerError,
    RemoteFile,
    read_log_end,
)
from slomix_pipeline.reports.findings import Finding
from slomix_pipeline.rules.stamps import stamp_in_utc
from slomix_pipeline.runtime.home import bring_up_to_date, supervisor_of
from slomix_pipeline.settings import Settings, env_file
from slomix_pipeline.stages.backup_trouble import state_of_backups, trouble_with_backups
from slomix_pipeline.warehouse import link_requests, site_schema, timing_records
from slomix_pipeline.warehouse.dagster_records import sizes
from slomix_pipeline.warehouse.database import Database, DatabaseUnavailable, postgres_url
from slomix_pipeline.warehouse.embedded import EmbeddedPostgresError, State, embedded_state
from slomix_pipeline.warehouse.files import utc
from slomix_pipeline.warehouse.link_requests import NotNoted
from slomix_pipeline.warehouse.migrations import MigrationError
from slomix_pipeline.warehouse.site_store import SiteStore, StoreUnavailable, reading_url

_STAMP_AND_FILE_MAY_DIFFER = 15 * 60  # seconds; a wrong zone is off by at least half an hour


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything looked at, in order; never raises."""
    yield Finding("settings", True, f"server {settings.server}, zone {settings.timezone}, {_source()}")
    yield from _home(settings)
    yield from _database(settings)
    yield from _game_server(settings)
    yield from _discord(settings)
    yield from slash_commands(settings)


def _source() -> str:
    path = env_file()
    return f"read from {path}" if path and path.is_file() else "no .env: defaults and environment (see .env.example)"


def _home(settings: Settings) -> Iterator[Finding]:
    nearest = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    fine = os.access(nearest, os.W_OK)
    yield Finding(
        "home", fine, f"{settings.home}" if fine else f"{nearest} can't be written: change its owner or SLOMIX_HOME"
    )
    dagster = settings.dagster_home / "dagster.yaml"
    yield Finding(
        "Dagster home", True, f"{dagster.parent}" if dagster.exists() else "made by the first slomix run or import"
    )


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.postgres_url is None and (trouble := _embedded_trouble(settings)):
        yield Finding("database", False, trouble)
        return
    try:
        database = Database(postgres_url(settings))
        applied = bring_up_to_date(settings, database)
        with database.connect() as conn:
            version = conn.info.parameter_status("server_version")
            newest = timing_records.newest_end(conn, settings.server)
            size = sizes(conn)
            role_trouble = site_schema.trouble_with_role(conn)
            remedy = site_schema.statements_for_role(conn)
            link = _link(settings, conn) if settings.answers_commands else None
            backups = _backups(settings, conn)
    except (DatabaseUnavailable, EmbeddedPostgresError, MigrationError, psycopg.OperationalError) as error:
        yield Finding("database", False, str(error).strip())
        return
    kind = "embedded" if settings.postgres_url is None else "SLOMIX_POSTGRES_URL"
    news = f", brought up to date ({', '.join(applied)})" if applied else ", schema up to date"
    yield Finding("database", True, f"PostgreSQL {version} ({kind}){news}")
    yield Finding("size", True, f"{size.rounds:,} rounds: {size.in_words}")
    yield backups
    yield _pages(settings, role_trouble, remedy)
    if link is not None:
        yield link
    if newest:
        yield Finding("timing records", True, f"the newest is of a round that ended {newest:%Y-%m-%d %H:%M} UTC")


def _backups(settings: Settings, conn: Connection[DictRow]) -> Finding:
    if trouble := trouble_with_backups(conn, settings, datetime.now(UTC)):
        wrong = "; ".join(f"{symptom.subject}: {symptom.detail}" for symptom in trouble)
        return Finding("backups", False, f"{wrong}; slomix backup --check makes one")
    return Finding("backups", True, state_of_backups(settings))


def _link(settings: Settings, conn: Connection[DictRow]) -> Finding | None:
    """Why it can't be noted who asks to be linked; None: it can."""
    if (trouble := link_requests.trouble_with_role(conn)) is not None:
        remedy = link_requests.statements_for_role(conn)
        return Finding("/link", False, f"{trouble}; as an administrator of that server run: {remedy}")
    try:
        link_requests.check(link_requests.noting_url(settings))
    except NotNoted as error:
        advice = f"set SLOMIX_LINK_POSTGRES_URL to an address that the role {link_requests.ROLE} may log in by"
        return Finding("/link", False, f"nothing can be noted: {error}; {advice}")
    return None


def _pages(settings: Settings, trouble: str | None, remedy: str) -> Finding:
    """Whether the pages' role can read what they show, and nothing else."""
    if trouble is not None:
        return Finding("public pages", False, f"{trouble}; as an administrator of that server run: {remedy}")
    try:
        with SiteStore(reading_url(settings)).moment() as moment:
            where = settings.site_address or "no SLOMIX_SITE_ADDRESS: for this machine alone"
            return Finding("public pages", True, f"data version {moment.version.number}, {where}")
    except (StoreUnavailable, DatabaseUnavailable) as error:
        advice = "set SLOMIX_SITE_POSTGRES_URL to an address that the role slomix_web may log in by"
        return Finding("public pages", False, f"the pages can't read: {error}; {advice}")


def _embedded_trouble(settings: Settings) -> str | None:
    """Why the embedded server is not as it should be. Opening the database would start it, and hide that it was down;
    where it was stopped in order, or never ran, starting it for a moment is how to see whether it can."""
    state = embedded_state(settings.postgres_dir)
    supervisor = supervisor_of(settings.home)
    if state is State.RUNS or (supervisor is None and state is not State.DEAD):
        return None
    if supervisor is not None:
        return (
            f"the embedded PostgreSQL is down ({state.value}) while slomix run works in this home (process "
            f"{supervisor}), which starts it again within seconds; if this stays, look at {settings.postgres_dir}/log"
        )
    return f"the embedded PostgreSQL is down ({state.value}): slomix run or any other command starts it again"


def _game_server(settings: Settings) -> Iterator[Finding]:
    if not settings.has_game_server:
        yield Finding("game server", True, "none configured: slomix run plays a simulated evening")
        return
    try:
        with open_game_server(settings) as server:
            yield Finding("game server", True, server.describe())
            for folder, kind in (
                (settings.gamestats_folder, FileKind.STATS),
                (settings.gametimes_folder, FileKind.TIMING),
            ):
                yield from _folder(server, folder, kind, settings)
            yield _scripts(server, settings.scripts_folder)
            if settings.console_log:
                yield _console_log(server, settings.console_log)
    except GameServerError as error:
        yield Finding("game server", False, str(error))


def _folder(server: GameServer, folder: str, kind: FileKind, settings: Settings) -> Iterator[Finding]:
    try:
        listing = server.list_folder(folder)
    except FolderMissing as error:
        note = "; rounds go without timing records" if kind is FileKind.TIMING else ""
        yield Finding(f"folder {folder}", kind is FileKind.TIMING, f"{error}{note}")
        return
    except GameServerError as error:
        yield Finding(f"folder {folder}", False, str(error))
        return
    wanted = [file for file in listing if parse_file_name(file.name).kind is kind]
    yield Finding(f"folder {folder}", True, f"{len(wanted)} {kind.value} files among {len(listing)}")
    if kind is FileKind.STATS and wanted:
        yield _clock(max(wanted, key=lambda file: file.name), settings)


def _scripts(server: GameServer, folder: str) -> Finding:
    what = f"scripts folder {folder}"
    try:
        server.list_folder(folder)
        server.read_end(folder, TIMING_SCRIPT, 0)
    except FileMissing:
        return Finding(what, True, f"no {TIMING_SCRIPT}: set SLOMIX_SCRIPTS_FOLDER, or see slomix lua status")
    except GameServerError as error:
        return Finding(what, False, str(error))
    return Finding(what, True, f"{TIMING_SCRIPT} is there; slomix lua status compares it with ours")


def _console_log(server: GameServer, path: str) -> Finding:
    what = f"console log {path}"
    try:
        signs = consolelog.script_signs(read_log_end(server, path, consolelog.MAX_READ))
    except GameServerError as error:
        advice = "check SLOMIX_CONSOLE_LOG (the cvar g_log names the game log, etconsole.log needs logfile 2)"
        return Finding(what, False, f"{error}: {advice}" if isinstance(error, FileMissing) else str(error))
    if signs.trouble:
        return Finding(what, False, f"the timing script has trouble: {signs.trouble}")
    alive = f"shows version {signs.version} of the timing script" if signs.version else "shows no timing script lately"
    return Finding(what, True, f"readable, {alive}")


def _clock(newest: RemoteFile, settings: Settings) -> Finding:
    """Compares the stamp in a file's name with the file's own time: they are seconds apart when the zone is right."""
    name = parse_file_name(newest.name)
    assert name.stamp is not None
    stamp = stamp_in_utc(name.stamp, ZoneInfo(settings.timezone)).at
    apart = (stamp - utc(newest.modified_at)).total_seconds()
    if abs(apart) <= _STAMP_AND_FILE_MAY_DIFFER:
        return Finding("time zone", True, f"{newest.name} was written when its name says")
    when = f"{abs(apart) / 3600:.1f} h {'before' if apart > 0 else 'after'}"
    advice = f"set SLOMIX_TIMEZONE to the game server's zone (now {settings.timezone}), unless the file was copied"
    return Finding("time zone", False, f"{newest.name} was written {when} the time in its name: {advice}")


def _discord(settings: Settings) -> Iterator[Finding]:
    if settings.discord_webhook is None:
        yield Finding("Discord", True, "no webhook set: the stand-in page shows what would be said")
    else:
        yield _webhook("Discord", settings.discord_webhook, "SLOMIX_DISCORD_WEBHOOK")
    for channel, webhook in (
        ("summary", settings.discord_summary_webhook),
        ("board", settings.discord_board_webhook),
        ("dev", settings.discord_dev_webhook),
        ("admin", settings.discord_admin_webhook),
    ):
        if webhook is None:
            continue
        setting = f"SLOMIX_DISCORD_{channel.upper()}_WEBHOOK"
        if channel not in ("summary", "board") and webhook == settings.discord_webhook:
            yield Finding(f"Discord {channel} channel", False, f"{setting} is that of the results, which players read")
        else:
            yield _webhook(f"Discord {channel} channel", webhook, setting)


def _webhook(name: str, webhook: SecretStr, setting: str) -> Finding:
    try:
        discord = Discord(webhook.get_secret_value(), setting=setting)
        discord.check()
    except (DiscordError, ValueError) as error:
        return Finding(name, False, str(error))
    if discord.thread_id is None:
        return Finding(name, True, f"the webhook at {discord.describe()} answers")
    if not discord.thread_id.isdecimal():
        return Finding(name, False, f"the thread_id at the end of {setting} is no number")
    where = f"it posts into thread {discord.thread_id}, of which nothing can be seen without posting"
    return Finding(name, True, f"the webhook at {discord.describe()} answers; {where}")
