"""Every ``SLOMIX_*`` setting: its name, type, unit and default.

Belongs here: what an admin may change, and the folders derived from it.
Does not belong here: facts of the game or of its files (``formats``, ``rules``).
This is the only module that reads the environment or ``.env``.
"""

import os
import re
from datetime import time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from slomix_pipeline.launching import HOST_AND_PORT, Launcher, StepExecutor, check_launching
from slomix_pipeline.rules.asked import DEFAULT_BOARDS
from slomix_pipeline.rules.boards import BoardName
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.people import DISCORD_ID
from slomix_pipeline.rules.score_policies import DEFAULT_POLICY, POLICIES
from slomix_pipeline.rules.sessions import DEFAULT_GAP
from slomix_pipeline.rules.things import RESULTS, ThingKind

_UNIT_SECONDS = {"": 1, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}


def parse_duration(value: Any) -> Any:
    """``"60 min"``, ``"6 h"``, ``"20 s"`` or a bare number of seconds, as a timedelta.

    Raises:
        ValueError: the text is none of these.
    """
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(value).lower())
    if found is None or found[2] not in _UNIT_SECONDS:
        raise ValueError(f"{value!r} is not a duration; write for example 90 s, 60 min, 6 h")
    return timedelta(seconds=float(found[1]) * _UNIT_SECONDS[found[2]])


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]

FOR_COMMANDS = ("discord_application_id", "discord_public_key", "discord_guild")  # all three, or none are answered
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")  # as cron numbers them


def clock_time(text: str) -> str:
    """``9:00`` or ``21:30`` as ``HH:MM``.

    Raises:
        ValueError: the text is no time.
    """
    found = re.fullmatch(r"\s*([01]?\d|2[0-3]):([0-5]\d)\s*", text)
    if found is None:
        raise ValueError(f"{text!r} is no time; write for example 09:00")
    return f"{int(found[1]):02}:{found[2]}"


def weekday_and_time(text: str) -> str:
    """``Mon 18:00`` as ``mon 18:00``.

    Raises:
        ValueError: the text is not that.
    """
    weekday, _, at = text.strip().lower().partition(" ")
    if weekday not in WEEKDAYS:
        raise ValueError(f"{text!r} does not begin with a weekday; write for example mon 18:00")
    return f"{weekday} {clock_time(at)}"


def moment_of_week(text: str) -> tuple[int, time]:
    """``mon 18:00`` as the number of the weekday, as cron has it, and the time."""
    weekday, _, at = text.partition(" ")
    return WEEKDAYS.index(weekday), time.fromisoformat(at)


ClockTime = Annotated[str, AfterValidator(clock_time)]
WeekdayAndTime = Annotated[str, AfterValidator(weekday_and_time)]


def project_folder() -> Path:
    """The checkout this package runs from; for an installed package, the current folder."""
    checkout = Path(__file__).resolve().parent.parent
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()


def env_file() -> Path | None:
    """Where settings come from besides the environment: ``.env``, or what SLOMIX_ENV_FILE names (empty: nothing)."""
    named = os.environ.get("SLOMIX_ENV_FILE")
    if named is None:
        return project_folder() / ".env"
    return Path(named) if named else None


class _Texts(EnvSettingsSource):
    """The settings of the environment or of ``.env`` as they are written: each is one text, for whose reading
    pydantic-settings would look into the types of all settings each time, ten times as long as all else takes."""

    def __init__(self, settings: type[BaseSettings], given: PydanticBaseSettingsSource) -> None:
        assert isinstance(given, EnvSettingsSource)
        super().__init__(settings)
        self.env_vars = given.env_vars

    def __call__(self) -> dict[str, Any]:
        names = {name: f"{self.env_prefix}{name}".lower() for name in self.settings_cls.model_fields}
        # A line of .env without "=" is no text, and says nothing.
        found = {name: self.env_vars.get(variable) for name, variable in names.items()}
        return {name: text for name, text in found.items() if text is not None}


class Settings(BaseSettings):
    """All settings, as the environment and ``.env`` have them (see ``.env.example``).

    Raises:
        pydantic.ValidationError: a value can't be used; the message names the setting.
    """

    model_config = SettingsConfigDict(env_prefix="SLOMIX_", extra="ignore", frozen=True, env_ignore_empty=True)

    home: Path = Field(Path(".slomix"), description="folder of the embedded database and of Dagster's home")
    postgres_url: SecretStr | None = Field(None, description="a PostgreSQL server to use instead of the embedded one")

    server: str = Field("main", pattern=r"^[a-z0-9_-]{1,24}$", description="id of the game server, part of every key")
    timezone: str = Field("UTC", description="the game server's time zone: its file stamps are local time")

    gameserver_dir: Path | None = Field(None, description="a local folder that holds the game server's folders")
    sftp_host: str | None = Field(None, description="the game server's SFTP host")
    sftp_port: int = Field(22, ge=1, le=65535)
    sftp_user: str | None = None
    sftp_password: SecretStr | None = None
    sftp_key_file: Path | None = Field(None, description="private key; without key and password the SSH agent is asked")
    sftp_key_passphrase: SecretStr | None = None
    sftp_known_hosts: Path = Field(Path("~/.ssh/known_hosts"), description="host keys that are trusted")
    sftp_host_key: str | None = Field(
        None, pattern=r"^SHA256:", description="fingerprint of the one host key to accept"
    )
    sftp_timeout: Duration = Field(timedelta(seconds=45), description="for one call, connecting included")
    gamestats_folder: str = Field("gamestats", description="folder of stats and endstats files on the game server")
    gametimes_folder: str = Field("gametimes", description="folder of timing records on the game server")
    scripts_folder: str = Field(".", description="folder of the Lua scripts on the game server")
    console_log: str | None = Field(None, description="path of the server's console or game log on the game server")

    lookback: Duration = Field(
        timedelta(hours=24), description="files older than this at first start wait for a backfill"
    )
    pairing_window: Duration = Field(DEFAULT_WINDOW, description="longest time between the stamps of R1 and R2")
    session_gap: Duration = Field(DEFAULT_GAP, description="a longer hole between stamps opens a new session")
    filler_maps: Annotated[tuple[str, ...], NoDecode] = Field(("mp_sillyctf",), description="maps that never count")
    scoring_policy: str = Field(DEFAULT_POLICY, description="the score policy that is published")

    discord_webhook: SecretStr | None = Field(None, description="webhook of the channel that gets results")
    discord_summary_webhook: SecretStr | None = Field(
        None, description="webhook of the channel that gets the summaries of sessions, if not that of the results"
    )
    discord_board_webhook: SecretStr | None = Field(
        None, description="webhook of the channel that gets boards and what people ask for, if not that of the results"
    )
    discord_dev_webhook: SecretStr | None = Field(
        None, description="webhook of a channel that hears of rounds without timing or with a wrong stopwatch"
    )
    discord_admin_webhook: SecretStr | None = Field(
        None, description="webhook of a channel that hears of what somebody has to look at"
    )
    discord_leave_out: Annotated[tuple[ThingKind, ...], NoDecode] = Field(
        (), description="what players are not told: any of round1, result, session"
    )
    session_over_after: Duration = Field(timedelta(minutes=60), description="quiet time after which a session is told")
    publish_max_age: Duration = Field(timedelta(hours=6), description="rounds that ended earlier are not announced")
    discord_application_id: str | None = Field(
        None, pattern=DISCORD_ID, description="id of the Discord application whose slash commands are answered"
    )
    discord_public_key: str | None = Field(
        None,
        pattern=r"^[0-9A-Fa-f]{64}$",
        description="public key of that application, which its calls are signed with",
    )
    discord_guild: str | None = Field(
        None, pattern=DISCORD_ID, description="id of the Discord server they are typed on"
    )
    discord_bot_token: SecretStr | None = Field(
        None, description="bot token of that application; only slomix discord register needs it"
    )
    discord_api: str = Field(
        "https://discord.com/api/v10", pattern=r"^https?://\S+[^/]$", description="where Discord's API is"
    )

    weekly_boards_at: WeekdayAndTime | None = Field(
        None, description="weekday and time at which boards of the week are posted; not set: they are not"
    )
    weekly_boards: Annotated[tuple[BoardName, ...], NoDecode] = Field(
        DEFAULT_BOARDS, description="the boards that are posted weekly"
    )
    on_this_day_at: ClockTime | None = Field(
        None, description="time at which is posted what was played on this day in earlier years; not set: it is not"
    )
    morning_digest_at: ClockTime | None = Field(
        None, description="time at which is posted what was played since the morning before; not set: it is not"
    )

    ui_port: int = Field(3000, ge=0, le=65535, description="Dagster UI; the next free port when taken")
    standin_port: int = Field(3080, ge=0, le=65535, description="Discord stand-in page; the next free port when taken")
    site_port: int = Field(3090, ge=0, le=65535, description="the public pages; the next free port when taken")
    site_address: str | None = Field(
        None, pattern=r"^https?://[A-Za-z0-9.-]+(:\d+)?$", description="where the public pages are reached from outside"
    )
    site_contact: str | None = Field(
        None, max_length=200, description="whom to ask about the public pages, as their page about privacy says it"
    )
    site_postgres_url: SecretStr | None = Field(
        None, description="the address by which the pages read; not set: as SLOMIX_POSTGRES_URL, as the role slomix_web"
    )
    link_postgres_url: SecretStr | None = Field(
        None,
        description="the address by which is noted who asks to be linked; not set: as SLOMIX_POSTGRES_URL, as the role "
        "slomix_link",
    )
    site_index_players: bool = Field(False, description="whether search engines may list the pages of players")
    launcher: Launcher = Field(Launcher.FORK, description="how a run gets its process, on this machine or another")
    executor: StepExecutor = Field(StepExecutor.IN_PROCESS, description="where the steps of a run are executed")
    max_runs: int = Field(2, ge=1, description="how many runs may be in progress at once, on all machines together")
    celery_broker: SecretStr | None = Field(None, description="the Redis through which Celery's workers get runs")
    code_server: str = Field(
        "127.0.0.1:4000", pattern=HOST_AND_PORT, description="where slomix serve daemon and ui find slomix serve code"
    )
    dagster_yaml: Path | None = Field(None, description="Dagster's configuration instead of all that is in deploy")
    demo_round_every: Duration = Field(timedelta(seconds=20), description="pace of the simulated evening")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Texts(settings_cls, env_settings), _Texts(settings_cls, dotenv_settings)

    @field_validator("filler_maps", "discord_leave_out", "weekly_boards", mode="before")
    @classmethod
    def _split_words(cls, value: Any) -> Any:
        return (
            tuple(part.strip().lower() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("discord_leave_out")
    @classmethod
    def _players_are_told(cls, value: tuple[ThingKind, ...]) -> tuple[ThingKind, ...]:
        if others := [kind for kind in value if kind not in RESULTS]:
            raise ValueError(f"{others[0]} has a webhook of its own: leave that one out")
        return value

    @field_validator("scoring_policy")
    @classmethod
    def _policy_exists(cls, value: str) -> str:
        if value not in POLICIES:
            raise ValueError(f"unknown score policy {value!r}; there are {', '.join(POLICIES)}")
        return value

    @field_validator("dagster_yaml", mode="after")
    @classmethod
    def _dagster_yaml_is_there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"{value} is no file")
        return value and value.resolve()

    @field_validator("home", mode="after")
    @classmethod
    def _home_counts_from_project(cls, value: Path) -> Path:
        return (project_folder() / value.expanduser()).absolute()

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"unknown time zone {value!r}; write one like Europe/Ljubljana") from None
        return value

    @model_validator(mode="after")
    def _pairing_stays_within_a_session(self) -> Self:
        if self.pairing_window >= self.session_gap:
            raise ValueError("SLOMIX_PAIRING_WINDOW must be shorter than SLOMIX_SESSION_GAP")
        return self

    @model_validator(mode="after")
    def _summaries_are_of_results(self) -> Self:
        if self.discord_summary_webhook is not None and self.discord_webhook is None:
            raise ValueError("SLOMIX_DISCORD_SUMMARY_WEBHOOK needs SLOMIX_DISCORD_WEBHOOK, for the results")
        return self

    @model_validator(mode="after")
    def _runs_find_what_they_need(self) -> Self:
        check_launching(self.launcher, self.executor, self.postgres_url, self.celery_broker)
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def told_results(self) -> tuple[ThingKind, ...]:
        """What players are told."""
        return tuple(kind for kind in RESULTS if kind not in self.discord_leave_out)

    @property
    def postgres_dir(self) -> Path:
        return self.home / "postgres"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def answers_commands(self) -> bool:
        """Whether slash commands are answered: whose they are, and how they are signed, is known."""
        return not self.missing_for_commands

    @property
    def missing_for_commands(self) -> list[str]:
        """Which of the settings that answering needs are not set."""
        return [f"SLOMIX_{name.upper()}" for name in FOR_COMMANDS if getattr(self, name) is None]

    @property
    def has_game_server(self) -> bool:
        return bool(self.sftp_host or self.gameserver_dir)


def load_settings(**overrides: Any) -> Settings:
    """The settings in force; ``overrides`` (by field name) win over environment and ``.env``."""
    return Settings(_env_file=env_file(), **overrides)


def environment_without_settings() -> dict[str, str]:
    """This process's environment without any setting, to be joined with ``as_environment``."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SLOMIX_")}


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings as ``SLOMIX_*`` variables, for processes started with exactly these (secrets included)."""
    variables = {"SLOMIX_ENV_FILE": ""}
    for name, value in settings:
        if value is None:
            continue
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, timedelta):
            value = value.total_seconds()
        elif isinstance(value, tuple):
            value = ",".join(value)
        variables[f"SLOMIX_{name.upper()}"] = str(value)
    return variables
