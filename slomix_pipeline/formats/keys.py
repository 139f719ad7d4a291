"""The text of keys: of a round, an endstats file or a timing record, of a gaming session.

A key begins with the game server's id, which has no colon.
"""


def server_of(key: str) -> str:
    """The game server's id, which every key begins with."""
    return key.partition(":")[0]
