"""A part of an address: a key or name as it stands between two slashes, and back.

Belongs here: what no browser, proxy or server takes apart. They read ``%2F`` as a slash and ``%2E%2E`` as the folder
above, so a map that is called ``a/b`` or ``..`` is written with ``=`` instead. Does not belong here: whole addresses
(``templating.url_of``).
"""

import re
from urllib.parse import quote

_TAKEN_APART = re.compile(r"[/=]|^\.+$")


def part_of(text: str) -> str:
    """``a/b`` as ``a=2Fb``; a key stays as it is."""
    return quote(_TAKEN_APART.sub(_escaped, text), safe=":=")


def text_of(part: str) -> str:
    """What a part stands for, once its ``%`` are read, as a server gives it."""
    return re.sub("=(2E|2F|3D)", lambda match: chr(int(match[1], 16)), part)


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"={ord(character):02X}" for character in match[0])
