"""Discord: what is said (``embeds``, ``messages``) and how it gets there (``client``).

``standin`` and ``render`` are a local Discord for demos and tests. What was already said is remembered by the
warehouse's ledger, not here.
"""
