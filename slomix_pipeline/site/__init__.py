"""The public pages: what was played, who won, and what each number rests on. Read-only, without login, without cookie.

Belongs here: the process that serves them, their frame, a module per kind of page in ``pages``, and the same for
programs in ``api``.
Does not belong here: numbers. They are read by the readers of ``warehouse`` and worded as in ``reports``, so that page,
post, export and command say the same. This package knows neither Dagster nor any schema but ``site``; nothing heavy
(pandas, Altair) is loaded here: pictures are drawn where messages get theirs.

A page is added in three steps:

1. a reader in ``warehouse`` (most are there), that works under the search path ``site, public``: a table it needs is in
   ``site_schema.SHOWN``;
2. in ``pages`` a function ``(Moment, Asked) -> view model``: a frozen dataclass of plain values, no HTML; it raises
   ``NotHere`` (404, with suggestions) or ``Moved`` (301);
3. a template that extends ``base.html``, and a ``Page`` in ``pages.PAGES``.

``answers`` does the rest for every page and every resource of the API alike: ETag, 304, cache, snapshot, errors.
Names of players are shown by ``parts.player`` in HTML and never put into an address: links go by GUID.
"""
