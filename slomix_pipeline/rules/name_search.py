"""Who or what is meant by a name that somebody typed.

Belongs here: what comes before what: an id itself, then a whole name, then how one begins, then a part of one; capital
letters and colour codes never matter; and what may have been mistyped.
Does not belong here: which names there are (the view ``alias``).
"""

from collections.abc import Iterable
from difflib import get_close_matches

from slomix_pipeline.formats.names import clean_name

RESEMBLING = 5  # names that are suggested at most


def search(typed: str, known: Iterable[tuple[str, str]]) -> list[str]:
    """The ids that are meant, each once, in the order of ``known``: pairs of an id and one of its names.

    One that fits better leaves out all that fit worse, so several are several at the same distance.
    """
    wanted = clean_name(typed).casefold()
    if not wanted:
        return []
    found: dict[int, dict[str, None]] = {}
    for id_, name in known:
        distance = _distance(wanted, id_.casefold(), clean_name(name).casefold())
        if distance is not None:
            found.setdefault(distance, {})[id_] = None
    return list(found[min(found)]) if found else []


def resembling(typed: str, known: Iterable[str]) -> list[str]:
    """The few names that look most like one that nobody has, the likest first, written as they are in ``known``."""
    written = {clean_name(name).casefold(): name for name in known}
    return [written[name] for name in get_close_matches(clean_name(typed).casefold(), written, n=RESEMBLING)]


def _distance(wanted: str, id_: str, name: str) -> int | None:
    if wanted == id_:
        return 0
    if wanted == name:
        return 1
    if name.startswith(wanted):
        return 2
    return 3 if wanted in name else None
