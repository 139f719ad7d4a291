"""PostgreSQL: the server (embedded or given), its schema, and one module per thing read or written.

Belongs here: everything that speaks SQL or knows a table.
Does not belong here: the game's rules (``rules``), file formats (``formats``), Dagster (``assets``).
Import the submodules directly; this package wires nothing.
"""
