"""Text of the game server's files to typed values and back.

Belongs here: one module per file format, each with ``parse`` and, where the project writes the format too, ``dump``.
Does not belong here: what the numbers mean for a match (``rules``), and anything with Dagster, a database or a clock.
"""
