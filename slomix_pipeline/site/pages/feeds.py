"""Feeds: the results of sessions, and the corrections, for programs that tell people what is new.

Belongs here: Atom. Does not belong here: sessions in a list (``sessions``), corrections (``corrections``).

The id of an entry is made of the key that never changes, whatever address the site has, and of what tells this
installation from others, which may have the same keys. An entry is updated with the last match of the session, with a
correction, and whenever its report becomes another one, also where nothing was told of that.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

from slomix_pipeline.reports.career_words import count
from slomix_pipeline.site.answers import Asked
from slomix_pipeline.site.pages.sessions import lines
from slomix_pipeline.site.templating import others_text, url_of, utc_text
from slomix_pipeline.warehouse import corrections, reading, site_reading
from slomix_pipeline.warehouse.site_store import Moment

ATOM = "application/atom+xml; charset=utf-8"
_SPACE = "http://www.w3.org/2005/Atom"
_ENTRIES = 25
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Entry:
    """``id``: stays whatever happens to the rest; ``url``: of this site."""

    id: str
    title: str
    url: str
    updated: datetime
    summary: str


def results_feed(moment: Moment, asked: Asked) -> bytes:
    """The newest sessions of which a match counts, with their score."""
    own = _urn(moment)
    keys = site_reading.newest_sessions(moment.conn, _ENTRIES)
    ended = {row.session_key: row.ended_at for row in reading.session_rows_of(moment.conn, keys)}
    corrected = corrections.latest_of(moment.conn, keys)
    entries = [
        Entry(
            f"{own}:session:{key}",
            line.title,
            line.url,
            max(ended[key], corrected.get(key, ended[key])),
            f"{count(line.matches, 'match', 'matches')}, {count(line.rounds, 'round')}"
            + (f"; trust grade {line.grade}" if line.grade else ""),
        )
        for key, line in zip(keys, lines(moment, keys), strict=True)
        if line.counted
    ]
    return _atom(own, "Results", "/feed.xml", "/sessions", entries, moment, asked)


def corrections_feed(moment: Moment, asked: Asked) -> bytes:
    """The newest corrections of results."""
    own = _urn(moment)
    entries = [
        Entry(
            f"{own}:correction:{row.id}",
            f"{row.map_name}: {row.notice}",
            url_of("matches", row.match_key),
            row.found_at,
            row.cause,
        )
        for row in corrections.newest(moment.conn, _ENTRIES)
    ]
    return _atom(own, "Corrections", "/corrections.xml", "/corrections", entries, moment, asked)


def _urn(moment: Moment) -> str:
    return f"urn:slomix:{site_reading.installation(moment.conn)}"


def _atom(urn: str, title: str, own: str, page: str, entries: list[Entry], moment: Moment, asked: Asked) -> bytes:
    feed = ElementTree.Element("feed", xmlns=_SPACE)
    _text(feed, "id", f"{urn}:feed:{title.lower()}")
    _text(feed, "title", f"slomix: {title.lower()}")
    _text(feed, "updated", utc_text(max((entry.updated for entry in entries), default=moment.version.changed_at)))
    ElementTree.SubElement(feed, "link", rel="self", type="application/atom+xml", href=asked.base + own)
    ElementTree.SubElement(feed, "link", rel="alternate", type="text/html", href=asked.base + page)
    _text(ElementTree.SubElement(feed, "author"), "name", "slomix")
    for entry in entries:
        element = ElementTree.SubElement(feed, "entry")
        _text(element, "id", entry.id)
        _text(element, "title", entry.title)
        _text(element, "updated", utc_text(entry.updated))
        ElementTree.SubElement(element, "link", rel="alternate", type="text/html", href=asked.base + entry.url)
        _text(element, "summary", entry.summary)
    made: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return made


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    """Text of others is cleaned as on pages; what XML can't hold is left out."""
    ElementTree.SubElement(parent, name).text = _NOT_IN_XML.sub("", others_text(text))
