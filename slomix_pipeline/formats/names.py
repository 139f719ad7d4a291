"""Player names: raw bytes of the engine, colour codes, and what people read.

The only name cleaner of the project. Raw names stay in the stored file. Also how any foreign text is shown as it is, on
one line, and cut to a width.

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
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_MOST_MARKS = 2  # on one character: more of them run over the lines around


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


def plain(text: str) -> str:
    """``text`` as it is seen on one line: no line breaks, control, invisible or direction-changing characters, no piles
    of marks.

    For places without markup; where there is some it has to be escaped, too.
    """
    # Nearly all are letters and figures of which nothing has to be looked at.
    shown = text if text.isascii() and text.isprintable() else _without_piles("".join(map(_seen, text)))
    return re.sub(r" {2,}", " ", shown).strip()


def _without_piles(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        if character not in _JOINERS:  # they end no pile
            marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def _seen(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    if category == "Cs":  # half of a character: not sendable
        return "\ufffd"
    return "" if category == "Cf" and character not in _JOINERS else character


def clip(text: str, width: int) -> str:
    """At most ``width`` (≥ 1) visible characters of ``text``; the last is ``…`` if it was cut. Where there is markup,
    escape afterwards."""
    characters = _visible_characters(plain(text))
    return "".join(characters) if len(characters) <= width else "".join(characters[: width - 1]) + "…"


def _visible_characters(text: str) -> list[str]:
    """``text`` cut where the eye would cut: marks, joined emoji and skin tones stay with what they belong to."""
    characters: list[str] = []
    for character in text:
        joins = unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf") or ord(character) in _SKIN_TONES
        if characters and (joins or characters[-1].endswith("\u200d")):
            characters[-1] += character
        else:
            characters.append(character)
    return characters
