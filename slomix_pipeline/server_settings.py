"""The settings that each of several game servers can have for itself, and how they are told apart.

Belongs here: which those are, whose a variable is, what several servers can't have in common. Does not belong here:
what is one for the whole deployment, and reading the environment (``settings``).
"""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr, ValidationError

from slomix_pipeline.setting_texts import Duration, ZoneName

SERVER_ID = r"^[a-z0-9_-]{1,24}$"
# Two sensors of each watch all the time: how many can, deploy/dagster.yaml says.
MOST_SERVERS = 12
# Variables that are no setting: an id whose own ones would begin like them is refused too.
# An id stands in every key.
_ANOTHER_ID = "choose another id, or, for a server that has rounds already, keep SLOMIX_SERVER alone"
OTHER_VARIABLES = ("env_file", "dagster_pg_url", "supervised_in", "real_files")
# What is of one host alone: another is not told its password, nor held against its key.
_OF_ONE_HOST = ("sftp_port", "sftp_host_key", "sftp_password", "console_log")


class ServerSettings(BaseModel):
    """What a game server can have for itself: where its files are, its clock, who is told."""

    timezone: ZoneName = Field("UTC", description="the game server's time zone: its file stamps are local time")

    gameserver_dir: Path | None = Field(None, description="a local folder that holds the game server's folders")
    sftp_host: str | None = Field(None, description="the game server's SFTP host")
    sftp_port: int = Field(22, ge=1, le=65535, description="its port")
    sftp_user: str | None = Field(None, description="whom to log in as there")
    sftp_password: SecretStr | None = Field(None, description="his password, where he has no key")
    sftp_key_file: Path | None = Field(None, description="private key; without key and password the SSH agent is asked")
    sftp_key_passphrase: SecretStr | None = Field(None, description="what the private key is locked with, if it is")
    sftp_known_hosts: Path = Field(Path("~/.ssh/known_hosts"), description="host keys that are trusted")
    sftp_host_key: str | None = Field(
        None, pattern=r"^SHA256:", description="fingerprint of the one host key to accept"
    )
    sftp_timeout: Duration = Field(timedelta(seconds=45), description="for one call, connecting included")
    gamestats_folder: str = Field("gamestats", description="folder of stats and endstats files on the game server")
    gametimes_folder: str = Field("gametimes", description="folder of timing records on the game server")
    scripts_folder: str = Field(".", description="folder of the Lua scripts on the game server")
    console_log: str | None = Field(None, description="path of the server's console or game log on the game server")

    discord_webhook: SecretStr | None = Field(None, description="webhook of the channel that gets results")
    discord_summary_webhook: SecretStr | None = Field(
        None, description="webhook of the channel that gets the summaries of sessions, if not that of the results"
    )
    discord_dev_webhook: SecretStr | None = Field(
        None, description="webhook of a channel that hears of rounds without timing or with a wrong stopwatch"
    )

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def place(self) -> str | None:
        """Where the game server's folders are, in words; None when that is not set."""
        if self.sftp_host:
            return f"sftp://{self.sftp_user}@{self.sftp_host.lower()}:{self.sftp_port}"
        return str(self.gameserver_dir.expanduser().absolute()) if self.gameserver_dir else None


class ServerText(NamedTuple):
    """A setting of one game server as it is written: maybe a secret, so hidden when printed."""

    server: str
    name: str
    text: SecretStr

    @property
    def variable(self) -> str:
        return f"SLOMIX_{prefix_of(self.server)}{self.name}".upper()


def prefix_of(server: str) -> str:
    """What the names of a game server's own settings begin with, in lower case."""
    return f"{server.replace('-', '_')}_"


def check_ids(servers: Sequence[str], settings: Iterable[str]) -> None:
    """Whether several game servers can be told apart by these ids, and their settings from all others.

    Raises:
        ValueError: they can't; says which, and why.
    """
    known = [*settings, *OTHER_VARIABLES]
    by_prefix: dict[str, str] = {}
    for server in servers:
        prefix = prefix_of(server)
        if re.fullmatch(SERVER_ID, server) is None:
            raise ValueError(f"SLOMIX_SERVERS: {server!r} is no id: at most 24 of a-z, 0-9, _ and -")
        if (same := by_prefix.setdefault(prefix, server)) != server:
            raise ValueError(
                f"SLOMIX_SERVERS: the settings of {same!r} and {server!r} would both begin with "
                f"SLOMIX_{prefix.upper()}; {_ANOTHER_ID}"
            )
        shorter = {prefix_of(own) for own in servers if prefix.startswith(prefix_of(own))} - {prefix}
        of_others = (f"{own}{name}" for own in sorted(shorter) for name in ServerSettings.model_fields)
        if other := next((name for name in (*known, *of_others) if name.startswith(prefix)), None):
            raise ValueError(
                f"SLOMIX_SERVERS: {server!r} can't be told from the setting SLOMIX_{other.upper()}; {_ANOTHER_ID}"
            )
    if len(servers) > MOST_SERVERS:
        raise ValueError(f"SLOMIX_SERVERS: {len(servers)} are named, at most {MOST_SERVERS} can be watched")
    if twice := next((server for server in servers if servers.count(server) > 1), None):
        raise ValueError(f"SLOMIX_SERVERS: {twice!r} is named twice")


def texts_of(servers: Sequence[str], given: Mapping[str, Any]) -> tuple[ServerText, ...]:
    """Which of what is given, by names in lower case without SLOMIX_, is of which game server.

    Raises:
        ValueError: one of them can't be set for one game server.
    """
    found: list[ServerText] = []
    longest_first = sorted(servers, key=len, reverse=True)
    for name, value in sorted(given.items()):
        server = next((server for server in longest_first if name.startswith(prefix_of(server))), None)
        if server is None or value is None:
            continue
        own = name.removeprefix(prefix_of(server))
        if own not in ServerSettings.model_fields:
            raise ValueError(
                f"SLOMIX_{name.upper()}: {own} can't be set for one game server; what can: "
                + ", ".join(ServerSettings.model_fields)
            )
        text = value if isinstance(value, SecretStr) else SecretStr(str(value))
        found.append(ServerText(server, own, text))
    return tuple(found)


def own_settings(general: ServerSettings, server: str, texts: Iterable[ServerText]) -> dict[str, Any]:
    """A game server's own settings, by name: what is not given for it is as for all.

    Raises:
        ValueError: a value can't be used; says of which variable.
    """
    own = {text.name: text.text.get_secret_value() for text in texts if text.server == server}
    values = {name: getattr(general, name) for name in ServerSettings.model_fields}
    if "sftp_host" in own or "gameserver_dir" in own:  # the place of all others is not its place
        values |= {"sftp_host": None, "gameserver_dir": None}
    if general.sftp_host and own.get("sftp_host", general.sftp_host).lower() != general.sftp_host.lower():
        values |= {name: ServerSettings.model_fields[name].default for name in _OF_ONE_HOST}
    try:
        found = ServerSettings.model_validate(values | own)
        check_summaries(found)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_context=False)[0]
        name = "_".join(str(part) for part in problem["loc"])
        variable = f"SLOMIX_{prefix_of(server)}{name}".upper() if name else f"game server {server}"
        raise ValueError(f"{variable}: {problem['msg']}") from None
    except ValueError as error:
        raise ValueError(f"game server {server}: {error}") from None
    return dict(found)


def check_summaries(own: ServerSettings) -> None:
    """Whether who gets summaries can get results too.

    Raises:
        ValueError: there is no channel for the results.
    """
    if own.discord_summary_webhook is not None and own.discord_webhook is None:
        raise ValueError("SLOMIX_DISCORD_SUMMARY_WEBHOOK needs SLOMIX_DISCORD_WEBHOOK, for the results")


def check_places(servers: Mapping[str, ServerSettings]) -> None:
    """Whether no two game servers read the same folder.

    Raises:
        ValueError: two do; says which.
    """
    readers: dict[tuple[str, str], str] = {}
    for server, own in servers.items():
        if own.place is None:
            continue
        for folder in sorted({posixpath.normpath(name) for name in (own.gamestats_folder, own.gametimes_folder)}):
            if (other := readers.setdefault((own.place, folder), server)) != server:
                raise ValueError(
                    f"SLOMIX_SERVERS: {other!r} and {server!r} would both read the folder {folder} of {own.place}: "
                    "each round would be of both"
                )
