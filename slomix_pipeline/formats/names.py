"""Player names: raw bytes of the engine, colour codes, and what people read.

The only name cleaner of the project. Raw names stay in the stored file.
"""

import re
import unicodedata

# The engine takes a caret and any visible character but a caret as a colour code.
_COLOUR_CODE = re.compile(r"\^[^\s^\x00-\x1f\x7f]")


def decode(raw: bytes) -> str:
    """Text of engine bytes without loss: UTF-8, other bytes as surrogate escapes."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes ``decode`` came from."""
    return text.encode("utf-8", "surrogateescape")


def readable(text: str) -> str:
    """Text that can be stored and shown: stray bytes read as Latin-1, control characters as spaces."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = "".join(chr(ord(c) - 0xDC00) if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)


def clean_name(name: str) -> str:
    """The name as people read it: without colour codes, control characters and outer spaces."""
    return " ".join(_COLOUR_CODE.sub("", readable(name)).split())
