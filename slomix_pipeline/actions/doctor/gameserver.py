"""What the doctor says of each game server: whether its folders can be read, its clock and zone, its scripts, its log.

Nothing is written there. Does not belong here: how its files are reached (``gameserver``).
"""

import re
import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import psycopg

from slomix_pipeline.actions import lua_scripts
from slomix_pipeline.actions.doctor.database import Down, running
from slomix_pipeline.formats import consolelog
from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.gameserver.choose import open_game_server
from slomix_pipeline.gameserver.source import (
    MAY_NOT_WRITE,
    FileMissing,
    FolderMissing,
    GameServer,
    GameServerError,
    PermanentError,
    RemoteFile,
    read_log_end,
)
from slomix_pipeline.reports.findings import Finding, Found, failed, ok, unknown, warning
from slomix_pipeline.reports.wording import span
from slomix_pipeline.rules.stamps import stamp_in_utc
from slomix_pipeline.server_settings import prefix_of
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.database import DatabaseUnavailable
from slomix_pipeline.warehouse.files import seen_after, utc

_CALL = timedelta(seconds=10)  # for one call, so that what follows is looked at too
_MEND = "do what the text says; slomix doctor tells then whether it is right"
_STAMP_AND_FILE_MAY_DIFFER = 15 * 60  # seconds; a wrong zone is off by at least half an hour
_FILES_OF_CLOCK = 20  # the newest ones
# Seconds after it was written that a file is seen: usually a few. After long it tells that nobody watched.
_SEEN_EARLY, _SEEN_LATE, _SEEN_TOO_LATE = -2, 60, 600


class OneServer(NamedTuple):
    """How a game server is looked at. ``late_fix``: what to do when it does not answer."""

    name: str
    find: Callable[[], Iterator[Finding]]
    late_fix: str


def servers(settings: Settings) -> list[OneServer]:
    """A look for each game server; where there are several, its findings name it."""
    several = len(settings.game_servers) > 1
    return [
        OneServer(
            _named("game server", own, several),
            partial(_look, own, several, settings),
            _late_fix(partial(settings.variable, server=own.server)),
        )
        for own in settings.game_servers
    ]


def _late_fix(variable: Callable[[str], str]) -> str:
    where = f"{variable('sftp_host')} and {variable('sftp_port')} say where it is"
    return f"see whether that machine and the network to it are up; {where}"


def _named(what: str, own: Settings, several: bool) -> str:
    return f"{what} of {own.server}" if several else what


def _look(own: Settings, several: bool, settings: Settings) -> Iterator[Finding]:
    for finding in _findings(own, settings.has_game_server, partial(settings.variable, server=own.server)):
        yield replace(finding, what=_named(finding.what, own, several))


def _findings(own: Settings, others: bool, variable: Callable[[str], str]) -> Iterator[Finding]:
    """``others``: any server has a place of its files; ``variable``: in which a setting of this one is written."""
    if own.place is None and others:
        host, folder = (f"SLOMIX_{prefix_of(own.server)}{name}".upper() for name in ("sftp_host", "gameserver_dir"))
        text = "nothing says where its files are, so none are fetched"
        yield failed("game server", text, f"set {host} or {folder}, or take {own.server} out of SLOMIX_SERVERS")
        return
    if own.place is None:
        yield ok("game server", "none configured: slomix run plays a simulated evening")
        return
    quick = own.model_copy(update={"sftp_timeout": min(own.sftp_timeout, _CALL)})
    try:
        with open_game_server(quick) as server:
            listing = server.list_folder(own.gamestats_folder) if _is_there(server, own.gamestats_folder) else None
            yield ok("game server", server.describe() + _trust(own, variable))
            yield from _folder(server, own.gamestats_folder, FileKind.STATS, listing, own, variable)
            yield from _folder(server, own.gametimes_folder, FileKind.TIMING, None, own, variable)
            yield from _scripts(server, own.scripts_folder, variable("scripts_folder"))
            if own.console_log:
                yield _console_log(server, own.console_log, variable("console_log"))
    except GameServerError as error:
        yield failed(
            "game server",
            _in_variables(str(error), variable),
            _MEND if isinstance(error, PermanentError) else _late_fix(variable),
        )
    yield from _clock(own)


def _in_variables(text: str, variable: Callable[[str], str]) -> str:
    """An error of SFTP, with the variables in which this server's settings are written."""
    return re.sub(r"SLOMIX_(SFTP_[A-Z_]+)", lambda found: variable(found[1].lower()), text)


def _is_there(server: GameServer, folder: str) -> bool:
    """Whether a folder is there; by this call the connection is made.

    Raises:
        GameServerError: the server can't be asked.
    """
    try:
        server.folder_changed_at(folder)
    except FolderMissing:
        return False
    return True


def _trust(own: Settings, variable: Callable[[str], str]) -> str:
    if not own.sftp_host:
        return ""
    return f", its host key is trusted by {variable('sftp_host_key') if own.sftp_host_key else own.sftp_known_hosts}"


def _folder(
    server: GameServer,
    folder: str,
    kind: FileKind,
    listing: list[RemoteFile] | None,
    own: Settings,
    variable: Callable[[str], str],
) -> Iterator[Finding]:
    what = f"folder {folder}"
    setting = variable("gamestats_folder" if kind is FileKind.STATS else "gametimes_folder")
    try:
        found = server.list_folder(folder) if listing is None else listing
    except FolderMissing as error:
        if kind is FileKind.TIMING:
            yield warning(
                what, f"{error}; rounds go without timing records", f"set {setting}, or see slomix lua status"
            )
        else:
            yield failed(what, str(error), f"set {setting} to the folder that the game server writes into")
        return
    except PermanentError as error:
        yield failed(what, str(error), "give that login the right to read there (chmod or chown on the game server)")
        return
    wanted = [file for file in found if parse_file_name(file.name).kind is kind]
    yield ok(what, f"{len(wanted)} {kind.value} files among {len(found)}")
    if kind is FileKind.STATS and wanted:
        yield _zone(max(wanted, key=lambda file: file.name), own, variable("timezone"))


def _zone(newest: RemoteFile, own: Settings, setting: str) -> Finding:
    """Compares the stamp in a file's name with the file's own time: they are seconds apart when the zone is right."""
    name = parse_file_name(newest.name)
    assert name.stamp is not None
    stamp = stamp_in_utc(name.stamp, ZoneInfo(own.timezone)).at
    apart = (stamp - utc(newest.modified_at)).total_seconds()
    if abs(apart) <= _STAMP_AND_FILE_MAY_DIFFER:
        return ok("time zone", f"{newest.name} was written when its name says")
    when = f"{abs(apart) / 3600:.1f} h {'before' if apart > 0 else 'after'}"
    fix = f"set {setting} to the game server's zone (now {own.timezone}), unless the file was copied"
    return failed("time zone", f"{newest.name} was written {when} the time in its name", fix)


def _clock(own: Settings) -> Iterator[Finding]:
    """Compares the game server's clock with ours, by when its newest files were written by the one and seen by the
    other: it can't be asked for its time, and nothing is written there to learn it."""
    what = "clock of the game server"
    try:
        with running(own).connect() as conn:
            late = [delay.total_seconds() for delay in seen_after(conn, own.server, _FILES_OF_CLOCK)]
    except (Down, DatabaseUnavailable, psycopg.Error):
        late = []
    if not late:
        yield unknown(what, "no round came lately by which it could be compared with ours")
        return
    middle = statistics.median(late)
    files = f"the last {len(late)} files" if len(late) > 1 else "the last file"
    if middle < _SEEN_EARLY:
        text = f"it is ahead of ours by {-middle:.0f} s or more: {files} were seen before they were written"
        yield warning(what, text, "have both machines' clocks set by NTP (timedatectl set-ntp true)")
    elif middle > _SEEN_TOO_LATE:
        text = (
            f"{files} were seen {span(timedelta(seconds=middle))} after they were written: nobody watched then, or it"
        )
        yield unknown(what, f"{text} is far behind ours")
    elif middle > _SEEN_LATE:
        text = f"{files} were seen {middle:.0f} s after they were written: it is behind ours, or nobody watched then"
        yield warning(what, text, "have both machines' clocks set by NTP, unless slomix run was down")
    else:
        yield ok(what, f"it agrees with ours: {files} were seen {middle:.0f} s after they were written")


def _scripts(server: GameServer, folder: str, setting: str) -> Iterator[Finding]:
    what = f"scripts folder {folder}"
    try:
        found = list(lua_scripts.status(server, folder))
    except FolderMissing as error:
        yield failed(what, str(error), f"set {setting} to the folder that the Lua scripts lie in")
        return
    except PermanentError as error:
        yield failed(what, str(error), "give that login the right to read there (chmod or chown on the game server)")
        return
    drifted = [finding for finding in found if not finding.fine]
    for finding in drifted:
        yield replace(finding, status=Found.WARNING)
    right = f"{len(found) - len(drifted)} of {len(found)} files are as they should be"
    match server.may_write(folder):
        case True:
            yield ok(what, f"readable and writable; {right}")
        case None:
            yield ok(what, f"readable; whether slomix lua deploy may write there can't be told; {right}")
        case False:
            fix = MAY_NOT_WRITE if drifted else ""
            text = f"readable; slomix lua deploy may not write there; {right}"
            yield warning(what, text, fix) if drifted else ok(what, text)


def _console_log(server: GameServer, path: str, setting: str) -> Finding:
    what = f"console log {path}"
    try:
        signs = consolelog.script_signs(read_log_end(server, path, consolelog.MAX_READ))
    except FileMissing as error:
        fix = f"check {setting} (the cvar g_log names the game log, etconsole.log needs logfile 2)"
        return failed(what, str(error), fix)
    except PermanentError as error:
        return failed(what, str(error), "give that login the right to read it (chmod or chown on the game server)")
    if signs.trouble:
        return failed(what, f"the timing script has trouble: {signs.trouble}", "lua/README.md says what it needs")
    alive = f"shows version {signs.version} of the timing script" if signs.version else "shows no timing script lately"
    return ok(what, f"readable, {alive}")
