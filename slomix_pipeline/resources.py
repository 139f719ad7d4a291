"""The four resources: settings, database, game server, Discord; each hands out a plain object.

They hold no configuration of their own: addresses and secrets come from the settings, which a process reads once, so
none of them shows in the Dagster UI.

Does not belong here: what those objects do.
"""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache

import dagster as dg

from slomix_pipeline.discord.channels import Channels, open_channels
from slomix_pipeline.discord.patience import OF_A_RUN, Patience
from slomix_pipeline.gameserver.several import open_game_servers
from slomix_pipeline.gameserver.source import GameServer
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.warehouse.database import Database, postgres_url
from slomix_pipeline.warehouse.migrations import migrate


@cache
def settings_of_this_process() -> Settings:
    """The settings in force when they were first asked for."""
    return load_settings()


@cache
def _ready(url: str) -> Database:
    """The database with all migrations applied: once per process and address."""
    database = Database(url)
    migrate(database)
    return database


class SettingsResource(dg.ConfigurableResource):
    """Hands out the ``settings.Settings`` of this process."""

    def create_resource(self, context: dg.InitResourceContext) -> Settings:
        return settings_of_this_process()


class DatabaseResource(dg.ConfigurableResource):
    """Hands out a ``warehouse.database.Database`` with its schema up to date."""

    def create_resource(self, context: dg.InitResourceContext) -> Database:
        return _ready(postgres_url(settings_of_this_process()))


class GameServerResource(dg.ConfigurableResource):
    """Hands out a ``gameserver.source.GameServer``, which gives that of each id; it connects when first asked for a
    file."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[GameServer, None, None]:
        with open_game_servers(settings_of_this_process()) as server:
            yield server


class DiscordResource(dg.ConfigurableResource):
    """Hands out the ``discord.channels.Channels``, which give those of each game server; each is None when its webhook
    is not set."""

    def create_resource(self, context: dg.InitResourceContext) -> Channels:
        return open_channels(settings_of_this_process(), Patience(OF_A_RUN))
