"""The channels that are told something: results and boards for the players, timing troubles and alarms for those who
run the server.

Belongs here: which webhook is for what. Does not belong here: sending (``client``), what is said (``messages``).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pydantic import SecretStr

from slomix_pipeline.discord.patience import Patience
from slomix_pipeline.rules.things import ALARMS, ASKED, RESULTS, ThingKind
from slomix_pipeline.settings import Settings

if TYPE_CHECKING:
    from slomix_pipeline.discord.client import Discord


@dataclass(frozen=True)
class Channels:
    """Each is None where its webhook is not set. ``summaries``: of sessions, and ``boards``: with
    all that is asked for, where these don't go with the results.

    ``servers``: where there are several game servers, the channels of each. ``everywhere``: all webhooks that are set.
    """

    results: "Discord | None" = None
    dev: "Discord | None" = None
    admin: "Discord | None" = None
    summaries: "Discord | None" = None
    boards: "Discord | None" = None
    servers: "Mapping[str, Channels]" = field(default_factory=dict)
    everywhere: "tuple[Discord, ...]" = ()

    def of(self, kind: ThingKind) -> "Discord | None":
        """Where things of a kind are told."""
        if kind is ThingKind.SESSION and self.summaries is not None:
            return self.summaries
        if kind in ASKED and self.boards is not None:
            return self.boards
        if kind in RESULTS or kind in ASKED:
            return self.results
        return self.admin if kind in ALARMS else self.dev

    def at(self, server: str) -> "Channels":
        """The channels of one game server."""
        own = self.servers.get(server)
        return self if own is None else replace(own, servers=self.servers, everywhere=tuple(self.all()))

    def all(self) -> "list[Discord]":
        """Every webhook once: any of them may have sent what is to be edited."""
        own = (self.results, self.dev, self.admin, self.summaries, self.boards)
        of_servers = (discord for channels in self.servers.values() for discord in channels.all())
        return list(dict.fromkeys(discord for discord in (*own, *of_servers, *self.everywhere) if discord is not None))

    def kinds_in(self, channel: "Discord") -> tuple[ThingKind, ...]:
        """The kinds of things that a channel is told."""
        return tuple(kind for kind in ThingKind if self.of(kind) is channel)

    def kinds_told(self) -> list[ThingKind]:
        """The kinds of things that are told anywhere."""
        return [kind for kind in ThingKind if any(own.of(kind) for own in (self, *self.servers.values()))]

    def servers_in(self, channel: "Discord") -> list[str] | None:
        """The game servers of which a channel is told something; None: of all that there ever were."""
        if not self.servers:
            return None
        return [server for server, own in self.servers.items() if own.kinds_in(channel)]


OpenChannels = Callable[[], AbstractContextManager[Channels]]
"""How a command opens its channels, once there is something to tell."""


def open_channels(settings: Settings, patience: Patience | None = None) -> Channels:
    """The channels that the settings name; nothing is sent before the first call. ``patience``: with all of them
    together; without any each call ends in its own time."""
    if not any(_webhooks(own) for own in (settings, *settings.game_servers)):
        return Channels()
    from slomix_pipeline.discord.client import Discord  # loads requests: only runs that post need it

    opened: dict[str, Discord] = {}  # of one webhook there is one: it knows how long Discord asked it to wait

    def of(own: Settings) -> Channels:
        named = {}
        for name, webhook in _webhooks(own).items():
            address = webhook.get_secret_value()
            if address not in opened:
                opened[address] = Discord(address, setting=settings.variable(name, own.server), patience=patience)
            named[name] = opened[address]
        results, dev, admin, summaries, boards = (named.get(name) for name in _SETTINGS)
        return Channels(results, dev, admin, summaries, boards)

    return replace(of(settings), servers={server: of(settings.of_server(server)) for server in settings.servers})


# In the order of ``Channels``.
_SETTINGS = (
    "discord_webhook",
    "discord_dev_webhook",
    "discord_admin_webhook",
    "discord_summary_webhook",
    "discord_board_webhook",
)


def _webhooks(settings: Settings) -> dict[str, SecretStr]:
    """The webhooks that are set, by the names of their settings."""
    found = {name: getattr(settings, name) for name in _SETTINGS}
    return {name: webhook for name, webhook in found.items() if webhook}


@contextmanager
def channels_in_use(settings: Settings) -> Iterator[Channels]:
    """The channels for a command, while the ``with`` block runs: what has no webhook for results tells them the home's
    stand-in, as under ``slomix run``."""
    with ExitStack() as stack:
        if any(own.discord_webhook is None for own in settings.game_servers):
            from slomix_pipeline.discord.standin import StandIn, running_webhook

            page = settings.home / "discord"
            webhook = running_webhook(page) or stack.enter_context(StandIn(page)).webhook_url
            settings = settings.with_results_at(webhook)
        yield open_channels(settings)
