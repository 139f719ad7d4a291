"""The stages of the chain, from a file's bytes to what is told: each a function that knows no Dagster.

Belongs here: one module and one function per stage, both with its name, called by its asset, by commands and by tests
through ``common.perform``. Fetch, call the rules, store, say what was done.
Does not belong here: the rules themselves (``rules``), SQL (``warehouse``), how Dagster is told (``assets``,
``checks``).
"""
