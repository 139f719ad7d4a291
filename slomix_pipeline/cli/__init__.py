"""The command line of ``slomix``: arguments, tables, exit codes, the terminal.

Belongs here: reading what was typed and printing what came of it. Does not belong here: doing it (``actions``,
``reports``, ``runtime``).
"""
