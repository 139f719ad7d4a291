"""Every ``SLOMIX_*`` setting: its name, type, unit and default.

Belongs here: what an admin may change, and the folders derived from it.
Does not belong here: facts of the game or of its files (``formats``, ``rules``).
This is the only module that reads the environment or ``.env``.
"""

import os
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.launching import HOST_AND_PORT, Launcher, StepExecutor, check_launching
from slomix_pipeline.rules.asked import DEFAULT_BOARDS
from slomix_pipeline.rules.boards import BoardName
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.people import DISCORD_ID
from slomix_pipeline.rules.score_policies import DEFAULT_POLICY, POLICIES
from slomix_pipeline.rules.sessions import DEFAULT_GAP
from slomix_pipeline.rules.things import RESULTS, ThingKind
from slomix_pipeline.server_settings import (
    SERVER_ID,
    ServerSettings,
    ServerText,
    check_ids,
    check_places,
    check_summaries,
    own_settings,
    texts_of,
)
from slomix_pipeline.setting_texts import OFF, ClockTime, ClockTimeOrOff, Duration, HostName, WeekdayAndTime

FOR_COMMANDS = ("discord_application_id", "discord_public_key", "discord_guild")  # all three, or none are answered

SCHEDULED_POSTS = ("weekly_boards_at", "on_this_day_at", "morning_digest_at")  # which need a channel


class UnreadableSettings(SlomixError):
    """The file of settings is there and can't be read."""


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
        prefix = self.env_prefix.lower()
        # All that begin so: those of single game servers are known when the servers are. A line of .env without "=" is
        # no text, and says nothing.
        return {
            name.removeprefix(prefix): text
            for name, text in self.env_vars.items()
            if text is not None and name.startswith(prefix)
        }


class Settings(ServerSettings, BaseSettings):
    """All settings, as the environment and ``.env`` have them (see ``.env.example``).

    Raises:
        pydantic.ValidationError: a value can't be used; the message names the setting.
    """

    model_config = SettingsConfigDict(
        env_prefix="SLOMIX_", extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    home: Path = Field(Path(".slomix"), description="folder of the embedded database and of Dagster's home")
    postgres_url: SecretStr | None = Field(None, description="a PostgreSQL server to use instead of the embedded one")

    server: str = Field("main", pattern=SERVER_ID, description="id of the game server, part of every key")
    servers: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="ids of several game servers, which then have settings of their own, like SLOMIX_<ID>_SFTP_HOST"
    )
    texts_of_servers: tuple[ServerText, ...] = ()

    lookback: Duration = Field(
        timedelta(hours=24), description="files older than this at first start wait for a backfill"
    )
    pairing_window: Duration = Field(DEFAULT_WINDOW, description="longest time between the stamps of R1 and R2")
    session_gap: Duration = Field(DEFAULT_GAP, description="a longer hole between stamps opens a new session")
    filler_maps: Annotated[tuple[str, ...], NoDecode] = Field(("mp_sillyctf",), description="maps that never count")
    scoring_policy: str = Field(DEFAULT_POLICY, description="the score policy that is published")

    discord_board_webhook: SecretStr | None = Field(
        None, description="webhook of the channel that gets boards and what people ask for, if not that of the results"
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

    nightly_report_at: ClockTime | None = Field(
        None, description="time at which the admin channel is told how the pipeline stands; not set: it is not"
    )
    backup_at: ClockTimeOrOff = Field("04:30", description="time at which a backup is made every night; off: none is")
    backup_folder: Path | None = Field(None, description="folder of backups; not set: backups in the home")
    backup_keep: int = Field(7, ge=1, description="nightly backups that are kept, beside one a week for four weeks")

    ui_port: int = Field(3000, ge=0, le=65535, description="Dagster UI; the next free port when taken")
    ui_hosts: Annotated[tuple[HostName, ...], NoDecode] = Field(
        (), description="names by which the Dagster UI is asked for besides 127.0.0.1 and localhost"
    )
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
    dagster_postgres_url: SecretStr | None = Field(
        None,
        description="the address by which Dagster keeps its records; not set: as SLOMIX_POSTGRES_URL, on the embedded "
        "server as the role slomix_dagster",
    )
    site_index_players: bool = Field(False, description="whether search engines may list the pages of players")
    site_metrics: bool = Field(
        False, description="whether /internal/metrics of the public pages' port answers Prometheus on this machine"
    )
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

    @model_validator(mode="before")
    @classmethod
    def _servers_have_their_own(cls, given: Any) -> Any:
        """Several game servers: whose the texts are that are given, and which of the servers stands first."""
        if not isinstance(given, dict) or not (servers := cls._split_words(given.get("servers"))):
            return given
        check_ids(servers, cls.model_fields.keys() - {"texts_of_servers"})
        server = given.get("server") or servers[0]
        if server not in servers:
            raise ValueError(f"SLOMIX_SERVER is {server!r}, which is none of SLOMIX_SERVERS: leave SLOMIX_SERVER out")
        others = {name: value for name, value in given.items() if name not in cls.model_fields}
        # As many as there are servers could all be kept busy by servers that don't answer.
        given = {"max_runs": len(servers) + 1} | given
        return given | {"server": server, "texts_of_servers": texts_of(servers, others)}

    @field_validator("servers", "filler_maps", "discord_leave_out", "weekly_boards", "ui_hosts", mode="before")
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

    @field_validator("home", "backup_folder", mode="after")
    @classmethod
    def _folder_counts_from_project(cls, value: Path | None) -> Path | None:
        return value and (project_folder() / value.expanduser()).absolute()

    @model_validator(mode="after")
    def _pairing_stays_within_a_session(self) -> Self:
        if self.pairing_window >= self.session_gap:
            raise ValueError("SLOMIX_PAIRING_WINDOW must be shorter than SLOMIX_SESSION_GAP")
        return self

    @model_validator(mode="after")
    def _servers_are_apart(self) -> Self:
        if self.servers:
            check_places({own.server: own for own in self.game_servers})
        else:
            check_summaries(self)
        return self

    @model_validator(mode="after")
    def _runs_find_what_they_need(self) -> Self:
        check_launching(self.launcher, self.executor, self.postgres_url, self.celery_broker)
        return self

    @property
    def game_servers(self) -> tuple["Settings", ...]:
        """The settings of each game server, as if it were the only one."""
        return tuple(self.of_server(server) for server in self.servers) or (self,)

    def of_server(self, server: str) -> "Settings":
        """The settings of one game server; of one that is not there (any more) those of all, and no place of files."""
        if not self.servers and server == self.server:
            return self
        own: dict[str, Any] = {"sftp_host": None, "gameserver_dir": None}
        if server in self.servers:
            own = own_settings(self, server, self.texts_of_servers)
        return self.model_copy(update={**own, "server": server, "servers": (), "texts_of_servers": ()})

    def variable(self, name: str, server: str) -> str:
        """The variable in which a setting of a game server is given: its own, or that of all."""
        given = (text.variable for text in self.texts_of_servers if (text.server, text.name) == (server, name))
        return next(given, f"SLOMIX_{name.upper()}")

    def with_results_at(self, webhook: str) -> "Settings":
        """The same with this webhook for the results of whoever has none."""
        return self.model_copy(update={"discord_webhook": self.discord_webhook or SecretStr(webhook)})

    def tells_results(self) -> dict[str, bool]:
        """Of which game servers results are told anybody; ``""``: of all others."""
        own = {each.server: each.discord_webhook is not None for each in self.game_servers}
        return own | {"": own.get(self.server, False) if not self.servers else self.discord_webhook is not None}

    def without_secrets(self) -> "Settings":
        """The same without any password, token, webhook or address of a database."""
        fields = type(self).model_fields
        secret = {name for name, field in fields.items() if "SecretStr" in str(field.annotation)} - {"texts_of_servers"}
        texts = tuple(text for text in self.texts_of_servers if text.name not in secret)
        return self.model_copy(update={**dict.fromkeys(secret), "texts_of_servers": texts})

    @property
    def told_results(self) -> tuple[ThingKind, ...]:
        """What players are told."""
        return tuple(kind for kind in RESULTS if kind not in self.discord_leave_out)

    @property
    def postgres_dir(self) -> Path:
        return self.home / "postgres"

    @property
    def backups(self) -> Path:
        """The folder of backups."""
        return self.backup_folder or self.home / "backups"

    @property
    def backup_time(self) -> time | None:
        """When a backup is made every night; None: by hand only."""
        return None if self.backup_at == OFF else time.fromisoformat(self.backup_at)

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
        return any(own.place is not None for own in self.game_servers)


def load_settings(**overrides: Any) -> Settings:
    """The settings in force; ``overrides`` (by field name) win over environment and ``.env``.

    Raises:
        UnreadableSettings: ``.env`` can't be read.
        pydantic.ValidationError: a value can't be used.
    """
    try:
        return Settings(_env_file=env_file(), **overrides)
    except (OSError, UnicodeError) as error:  # which may hold the file's text: not chained
        why = "it is not written in UTF-8" if isinstance(error, UnicodeError) else error.strerror
        raise UnreadableSettings(f"{env_file()} can't be read: {why}") from None


def origins() -> dict[str, str]:
    """Where each SLOMIX_* variable that says something stands, by its name in upper case: the environment, or the name
    of the file; also of those that are no setting."""
    file = env_file()
    in_file = DotEnvSettingsSource(Settings, env_file=file).env_vars if file is not None and file.is_file() else {}
    given = dict.fromkeys((name for name, text in in_file.items() if text is not None), str(file))
    given |= dict.fromkeys(EnvSettingsSource(Settings).env_vars, "the environment")
    return {name.upper(): where for name, where in given.items() if name.startswith("slomix_")}


def environment_without_settings() -> dict[str, str]:
    """This process's environment without any setting, to be joined with ``as_environment``."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SLOMIX_")}


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings as ``SLOMIX_*`` variables, for processes started with exactly these (secrets included)."""
    variables = {"SLOMIX_ENV_FILE": ""}
    variables |= {own.variable: own.text.get_secret_value() for own in settings.texts_of_servers}
    for name, value in settings:
        if value is None or name == "texts_of_servers":
            continue
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, timedelta):
            value = value.total_seconds()
        elif isinstance(value, tuple):
            value = ",".join(value)
        variables[f"SLOMIX_{name.upper()}"] = str(value)
    return variables
