"""Player names: raw bytes of the engine, colour codes, and what people read.

The only name cleaner of the project. Raw names stay in the stored file. Also how any foreign text is shown as it is.

Does not belong here: which of his names a player is shown by (``sql/views``), escaping for an output.
"""

import re
import unicodedata
from functools import lru_cache

# The engine takes a caret and any visible character but a caret as a colour code.
_COLOUR_CODE = re.compile(r"\^[^\s^\x00-\x1f\x7f]")

# Controls, invisible characters and those that turn the direction of text, stray bytes, ends of lines and paragraphs.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # unseen too, but parts of emoji and of words


def decode(raw: bytes) -> str:
    """Text of engine bytes without loss: UTF-8, other bytes as surrogate escapes."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes ``decode`` came from."""
    return text.encode("utf-8", "surrogateescape")


def readable(text: str) -> str:
    """Text that can be stored and shown: stray bytes read as Latin-1, control characters as spaces."""
    if text.isprintable():  # what that calls unprintable is all that would be changed, and a little more
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = "".join(chr(ord(c) - 0xDC00) if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)


def visible(text: str) -> str:
    """Text of files and people as it is, on one line: what can't be seen, or would steer a terminal, as its escape
    (``\\x1b``, ``\\n``, ``\\u202e``; a stray byte like ``\\xff``)."""
    if text.isprintable():  # what that calls unprintable is all of the unseen, and a little more
        return text
    return "".join(_escape(c) if is_unseen(c) else c for c in text)


def is_unseen(character: str) -> bool:
    """Whether a character does something to the text around it instead of being seen."""
    return unicodedata.category(character) in _UNSEEN and character not in _JOINERS


def _escape(character: str) -> str:
    if 0xDC80 <= ord(character) <= 0xDCFF:
        character = chr(ord(character) - 0xDC00)
    return character.encode("unicode_escape").decode("ascii")


@lru_cache(maxsize=1024)  # the same people play every evening
def clean_name(name: str) -> str:
    """The name as people read it: without colour codes, control characters and outer spaces."""
    return " ".join(_COLOUR_CODE.sub("", readable(name)).split())
