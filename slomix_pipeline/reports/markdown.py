"""Markdown for the Dagster UI, reports and the terminal: tables, and text of files and people that stays as it is.

Belongs here: its grammar. Does not belong here: Discord's own, which differs (``discord.embeds``), and what is said.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from slomix_pipeline.formats.names import readable, visible


class Markdown(str):
    """A text that is Markdown, to be shown as such."""

    __slots__ = ()


def escape(text: str) -> str:
    """Text that shows as it is, on one line, also within a table; ``_`` inside a word means nothing and stays."""
    return re.sub(r"[\\`*~|<>\[\]#]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", visible(readable(text)))


def code(text: str) -> str:
    """A key or name as a code span; also within a table."""
    shown = visible(readable(text)).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}" if longest else f"{fence}{shown}{fence}"


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a table. Cells are Markdown already: text in them has to be escaped."""
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"
