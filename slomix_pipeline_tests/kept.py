"""What tests keep, because making or ending it takes longer than they do: Dagster's instance, a page, a picture.

Does not belong here: tests of these things themselves, which work with them as they are.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from slomix_pipeline.charts.facts import MapFacts, SessionFacts
from slomix_pipeline.discord.embeds import Attachment
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.stages.session_pictures import Drawn
from slomix_pipeline.warehouse.site_preparing import Picture

_ending = ThreadPoolExecutor(4, "ending")
_instances: list[dg.DagsterInstance] = []


@contextmanager
def served_page(folder: Path) -> Iterator[StandIn]:
    """Discord's stand-in, which ends by itself behind the test: its server looks only now and then whether it is to."""
    page = StandIn(folder).__enter__()
    try:
        yield page
    finally:
        _ending.submit(page.__exit__)


@contextmanager
def empty_instance() -> Iterator[dg.DagsterInstance]:
    """An instance of Dagster's that knows nothing: one that was used before and wiped, as making its tables takes as
    long as a test."""
    instance = _instances.pop() if _instances else dg.DagsterInstance.ephemeral()
    try:
        yield instance
    finally:
        instance.wipe()
        _instances.append(instance)


def drawn_at_once(facts: SessionFacts) -> list[Drawn]:
    """A picture of a session that only a digest can tell from another one's: drawing takes as long as a test."""
    content = hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).digest()
    picture = Picture("result", "a session", f"<svg xmlns='http://www.w3.org/2000/svg'>{content.hex()}</svg>", content)
    return [Drawn(Attachment.of("result.png", "a session", content), picture)]


def map_drawn_at_once(facts: MapFacts) -> Attachment:
    """The same of a map."""
    return Attachment.of("map.png", facts.sentence, repr(facts).encode("utf-8", "surrogatepass"))
