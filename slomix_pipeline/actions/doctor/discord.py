"""What the doctor says of Discord: each webhook, and slash commands.

Nothing is posted. Does not belong here: what Discord answers (``discord.client``).
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from pydantic import SecretStr

from slomix_pipeline.actions.registering import slash_commands
from slomix_pipeline.discord.client import Discord, DiscordError, InDoubt, NotSent
from slomix_pipeline.reports.findings import Finding, failed, ok
from slomix_pipeline.settings import SCHEDULED_POSTS, Settings

LATE_FIX = "see whether this machine reaches discord.com by https (firewall, proxy, DNS)"
AWAY_FIX = f"try again in some minutes; if it stays, {LATE_FIX}"
_SECONDS = 15.0  # for one webhook
_ANEW = "make it anew in Discord (channel settings, Integrations, Webhooks) and copy its address into"


class OneWebhook(NamedTuple):
    """How a channel is looked at."""

    name: str
    find: Callable[[], Iterator[Finding]]


def webhooks(settings: Settings) -> list[OneWebhook]:
    """A look for each channel that is told something."""
    results: dict[str, SecretStr] = {}
    found = []
    several = len(settings.game_servers) > 1
    for own in settings.game_servers:
        of = f" of {own.server}" if several else ""
        if own.discord_webhook is not None:
            results[own.server] = own.discord_webhook
            setting = settings.variable("discord_webhook", own.server)
            found.append(_channel(f"Discord{of}", own.discord_webhook, setting))
        for channel, webhook in (("summary", own.discord_summary_webhook), ("dev", own.discord_dev_webhook)):
            if webhook is not None:
                setting = settings.variable(f"discord_{channel}_webhook", own.server)
                shared = own.discord_webhook if channel == "dev" else None
                found.append(_channel(f"Discord {channel} channel{of}", webhook, setting, shared))
    if not results:
        found.insert(0, OneWebhook("Discord", _nobody_is_told))
    posts = [f"SLOMIX_{name.upper()}" for name in SCHEDULED_POSTS if getattr(settings, name)]
    nowhere = settings.discord_webhook is None and settings.discord_board_webhook is None
    if posts and nowhere and len(results) == len(settings.game_servers):  # else the stand-in has them
        found.append(OneWebhook("Discord posts", partial(_no_channel, posts)))
    if settings.discord_board_webhook is not None:
        found.append(_channel("Discord board channel", settings.discord_board_webhook, "SLOMIX_DISCORD_BOARD_WEBHOOK"))
    if (admin := settings.discord_admin_webhook) is not None:
        shared = admin if admin in results.values() else None
        found.append(_channel("Discord admin channel", admin, "SLOMIX_DISCORD_ADMIN_WEBHOOK", shared))
    return found


def _nobody_is_told() -> Iterator[Finding]:
    yield ok("Discord", "no webhook set: the stand-in page shows what would be said")


def _no_channel(posts: list[str]) -> Iterator[Finding]:
    text = f"{', '.join(posts)} would post, and no channel is for that: those of single game servers get results alone"
    yield failed("Discord posts", text, "set SLOMIX_DISCORD_BOARD_WEBHOOK, or SLOMIX_DISCORD_WEBHOOK")


def _channel(name: str, webhook: SecretStr, setting: str, of_players: SecretStr | None = None) -> OneWebhook:
    return OneWebhook(name, partial(_look, name, webhook, setting, of_players))


def _look(name: str, webhook: SecretStr, setting: str, of_players: SecretStr | None) -> Iterator[Finding]:
    """``of_players``: the webhook that this one must not be."""
    if webhook == of_players:
        yield failed(name, f"{setting} is that of the results, which players read", f"set {setting} to another channel")
        return
    try:
        discord = Discord(webhook.get_secret_value(), setting=setting, max_wait=_SECONDS)
        discord.check()
    except (DiscordError, ValueError) as error:
        away = isinstance(error, InDoubt) or (isinstance(error, NotSent) and error.retriable)
        yield failed(name, str(error), AWAY_FIX if away else f"{_ANEW} {setting}")
        return
    if discord.thread_id is None:
        yield ok(name, f"the webhook at {discord.describe()} answers")
    elif not discord.thread_id.isdecimal():
        text = f"the thread_id at the end of {setting} is no number"
        yield failed(name, text, "write the id that Discord copies for that thread")
    else:
        where = f"it posts into thread {discord.thread_id}, of which nothing can be seen without posting"
        yield ok(name, f"the webhook at {discord.describe()} answers; {where}")


def commands(settings: Settings) -> Iterator[Finding]:
    """Whether slash commands can be answered."""
    yield from slash_commands(settings)
