"""The channels that are told something: results and boards for the players, timing troubles and alarms for those who
run the server.

Belongs here: which webhook is for what. Does not belong here: sending (``client``), what is said (``messages``).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from slomix_pipeline.discord.patience import Patience
from slomix_pipeline.rules.things import ALARMS, ASKED, REPORTS, RESULTS, ThingKind
from slomix_pipeline.settings import Settings

if TYPE_CHECKING:
    from slomix_pipeline.discord.client import Discord


class Channels(NamedTuple):
    """Each is None where its webhook is not set. ``summaries``: of sessions, and ``boards``: with
    all that is asked for, where these don't go with the results."""

    results: "Discord | None" = None
    dev: "Discord | None" = None
    admin: "Discord | None" = None
    summaries: "Discord | None" = None
    boards: "Discord | None" = None

    def of(self, kind: ThingKind) -> "Discord | None":
        """Where things of a kind are told."""
        if kind is ThingKind.SESSION and self.summaries is not None:
            return self.summaries
        if kind in ASKED and self.boards is not None:
            return self.boards
        if kind in RESULTS or kind in ASKED:
            return self.results
        return self.admin if kind in (*ALARMS, *REPORTS) else self.dev

    def kinds_in(self, channel: "Discord") -> tuple[ThingKind, ...]:
        """The kinds of things that a channel is told."""
        return tuple(kind for kind in ThingKind if self.of(kind) is channel)


OpenChannels = Callable[[], AbstractContextManager[Channels]]
"""How a command opens its channels, once there is something to tell."""


def open_channels(settings: Settings, patience: Patience | None = None) -> Channels:
    """The channels that the settings name; nothing is sent before the first call. ``patience``: with all of them
    together; without any each call ends in its own time."""
    webhooks = {
        "SLOMIX_DISCORD_WEBHOOK": settings.discord_webhook,
        "SLOMIX_DISCORD_DEV_WEBHOOK": settings.discord_dev_webhook,
        "SLOMIX_DISCORD_ADMIN_WEBHOOK": settings.discord_admin_webhook,
        "SLOMIX_DISCORD_SUMMARY_WEBHOOK": settings.discord_summary_webhook,
        "SLOMIX_DISCORD_BOARD_WEBHOOK": settings.discord_board_webhook,
    }
    if not any(webhooks.values()):
        return Channels()
    from slomix_pipeline.discord.client import Discord  # loads requests: only runs that post need it

    return Channels(
        *(
            None if webhook is None else Discord(webhook.get_secret_value(), setting=setting, patience=patience)
            for setting, webhook in webhooks.items()
        )
    )


@contextmanager
def channels_in_use(settings: Settings) -> Iterator[Channels]:
    """The channels for a command, while the ``with`` block runs: without a webhook the home's stand-in gets the
    results, as under ``slomix run``."""
    with ExitStack() as stack:
        channels = open_channels(settings)
        if channels.results is None:
            from slomix_pipeline.discord.client import Discord
            from slomix_pipeline.discord.standin import StandIn, running_webhook

            page = settings.home / "discord"
            webhook = running_webhook(page) or stack.enter_context(StandIn(page)).webhook_url
            channels = channels._replace(results=Discord(webhook))
        yield channels
