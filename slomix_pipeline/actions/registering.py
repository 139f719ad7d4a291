"""``slomix discord register``: tells Discord which slash commands there are; and whether they can be answered.

Belongs here: one call with the bot token, and what its refusals mean; what ``doctor`` says of the set-up.
Does not belong here: the commands (``site.interactions.commands``), answering them (``site.interactions``).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from slomix_pipeline.discord import api
from slomix_pipeline.discord.api import Unreachable, Unsendable
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.names import clip
from slomix_pipeline.reports.findings import Finding, failed, ok, unknown
from slomix_pipeline.settings import FOR_COMMANDS, Settings
from slomix_pipeline.site.interactions.commands import registration
from slomix_pipeline.site.interactions.endpoint import PATH
from slomix_pipeline.site.interactions.signing import OLDEST

_TIMEOUT_SECONDS = 20
_CLOCKS_MAY_DIFFER = 60  # seconds
_REACH = "see whether this machine reaches SLOMIX_DISCORD_API (firewall, proxy, DNS)"
_MEANT = {
    401: "Discord does not take SLOMIX_DISCORD_BOT_TOKEN: copy it anew from the application's page, Bot",
    403: "the application may not do that on this server: invite it there with the scope applications.commands",
    404: "there is no application SLOMIX_DISCORD_APPLICATION_ID",
    429: "Discord was told too often: wait some minutes (200 new commands a day are taken)",
}


class NotRegistered(SlomixError):
    """Discord was not told of the commands; the text says what to do."""


def register(settings: Settings) -> str:
    """Puts all commands in the place of those that Discord knew. Returns what to do next, in words.

    Raises:
        NotRegistered: see there.
    """
    token = settings.discord_bot_token
    lacking = settings.missing_for_commands + ([] if token else ["SLOMIX_DISCORD_BOT_TOKEN"])
    if token is None or lacking:
        raise NotRegistered(f"set {', '.join(lacking)} first")
    where = f"applications/{settings.discord_application_id}/guilds/{settings.discord_guild}/commands"
    commands = registration()
    url = f"{settings.discord_api}/{where}"
    try:
        answer = api.call("PUT", url, _TIMEOUT_SECONDS, body=commands, token=token.get_secret_value())
    except Unsendable as error:
        raise NotRegistered(
            f"that can't be sent ({error}): look at SLOMIX_DISCORD_BOT_TOKEN, which is one word, and SLOMIX_DISCORD_API"
        ) from None
    except Unreachable as error:
        raise NotRegistered(f"Discord could not be reached ({error}): try again later") from None
    if not answer.ok:
        raise NotRegistered(_MEANT.get(answer.status_code) or f"Discord refused them: {_reason(answer)}")
    called = f"{settings.site_address}{PATH}" if settings.site_address else f"the address of the pages with {PATH}"
    return (
        f"{len(commands)} commands are registered on server {settings.discord_guild}. They are answered once the "
        f"Interactions Endpoint URL on the application's page is {called}"
    )


def _reason(answer: requests.Response) -> str:
    """What Discord says is wrong, shortened: it names fields of ours, and nothing secret was in the body."""
    try:
        told: Any = answer.json()
    except ValueError:
        return f"status {answer.status_code}"
    errors = told.get("errors") or told.get("message") if isinstance(told, dict) else told
    return clip(f"status {answer.status_code}, {errors}", 500)


def slash_commands(settings: Settings) -> Iterator[Finding]:
    """Whether Discord can call: the settings are complete, there is an address, the clocks agree."""
    lacking = settings.missing_for_commands
    if len(lacking) == len(FOR_COMMANDS):
        yield ok("slash commands", "none: SLOMIX_DISCORD_APPLICATION_ID and others are not set")
        return
    if lacking:
        yield failed("slash commands", "nothing answers them", f"set {', '.join(lacking)}, too")
        return
    address = settings.site_address
    if address is None or not address.startswith("https://"):
        yield failed("slash commands", "Discord calls https alone", "set SLOMIX_SITE_ADDRESS to such an address")
    else:
        yield ok("slash commands", f"answered at {address}{PATH}, which Discord has to be told")
    yield _clock(settings)


def _clock(settings: Settings) -> Finding:
    """Compares our clock with Discord's: calls that seem older than a few minutes are refused."""
    try:
        answer = api.call("GET", f"{settings.discord_api}/gateway", _TIMEOUT_SECONDS)
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except Unreachable as error:
        return failed("clock", f"it can't be compared with Discord's ({error})", _REACH)
    except (KeyError, ValueError):
        return unknown("clock", "it can't be compared with Discord's, whose answer has no date")
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    if apart <= _CLOCKS_MAY_DIFFER:
        return ok("clock", "it agrees with Discord's")
    text = f"it is {apart:.0f} s from Discord's: calls that seem older than {OLDEST} s are refused"
    return failed("clock", text, "have this machine's clock set by NTP (timedatectl set-ntp true)")
