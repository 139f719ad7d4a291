"""The Markdown pages that people read, taken apart: code, links, anchors.

Belongs here: which pages there are, and finding things in them. Does not belong here: what is to hold of these (the tests
beside).
"""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from slomix_pipeline.settings import project_folder

ROOT = project_folder()
_BEHIND_A_LINK = re.compile(r"[^\w\- ]")


def pages() -> list[Path]:
    """All pages, as paths in the project."""
    found = (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("lua/*.md"), *ROOT.glob("deploy/**/*.md"))
    return sorted(path.relative_to(ROOT) for path in found)


def _tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text("utf-8"))


def _inline(page: Path) -> Iterator[Token]:
    for token in _tokens(page):
        yield from token.children or ()


def code_lines(page: Path) -> Iterator[str]:
    """The lines of its code blocks."""
    for token in _tokens(page):
        if token.type in ("code_block", "fence"):
            yield from filter(None, map(str.strip, token.content.splitlines()))


def inline_code(page: Path) -> Iterator[str]:
    """What stands between single backticks."""
    return (token.content for token in _inline(page) if token.type == "code_inline")


def links(page: Path) -> Iterator[str]:
    """Where its links lead and its pictures are from."""
    for token in _inline(page):
        if target := token.attrGet("href") or token.attrGet("src"):
            yield str(target)


def anchors(page: Path) -> set[str]:
    """What of a page can be linked to, as GitHub names its headings."""
    tokens = _tokens(page)
    heads = [inline.content for opened, inline in pairwise(tokens) if opened.type == "heading_open"]
    return {_BEHIND_A_LINK.sub("", head.lower()).replace(" ", "-") for head in heads}


def words_of(line: str, program: str) -> list[str] | None:
    """The words behind a program in a line of a shell, without what is set before it and noted after it; None where the
    line is not about it."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # no line of a shell
        return None
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    return words[1:] if words and words[0] in (program, f".venv/bin/{program}") else None
