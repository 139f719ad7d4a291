"""Single calls of Discord's API beside those of a webhook: what all of them need.

Belongs here: what we call ourselves, silence about addresses and headers, which hold tokens. Does not belong here: what
is asked, patience (``client`` for webhooks).
"""

import logging
import re
from typing import Any
from urllib.parse import urlsplit

import requests

AGENT = "DiscordBot (slomix, 1)"  # Discord takes no calls of nameless programs
LOOPBACK = ("127.0.0.1", "localhost")


class Unreachable(Exception):
    """There is no answer; the text is only of which kind the error was."""


class Unsendable(Unreachable):
    """What was to be sent is no address or no header."""


def call(method: str, url: str, seconds: float, *, body: Any = None, token: str | None = None) -> requests.Response:
    """The answer to one call, whatever it is. ``token``: of the bot.

    Raises:
        Unreachable, Unsendable: see there.
    """
    headers = {"User-Agent": AGENT} | ({"Authorization": f"Bot {token}"} if token else {})
    try:
        return requests.request(
            method,
            url,
            json=body,
            headers=headers,
            timeout=seconds,
            proxies=proxies_for(url),
            allow_redirects=False,  # the token is for nobody else
        )
    except ValueError as error:  # how requests marks what it can't use
        raise Unsendable(type(error).__name__) from None
    except requests.RequestException as error:
        raise Unreachable(type(error).__name__) from None


def proxies_for(url: str) -> dict[str, str] | None:
    """A proxy for the way out can't reach the stand-in on this machine."""
    return {"no_proxy": ",".join(LOOPBACK)} if urlsplit(url).hostname in LOOPBACK else None


def _hide_address(record: logging.LogRecord) -> bool:
    record.msg, record.args = re.sub(r"/webhooks/[^\s\"']+", "/webhooks/…", record.getMessage()), ()
    return True


logging.getLogger("urllib3.connectionpool").addFilter(_hide_address)  # it logs addresses at DEBUG
