"""Discord: what is said (``embeds``, ``messages``), how it gets there (``client``), what was said (``ledger``).

``standin`` and ``render`` are a local Discord for demos and tests.
"""
